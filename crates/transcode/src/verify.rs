//! The only maker of files that leave: read with the same rules, decoded, compared, made durable, renamed.

use std::path::Path;

use pinpress_av::{Cancel, DecodeProof, Facts, StreamKind};
use pinpress_media::{AudioStep, Failure, FailureKind, FixOptions, Fixed, Plan, Progress, Stage, VideoStep, WirePath};
use pinpress_probe::{MediaInfo, Report, Scan, Seconds, Spec, check};

use crate::rendition::Rendition;
use crate::{facts, failure};

/// How far the result's duration may be from the plan's, in milliseconds, beside two of its frames: the rounding of
/// the last packet of sound at either end.
const DURATION_TOLERANCE_MS: i64 = 100;

/// How far the sound may have moved against the picture, in microseconds: a packet of AAC at 44.1 kHz, rounded up.
const SOUND_TOLERANCE_US: i64 = 24_000;

/// A file under its final name that passed its proof.
#[derive(Debug)]
pub struct VerifiedRendition {
    info: MediaInfo,
    report: Report,
    frames_decoded: u64,
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
            packets_compared: 0,
            salvaged: None,
        }
    }
}

/// What a rendition is proven against.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The file that it was made from.
    pub source: &'a Path,
    /// The facts of that file.
    pub info: &'a MediaInfo,
    /// What was to be done.
    pub plan: &'a Plan,
    /// The rule set that it has to pass.
    pub spec: &'a Spec,
}

/// Proves `rendition` and gives it its final name. Source bytes that pass by the facts that are known go without being
/// read again.
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
        return Ok(VerifiedRendition { info: claim.info.clone(), report, frames_decoded: 0, output });
    }
    let path = rendition.path();
    let info = facts::read(path, cancel, &mut |progress| observe(Progress { stage: Stage::Verifying, ..progress }))?;
    let report = check(&info, claim.spec);
    passes(&report)?;
    let total_ms = info.duration.map(pinpress_media::wire_millis);
    let mut decoding = |micros: i64| {
        let done_ms = u64::try_from(micros / 1000).unwrap_or(0);
        observe(Progress { stage: Stage::Verifying, done_ms, total_ms });
    };
    let proof = pinpress_av::decode_all(path, options.threads.max(1), cancel, &mut decoding)
        .map_err(|error| failure::from_av(&error))?;
    decodes(&proof, &info)?;
    lasts(&info, claim.plan)?;
    if claim.plan.audio.is_some() {
        let read = |path| Facts::read(path, cancel).map_err(|error| failure::from_av(&error));
        sounds_in_place(&read(claim.source)?, &read(path)?, claim.plan)?;
    }
    rendition.publish(options.overwrite)?;
    Ok(VerifiedRendition { info, report, frames_decoded: pictures(&proof), output })
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

fn pictures(proof: &DecodeProof) -> u64 {
    proof.video().map_or(0, |video| video.decoded)
}

fn decodes(proof: &DecodeProof, info: &MediaInfo) -> Result<(), Failure> {
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
    let decoded = pictures(proof);
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

/// Compares when the sound begins after the picture, in source and result. Streams that do not say when they begin
/// begin at once.
fn sounds_in_place(source: &Facts, result: &Facts, plan: &Plan) -> Result<(), Failure> {
    let start = |facts: &Facts, index: Option<u32>, kind| {
        let stream = facts.streams.iter().find(|stream| match index {
            Some(index) => stream.index == index,
            None => stream.kind == kind,
        });
        stream.and_then(|stream| stream.start.map(|ticks| stream.time_base.micros(ticks)))
    };
    let offset = |facts: &Facts, video, audio| {
        start(facts, audio, StreamKind::Audio).zip(start(facts, video, StreamKind::Video)).map(|(a, v)| a - v)
    };
    // The middle of a sound begins with the picture, and the packets say nothing of where it paused.
    let before = match plan.part {
        Some(part) if part.begin > Seconds::ZERO => Some(0),
        _ => offset(source, video_stream(plan), audio_stream(plan)),
    };
    let after = offset(result, None, None);
    match before.zip(after) {
        Some((before, after)) if (before - after).abs() > SOUND_TOLERANCE_US => {
            Err(unproven(format!("the sound moved by {} ms against the picture", (after - before) / 1000)))
        }
        _ => Ok(()),
    }
}

fn video_stream(plan: &Plan) -> Option<u32> {
    plan.video.as_ref().map(VideoStep::stream)
}

fn audio_stream(plan: &Plan) -> Option<u32> {
    plan.audio.as_ref().map(AudioStep::stream)
}
