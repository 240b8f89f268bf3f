//! A sample of decoded pictures from places all over a file: how their fields lie, and small grey copies of them.

use std::path::Path;

use ffmpeg_next::{Frame, frame, media};

use crate::decoder::{Decoder, DecoderOptions, Received, frame_ticks, is_damaged};
use crate::error::AvError;
use crate::graph::{Graph, PictureShape};
use crate::input::{Cancel, Input, Next};
use crate::stills::still_size;
use crate::turn::Turn;

/// One in so many pictures is kept as a grey copy: what differs between neighbours is mostly noise.
const GREY_EVERY: usize = 4;

/// Packets that a place may take for each of its pictures. Between two sync samples of a stream without marks there may
/// be no picture at all.
const PACKETS_PER_PICTURE: usize = 8;

/// How a sample is taken.
#[derive(Debug, Clone)]
pub struct SampleOptions {
    /// In how many places; each begins with a sync sample.
    pub places: u32,
    /// Pictures that are decoded in each.
    pub pictures: usize,
    /// A file that is shorter than this, in microseconds, has one place, its beginning, with the pictures of all.
    pub short_us: i64,
    /// Judge the fields.
    pub fields: bool,
    /// The longest side of the grey copies; `None` makes none.
    pub grey_side: Option<u32>,
    /// Threads of the decoder and of the filters each, at least 1.
    pub threads: usize,
}

/// How the fields of so many pictures lie, as libav's `idet` judges each with its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fields {
    /// Two moments, the upper field first.
    pub top_first: u64,
    /// Two moments, the lower field first.
    pub bottom_first: u64,
    /// One moment.
    pub progressive: u64,
    /// Nothing moved, or it is not clear how.
    pub undetermined: u64,
}

/// A grey copy, upright, with square pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Luma, row after row without padding.
    pub luma: Vec<u8>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// How the fields lie, over all places.
    pub fields: Fields,
    /// Grey copies: a list a place, in order of time.
    pub places: Vec<Vec<Grey>>,
}

/// Takes a sample of the pictures of `stream` in the file at `path`. What does not decode is passed over.
///
/// # Errors
/// When the file cannot be opened or read, has no such stream, its codec cannot be decoded here, or `cancel` is set.
pub fn sample(path: &Path, stream: usize, options: &SampleOptions, cancel: &Cancel) -> Result<Sample, AvError> {
    let mut input = Input::open(path, cancel)?;
    input.expect_kind(stream, media::Type::Video, "video")?;
    input.keep_only(&[stream]);
    let decoding = DecoderOptions { threads: options.threads, frame_threads: true, strict: false, deblock: true };
    let decoder = Decoder::open(&input, stream, decoding)?;
    let turn = input.display_matrix(stream).and_then(|matrix| Turn::from_matrix(&matrix)).unwrap_or_default();
    let duration = input.duration_micros().filter(|micros| *micros >= options.short_us);
    let places = if duration.is_some() { options.places.max(1) } else { 1 };
    let wanted = options.pictures * if duration.is_some() { 1 } else { options.places.max(1) as usize };
    let mut sampler = Sampler { input, decoder, stream, options, cancel, turn, reached: None, seen: Sample::default() };
    let (mut taken, all) = (0, wanted * places as usize);
    for place in 0..places {
        let time = duration.unwrap_or(0) / i64::from(places) * i64::from(place);
        // The first place is the beginning, where the file stands.
        if place == 0 || sampler.seek(time) {
            taken += sampler.take_place(wanted, Again::Leave)?;
        }
    }
    // With few sync samples most places are the same one: what is behind it has to be reached by decoding.
    let reached = sampler.reached.map(|ticks| sampler.decoder.time_base().micros(ticks));
    if taken < all / 2
        && let Some(reached) = reached
        && sampler.seek(reached.saturating_sub(sampler.input.start_micros()))
    {
        sampler.take_place(all - taken, Again::Pass)?;
    }
    Ok(sampler.seen)
}

/// What becomes of a place that begins before what was decoded already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It is left.
    Leave,
    /// What was seen is decoded and passed over.
    Pass,
}

struct Sampler<'a> {
    input: Input,
    decoder: Decoder,
    stream: usize,
    options: &'a SampleOptions,
    cancel: &'a Cancel,
    turn: Turn,
    /// The latest time that was decoded, in ticks of the stream.
    reached: Option<i64>,
    seen: Sample,
}

/// The filters of one place.
#[derive(Default)]
struct Graphs {
    fields: Option<(PictureShape, Graph)>,
    grey: Option<(PictureShape, Graph)>,
    /// Pictures that were decoded.
    pictures: usize,
    /// Pictures of which a grey copy could have been made.
    offered: usize,
    greys: Vec<Grey>,
}

impl Sampler<'_> {
    fn seek(&mut self, time_us: i64) -> bool {
        let time = self.input.start_micros().saturating_add(time_us);
        let ticks = crate::Fraction::MICROSECOND.rescale(time, self.input.time_base(self.stream));
        self.decoder.flush();
        self.input.seek_before(self.stream, ticks).is_ok()
    }

    /// How many pictures were seen, at most as many as wanted.
    fn take_place(&mut self, wanted: usize, again: Again) -> Result<usize, AvError> {
        let mut graphs = Graphs::default();
        let before = self.reached;
        let (mut synced, mut ended, mut damaged_run, mut packets) = (false, false, 0, 0);
        while graphs.pictures < wanted {
            match self.decoder.receive()? {
                Received::Frame(frame) => {
                    self.cancel.beat();
                    let ticks = frame_ticks(&frame);
                    self.reached = self.reached.max(ticks);
                    if !is_damaged(&frame) && (before.is_none() || ticks > before) {
                        graphs.pictures += 1;
                        self.judge(frame::Video::from(frame), &mut graphs)?;
                    }
                }
                Received::Damaged => {}
                Received::End => break,
                Received::Wait if ended => break,
                Received::Wait => match self.next_packet(&mut damaged_run)? {
                    // Between far sync samples a seek comes back to what was seen already.
                    Some(packet) if again == Again::Leave && !synced && is_before(packet.dts(), before) => break,
                    Some(packet) if packets < wanted.saturating_mul(PACKETS_PER_PICTURE) => {
                        packets += 1;
                        synced |= packet.is_key() || packets > wanted;
                        if synced {
                            self.decoder.send(Some(&packet))?;
                        }
                    }
                    _ => {
                        ended = true;
                        self.decoder.send(None)?;
                    }
                },
            }
        }
        if let Some((_, mut graph)) = graphs.fields.take() {
            graph.send(None)?;
            self.drain(&mut graph, &mut graphs)?;
        }
        if !graphs.greys.is_empty() {
            self.seen.places.push(graphs.greys);
        }
        Ok(graphs.pictures)
    }

    fn next_packet(&mut self, damaged_run: &mut u32) -> Result<Option<ffmpeg_next::Packet>, AvError> {
        loop {
            match self.input.next(damaged_run)? {
                Next::Packet(packet) if packet.stream() == self.stream => return Ok(Some(packet)),
                Next::Packet(_) | Next::Damaged => {}
                Next::End => return Ok(None),
            }
        }
    }

    fn judge(&mut self, picture: frame::Video, graphs: &mut Graphs) -> Result<(), AvError> {
        if !self.options.fields {
            return self.grey(&picture, graphs);
        }
        let shape = PictureShape::of(&picture);
        let mut graph = match graphs.fields.take().filter(|(known, _)| *known == shape) {
            Some((_, graph)) => graph,
            None => Graph::pictures(shape, self.decoder.time_base(), None, "idet", self.options.threads)?,
        };
        graph.send(Some(&picture))?;
        self.drain(&mut graph, graphs)?;
        graphs.fields = Some((shape, graph));
        Ok(())
    }

    /// Takes what `idet` has judged. What it hands on is the picture that it was given.
    fn drain(&mut self, graph: &mut Graph, graphs: &mut Graphs) -> Result<(), AvError> {
        while let Some(judged) = graph.receive()? {
            self.seen.fields.count(&judged);
            self.grey(&frame::Video::from(judged), graphs)?;
        }
        Ok(())
    }

    fn grey(&self, picture: &frame::Video, graphs: &mut Graphs) -> Result<(), AvError> {
        let due = graphs.offered.is_multiple_of(GREY_EVERY);
        graphs.offered += 1;
        let Some(side) = self.options.grey_side.filter(|_| due) else { return Ok(()) };
        let shape = PictureShape::of(picture);
        if graphs.grey.as_ref().is_none_or(|(known, _)| *known != shape) {
            let aspect = self.input.sample_aspect(self.stream, picture);
            let (width, height) = still_size(picture.width(), picture.height(), aspect, Some(side));
            // Whole lines of either field go into every row, so that comb lines do not count as detail.
            let mut filters = vec![format!("scale={width}:{height}:flags=area"), "format=gray".to_owned()];
            filters.extend(self.turn.filters().into_iter().map(str::to_owned));
            let graph =
                Graph::pictures(shape, self.decoder.time_base(), None, &filters.join(","), self.options.threads)?;
            graphs.grey = Some((shape, graph));
        }
        let Some((_, graph)) = &mut graphs.grey else { return Ok(()) };
        graph.send(Some(picture))?;
        while let Some(out) = graph.receive()? {
            graphs.greys.push(packed(&frame::Video::from(out)));
        }
        Ok(())
    }
}

impl Fields {
    /// `idet`'s judgement of one picture alone is jumpy, and the one that looks back carries a single finding on over
    /// pictures in which nothing moves (real clips at rest came out as fields in each of their pictures): what both say
    /// is counted.
    fn count(&mut self, judged: &Frame) {
        let metadata = judged.metadata();
        let alone = metadata.get("lavfi.idet.single.current_frame");
        match metadata.get("lavfi.idet.multiple.current_frame").filter(|name| Some(*name) == alone) {
            Some("tff") => self.top_first += 1,
            Some("bff") => self.bottom_first += 1,
            Some("progressive") => self.progressive += 1,
            _ => self.undetermined += 1,
        }
    }
}

/// Whether a time is known to be before another.
fn is_before(time: Option<i64>, other: Option<i64>) -> bool {
    time.zip(other).is_some_and(|(time, other)| time < other)
}

fn packed(picture: &frame::Video) -> Grey {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (stride, data) = (picture.stride(0), picture.data(0));
    let mut luma = Vec::with_capacity(width * height);
    for row in 0..height {
        luma.extend_from_slice(&data[row * stride..row * stride + width]);
    }
    Grey { width, height, luma }
}
