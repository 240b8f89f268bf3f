//! Single frames as upright RGB pictures.

use std::path::Path;

use ffmpeg_next::{Packet, ffi, frame};

use crate::colour::Colour;
use crate::decoder::{Decoder, DecoderOptions, Received, frame_ticks};
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::graph::{Graph, PictureShape};
use crate::input::{Cancel, Input, Next};
use crate::picture;
use crate::sniff;
use crate::turn::Turn;

/// The longest side of a still, whatever a sample aspect ratio asks for.
const SIDE_LIMIT: u64 = 16_384;

/// Seeks that are tried when a demuxer lands behind the time that was asked for, each twice as far back.
const SEEK_TRIES: u32 = 8;

/// Packets that are passed over after a seek until one is a sync sample; the next one is tried whatever it says.
const SYNC_PACKETS: usize = 8;

/// How stills are made.
#[derive(Debug, Clone)]
pub struct StillOptions {
    /// The longest side in pixels; larger pictures are made smaller, none is enlarged.
    pub max_side: Option<u32>,
    /// Threads for the decoder and the filters each, at least 1. One is best for single sync frames: frame threads
    /// were measured to cost 2.5 s where one thread takes 0.4 s.
    pub threads: usize,
    /// Stops opening, seeking and decoding.
    pub cancel: Cancel,
}

impl Default for StillOptions {
    fn default() -> Self {
        Self { max_side: None, threads: 1, cancel: Cancel::new() }
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
}

impl std::fmt::Debug for Still {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Still {}×{} at {} µs", self.width, self.height, self.time_us)
    }
}

/// A video that is open for taking stills.
pub struct Stills {
    input: Input,
    decoder: Decoder,
    stream: usize,
    time_base: Fraction,
    /// Ticks of the stream at time zero of the file.
    origin: i64,
    /// Ticks of the stream's first frame.
    first: i64,
    has_index: bool,
    interlaced: bool,
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
        let decoding = DecoderOptions { threads: options.threads, frame_threads: false, strict: false };
        let decoder = Decoder::open(&input, stream, decoding)?;
        let time_base = input.time_base(stream);
        let origin = Fraction::MICROSECOND.rescale(input.start_micros(), time_base);
        let first = input.start_ticks(stream).unwrap_or(origin);
        // The index of a fragmented file covers only the fragments that were read so far.
        let iso = sniff::top_level(path).ok().and_then(|top| top.iso);
        let has_index = iso.is_some_and(|boxes| boxes.has_moov && !boxes.fragmented);
        let turn = input.display_matrix(stream).and_then(|matrix| Turn::from_matrix(&matrix)).unwrap_or_default();
        let interlaced = input.is_flagged_interlaced(stream);
        Ok(Self {
            input,
            decoder,
            stream,
            time_base,
            origin,
            first,
            has_index,
            interlaced,
            turn,
            options: options.clone(),
            graph: None,
        })
    }

    /// The file's duration in microseconds, by its index or libav's estimate; `None` when neither says.
    #[must_use]
    pub fn duration_us(&self) -> Option<i64> {
        self.input.duration_micros()
    }

    /// When the sync samples (frames that decode by themselves) are shown, in microseconds from the start of the
    /// file, in order. From the index of an unfragmented ISO BMFF file, which costs one packet; else every packet is
    /// read, none decoded.
    ///
    /// # Errors
    /// When reading fails.
    pub fn sync_times_us(&mut self) -> Result<Vec<i64>, AvError> {
        let mut ticks = if self.has_index { self.indexed_sync_ticks()? } else { self.scanned_sync_ticks()? };
        ticks.sort_unstable();
        ticks.dedup();
        Ok(ticks.into_iter().map(|ticks| self.time_of(ticks)).collect())
    }

    /// The frame that is shown at `time_us`, microseconds from the start of the file: the last one that begins at or
    /// before it, the first one where none does. `None` when nothing decodes.
    ///
    /// # Errors
    /// When reading or filtering fails. Frames that do not decode are passed over.
    pub fn at_us(&mut self, time_us: i64) -> Result<Option<Still>, AvError> {
        let target = self.ticks_of(time_us);
        let mut seek_to = target;
        for attempt in 0..=SEEK_TRIES {
            let last = attempt == SEEK_TRIES;
            self.seek(if last { i64::MIN } else { seek_to })?;
            let (shown, first) = self.decode_up_to(target)?;
            // Without a frame at or before the target the demuxer landed too late, unless this is the beginning.
            match (shown, first) {
                (Some(frame), _) => return self.still(&frame).map(Some),
                (None, Some(frame)) if last || self.is_first(&frame) => return self.still(&frame).map(Some),
                (None, None) if last => return Ok(None),
                (None, _) => seek_to = self.earlier(seek_to, attempt),
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
        let target = self.ticks_of(time_us);
        let mut seek_to = target;
        let mut earliest = None;
        for attempt in 0..=SEEK_TRIES {
            let last = attempt == SEEK_TRIES;
            self.seek(if last { i64::MIN } else { seek_to })?;
            let Some(frame) = self.decode_sync()? else {
                if last {
                    break;
                }
                seek_to = self.earlier(seek_to, attempt);
                continue;
            };
            let ticks = frame_ticks(&frame).unwrap_or(self.origin);
            if ticks <= target || last || self.is_first(&frame) || earliest == Some(ticks) {
                return self.still(&frame).map(Some);
            }
            earliest = Some(ticks);
            seek_to = self.earlier(seek_to, attempt);
        }
        Ok(None)
    }

    fn ticks_of(&self, time_us: i64) -> i64 {
        self.origin.saturating_add(Fraction::MICROSECOND.rescale(time_us, self.time_base))
    }

    fn time_of(&self, ticks: i64) -> i64 {
        self.time_base.micros(ticks.saturating_sub(self.origin)).max(0)
    }

    /// A quarter of a second before `ticks`, then half a second, and so on.
    fn earlier(&self, ticks: i64, attempt: u32) -> i64 {
        ticks.saturating_sub(Fraction::MICROSECOND.rescale(250_000 << attempt, self.time_base).max(1))
    }

    fn is_first(&self, frame: &frame::Video) -> bool {
        frame_ticks(frame).is_some_and(|ticks| ticks <= self.first)
    }

    fn seek(&mut self, ticks: i64) -> Result<(), AvError> {
        let sought = self.input.seek_before(self.stream, ticks);
        if sought.is_err() {
            // Demuxers refuse times before their first entry; the beginning is what is meant.
            self.input.rewind(self.stream)?;
        }
        self.decoder.flush();
        Ok(())
    }

    /// Decodes from here on: the last frame at or before `target`, and the first frame of all.
    fn decode_up_to(&mut self, target: i64) -> Result<(Option<frame::Video>, Option<frame::Video>), AvError> {
        let (mut shown, mut first) = (None, None);
        let mut damaged_run = 0;
        let mut ended = false;
        loop {
            match self.decoder.receive()? {
                Received::Frame(frame) => {
                    let frame = frame::Video::from(frame);
                    let ticks = frame_ticks(&frame).unwrap_or(self.origin);
                    if ticks <= target {
                        shown = Some(frame);
                    } else {
                        return Ok((shown, first.or(Some(frame))));
                    }
                }
                Received::Damaged if !ended => {}
                Received::End | Received::Damaged => return Ok((shown, first.take())),
                Received::Wait => match self.next_packet(&mut damaged_run)? {
                    Some(packet) => {
                        self.decoder.send(Some(&packet))?;
                    }
                    None if ended => return Ok((shown, first.take())),
                    None => {
                        ended = true;
                        self.decoder.send(None)?;
                    }
                },
            }
        }
    }

    /// Decodes the sync frame here and no more.
    fn decode_sync(&mut self) -> Result<Option<frame::Video>, AvError> {
        let mut damaged_run = 0;
        let (mut given, mut skipped) = (0, 0);
        let mut ended = false;
        loop {
            match self.decoder.receive()? {
                Received::Frame(frame) => return Ok(Some(frame::Video::from(frame))),
                Received::Damaged if !ended => {}
                Received::End | Received::Damaged => return Ok(None),
                Received::Wait if ended => return Ok(None),
                Received::Wait => {
                    let enough = if self.interlaced { 2 } else { 1 };
                    let packet = if given < enough { self.next_packet(&mut damaged_run)? } else { None };
                    match packet {
                        Some(packet) if given == 0 && !packet.is_key() && skipped < SYNC_PACKETS => skipped += 1,
                        Some(packet) => {
                            given += usize::from(self.decoder.send(Some(&packet))?);
                        }
                        None => {
                            ended = true;
                            self.decoder.send(None)?;
                        }
                    }
                }
            }
        }
    }

    fn next_packet(&mut self, damaged_run: &mut u32) -> Result<Option<Packet>, AvError> {
        loop {
            match self.input.next(damaged_run)? {
                Next::Packet(packet) if packet.stream() == self.stream => return Ok(Some(packet)),
                Next::Packet(_) | Next::Damaged => {}
                Next::End => return Ok(None),
            }
        }
    }

    /// Sync samples by the demuxer's index, whose times are decode times: they are moved by the reordering delay of
    /// the first packet, which is the same for all sync samples of a constant prediction structure.
    fn indexed_sync_ticks(&mut self) -> Result<Vec<i64>, AvError> {
        let entries = self.input.sync_index(self.stream);
        self.input.rewind(self.stream)?;
        self.decoder.flush();
        let mut damaged_run = 0;
        let delay = match self.next_packet(&mut damaged_run)? {
            Some(packet) => packet.pts().zip(packet.dts()).map_or(0, |(pts, dts)| pts - dts),
            None => 0,
        };
        Ok(entries.into_iter().map(|ticks| ticks.saturating_add(delay)).collect())
    }

    fn scanned_sync_ticks(&mut self) -> Result<Vec<i64>, AvError> {
        self.input.discard(self.stream, ffi::AVDiscard::AVDISCARD_NONKEY);
        self.input.rewind(self.stream)?;
        self.decoder.flush();
        let mut ticks = Vec::new();
        let mut damaged_run = 0;
        let scanned = loop {
            match self.next_packet(&mut damaged_run) {
                Ok(Some(packet)) if packet.is_key() => ticks.extend(packet.pts().or(packet.dts())),
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.input.discard(self.stream, ffi::AVDiscard::AVDISCARD_DEFAULT);
        scanned.map(|()| ticks)
    }

    fn still(&mut self, frame: &frame::Video) -> Result<Still, AvError> {
        let time_us = self.time_of(frame_ticks(frame).unwrap_or(self.origin));
        let aspect = self.input.sample_aspect(self.stream, frame);
        let (shape, colour) = (PictureShape::of(frame), Colour::of_frame(frame));
        let interlaced = frame.is_interlaced() || self.interlaced;
        let reusable = self.graph.take().filter(|(s, c, _)| *s == shape && *c == colour && !interlaced);
        let mut graph = match reusable {
            Some((_, _, graph)) => graph,
            None => {
                let description = self.description(frame, &colour, aspect, interlaced);
                Graph::pictures(shape, self.time_base, &description, self.options.threads)?
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
        Ok(packed(&frame::Video::from(out), time_us))
    }

    fn description(&self, frame: &frame::Video, colour: &Colour, aspect: Fraction, interlaced: bool) -> String {
        let mut filters = Vec::new();
        if interlaced {
            filters.push(picture::DEINTERLACE_ALONE.to_owned());
        }
        let (width, height) = still_size(frame.width(), frame.height(), aspect, self.options.max_side);
        if colour.is_hdr() {
            // zimg takes no odd sides of subsampled planes, and 4:4:4 has none.
            filters.push("format=yuv444p10le".to_owned());
            if (width, height) != (frame.width(), frame.height()) {
                filters.push(format!("scale={width}:{height}:flags=bicubic"));
            }
            filters.push(picture::tone_map(colour).replace("format=yuv420p", "format=yuv444p"));
            filters.push("scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd".to_owned());
        } else {
            let range = if colour.full_range == Some(true) { "pc" } else { "tv" };
            let matrix = picture::matrix(colour, frame.width(), frame.height());
            filters.push(format!(
                "scale={width}:{height}:in_color_matrix={matrix}:in_range={range}:\
                 flags=bicubic+accurate_rnd+full_chroma_int"
            ));
        }
        filters.push("format=rgb24".to_owned());
        filters.extend(self.turn.filters().into_iter().map(str::to_owned));
        filters.join(",")
    }
}

/// The size in square pixels before the turn: the width is scaled by the sample aspect, then both by the limit.
fn still_size(width: u32, height: u32, aspect: Fraction, max_side: Option<u32>) -> (u32, u32) {
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
    Still { time_us, width, height, rgb }
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
