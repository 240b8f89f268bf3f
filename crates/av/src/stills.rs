//! Single frames as upright RGB pictures.

use std::path::{Path, PathBuf};

use ffmpeg_next::{codec, frame};

use crate::colour::Colour;
use crate::decoder::{Decoder, DecoderOptions, frame_ticks};
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::graph::{Graph, PictureShape};
use crate::input::{Cancel, Input};
use crate::picture;
use crate::sniff;
use crate::turn::Turn;

mod bands;
mod combing;
mod disposable;
mod gaps;
mod kept;
mod leap;
mod run;
mod sync;

use disposable::References;
use gaps::FrameNumbers;
use kept::Kept;
use run::{Run, Taken};
use sync::SyncSample;

/// The longest side of a still, whatever a sample aspect ratio asks for.
const SIDE_LIMIT: u64 = 16_384;

/// How many times smaller than the frame a rough still is that is decoded without deblocking.
const MUCH_SMALLER: u32 = 3;

/// Seeks that are tried when a demuxer lands behind the time that was asked for, each twice as far back.
const SEEK_TRIES: u32 = 8;

/// How stills are made.
#[derive(Debug, Clone)]
pub struct StillOptions {
    /// The longest side in pixels; larger pictures are made smaller, none is enlarged.
    pub max_side: Option<u32>,
    /// Threads for the decoder and the filters each, at least 1. One is best for single sync frames: frame threads
    /// were measured to cost 2.5 s where one thread takes 0.4 s.
    pub threads: usize,
    /// For measuring and not for showing: sync frames that become much smaller are not deblocked.
    pub rough: bool,
    /// Stops opening, seeking and decoding.
    pub cancel: Cancel,
}

impl Default for StillOptions {
    fn default() -> Self {
        Self { max_side: None, threads: 1, rough: false, cancel: Cancel::new() }
    }
}

/// One frame: upright (display matrix applied), square pixels, fields made frames, PQ and HLG tone-mapped to BT.709.
#[derive(Clone, PartialEq, Eq)]
pub struct Still {
    /// When the frame is shown, in microseconds from the start of the file.
    pub time_us: i64,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue, full range, row after row without padding: `width × height × 3` bytes.
    pub rgb: Vec<u8>,
    /// Two moments are woven in it, line by line: seen in the picture, and not taken apart, as nothing said that the
    /// video is interlaced.
    pub combed: bool,
    /// The decoder complained about it or about a frame that it may have been made from, or lacked such frames.
    pub damaged: bool,
}

impl std::fmt::Debug for Still {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Still {}×{} at {} µs", self.width, self.height, self.time_us)
    }
}

/// A video that is open for taking stills.
pub struct Stills {
    path: PathBuf,
    input: Input,
    decoder: Decoder,
    stream: usize,
    time_base: Fraction,
    /// Ticks of the stream at time zero of the file.
    origin: i64,
    /// Ticks of the stream's first frame.
    first: i64,
    is_iso: bool,
    /// What [`Stills::sync_times_us`] found in the index.
    indexed: Vec<SyncSample>,
    /// What [`Stills::sync_times_us`] answered.
    sync_times: Option<Vec<i64>>,
    /// Where [`Stills::at_us`] stopped, to go on from there.
    run: Option<Run>,
    /// Frames that rough stills were made from.
    kept: Kept,
    has_index: bool,
    interlaced: bool,
    /// Of H.264.
    numbers: Option<FrameNumbers>,
    references: References,
    turn: Turn,
    options: StillOptions,
    graph: Option<(PictureShape, Colour, Graph)>,
}

impl Stills {
    /// Opens the first moving picture of the file.
    ///
    /// # Errors
    /// When the file cannot be read, is no video, or its codec cannot be decoded here.
    pub fn open(path: &Path, options: &StillOptions) -> Result<Self, AvError> {
        let mut input = Input::open(path, &options.cancel)?;
        let stream = input.first_video()?;
        input.keep_only(&[stream]);
        let decoder = decoder(&input, stream, options.threads)?;
        let time_base = input.time_base(stream);
        let origin = Fraction::MICROSECOND.rescale(input.start_micros(), time_base);
        let first = input.start_ticks(stream).unwrap_or(origin);
        // The index of a fragmented file covers only the fragments that were read so far.
        let iso = sniff::top_level(path).ok().and_then(|top| top.iso);
        let is_iso = iso.is_some();
        let has_index = iso.is_some_and(|boxes| boxes.has_moov && !boxes.fragmented);
        let turn = input.display_matrix(stream).and_then(|matrix| Turn::from_matrix(&matrix)).unwrap_or_default();
        let interlaced = input.is_flagged_interlaced(stream);
        let codec = input.context().stream(stream).map_or(codec::Id::None, |found| found.parameters().id());
        let extradata = input.extradata(stream);
        let numbers = (codec == codec::Id::H264).then(|| FrameNumbers::of(&extradata));
        let references = References::of(codec, &extradata);
        Ok(Self {
            path: path.to_owned(),
            input,
            decoder,
            stream,
            time_base,
            origin,
            first,
            is_iso,
            indexed: Vec::new(),
            sync_times: None,
            run: None,
            kept: Kept::default(),
            has_index,
            interlaced,
            numbers,
            references,
            turn,
            options: options.clone(),
            graph: None,
        })
    }

    /// Opens the same file once more, without reading again what is known of it: for frames of two places at once.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn again(&self) -> Result<Self, AvError> {
        let known = if self.has_index { self.input.again(&self.path)? } else { None };
        let mut input = known.map_or_else(|| Input::open(&self.path, &self.options.cancel), Ok)?;
        input.keep_only(&[self.stream]);
        Ok(Self {
            path: self.path.clone(),
            decoder: decoder(&input, self.stream, self.options.threads)?,
            input,
            indexed: self.indexed.clone(),
            sync_times: self.sync_times.clone(),
            run: None,
            kept: self.kept.clone(),
            numbers: self.numbers.clone(),
            references: self.references.clone(),
            turn: self.turn,
            options: self.options.clone(),
            graph: None,
            ..*self
        })
    }

    /// Makes stills of another size from here on, as [`StillOptions::max_side`], and none rough; `threads`, at least 1,
    /// are for the filters.
    pub fn resize(&mut self, max_side: Option<u32>, threads: usize) {
        let cancel = self.options.cancel.clone();
        self.options = StillOptions { max_side, threads: threads.max(1), rough: false, cancel };
        (self.run, self.graph) = (None, None);
    }

    /// Pixels of a coded picture, as far as the container says: what a decoder's memory grows with.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        let (width, height) = self.decoder.coded_size();
        u64::from(width) * u64::from(height)
    }

    /// The file's duration in microseconds, by its index or libav's estimate; `None` when neither says.
    #[must_use]
    pub fn duration_us(&self) -> Option<i64> {
        self.input.duration_micros()
    }

    /// When the sync samples (frames that decode by themselves) are shown, in microseconds from the start of the file,
    /// in order. From the index of an unfragmented ISO BMFF file, with a look at one packet each where pictures are
    /// reordered; else every packet is read. Nothing is decoded.
    ///
    /// # Errors
    /// When reading fails.
    pub fn sync_times_us(&mut self) -> Result<Vec<i64>, AvError> {
        self.run = None;
        let mut ticks: Vec<i64> = if self.has_index {
            self.indexed = self.indexed_sync_samples()?;
            self.indexed.iter().map(|sample| sample.shown).collect()
        } else {
            self.scanned_sync_ticks()?
        };
        ticks.sort_unstable();
        ticks.dedup();
        let times: Vec<i64> = ticks.into_iter().map(|ticks| self.time_of(ticks)).collect();
        self.sync_times = Some(times.clone());
        Ok(times)
    }

    /// The frame that is shown at `time_us`, microseconds from the start of the file: the last one that begins at or
    /// before it, the first one where none does. `None` when nothing decodes.
    ///
    /// # Errors
    /// When reading or filtering fails. Frames that do not decode are passed over.
    pub fn at_us(&mut self, time_us: i64) -> Result<Option<Still>, AvError> {
        if let Some(mut run) = self.run.take().filter(|run| self.goes_on(run, time_us)) {
            self.decode_up_to(time_us, &mut run, false)?;
            return self.pause(run);
        }
        self.decoder.deblock(true);
        let mut seek_to = self.sync_ticks(time_us);
        // The last two begin at the beginning; the very last takes what decodes without a sync sample.
        for attempt in 0..=SEEK_TRIES + 1 {
            let last = attempt >= SEEK_TRIES;
            self.seek(if last { i64::MIN } else { seek_to })?;
            let mut run = Run::new(attempt > SEEK_TRIES);
            self.decode_up_to(time_us, &mut run, !last)?;
            // Without a frame at or before the target the demuxer landed too late, unless this is the beginning.
            let begins = run.beyond.as_ref().is_some_and(|taken| last || self.is_first(&taken.frame));
            if (run.shown.is_some() && (run.rooted || last)) || begins {
                return self.pause(run);
            }
            if !last {
                seek_to = self.earlier(seek_to, attempt);
            }
        }
        Ok(None)
    }

    /// The last sync frame that is shown at or before `time_us`, the first one where none is; only that frame is
    /// decoded. `None` when none decodes.
    ///
    /// # Errors
    /// When reading or filtering fails.
    pub fn sync_at_us(&mut self, time_us: i64) -> Result<Option<Still>, AvError> {
        self.run = None;
        // Nothing is made from this frame.
        self.decoder.deblock(!self.may_keep_blocks());
        let mut seek_to = self.sync_ticks(time_us);
        for attempt in 0..=SEEK_TRIES {
            let last = attempt == SEEK_TRIES;
            self.seek(if last { i64::MIN } else { seek_to })?;
            let packets = self.sync_packets(if last && attempt > 0 { i64::MAX } else { time_us })?;
            if let Some(taken) = self.decode_all_of(&packets)?
                && (last || self.frame_time(&taken.frame) <= time_us || self.is_first(&taken.frame))
            {
                return self.still(&taken).map(Some);
            }
            seek_to = self.earlier(seek_to, attempt);
        }
        Ok(None)
    }

    /// What to seek to for the last sync sample that is shown at or before `time_us`.
    fn sync_ticks(&self, time_us: i64) -> i64 {
        let known = self.indexed.iter().rev().find(|sample| self.unclamped_time_of(sample.shown) <= time_us);
        known.map_or_else(|| self.ticks_of(time_us), |sample| sample.seek)
    }

    /// Whether a still is rough, and so small that the edges of blocks, which are smoothed over up to three pixels on
    /// each side, do not show.
    fn may_keep_blocks(&self) -> bool {
        let (width, height) = self.decoder.coded_size();
        self.options.rough
            && self.options.max_side.is_some_and(|side| width.max(height) >= side.saturating_mul(MUCH_SMALLER))
    }

    fn ticks_of(&self, time_us: i64) -> i64 {
        self.origin.saturating_add(Fraction::MICROSECOND.rescale(time_us, self.time_base))
    }

    fn unclamped_time_of(&self, ticks: i64) -> i64 {
        self.time_base.micros(ticks.saturating_sub(self.origin))
    }

    fn time_of(&self, ticks: i64) -> i64 {
        self.unclamped_time_of(ticks).max(0)
    }

    fn frame_time(&self, frame: &frame::Video) -> i64 {
        self.unclamped_time_of(frame_ticks(frame).unwrap_or(self.origin))
    }

    /// A quarter of a second before `ticks`, then half a second, and so on.
    fn earlier(&self, ticks: i64, attempt: u32) -> i64 {
        ticks.saturating_sub(Fraction::MICROSECOND.rescale(250_000 << attempt, self.time_base).max(1))
    }

    fn is_first(&self, frame: &frame::Video) -> bool {
        frame_ticks(frame).is_some_and(|ticks| ticks <= self.first)
    }

    fn seek(&mut self, ticks: i64) -> Result<(), AvError> {
        if ticks <= self.first || self.input.seek_before(self.stream, ticks).is_err() {
            // Demuxers refuse times before their first entry; the beginning is what is meant. Where even that cannot
            // be found, the file is opened anew.
            if self.input.rewind(self.stream).is_err() {
                self.input = Input::open(&self.path, &self.options.cancel)?;
                self.input.keep_only(&[self.stream]);
            }
        }
        self.decoder.flush();
        self.decoder.has_complained();
        if let Some(numbers) = &mut self.numbers {
            numbers.restart();
        }
        Ok(())
    }

    fn still(&mut self, taken: &Taken) -> Result<Still, AvError> {
        let interlaced = taken.frame.is_interlaced() || self.interlaced;
        // Before the graph, which takes the frame's picture.
        let combed = !interlaced && combing::is_combed(&taken.frame);
        Ok(Still { combed, ..self.picture_of(taken)? })
    }

    /// As [`Stills::still`], without a look whether two moments are woven in it.
    fn picture_of(&mut self, taken: &Taken) -> Result<Still, AvError> {
        let frame = &taken.frame;
        let time_us = self.time_of(frame_ticks(frame).unwrap_or(self.origin));
        let aspect = self.input.sample_aspect(self.stream, frame);
        let (shape, colour) = (PictureShape::of(frame), Colour::of_frame(frame));
        let interlaced = frame.is_interlaced() || self.interlaced;
        if self.is_for_bands(frame) {
            // A new decoder has no pictures yet: the old one's would take most of the memory meanwhile.
            self.decoder = decoder(&self.input, self.stream, self.options.threads)?;
            let rgb = bands::in_bands(frame, &tone_mapping(&colour), self.time_base, self.options.threads)?;
            let upright = self.upright(rgb)?;
            return Ok(Still { damaged: taken.damaged, ..packed(&upright, time_us) });
        }
        let reusable = self.graph.take().filter(|(s, c, _)| *s == shape && *c == colour && !interlaced);
        let mut graph = match reusable {
            Some((_, _, graph)) => graph,
            None => {
                let description = self.description(frame, &colour, aspect, interlaced);
                Graph::pictures(shape, self.time_base, None, &description, self.options.threads)?
            }
        };
        graph.send(Some(frame))?;
        let mut out = graph.receive()?;
        if out.is_none() {
            graph.send(None)?;
            out = graph.receive()?;
        } else {
            self.graph = Some((shape, colour, graph));
        }
        let out = out.ok_or_else(|| AvError::Internal("a filter gave no picture".to_owned()))?;
        Ok(Still { damaged: taken.damaged, ..packed(&frame::Video::from(out), time_us) })
    }

    /// Whether the still of a frame is made in [`bands`].
    fn is_for_bands(&self, frame: &frame::Video) -> bool {
        let size = self.size(frame, self.input.sample_aspect(self.stream, frame));
        Colour::of_frame(frame).is_hdr()
            && !(frame.is_interlaced() || self.interlaced)
            && size == (frame.width(), frame.height())
            && bands::is_large(frame)
    }

    fn size(&self, frame: &frame::Video, aspect: Fraction) -> (u32, u32) {
        still_size(frame.width(), frame.height(), aspect, self.options.max_side)
    }

    /// Turns a picture as a player does.
    fn upright(&self, rgb: frame::Video) -> Result<frame::Video, AvError> {
        let filters = self.turn.filters();
        if filters.is_empty() {
            return Ok(rgb);
        }
        let shape = PictureShape::of(&rgb);
        let mut graph = Graph::pictures(shape, self.time_base, None, &filters.join(","), self.options.threads)?;
        graph.send(Some(&rgb))?;
        graph.send(None)?;
        let out = graph.receive()?;
        out.map(frame::Video::from).ok_or_else(|| AvError::Internal("a filter gave no picture".to_owned()))
    }

    fn description(&self, frame: &frame::Video, colour: &Colour, aspect: Fraction, interlaced: bool) -> String {
        let mut filters = Vec::new();
        let (width, height) = self.size(frame, aspect);
        if interlaced {
            // Of a small still one field has all the lines, and is many times cheaper than lines made up.
            let of_fields = if height * 2 <= frame.height() { "field=type=top" } else { picture::DEINTERLACE_ALONE };
            filters.push(of_fields.to_owned());
        }
        if colour.is_hdr() {
            if (width, height) != (frame.width(), frame.height()) {
                filters.push(format!("scale={width}:{height}:flags=bicubic"));
            }
            filters.push(tone_mapping(colour));
        } else {
            let range = if colour.full_range == Some(true) { "pc" } else { "tv" };
            let matrix = picture::matrix(colour, frame.width(), frame.height());
            let unscaled = !interlaced && (width, height) == (frame.width(), frame.height());
            filters.extend(unscaled.then(|| picture::to_rgb(frame.format(), (width, height), matrix, range)).flatten());
            if filters.is_empty() || interlaced {
                let flags = if self.may_keep_blocks() { "area" } else { "bicubic+accurate_rnd+full_chroma_int" };
                filters.push(format!("scale={width}:{height}:in_color_matrix={matrix}:in_range={range}:flags={flags}"));
            }
            filters.push("format=rgb24".to_owned());
        }
        filters.extend(self.turn.filters().into_iter().map(str::to_owned));
        filters.join(",")
    }
}

/// Strict, as what is concealed is no cover.
fn decoder(input: &Input, stream: usize, threads: usize) -> Result<Decoder, AvError> {
    let decoding = DecoderOptions { threads, frame_threads: false, strict: true, deblock: true };
    let mut decoder = Decoder::open(input, stream, decoding)?;
    decoder.has_complained();
    Ok(decoder)
}

/// PQ or HLG to RGB.
fn tone_mapping(colour: &Colour) -> String {
    // zimg takes no odd sides of subsampled planes, and 4:4:4 has none.
    let tone_map = picture::tone_map(colour).replace("format=yuv420p", "format=yuv444p");
    format!("format=yuv444p10le,{tone_map},scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd,format=rgb24")
}

/// The size in square pixels before the turn: the width is scaled by the sample aspect, then both by the limit.
pub(crate) fn still_size(width: u32, height: u32, aspect: Fraction, max_side: Option<u32>) -> (u32, u32) {
    let (num, den) = if aspect.is_positive() {
        (u64::from(aspect.num.unsigned_abs()), u64::from(aspect.den.unsigned_abs()))
    } else {
        (1, 1)
    };
    let mut wide = ((u64::from(width) * num + den / 2) / den).max(1);
    let mut high = u64::from(height).max(1);
    let limit = max_side.map_or(SIDE_LIMIT, u64::from).clamp(1, SIDE_LIMIT);
    let longest = wide.max(high);
    if longest > limit {
        wide = ((wide * limit + longest / 2) / longest).max(1);
        high = ((high * limit + longest / 2) / longest).max(1);
    }
    (u32::try_from(wide).unwrap_or(1), u32::try_from(high).unwrap_or(1))
}

/// The rows of an RGB24 frame without libav's padding.
fn packed(frame: &frame::Video, time_us: i64) -> Still {
    let (width, height) = (frame.width(), frame.height());
    let row = width as usize * 3;
    let stride = frame.stride(0);
    let data = frame.data(0);
    let mut rgb = Vec::with_capacity(row * height as usize);
    for y in 0..height as usize {
        rgb.extend_from_slice(&data[y * stride..y * stride + row]);
    }
    Still { time_us, width, height, rgb, combed: false, damaged: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_square_pixels_and_never_larger_than_asked_or_than_the_source() {
        assert_eq!(still_size(720, 576, Fraction::new(16, 15), None), (768, 576));
        assert_eq!(still_size(1920, 1080, Fraction::new(1, 1), Some(480)), (480, 270));
        assert_eq!(still_size(100, 50, Fraction::new(0, 1), Some(480)), (100, 50));
        assert_eq!(still_size(1, 4000, Fraction::new(1, 1), Some(100)), (1, 100));
        assert_eq!(still_size(4000, 10, Fraction::new(1000, 1), None).0, 16_384);
    }
}
