//! Whether the samples lie inside the file: a cut-off file is found without reading its `mdat`.

use super::Undecided;
use super::parsed::SampleTable;
use crate::units::{Seconds, TimeBase};

/// Where the first sample lies that the file does not hold whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Decode time up to which all samples are there; `None` when every sample is.
    pub(super) whole_until: Option<Seconds>,
    /// Bytes of all samples.
    pub(super) bytes: u64,
}

/// Walks the chunks (`stsc`, `stco`/`co64`, `stsz`: ISO/IEC 14496-12 §8.7) against the length of the file.
/// `fixed_size`: bytes of every sample, or 0 when each has its own.
pub(super) fn extent(
    table: &SampleTable,
    fixed_size: u32,
    time_base: TimeBase,
    file_len: u64,
) -> Result<Extent, Undecided> {
    let samples = table.count as usize;
    let contradiction = |what: &str| Undecided::Contradiction(what.to_owned());
    let mut sample = 0_usize;
    let mut bytes = 0_u64;
    let mut first_missing = None;
    for (place, &(first_chunk, samples_per_chunk)) in table.chunk_runs.iter().enumerate() {
        let next = table.chunk_runs.get(place + 1).map_or(table.chunks.len() + 1, |(first, _)| *first as usize);
        for chunk in first_chunk as usize..next {
            if sample >= samples {
                break;
            }
            let mut at =
                table.chunks.offset(chunk).ok_or_else(|| contradiction("stsc names a chunk that stco has not"))?;
            let per_chunk = samples_per_chunk as usize;
            if fixed_size > 0 {
                // One size for all: no need to go sample by sample (PCM has millions).
                let count = per_chunk.min(samples - sample) as u64;
                let length = count.saturating_mul(u64::from(fixed_size));
                if at.saturating_add(length) > file_len && first_missing.is_none() {
                    let there = file_len.saturating_sub(at) / u64::from(fixed_size);
                    first_missing = Some(sample + usize::try_from(there).unwrap_or(0));
                }
                bytes = bytes.saturating_add(length);
                sample += per_chunk.min(samples - sample);
                continue;
            }
            for _ in 0..per_chunk.min(samples - sample) {
                let size = table.sizes.get(sample).copied().map_or(0, u64::from);
                at = at.saturating_add(size);
                if at > file_len && first_missing.is_none() {
                    first_missing = Some(sample);
                }
                bytes = bytes.saturating_add(size);
                sample += 1;
            }
        }
    }
    if sample < samples {
        return Err(contradiction("stsz has more samples than the chunks hold"));
    }
    let whole_until =
        first_missing.map(|missing| decode_time(&table.durations, missing as u64, time_base).unwrap_or(Seconds::ZERO));
    Ok(Extent { whole_until, bytes })
}

fn decode_time(runs: &[(u32, u32)], sample: u64, time_base: TimeBase) -> Option<Seconds> {
    let mut left = sample;
    let mut ticks = 0_u64;
    for &(count, delta) in runs {
        let count = u64::from(count).min(left);
        ticks = ticks.saturating_add(count.saturating_mul(u64::from(delta)));
        left -= count;
        if left == 0 {
            break;
        }
    }
    Seconds::from_ticks(i64::try_from(ticks).ok()?, time_base)
}
