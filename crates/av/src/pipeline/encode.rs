//! Frames to packets.

use std::collections::VecDeque;

use ffmpeg_next::{Frame, frame, picture};

use super::decode::Decoding;
use super::seam::Seam;
use super::{Feed, Halt, Pictures, Receiver, Sender, Shared, ToMux, Wiring, next, send};
use crate::decoder::Decoder;
use crate::encoder::Encoder;
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::graph::{Graph, SoundShape};
use crate::job::{AudioEncode, VideoEncode};

/// Pictures that an encoder may hold back, far above x264's lookahead of at most 250.
const HELD: usize = 1024;

/// The last stage but one for pictures.
pub(super) fn pictures(
    settings: &VideoEncode,
    plan: &Wiring,
    encoder: Encoder,
    track: usize,
    frames: &Receiver<Pictures>,
    to_mux: &Sender<ToMux>,
) -> Result<(), Halt> {
    let base = encoder.time_base();
    let rate = settings.frame_rate;
    let usual = if rate.is_positive() { Fraction::new(rate.den, rate.num).rescale(1, base).max(1) } else { 1 };
    let mut stage = PictureStage {
        encoder,
        track,
        base,
        usual,
        constant: settings.constant,
        // Whole frames do not end where a part does, if its times are rounded.
        end: plan.end(base).min(plan.part_end(base).saturating_add(usual / 2)),
        waiting: None,
        durations: VecDeque::new(),
        last_step: usual,
        to_mux,
    };
    loop {
        match next(frames)? {
            Pictures::Frame(frame) => stage.take(frame)?,
            Pictures::End(until) => return stage.end(until),
        }
    }
}

/// Frames are held back by one, as a frame lasts until the next one begins, whatever its own duration says.
struct PictureStage<'a> {
    encoder: Encoder,
    track: usize,
    base: Fraction,
    /// Ticks of a frame at the job's rate.
    usual: i64,
    constant: bool,
    end: i64,
    waiting: Option<frame::Video>,
    /// Times and durations of frames that the encoder holds.
    durations: VecDeque<(i64, i64)>,
    last_step: i64,
    to_mux: &'a Sender<ToMux>,
}

impl PictureStage<'_> {
    fn take(&mut self, frame: Frame) -> Result<(), Halt> {
        let mut frame = frame::Video::from(frame);
        // The source's own picture types are none of the encoder's business: it would follow them.
        frame.set_kind(picture::Type::None);
        let time = frame.pts().unwrap_or(0);
        if let Some(before) = self.waiting.take() {
            let begun = before.pts().unwrap_or(0);
            if time <= begun {
                self.waiting = Some(before);
                return Ok(());
            }
            self.last_step = time - begun;
            self.encode(&before, time - begun)?;
        }
        self.waiting = Some(frame);
        Ok(())
    }

    fn end(&mut self, until: Option<i64>) -> Result<(), Halt> {
        if let Some(last) = self.waiting.take() {
            // Behind a filter that holds the last frame, the end of the source is past.
            let left = until.map(|until| until.saturating_sub(last.pts().unwrap_or(0))).filter(|left| *left > 0);
            let duration = if self.constant { self.usual } else { left.unwrap_or(self.last_step) };
            self.encode(&last, duration.max(1))?;
        } else {
            return Err(AvError::Corrupt("no picture of it can be decoded".to_owned()).into());
        }
        self.encoder.send(None)?;
        self.hand_on()?;
        send(self.to_mux, ToMux::End)
    }

    fn encode(&mut self, frame: &frame::Video, duration: i64) -> Result<(), Halt> {
        let time = frame.pts().unwrap_or(0);
        if time.saturating_add(duration) > self.end {
            return Ok(());
        }
        if self.durations.len() == HELD {
            self.durations.pop_front();
        }
        self.durations.push_back((time, duration));
        self.encoder.send(Some(frame))?;
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Halt> {
        while let Some(mut packet) = self.encoder.receive()? {
            let at = self.durations.iter().position(|(time, _)| Some(*time) == packet.pts());
            let duration = at.and_then(|at| self.durations.remove(at)).map_or(self.usual, |(_, duration)| duration);
            packet.set_duration(duration);
            send(self.to_mux, ToMux::Packet(self.track, packet, self.base))?;
        }
        Ok(())
    }
}

/// All that happens to sound: a thread is enough for it.
#[expect(clippy::too_many_arguments, reason = "the ends of a stage")]
pub(super) fn sound(
    settings: &AudioEncode,
    plan: &Wiring,
    decoder: Decoder,
    encoder: Encoder,
    track: usize,
    feed: &Receiver<Feed>,
    to_mux: &Sender<ToMux>,
    shared: &Shared<'_>,
) -> Result<(), Halt> {
    let base = encoder.time_base();
    // Sound that is left out at the beginning is silence.
    let first = plan.start(settings.stream).filter(|_| plan.salvages() && !plan.begins_inside).map(|start| {
        let samples = decoder.time_base().rescale(start.saturating_sub(plan.origin(settings.stream)), base);
        format!(":first_pts={samples}")
    });
    let mut stage = SoundStage {
        description: format!(
            "{}{},aresample={rate}:async=1:min_hard_comp=0.01{},{}aformat=sample_fmts=fltp:sample_rates={rate}:\
             channel_layouts={channels}c",
            // To the sample; the rest of what was read before the part is none of it.
            if plan.begins_inside { "atrim=start_pts=0," } else { "" },
            settings.filter,
            first.unwrap_or_default(),
            tempo(plan),
            rate = settings.sample_rate,
            channels = settings.channels
        ),
        end: plan.end(base).min(plan.part_end(base)),
        encoder,
        track,
        base,
        graph: None,
        stretch: plan.played(base),
        moved: 0,
        to_mux,
    };
    let mut decoding = Decoding::new(plan, decoder, settings.stream, shared);
    let from = decoding.base();
    let part_end = plan.input_part_end(from);
    let mut seam = Seam::new(plan.repeats);
    loop {
        let message = next(feed)?;
        let goes_on = decoding.take(&message, &mut |frame| {
            seam.take(frame::Audio::from(frame)).map_or(Ok(()), |frame| stage.take(frame, from, part_end))
        })?;
        let until = match message {
            Feed::Packet(_) => continue,
            Feed::Seam(offset) => offset,
            Feed::End => i64::MAX,
        };
        for frame in seam.cut(until, from) {
            stage.take(frame, from, part_end)?;
        }
        if !goes_on {
            return stage.end();
        }
    }
}

/// The filter that stretches sound with its pitch kept, where there is anything to stretch.
fn tempo(plan: &Wiring) -> String {
    plan.retime().map_or_else(String::new, |retime| {
        let [from, to] = [retime.from, retime.to];
        format!("atempo={}/{}*{}/{},", to.num, to.den, from.den, from.num)
    })
}

struct SoundStage<'a> {
    description: String,
    end: i64,
    encoder: Encoder,
    track: usize,
    base: Fraction,
    graph: Option<(SoundShape, Graph)>,
    /// How long a sample of the encoder lasts when it is stretched.
    stretch: Fraction,
    /// How much earlier than by its own time what comes out of the graph begins, in samples.
    moved: i64,
    to_mux: &'a Sender<ToMux>,
}

impl SoundStage<'_> {
    /// `until` is where the part ends, in ticks of `from` as the frame's time is.
    fn take(&mut self, mut frame: frame::Audio, from: Fraction, until: i64) -> Result<(), Halt> {
        let shape = SoundShape::of(&frame);
        // The graph counts in samples of its input, as milliseconds would make it stretch.
        let samples = Fraction::new(1, i32::try_from(frame.rate()).unwrap_or(48_000).max(1));
        let time = frame.pts().map(|ticks| from.rescale(ticks, samples));
        frame.set_pts(time);
        if let Some(time) = time.filter(|_| until != i64::MAX) {
            let left = usize::try_from(from.rescale(until, samples).saturating_sub(time)).unwrap_or(0);
            if left == 0 {
                return Ok(());
            }
            frame.set_samples(frame.samples().min(left));
        }
        let fits = self.graph.as_ref().is_some_and(|(known, _)| *known == shape);
        if !fits {
            self.drain()?;
            // `atempo` stretches what it is given, and leaves it where it begins.
            let begin = samples.rescale(frame.pts().unwrap_or(0), self.base).max(0);
            self.moved = begin.saturating_sub(self.stretch.rescale(begin, self.base));
            let mut graph = Graph::sound(&shape, samples, &self.description)?;
            graph.set_frame_size(self.encoder.frame_size());
            self.graph = Some((shape, graph));
        }
        if let Some((_, graph)) = &mut self.graph {
            graph.send(Some(&frame))?;
        }
        self.hand_on()
    }

    fn drain(&mut self) -> Result<(), Halt> {
        if let Some((_, graph)) = &mut self.graph {
            graph.send(None)?;
        }
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Halt> {
        loop {
            let Some((_, graph)) = &mut self.graph else { return Ok(()) };
            let Some(frame) = graph.receive()? else { return Ok(()) };
            let mut sound = frame::Audio::from(frame);
            let time = graph.time_base().rescale(sound.pts().unwrap_or(0), self.base).saturating_sub(self.moved);
            let samples = i64::try_from(sound.samples()).unwrap_or(0);
            if time.saturating_add(samples) > self.end {
                continue;
            }
            sound.set_pts(Some(time));
            self.encoder.send(Some(&sound))?;
            self.packets()?;
        }
    }

    fn packets(&mut self) -> Result<(), Halt> {
        while let Some(packet) = self.encoder.receive()? {
            send(self.to_mux, ToMux::Packet(self.track, packet, self.base))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Halt> {
        self.drain()?;
        self.encoder.send(None)?;
        self.packets()?;
        send(self.to_mux, ToMux::End)
    }
}
