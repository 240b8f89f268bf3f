//! Where a video can be entered: its sync samples.

use ffmpeg_next::{Packet, ffi, frame};

use super::Stills;
use super::run::{Taken, needs_others};
use crate::decoder::{Received, is_damaged};
use crate::error::AvError;
use crate::input::{Input, Next};

/// Packets that are read in search of a sync sample after a seek.
const UNSYNCED_PACKETS: usize = 2_000;

/// A sync sample by the demuxer's index, in ticks.
#[derive(Clone)]
pub(super) struct SyncSample {
    /// When it is shown.
    pub(super) shown: i64,
    /// What to seek to, just before the next one: asked for the time when an open GOP's first picture is shown, libav
    /// goes to the one before.
    pub(super) seek: i64,
}

impl Stills {
    /// Sync samples by the demuxer's index, which has decode times. Without reordering these differ from the
    /// presentation times by a constant; with it, each sync sample is looked up, as open GOPs are delayed otherwise
    /// than the first one.
    pub(super) fn indexed_sync_samples(&mut self) -> Result<Vec<SyncSample>, AvError> {
        let entries = self.input.sync_index(self.stream);
        let reordered = self.input.is_reordered(self.stream);
        let (mut delay, mut samples) = (0, Vec::with_capacity(entries.len()));
        for (at, entry) in entries.iter().enumerate() {
            let seek = entries.get(at + 1).map_or(i64::MAX / 2, |next| next - 1).max(*entry);
            if at == 0 || reordered {
                self.input.seek_before(self.stream, seek)?;
                let shown = self.next_packet(&mut 0)?.filter(Packet::is_key).and_then(|packet| packet.pts());
                delay = shown.map_or(delay, |shown| shown.saturating_sub(*entry));
            }
            samples.push(SyncSample { shown: entry.saturating_add(delay), seek });
        }
        samples.sort_unstable_by_key(|sample| sample.shown);
        self.decoder.flush();
        Ok(samples)
    }

    /// Sync samples by reading the file anew. Fragmented MP4 is read whole: after a seek, or with packets left out,
    /// libav 5.1 loses count of its composition offsets.
    pub(super) fn scanned_sync_ticks(&self) -> Result<Vec<i64>, AvError> {
        let mut input = Input::open(&self.path, &self.options.cancel)?;
        input.keep_only(&[self.stream]);
        if !self.is_iso {
            input.discard(self.stream, ffi::AVDiscard::AVDISCARD_NONKEY);
        }
        let mut ticks = Vec::new();
        let mut damaged_run = 0;
        loop {
            match input.next(&mut damaged_run)? {
                Next::Packet(packet) if packet.stream() == self.stream && packet.is_key() => {
                    ticks.extend(packet.pts().or(packet.dts()));
                }
                Next::Packet(_) | Next::Damaged => {}
                Next::End => return Ok(ticks),
            }
        }
    }

    /// The packets of the last sync sample at or before `time_us`, the first one where none is. A demuxer with an
    /// index lands on it; others land somewhere before it.
    pub(super) fn sync_packets(&mut self, time_us: i64) -> Result<Vec<Packet>, AvError> {
        // Of two fields each may be a packet.
        let wanted = if self.interlaced { 2 } else { 1 };
        let (mut damaged_run, mut skipped) = (0, 0);
        let mut found: Vec<Packet> = Vec::new();
        while let Some(packet) = self.next_packet(&mut damaged_run)? {
            let time = packet.pts().or(packet.dts()).map_or(i64::MIN, |ticks| self.unclamped_time_of(ticks));
            if packet.is_key() && (found.is_empty() || time <= time_us) {
                found = vec![packet];
            } else if !found.is_empty() && found.len() < wanted {
                found.push(packet);
            } else if found.is_empty() {
                skipped += 1;
                if skipped > UNSYNCED_PACKETS {
                    break;
                }
            }
            if found.len() == wanted && (self.has_index || time > time_us) {
                break;
            }
        }
        Ok(found)
    }

    /// The first picture that these packets alone give.
    pub(super) fn decode_all_of(&mut self, packets: &[Packet]) -> Result<Option<Taken>, AvError> {
        let mut damaged = false;
        for packet in packets.iter().map(Some).chain([None]) {
            damaged |= !self.decoder.send(packet)?;
            loop {
                match self.decoder.receive()? {
                    Received::Frame(frame) => {
                        damaged |= self.decoder.has_complained() || is_damaged(&frame);
                        let frame = frame::Video::from(frame);
                        damaged |= needs_others(&frame);
                        return Ok(Some(Taken { frame, damaged }));
                    }
                    Received::Wait | Received::End => break,
                    Received::Damaged => damaged = true,
                }
            }
        }
        Ok(None)
    }
}
