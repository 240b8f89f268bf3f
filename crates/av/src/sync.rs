//! Where a video can be cut without decoding it.

use std::path::Path;

use ffmpeg_next::{Packet, codec, media};

use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::{Cancel, Input, Next};
use crate::nal::{self, Form};
use crate::scan::is_hidden;

/// The sync samples of a picture at which it can be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncTimes {
    /// Presentation times, ascending, in ticks of `time_base`.
    pub ticks: Vec<i64>,
    /// The picture's time base.
    pub time_base: Fraction,
    /// When the file's first picture or sound is shown, in ticks of `start_base`.
    pub start: i64,
    /// The time base of the stream that begins first.
    pub start_base: Fraction,
}

/// Reads every packet of `stream` and finds the sync samples that are closed: nothing that is decoded behind one is
/// shown before it, and nothing that is decoded before it behind it. In H.264 it also has to be an IDR picture or a
/// recovery point that is exact at once; what libav marks besides are pictures that become right after a while.
///
/// # Errors
/// When the file cannot be opened or read, `stream` is no picture, or `cancel` is set.
pub fn sync_times(path: &Path, stream: usize, cancel: &Cancel) -> Result<SyncTimes, AvError> {
    let mut input = Input::open(path, cancel)?;
    input.expect_kind(stream, media::Type::Video, "video")?;
    let (start, start_base) = input.first_shown();
    let time_base = input.time_base(stream);
    let form = h264_form(&input, stream);
    input.keep_only(&[stream]);
    let mut finder = Finder::default();
    let mut run = 0;
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) if packet.stream() == stream => finder.take(&packet, form),
            Next::Packet(_) | Next::Damaged => {}
            Next::End => break,
        }
    }
    Ok(SyncTimes { ticks: finder.ticks, time_base, start, start_base })
}

/// How the units of a stream are told apart; `None` where it is not H.264.
fn h264_form(input: &Input, stream: usize) -> Option<Form> {
    let parameters = input.context().stream(stream)?.parameters();
    if parameters.id() != codec::Id::H264 {
        return None;
    }
    Some(Form::of(&input.extradata(stream)))
}

#[derive(Default)]
struct Finder {
    ticks: Vec<i64>,
    /// The latest time that was shown.
    latest: Option<i64>,
}

impl Finder {
    fn take(&mut self, packet: &Packet, form: Option<Form>) {
        if is_hidden(packet) {
            return;
        }
        let Some(time) = packet.pts().or(packet.dts()) else { return };
        // Shown before a sync sample that is decoded before it: that one is open.
        while self.ticks.last().is_some_and(|sync| *sync > time) {
            self.ticks.pop();
        }
        let is_first_of_time = self.latest.is_none_or(|latest| latest < time);
        if is_first_of_time && packet.is_key() && is_exact(packet, form) {
            self.ticks.push(time);
        }
        self.latest = self.latest.max(Some(time));
    }
}

fn is_exact(packet: &Packet, form: Option<Form>) -> bool {
    form.is_none_or(|form| nal::is_clean_entry(&form.units(packet.data().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(packets: &[(i64, bool)]) -> Vec<i64> {
        let mut finder = Finder::default();
        for (time, key) in packets {
            let mut packet = Packet::copy(&[0]);
            packet.set_pts(Some(*time));
            if *key {
                packet.set_flags(codec::packet::Flags::KEY);
            }
            finder.take(&packet, None);
        }
        finder.ticks
    }

    #[test]
    fn closed_groups_are_found_and_open_ones_are_not() {
        assert_eq!(found(&[(0, true), (2, false), (1, false), (3, true), (5, false), (4, false)]), [0, 3]);
        assert_eq!(found(&[(0, true), (3, true), (1, false), (2, false), (4, true)]), [0, 4], "leading pictures");
        assert_eq!(found(&[(0, true), (4, false), (3, true), (5, true)]), [0, 5], "shown later, decoded before");
        assert_eq!(found(&[(5, false), (6, true)]), [6]);
    }
}
