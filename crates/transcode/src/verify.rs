//! The only maker of files that leave: read with the same rules, compared, decoded where it was encoded, made durable,
//! renamed.

use std::path::Path;

use pinpress_av::{Cancel, DecodeProof};
use pinpress_media::{Failure, FailureKind, FixOptions, Fixed, Plan, Progress, Stage, WirePath};
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{MediaInfo, Reader, Report, Scan, Seconds, Source, Spec, check};

use crate::rendition::Rendition;
use crate::{facts, failure};

mod copies;
mod sync;

/// How far the result's duration may be from the plan's, in milliseconds, beside two of its frames: the rounding of
/// the last packet of sound at either end.
const DURATION_TOLERANCE_MS: i64 = 100;

/// A file under its final name that passed its proof.
#[derive(Debug)]
pub struct VerifiedRendition {
    info: MediaInfo,
    report: Report,
    frames_decoded: u64,
    packets_compared: u64,
    output: std::path::PathBuf,
}

impl VerifiedRendition {
    /// The answer on the wire.
    #[must_use]
    pub fn into_fixed(self, plan: Plan) -> Fixed {
        Fixed {
            plan,
            output: WirePath::from(self.output.as_path()),
            info: self.info,
            report: self.report,
            frames_decoded: self.frames_decoded,
            packets_compared: self.packets_compared,
            salvaged: None,
        }
    }
}

/// What a rendition is proven against.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The facts of the file that it was made from.
    pub info: &'a MediaInfo,
    /// What was to be done.
    pub plan: &'a Plan,
    /// The rule set that it has to pass.
    pub spec: &'a Spec,
}

/// Proves `rendition` and gives it its final name: what was encoded is decoded, and of what was copied the packets are
/// read back and compared with those that the muxer was given. A salvaged file is decoded in whole. Source bytes that
/// pass by the facts that are known go without being read again.
///
/// # Errors
/// `Unproven` with what did not hold, `OutputExists`, `Io`, `Cancelled`. The temp file is gone then.
pub fn verify(
    rendition: Rendition,
    claim: Claim<'_>,
    options: &FixOptions,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Progress),
) -> Result<VerifiedRendition, Failure> {
    let output = rendition.output().to_owned();
    if rendition.passthrough {
        let report = check(claim.info, claim.spec);
        passes(&report)?;
        rendition.publish(options.overwrite)?;
        return Ok(VerifiedRendition {
            info: claim.info.clone(),
            report,
            frames_decoded: 0,
            packets_compared: 0,
            output,
        });
    }
    let path = rendition.path();
    let written = rendition.done;
    let total_ms = claim.plan.duration.or(claim.info.duration).map(pinpress_media::wire_millis);
    let mut verifying = |micros: i64| {
        let done_ms = u64::try_from(micros / 1000).unwrap_or(0);
        observe(Progress { stage: Stage::Verifying, done_ms, total_ms });
    };
    let tracks = copies::tracks(&written, claim.plan);
    let units: Vec<_> = tracks.iter().map(|track| track.digest.map(|digest| digest.units)).collect();
    let result = facts::read_back(path, &units, cancel, &mut verifying)?;
    let packets_compared = copies::compare(&tracks, &result, path, cancel)?;
    let report = check(&result.info, claim.spec);
    passes(&report)?;
    let gate = passes_the_gate(path, claim.spec)?;
    let threads = options.threads.max(1);
    let decoded: Vec<u32> = (0..).zip(&tracks).filter(|(_, track)| track.digest.is_none()).map(|(at, _)| at).collect();
    let mut frames_decoded = 0;
    if !decoded.is_empty() {
        let proof = pinpress_av::decode_streams(path, &decoded, threads, cancel, &mut verifying)
            .map_err(|error| failure::from_av(&error))?;
        decodes(&proof)?;
        counts(&proof, &result.info)?;
        frames_decoded = pictures(&proof);
    }
    // A picture that follows on itself has to decode over its seam too. All its seams join the same packets.
    if let Some(picture) = tracks.first().and_then(|track| track.digest).filter(|_| claim.plan.repeat > 1) {
        let seam = picture.packets / u64::from(claim.plan.repeat);
        let proof = pinpress_av::decode_seam(path, 0, seam, threads, cancel, &mut verifying)
            .map_err(|error| failure::from_av(&error))?;
        decodes(&proof)?;
        frames_decoded += pictures(&proof);
    }
    // Like is compared with like: the tables and the packets differ by when the last picture ends where pictures are
    // missing before it.
    let by_tables = gate.filter(|_| claim.info.reader == Reader::SampleTable);
    let (info, report) = by_tables.unwrap_or((result.info, report));
    lasts(&info, claim.plan)?;
    if let Some(source) = rendition.source.as_ref().filter(|_| claim.plan.audio.is_some()) {
        sync::at_the_start(source, &result.facts, claim.plan)?;
        sync::at_the_end((source, claim.info), (&result.facts, &info), claim.plan)?;
    }
    rendition.publish(options.overwrite)?;
    Ok(VerifiedRendition { info, report, frames_decoded, packets_compared, output })
}

fn unproven(message: String) -> Failure {
    Failure { log: pinpress_av::take_log(), ..Failure::new(FailureKind::Unproven, message) }
}

fn passes(report: &Report) -> Result<(), Failure> {
    report.errors().next().map_or(Ok(()), |finding| {
        Err(unproven(format!(
            "the result does not pass {}: {} is {}, required {}: please report this",
            report.spec,
            finding.rule.name(),
            finding.measured,
            finding.required
        )))
    })
}

/// Asks the gate's own reader too: it measures from the tables, libav from the packets, and the next check of this file
/// will be the gate's. `None` is what it leaves to libav, which has judged.
fn passes_the_gate(path: &Path, spec: &Spec) -> Result<Option<(MediaInfo, Report)>, Failure> {
    let read =
        |error: &dyn std::fmt::Display| Failure::new(FailureKind::Io, format!("cannot read the result: {error}"));
    let source = Source::open(path).map_err(|error| read(&error))?;
    match sample_table::read(&source).map_err(|error| read(&error))? {
        Decision::Facts(info) => {
            let report = check(&info, spec);
            passes(&report)?;
            Ok(Some((*info, report)))
        }
        Decision::Undecided { .. } => Ok(None),
    }
}

fn pictures(proof: &DecodeProof) -> u64 {
    proof.video().map_or(0, |video| video.decoded)
}

fn decodes(proof: &DecodeProof) -> Result<(), Failure> {
    if proof.faults() > 0 {
        let at =
            proof.first_fault_us().map_or_else(String::new, |micros| format!(" at {}", Seconds::from_micros(micros)));
        return Err(Failure {
            log: pinpress_av::take_log(),
            ..Failure::new(
                FailureKind::Corrupt,
                format!("corrupt: the result does not decode without faults, the first{at}: export or copy it again"),
            )
        });
    }
    Ok(())
}

/// Every picture that the index tells of is one that decodes.
fn counts(proof: &DecodeProof, info: &MediaInfo) -> Result<(), Failure> {
    let Some(video) = proof.video() else { return Ok(()) };
    let decoded = video.decoded;
    let video = info.primary_video();
    let fields = video.is_some_and(|video| video.scan == Some(Scan::Interlaced));
    match video.and_then(|video| video.frame_count) {
        // A field can be a sample of its own.
        Some(told) if fields && told.div_ceil(2) == decoded => Ok(()),
        Some(told) if told != decoded => {
            Err(unproven(format!("the result has {told} pictures by its index and {decoded} decode")))
        }
        _ => Ok(()),
    }
}

fn lasts(info: &MediaInfo, plan: &Plan) -> Result<(), Failure> {
    let (Some(planned), Some(measured)) = (plan.duration, info.duration) else { return Ok(()) };
    let slowest = info.primary_video().and_then(|video| video.min_frame_rate);
    let frame = slowest.map_or(0, |rate| rate.frame_duration().millis());
    let off = (planned.millis() - measured.millis()).abs();
    if off <= DURATION_TOLERANCE_MS + 2 * frame {
        return Ok(());
    }
    Err(unproven(format!("the result lasts {measured} where {planned} was planned")))
}
