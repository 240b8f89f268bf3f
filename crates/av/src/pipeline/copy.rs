//! Packets that are copied: their times are moved, never made up.

use std::collections::VecDeque;

use ffmpeg_next::Packet;

use super::Wiring;
use super::retimed::Retimed;
use super::wiring::ROUNDING_US;
use crate::fraction::Fraction;
use crate::input::Input;
use crate::scan::is_hidden;

/// Makes the packets of one stream ready for the muxer.
pub(super) struct Copier {
    base: Fraction,
    origin: i64,
    offset: i64,
    pass: u32,
    end: i64,
    /// A picture that begins here or later is of the next part.
    part_end: i64,
    /// Nothing more of this stream fits before the end.
    ended: bool,
    /// Whether a packet of this pass was shown.
    shown: bool,
    sound: Option<Smoother>,
    /// The picture plays at another rate.
    retimed: Option<Retimed>,
    /// Where the part begins inside the file: sound before it.
    lead: Option<Lead>,
    /// Packets at the beginning of a pass whose decode times are not known yet.
    untimed: Vec<Packet>,
    timed: bool,
}

/// Packets that may come before the first with a decode time: the deepest reordering of H.264, twice for fields.
const MAX_UNTIMED: usize = 32;

impl Copier {
    pub(super) fn new(plan: &Wiring, stream: usize, input: &Input) -> Self {
        let base = plan.base(stream);
        let sound = (plan.audio == Some(stream))
            .then(|| Smoother::new(base, input.sample_rate(stream), input.frame_size(stream)))
            .flatten();
        Self {
            base,
            origin: plan.origin(stream),
            offset: 0,
            pass: 0,
            end: if plan.audio == Some(stream) {
                plan.input_end(base).min(plan.input_part_end(base))
            } else {
                plan.input_end(base)
            },
            part_end: plan.input_part_end(base),
            ended: false,
            shown: false,
            retimed: (plan.video == stream).then(|| plan.retime()).flatten().map(|retime| Retimed::new(base, retime)),
            lead: (plan.begins_inside && plan.audio == Some(stream)).then(Lead::default),
            sound,
            untimed: Vec::new(),
            timed: false,
        }
    }

    /// The clip begins anew, `offset` ticks after zero of the output.
    pub(super) fn begin(&mut self, pass: u32, offset: i64) {
        self.pass = pass;
        self.offset = offset;
        self.shown = false;
        self.timed = false;
    }

    /// The part begins at this time of the stream.
    pub(super) const fn begin_at(&mut self, ticks: i64) {
        self.origin = ticks;
    }

    /// The packets that are ready to be written now that this one is here, with times from zero of the output, and
    /// the base of these.
    ///
    /// Matroska has no decode times, and libav knows those of the first reordered packets only when it has seen more.
    /// They are counted back from the first known one, a packet's duration each.
    pub(super) fn ready(&mut self, packet: Packet) -> (Vec<Packet>, Fraction) {
        let base = match (&self.sound, &self.retimed) {
            (Some(smoother), _) => smoother.samples,
            (None, Some(retimed)) => retimed.base(),
            (None, None) => self.base,
        };
        let packets = match &mut self.lead {
            None => vec![packet],
            Some(lead) => lead.take(packet, self.origin, self.pass),
        };
        let mut ready = Vec::new();
        for packet in packets {
            let Some(packet) = self.moved(packet) else { continue };
            if packet.dts().is_none() && self.untimed.len() < MAX_UNTIMED && !self.timed {
                self.untimed.push(packet);
                continue;
            }
            self.timed = true;
            ready.extend(self.flush(packet.dts()));
            ready.push(packet);
        }
        if let Some(retimed) = &mut self.retimed {
            ready.iter_mut().for_each(|packet| retimed.place(packet));
        }
        (ready, base)
    }

    /// The packets that still wait for a decode time, the last one just before `known`.
    pub(super) fn flush(&mut self, known: Option<i64>) -> Vec<Packet> {
        let mut ready = std::mem::take(&mut self.untimed);
        if let Some(mut dts) = known {
            for packet in ready.iter_mut().rev() {
                dts = dts.saturating_sub(packet.duration().max(1));
                packet.set_dts(Some(dts));
            }
        }
        ready
    }

    /// The packet with times from zero of the output; `None` when it is not to be written.
    fn moved(&mut self, mut packet: Packet) -> Option<Packet> {
        let moved =
            |ticks: Option<i64>| ticks.map(|ticks| ticks.saturating_sub(self.origin).saturating_add(self.offset));
        let (pts, dts) = (moved(packet.pts()), moved(packet.dts()));
        // What an edit list hides comes before the first shown packet, as the encoder's priming or as references, or,
        // stored behind it, is presented before zero; at a seam and behind the end it would be shown.
        if is_hidden(&packet) && (self.pass > 0 || self.shown && pts.is_none_or(|pts| pts >= 0)) {
            return None;
        }
        self.shown |= !is_hidden(&packet);
        let begin = pts.or(dts).unwrap_or(i64::MIN);
        if self.sound.is_none() && self.part_end != i64::MAX {
            let left = self.part_end.saturating_sub(begin);
            self.ended |= self.base.micros(left) <= ROUNDING_US;
            packet.set_duration(packet.duration().min(left.max(0)));
        }
        let end = begin.saturating_add(packet.duration().max(0));
        // The cut is made in decode order, so that everything before it decodes.
        self.ended |= end > self.end;
        if self.ended {
            return None;
        }
        match &mut self.sound {
            None => {
                packet.set_pts(pts);
                packet.set_dts(dts);
                Some(packet)
            }
            Some(smoother) => {
                let (time, duration) = smoother.place(pts.or(dts), packet.duration());
                packet.set_pts(Some(time));
                packet.set_dts(Some(time));
                packet.set_duration(duration);
                Some(packet)
            }
        }
    }
}

/// The last sound before a part. Windows overlap, so a decoder needs the packet before the first that is heard; both
/// may begin before the part, and an edit list hides what does.
#[derive(Default)]
struct Lead(VecDeque<Packet>);

impl Lead {
    /// The packets that can be handed on. `origin` is where the part begins; only the first time that it is shown
    /// anything may come before it.
    fn take(&mut self, packet: Packet, origin: i64, pass: u32) -> Vec<Packet> {
        let begin = |packet: &Packet| packet.pts().or(packet.dts());
        let Some(time) = begin(&packet) else { return vec![packet] };
        if time < origin {
            self.0.push_back(packet);
            if self.0.len() > 2 {
                self.0.pop_front();
            }
            return Vec::new();
        }
        let mut next = time;
        let mut needed = 0;
        for packet in self.0.iter().rev() {
            let Some(time) = begin(packet) else { break };
            let end = time.saturating_add(packet.duration().max(1));
            // One is enough where it ends before the part; what lies before a gap is heard by itself.
            if pass > 0 || end.saturating_add(packet.duration()) < next {
                break;
            }
            needed += 1;
            next = time;
            if end <= origin {
                break;
            }
        }
        let mut packets: Vec<Packet> = self.0.drain(..).rev().take(needed).collect();
        packets.reverse();
        packets.push(packet);
        packets
    }
}

/// Brings sound packets onto their own grid of samples. Containers round times to milliseconds or 1/90000 s; written as
/// they are they would make every packet's duration another one. As long as a time is what the samples before it say
/// but for rounding, the samples are believed. One that is a little early waits for them, as clocks jitter; from half a
/// packet on it is where it says: files that were put together have a packet too many at each seam, and sound that
/// waited for all of them would end late by as many.
struct Smoother {
    from: Fraction,
    samples: Fraction,
    frame_size: i64,
    expected: Option<i64>,
    /// Where the packet before was placed.
    last: Option<i64>,
}

impl Smoother {
    fn new(from: Fraction, sample_rate: i32, frame_size: i64) -> Option<Self> {
        (sample_rate > 0).then_some(Self {
            from,
            samples: Fraction::new(1, sample_rate),
            frame_size: frame_size.max(0),
            expected: None,
            last: None,
        })
    }

    /// Time and duration in samples.
    fn place(&mut self, time: Option<i64>, duration: i64) -> (i64, i64) {
        let rounding = self.from.rescale(1, self.samples).saturating_add(1);
        let told = time.map(|time| self.from.rescale(time, self.samples));
        let at = match (told, self.expected) {
            (Some(told), Some(expected)) if (told - expected).abs() <= rounding => expected,
            (Some(told), Some(expected)) if told < expected && (expected - told) * 2 < self.frame_size => expected,
            (Some(told), Some(_)) => self.last.map_or(told, |last| told.max(last + 1)),
            (Some(told), None) => told,
            (None, expected) => expected.unwrap_or(0),
        };
        let told = self.from.rescale(duration.max(0), self.samples);
        let own = if self.frame_size > 0 { self.frame_size } else { told };
        self.expected = Some(at.saturating_add(own));
        self.last = Some(at);
        // What lasts longer than its samples lasts into a gap, or is the last and ends as late as the file says.
        (at, if told > own + rounding { told } else { own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_milliseconds_come_back_as_whole_packets() {
        let mut smoother = Smoother::new(Fraction::new(1, 1000), 44_100, 1024).unwrap();
        for packet in 0..10_000_i64 {
            let exact = packet * 1024;
            let millis = Fraction::new(1, 44_100).rescale(exact, Fraction::new(1, 1000));
            assert_eq!(smoother.place(Some(millis), 23), (exact, 1024));
        }
    }

    #[test]
    fn a_gap_stays_a_gap_and_what_is_a_little_early_waits() {
        let mut smoother = Smoother::new(Fraction::new(1, 1000), 48_000, 1024).unwrap();
        assert_eq!(smoother.place(Some(100), 400), (4_800, 19_200));
        assert_eq!(smoother.place(Some(500), 21).0, 24_000);
        assert_eq!(smoother.place(Some(515), 21).0, 25_024, "288 samples early");
        let whole = smoother.place(Some(521), 21);
        assert_eq!((whole.0, smoother.place(Some(542), 21).0), (25_025, 26_049), "a packet too many is not waited for");
    }
}
