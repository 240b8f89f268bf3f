//! Packets to frames whose times count from zero of the output.

use ffmpeg_next::{Frame, Packet};

use super::retimed::Retimed;
use super::wiring::ROUNDING_US;
use super::{Feed, Halt, Pictures, Receiver, Sender, Shared, Wiring, next, send};
use crate::decoder::{Decoder, Received, frame_ticks, is_damaged};
use crate::fraction::Fraction;
use crate::scan::is_hidden;

/// Decodes a stream over all passes and hands out frames in order.
pub(super) struct Decoding<'a> {
    decoder: Decoder,
    /// Zero of the output in ticks of the stream.
    origin: i64,
    /// How much later this pass is than the first, in ticks.
    offset: i64,
    /// Where this pass ends, in ticks from zero of the output.
    limit: i64,
    shared: &'a Shared<'a>,
    plan: &'a Wiring,
    stream: usize,
    any: bool,
    /// When the first picture would have been shown, where it was left out.
    left_out: Option<i64>,
    /// When the demuxer says that the stream begins, in ticks of the stream.
    start: Option<i64>,
    /// Whether there is something before zero that is none of the output.
    begins_inside: bool,
    /// Whether packets have decode times only.
    untimed: bool,
    /// When the last packet that is shown ends, in ticks from zero of the output.
    packets_end: Option<i64>,
}

impl<'a> Decoding<'a> {
    pub(super) fn new(plan: &'a Wiring, decoder: Decoder, stream: usize, shared: &'a Shared<'a>) -> Self {
        Self {
            decoder,
            origin: plan.origin(stream),
            offset: 0,
            limit: i64::MAX,
            shared,
            plan,
            stream,
            any: false,
            start: match (plan.begins_inside, stream == plan.video) {
                (false, _) => plan.start(stream),
                (true, true) => Some(plan.origin(stream)),
                (true, false) => None,
            },
            begins_inside: plan.begins_inside,
            left_out: None,
            untimed: false,
            packets_end: None,
        }
    }

    pub(super) const fn base(&self) -> Fraction {
        self.decoder.time_base()
    }

    /// Takes one message and gives the frames that it brings to `hand_on`, with times in ticks of the stream from
    /// zero of the output. `Ok(false)` is the end.
    pub(super) fn take(
        &mut self,
        feed: &Feed,
        hand_on: &mut dyn FnMut(Frame) -> Result<(), Halt>,
    ) -> Result<bool, Halt> {
        match feed {
            Feed::Packet(packet) => {
                self.untimed |= packet.pts().is_none();
                if let Some(ticks) = packet.pts().filter(|_| !is_hidden(packet)) {
                    let time = ticks.saturating_sub(self.origin).saturating_add(self.offset);
                    self.packets_end = self.packets_end.max(Some(time.saturating_add(packet.duration().max(0))));
                }
                match self.decoder.pieces(packet) {
                    None => self.decode(packet, hand_on)?,
                    Some(pieces) => pieces.iter().try_for_each(|piece| self.decode(piece, hand_on))?,
                }
                Ok(true)
            }
            Feed::Seam(offset) => {
                self.limit = *offset;
                self.decoder.send(None)?;
                self.drain(hand_on)?;
                self.decoder.flush();
                self.offset = *offset;
                self.limit = i64::MAX;
                Ok(true)
            }
            Feed::End => {
                self.decoder.send(None)?;
                self.drain(hand_on)?;
                Ok(false)
            }
        }
    }

    fn decode(&mut self, packet: &Packet, hand_on: &mut dyn FnMut(Frame) -> Result<(), Halt>) -> Result<(), Halt> {
        if !self.decoder.send(Some(packet))? {
            self.damage(packet.pts().or(packet.dts()));
        }
        self.drain(hand_on)
    }

    fn drain(&mut self, hand_on: &mut dyn FnMut(Frame) -> Result<(), Halt>) -> Result<(), Halt> {
        loop {
            match self.decoder.receive()? {
                Received::Frame(mut frame) => {
                    self.shared.cancel.beat();
                    let ticks = frame_ticks(&frame);
                    let left_out = ticks.is_some_and(|ticks| self.plan.is_left_out(self.stream, ticks));
                    if is_damaged(&frame) || left_out {
                        self.damage(ticks);
                        if self.plan.salvages() {
                            let first = ticks.filter(|_| !self.any && self.stream == self.plan.video);
                            self.left_out = self.left_out.or(first);
                            continue;
                        }
                    }
                    let Some(ticks) = ticks else { continue };
                    if !self.any {
                        self.begin_at(ticks);
                    }
                    self.any = true;
                    // Whatever was to be seen first: the sound begins when it did.
                    let ticks = self.left_out.take().unwrap_or(ticks);
                    let time = ticks.saturating_sub(self.origin).saturating_add(self.offset);
                    if time >= self.limit {
                        continue;
                    }
                    frame.set_pts(Some(time));
                    hand_on(frame)?;
                }
                Received::Damaged => self.damage(None),
                Received::Wait | Received::End => return Ok(()),
            }
        }
    }

    /// Without presentation times (AVI) a frame's time is the decode time at which it came out, later than the
    /// demuxer's start by the reordering: the first frame is brought back to that start, where players show it.
    fn begin_at(&mut self, ticks: i64) {
        if self.untimed
            && let Some(start) = self.start
        {
            self.origin = self.origin.saturating_add(ticks.saturating_sub(start));
        }
    }

    /// What cannot be decoded before the first frame is the middle of something that began before the file did.
    fn damage(&self, ticks: Option<i64>) {
        if self.any {
            let ticks = ticks.unwrap_or(self.origin).saturating_sub(self.origin).saturating_add(self.offset);
            if ticks >= 0 || !self.begins_inside {
                self.shared.damage(self.base().micros(ticks));
            }
        }
    }
}

/// The stage for pictures: frames go on with times in ticks of `base`.
pub(super) fn pictures(
    plan: &Wiring,
    base: Fraction,
    decoder: Decoder,
    feed: &Receiver<Feed>,
    to_filter: &Sender<Pictures>,
    shared: &Shared<'_>,
) -> Result<(), Halt> {
    let own = decoder.time_base();
    let (end, part_end) = (plan.input_end(own), plan.input_part_end(own));
    let played = plan.played(own);
    let mut retimed = plan.retime().map(|retime| Retimed::new(own, retime));
    let mut decoding = Decoding::new(plan, decoder, plan.video, shared);
    let (mut until, mut last, mut step) = (None, None, 0);
    let mut hand_on = |mut frame: Frame| {
        let time = frame.pts().unwrap_or(0);
        let duration = frame.packet().duration.max(0);
        let is_of_next_part = part_end != i64::MAX && own.micros(part_end.saturating_sub(time)) <= ROUNDING_US;
        if time.saturating_add(duration) > end || is_of_next_part {
            return Ok(());
        }
        step = last.map_or(step, |last| time.saturating_sub(last));
        last = Some(time);
        // A frame without a duration lasts as long as the one before it.
        until = Some(time.saturating_add(if duration > 0 { duration } else { step.max(0) }));
        let shown = match &mut retimed {
            Some(retimed) => retimed.base().rescale(retimed.time(time), base),
            None => played.rescale(time, base),
        };
        frame.set_pts(Some(shown));
        send(to_filter, Pictures::Frame(frame))
    };
    while decoding.take(&next(feed)?, &mut hand_on)? {}
    // A last packet that decodes to nothing (H.263 cameras write such) still takes its time.
    let until = until.max(decoding.packets_end).map(|until| until.min(end).min(part_end));
    send(to_filter, Pictures::End(until.map(|until| played.rescale(until, base))))
}
