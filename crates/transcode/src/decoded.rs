//! All of a file decoded, and told in the terms of facts.

use std::path::Path;

use pinpress_av::{Cancel, DecodeProof, StreamKind, StreamProof};
use pinpress_media::{Failure, Progress, Stage};
use pinpress_probe::{Decoded, DecodedStream, Medium, Seconds};

use crate::failure;

/// Decodes every picture and sound of the file at `path` with `threads`, at least 1. `total_ms` is how long it plays,
/// where that is known; `observe` hears how far decoding has come.
///
/// # Errors
/// `Io`, `NotAVideo`, `Incomplete`, `Corrupt` when it cannot be opened, or `Cancelled`. Faults inside are counted.
pub fn decode(
    path: &Path,
    threads: usize,
    total_ms: Option<u64>,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Progress),
) -> Result<Decoded, Failure> {
    let mut start = None;
    let mut report = |micros: i64| {
        let start = *start.get_or_insert(micros);
        let done_ms = u64::try_from((micros - start) / 1000).unwrap_or(0);
        observe(Progress { stage: Stage::Decoding, done_ms, total_ms });
    };
    let proof =
        pinpress_av::decode_all(path, threads, cancel, &mut report).map_err(|error| failure::from_av(&error))?;
    Ok(decoded(&proof))
}

/// The model's terms for libav's. Pure.
#[must_use]
pub fn decoded(proof: &DecodeProof) -> Decoded {
    let zero = proof.start_us.unwrap_or(0);
    // What is damaged before the first shown picture damages that one.
    let since = |micros: i64| Seconds::from_micros(micros.saturating_sub(zero).max(0));
    let stream = |stream: &StreamProof| DecodedStream {
        index: stream.index,
        medium: if stream.kind == StreamKind::Video { Medium::Video } else { Medium::Audio },
        codec: stream.codec.clone(),
        decoder: stream.decoder,
        decoded: stream.decoded,
        faults: stream.faults,
        first_fault: stream.first_fault_us.map(since),
    };
    Decoded {
        streams: proof.streams.iter().map(stream).collect(),
        damaged: proof.damaged,
        first_damage: proof.first_damage_us.map(since),
    }
}
