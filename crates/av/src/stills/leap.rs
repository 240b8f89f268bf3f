//! Frames shortly after a sync sample, and of what lies between only that which they are made from.

use ffmpeg_next::{Packet, frame};

use super::run::{Taken, needs_others};
use super::{Still, Stills};
use crate::decoder::{Received, frame_ticks, is_damaged};
use crate::error::AvError;

/// Packets from the sync sample on; a longer way is decoded as a run.
const PACKETS: usize = 48;

impl Stills {
    /// The frames that are shown at these times, which are in order, each frame once. Of a rough still nothing beside
    /// them and nothing behind them is decoded when a sync sample is near, and nobody looks whether it is
    /// [`Still::combed`].
    ///
    /// # Errors
    /// When reading or filtering fails. Frames that do not decode are left out.
    pub fn shortly_us(&mut self, times_us: &[i64]) -> Result<Vec<Still>, AvError> {
        let Some(first) = times_us.first() else { return Ok(Vec::new()) };
        let goes_on = self.run.as_ref().is_some_and(|run| self.goes_on(run, *first));
        if self.options.rough && self.has_index && !self.interlaced && !goes_on {
            self.run = None;
            self.seek(self.sync_ticks(*first))?;
            if let Some(packets) = self.packets_until(times_us)? {
                return self.decode_wanted(&packets, times_us);
            }
        }
        let mut stills: Vec<Still> = Vec::new();
        for time_us in times_us {
            let still = self.at_us(*time_us)?;
            stills.extend(still.filter(|still| stills.last().is_none_or(|last| last.time_us < still.time_us)));
        }
        Ok(stills)
    }

    /// The packets from a sync sample up to the last that can be shown at one of these times; `None` when that is far,
    /// or cannot be told.
    fn packets_until(&mut self, times_us: &[i64]) -> Result<Option<Vec<Packet>>, AvError> {
        let (first, last) = (times_us.iter().min().copied(), times_us.iter().max().copied());
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let mut packets: Vec<Packet> = Vec::new();
        while let Some(packet) = self.next_packet(&mut 0)? {
            let (Some(shown), Some(decoded)) = (packet.pts(), packet.dts()) else { return Ok(None) };
            // No picture is shown before it is decoded, so that all that follow are later still.
            if self.unclamped_time_of(decoded) > last {
                break;
            }
            let enters = packet.is_key() && self.unclamped_time_of(shown) <= first;
            if packets.len() == PACKETS || (packets.is_empty() && !enters) {
                return Ok(None);
            }
            packets.push(packet);
        }
        Ok(Some(packets))
    }

    /// The frames of these packets that are shown at these times.
    fn decode_wanted(&mut self, packets: &[Packet], times_us: &[i64]) -> Result<Vec<Still>, AvError> {
        let shown_at = |packet: &Packet| self.unclamped_time_of(packet.pts().unwrap_or(i64::MAX));
        let shown = |time_us: &i64| {
            let before = packets.iter().filter(|packet| shown_at(packet) <= *time_us);
            before.max_by_key(|packet| packet.pts()).and_then(Packet::pts)
        };
        let mut wanted: Vec<i64> = times_us.iter().filter_map(shown).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let is_wanted = |packet: &Packet| packet.pts().is_some_and(|ticks| wanted.binary_search(&ticks).is_ok());
        let count = packets.iter().rposition(is_wanted).map_or(0, |last| last + 1);
        let entry = packets.first().and_then(Packet::pts);
        // Pictures before the sync sample are made from what came before it too.
        let needed = |packet: &&Packet| packet.pts() >= entry && (is_wanted(packet) || !self.is_disposable(packet));
        let needed: Vec<&Packet> = packets.iter().take(count).filter(needed).collect();
        // The sync sample is likely to be taken, and is kept as it would be shown.
        self.decoder.deblock(true);
        let mut stills = Vec::new();
        for packet in needed.into_iter().map(Some).chain([None]) {
            self.decoder.send(packet)?;
            loop {
                match self.decoder.receive()? {
                    Received::Frame(frame) => {
                        let damaged = self.decoder.has_complained() || is_damaged(&frame);
                        let ticks = frame_ticks(&frame);
                        let taken = Taken { frame: frame::Video::from(frame), damaged };
                        if ticks.is_some() && ticks == entry && !needs_others(&taken.frame) {
                            self.keep(&taken)?;
                        }
                        if ticks.is_some_and(|ticks| wanted.binary_search(&ticks).is_ok()) {
                            stills.push(self.picture_of(&taken)?);
                        }
                    }
                    Received::Damaged => {}
                    Received::Wait | Received::End => break,
                }
            }
            // Of the others it is measured how far they are from it.
            self.decoder.deblock(!self.may_keep_blocks());
        }
        Ok(stills)
    }
}
