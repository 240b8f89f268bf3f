//! The tables that the `mp4` crate parsed, moved into types of our own: that crate does not let its boxes be named.

use std::io::Cursor;

use mp4::ReadBox as _;

use super::Undecided;

/// `moov`, as far as it matters here.
#[derive(Debug)]
pub(super) struct Movie {
    /// Ticks a second of edit lists.
    pub(super) timescale: u32,
    /// In the order of their boxes.
    pub(super) tracks: Vec<Track>,
}

/// One `trak`.
#[derive(Debug)]
pub(super) struct Track {
    /// Ticks a second of sample durations (`mdhd`).
    pub(super) timescale: u32,
    /// `a`, `b`, `c`, `d` of the `tkhd` matrix, 16.16.
    pub(super) matrix: [i32; 4],
    /// `elst`.
    pub(super) edits: Vec<Edit>,
    /// The sample table.
    pub(super) samples: SampleTable,
}

/// One entry of `elst` (ISO/IEC 14496-12 §8.6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Ticks of the movie.
    pub(super) segment_duration: u64,
    /// Ticks of the media; `None` for an empty edit.
    pub(super) media_time: Option<u64>,
    /// Plays at its own speed.
    pub(super) at_normal_rate: bool,
}

/// `stts`, `stsc`, `stsz`, `stco`/`co64`.
#[derive(Debug, Default)]
pub(super) struct SampleTable {
    /// (count, ticks) runs.
    pub(super) durations: Vec<(u32, u32)>,
    /// (first chunk from 1, samples a chunk) runs.
    pub(super) chunk_runs: Vec<(u32, u32)>,
    /// How many samples.
    pub(super) count: u32,
    /// One size for all, or 0.
    pub(super) fixed_size: u32,
    /// A size for each, when there is no one size.
    pub(super) sizes: Vec<u32>,
    /// Where chunks begin in the file.
    pub(super) chunks: Chunks,
}

/// Chunk offsets.
#[derive(Debug)]
pub(super) enum Chunks {
    /// `stco`.
    Short(Vec<u32>),
    /// `co64`.
    Long(Vec<u64>),
}

impl Default for Chunks {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

impl Chunks {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Short(offsets) => offsets.len(),
            Self::Long(offsets) => offsets.len(),
        }
    }

    /// Where chunk `number` begins, counted from 1 as `stsc` does.
    pub(super) fn offset(&self, number: usize) -> Option<u64> {
        let place = number.checked_sub(1)?;
        match self {
            Self::Short(offsets) => offsets.get(place).map(|offset| u64::from(*offset)),
            Self::Long(offsets) => offsets.get(place).copied(),
        }
    }
}

/// Hands a guarded `moov` to the `mp4` crate. Behind the guard it came through 9,000 mutated files with no panic but
/// for time scales of zero, which the guard refuses; the fence around all this is for what nobody foresaw.
///
/// The box is read by itself: a whole file through `Mp4Reader` would have every table copied once more.
pub(super) fn parse(moov: &[u8]) -> Result<Movie, Undecided> {
    let mut reader = Cursor::new(moov);
    // A box is read from behind its header.
    reader.set_position(8);
    let parsed = mp4::MoovBox::read_box(&mut reader, moov.len() as u64);
    let moov = parsed.map_err(|error| Undecided::Unsound(error.to_string()))?;
    if moov.traks.iter().any(|trak| trak.tkhd.track_id == 0) {
        return Err(Undecided::Unsound("a track without a number".to_owned()));
    }
    Ok(plain(moov))
}

fn plain(moov: mp4::MoovBox) -> Movie {
    let mut tracks = Vec::with_capacity(moov.traks.len());
    for trak in moov.traks {
        let matrix = &trak.tkhd.matrix;
        let edit_list = trak.edts.and_then(|edts| edts.elst);
        let edits = edit_list.map_or_else(Vec::new, |elst| {
            let empty = if elst.version == 1 { u64::MAX } else { u64::from(u32::MAX) };
            elst.entries
                .iter()
                .map(|entry| Edit {
                    segment_duration: entry.segment_duration,
                    media_time: (entry.media_time != empty).then_some(entry.media_time),
                    at_normal_rate: entry.media_rate == 1 && entry.media_rate_fraction == 0,
                })
                .collect()
        });
        let stbl = trak.mdia.minf.stbl;
        tracks.push(Track {
            timescale: trak.mdia.mdhd.timescale,
            matrix: [matrix.a, matrix.b, matrix.c, matrix.d],
            edits,
            samples: SampleTable {
                durations: stbl.stts.entries.iter().map(|run| (run.sample_count, run.sample_delta)).collect(),
                chunk_runs: stbl.stsc.entries.iter().map(|run| (run.first_chunk, run.samples_per_chunk)).collect(),
                count: stbl.stsz.sample_count,
                fixed_size: stbl.stsz.sample_size,
                sizes: stbl.stsz.sample_sizes,
                chunks: match (stbl.stco, stbl.co64) {
                    (Some(stco), _) => Chunks::Short(stco.entries),
                    (None, Some(co64)) => Chunks::Long(co64.entries),
                    (None, None) => Chunks::default(),
                },
            },
        });
    }
    Movie { timescale: moov.mvhd.timescale, tracks }
}
