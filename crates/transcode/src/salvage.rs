//! What is left out of a damaged source, where a plan asks to keep the rest.

use std::path::Path;

use pinpress_av::{Cancel, DecodeProof, Done};
use pinpress_media::{AudioStep, Failure, Plan, Progress, Salvaged, Stage, VideoStep, wire_millis};
use pinpress_probe::{MediaInfo, Seconds};

use crate::failure;

/// With more than one, libav marks what it conceals now in one picture and now in the next: the same malformed clip had
/// 40 faults in one run and 42 in another. What is left out has to be the same every time.
const THREADS: usize = 1;

/// Where the streams that a plan encodes do not decode.
///
/// A picture is given out of a decoder with threads before it is known whether it is whole, so all is decoded once
/// before it is decoded for the encoder. Streams that are copied are not looked into: a plan copies those that are
/// whole, up to where they are.
#[derive(Debug, Clone)]
pub(crate) struct Faults(Option<DecodeProof>);

impl Faults {
    /// Decodes the file at `source` where `plan` salvages something that it encodes.
    ///
    /// # Errors
    /// When the file cannot be read at all, or `cancel` is set.
    pub(crate) fn find(
        source: &Path,
        info: &MediaInfo,
        plan: &Plan,
        cancel: &Cancel,
        observe: &mut dyn FnMut(Progress),
    ) -> Result<Self, Failure> {
        let encodes =
            matches!(plan.video, Some(VideoStep::Encode(_))) || matches!(plan.audio, Some(AudioStep::Encode { .. }));
        if !plan.salvage || !encodes {
            return Ok(Self(None));
        }
        let total_ms = info.duration.map(wire_millis);
        let mut report = |micros: i64| {
            let done_ms = u64::try_from(micros / 1000).unwrap_or(0);
            observe(Progress { stage: Stage::Decoding, done_ms, total_ms });
        };
        pinpress_av::decode_all(source, THREADS, cancel, &mut report)
            .map(|proof| Self(Some(proof)))
            .map_err(|error| failure::from_av(&error))
    }

    /// For a job: the times, in ticks of each stream, of what it leaves out. `None` where `plan` salvages nothing.
    pub(crate) fn left_out(&self, plan: &Plan) -> Option<Vec<(usize, Vec<i64>)>> {
        let streams = self.0.iter().flat_map(|proof| &proof.streams);
        plan.salvage.then(|| streams.map(|stream| (stream.index as usize, stream.fault_times.clone())).collect())
    }

    /// What was left out by a job that did this. `None` where nothing was.
    pub(crate) fn told(&self, plan: &Plan, done: &Done) -> Option<Salvaged> {
        if !plan.salvage {
            return None;
        }
        let (pieces, first_us) = match &self.0 {
            None => (done.damaged, done.first_damage_us),
            Some(proof) => {
                let zero = proof.start_us.unwrap_or(0);
                (proof.faults(), proof.first_fault_us().map(|micros| micros.saturating_sub(zero)))
            }
        };
        (pieces > 0).then(|| Salvaged { pieces, first: first_us.map(|micros| Seconds::from_micros(micros.max(0))) })
    }
}
