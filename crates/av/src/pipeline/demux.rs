//! The first stage: the file's packets, once for each time the clip is shown.

use super::copy::Copier;
use super::wiring::ROUNDING_US;
use super::{Feed, Halt, Outlet, Shared, ToMux, Wiring, send};
use crate::bitstream::Headers;
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::{Input, Next};
use crate::job::Job;
use crate::tail::Tail;

/// How far all streams have to be past the end before reading stops: what is shown before it may be stored behind it.
const PAST_END_US: i64 = 1_000_000;

/// How far before a part reading begins: transport streams find a time only roughly, and sound may be stored long before
/// the picture that it is heard with.
const BEFORE_PART_US: i64 = 2_000_000;

/// What is changed of a copied picture.
pub(super) struct Changes {
    pub(super) headers: Option<Headers>,
    pub(super) tail: Option<Tail>,
}

/// One of the two streams.
struct Lane<'a> {
    stream: usize,
    base: Fraction,
    origin: i64,
    outlet: &'a Outlet,
    copier: Option<Copier>,
    /// Changes the parameter sets among the packets.
    headers: Option<Headers>,
    /// When the first of the clip's packets is shown, in ticks from zero of the output.
    begun: Option<i64>,
    /// Where the clip's shown packets end, in ticks from its own beginning.
    end: i64,
    /// The decode time that was reached, in microseconds from zero of the output.
    reached_us: i64,
    /// The picture's sync sample where the part begins has not come yet.
    waits: bool,
    /// The last decode time that was sent on, of a copied stream.
    sent: Option<i64>,
    /// The clip begins anew, and nothing of the picture was shown yet.
    begins_anew: bool,
    last_dts: Option<i64>,
}

pub(super) fn stage(
    job: &Job,
    plan: &Wiring,
    first: Input,
    mut changes: Changes,
    outlets: &[Outlet],
    shared: &Shared<'_>,
) -> Result<(), Halt> {
    let streams: Vec<usize> = std::iter::once(plan.video).chain(plan.audio).collect();
    let mut lanes: Vec<Lane<'_>> = streams
        .iter()
        .zip(outlets)
        .map(|(stream, outlet)| Lane {
            stream: *stream,
            base: plan.base(*stream),
            origin: plan.origin(*stream),
            outlet,
            copier: matches!(outlet, Outlet::Copy { .. }).then(|| Copier::new(plan, *stream, &first)),
            headers: changes.headers.take_if(|_| *stream == plan.video),
            begun: None,
            end: 0,
            reached_us: i64::MIN,
            waits: false,
            sent: None,
            begins_anew: false,
            last_dts: None,
        })
        .collect();
    let mut input = Some(first);
    for pass in 0..job.repeat.max(1) {
        let mut opened = match input.take() {
            Some(input) => input,
            None => Input::open(plan.path(), shared.cancel)?,
        };
        if plan.begins_inside {
            let begin = Fraction::MICROSECOND.rescale(-BEFORE_PART_US, plan.video_base);
            if opened.seek_before(plan.video, plan.origin(plan.video).saturating_add(begin)).is_err() {
                // Nobody says where a search that found nothing has left the file.
                shared.check()?;
                opened = Input::open(plan.path(), shared.cancel)?;
            }
        }
        opened.keep_only(&streams);
        // Unless told otherwise the picture's length is the clip's: so its rate goes on over the seam, also where sound
        // began a little before it.
        let length = lanes.first().map_or(0, |video| video.end.saturating_sub(video.begun.unwrap_or(0)));
        let period_us = job.period_us.unwrap_or_else(|| plan.played(plan.video_base).micros(length));
        let offset_us = period_us.saturating_mul(i64::from(pass));
        if plan.end_us.is_some_and(|end| offset_us >= end) {
            break;
        }
        for (index, lane) in lanes.iter_mut().enumerate() {
            let exact = index == 0 && job.period_us.is_none();
            let own = if exact { length } else { Fraction::MICROSECOND.rescale(period_us, plan.played(lane.base)) };
            lane.waits = plan.begins_inside && lane.stream == plan.video;
            lane.begins_anew = pass > 0 && lane.stream == plan.video;
            lane.begin(pass, own.saturating_mul(i64::from(pass)))?;
        }
        let offset_us = Fraction::MICROSECOND.rescale(offset_us, plan.played(Fraction::MICROSECOND));
        read_pass(&mut opened, &mut lanes, plan, offset_us, shared)?;
        if lanes.iter().any(|lane| lane.waits) {
            return Err(no_such_part().into());
        }
        for lane in &mut lanes {
            lane.end_pass()?;
        }
    }
    if let (Some(tail), Some(lane)) = (changes.tail, lanes.first_mut()) {
        lane.extend(tail)?;
    }
    for lane in &lanes {
        match lane.outlet {
            Outlet::Copy { to_mux, .. } => send(to_mux, ToMux::End)?,
            Outlet::Decode(to_decode) => send(to_decode, Feed::End)?,
        }
    }
    Ok(())
}

fn read_pass(
    input: &mut Input,
    lanes: &mut [Lane<'_>],
    plan: &Wiring,
    offset_us: i64,
    shared: &Shared<'_>,
) -> Result<(), Halt> {
    let (mut run, mut seen, mut reached_us) = (0, false, 0);
    // What is broken where a search has landed, or before the part, is none of it.
    let mut counts = !plan.begins_inside;
    loop {
        shared.check()?;
        match input.next(&mut run)? {
            Next::Packet(packet) => {
                let Some(lane) = lanes.iter_mut().find(|lane| lane.stream == packet.stream()) else { continue };
                if packet.is_corrupt() && seen && counts {
                    shared.damage(reached_us);
                    // Half a packet is none, but a decoder may make something of it that others need.
                    if plan.salvages() && lane.copier.is_some() {
                        continue;
                    }
                }
                seen = true;
                lane.last_dts = packet.dts().or(lane.last_dts);
                if let Some(ticks) = packet.dts().or(packet.pts()) {
                    reached_us = lane.base.micros(ticks.saturating_sub(lane.origin)).saturating_add(offset_us);
                    lane.reached_us = reached_us;
                    counts |= reached_us >= offset_us;
                }
                lane.take(packet)?;
                let over = plan.over_us().map(|end| end.saturating_add(PAST_END_US));
                if over.is_some_and(|over| lanes.iter().all(|lane| lane.reached_us > over)) {
                    return Ok(());
                }
            }
            Next::Damaged if seen && counts => shared.damage(reached_us),
            Next::Damaged => {}
            Next::End if seen => {
                if plan.salvages() {
                    lanes.iter().for_each(|lane| lane.miss_unread(input, offset_us, shared));
                }
                return Ok(());
            }
            Next::End => return Err(AvError::Corrupt("no packet of it can be read".to_owned()).into()),
        }
    }
}

fn no_such_part() -> AvError {
    AvError::Corrupt("the picture cannot be entered where a part of it begins".to_owned())
}

impl Lane<'_> {
    /// Whether the part begins with this packet of the picture; its time is zero of the output from now on.
    fn begins_with(&mut self, packet: &ffmpeg_next::Packet) -> Result<bool, Halt> {
        if !packet.is_key() || crate::scan::is_hidden(packet) {
            return Ok(false);
        }
        let Some(time) = packet.pts().or(packet.dts()) else { return Ok(false) };
        let late = self.base.micros(time.saturating_sub(self.origin));
        if late > ROUNDING_US {
            return Err(no_such_part().into());
        }
        let begins = late >= -ROUNDING_US;
        if begins {
            self.origin = time;
            if let Some(copier) = &mut self.copier {
                copier.begin_at(time);
            }
        }
        Ok(begins)
    }

    fn begin(&mut self, pass: u32, offset: i64) -> Result<(), Halt> {
        if let Some(copier) = &mut self.copier {
            copier.begin(pass, offset);
        }
        match self.outlet {
            Outlet::Decode(to_decode) if pass > 0 => send(to_decode, Feed::Seam(offset)),
            _ => Ok(()),
        }
    }

    /// Counts the samples that the index has behind the last one that was read: of a file that was cut off.
    fn miss_unread(&self, input: &mut Input, offset_us: i64, shared: &Shared<'_>) {
        if !input.context().format().name().starts_with("mov") {
            return;
        }
        let (unread, first) = input.index_behind(self.stream, self.last_dts.unwrap_or(i64::MIN));
        let time = first.map(|ticks| self.base.micros(ticks.saturating_sub(self.origin)).saturating_add(offset_us));
        for _ in 0..unread {
            shared.damage(time.unwrap_or(self.reached_us));
        }
    }

    fn end_pass(&mut self) -> Result<(), Halt> {
        if let (Outlet::Copy { track, to_mux }, Some(copier)) = (self.outlet, &mut self.copier) {
            for packet in copier.flush(None) {
                self.sent = packet.dts().or(self.sent);
                send(to_mux, ToMux::Packet(*track, packet, self.base))?;
            }
        }
        Ok(())
    }

    /// Shows the last picture on. Decode times go on as they did, so that a constant rate stays one.
    fn extend(&mut self, tail: Tail) -> Result<(), Halt> {
        let Outlet::Copy { track, to_mux } = self.outlet else { return Ok(()) };
        let frame = tail.frame;
        let step = frame.rescale(1, self.base).max(1);
        let decoded = self.sent.map_or(self.end, |last| last.saturating_add(step)).min(self.end);
        for (at, mut packet) in (0..).zip(tail.into_packets()) {
            let [begin, end] = [at, at + 1].map(|at| frame.rescale(at, self.base));
            packet.set_pts(Some(self.end.saturating_add(begin)));
            packet.set_dts(Some(decoded.saturating_add(begin)));
            packet.set_duration(end - begin);
            send(to_mux, ToMux::Packet(*track, packet, self.base))?;
        }
        Ok(())
    }

    fn take(&mut self, packet: ffmpeg_next::Packet) -> Result<(), Halt> {
        if self.waits && !self.begins_with(&packet)? {
            return Ok(());
        }
        self.waits = false;
        if self.begins_anew && !crate::scan::is_hidden(&packet) {
            // What an edit list hides before it would be shown at the seam, and is left out: it must not be needed.
            if self.copier.is_some() && !packet.is_key() {
                let reason =
                    "the first picture needs others that are not shown: it cannot be repeated without decoding";
                return Err(AvError::Muxer(reason.to_owned()).into());
            }
            self.begins_anew = false;
        }
        if let Some(time) = packet.pts().or(packet.dts())
            && !crate::scan::is_hidden(&packet)
        {
            let begun = time.saturating_sub(self.origin);
            self.begun = Some(self.begun.map_or(begun, |known| known.min(begun)));
            self.end = self.end.max(begun.saturating_add(packet.duration().max(1)));
        }
        match self.outlet {
            Outlet::Decode(to_decode) => send(to_decode, Feed::Packet(packet)),
            Outlet::Copy { track, to_mux } => {
                let Some(copier) = &mut self.copier else { return Ok(()) };
                let packet = match &mut self.headers {
                    Some(headers) => headers.apply(packet)?,
                    None => packet,
                };
                let (packets, base) = copier.ready(packet);
                for packet in packets {
                    self.sent = packet.dts().or(self.sent);
                    send(to_mux, ToMux::Packet(*track, packet, base))?;
                }
                Ok(())
            }
        }
    }
}
