//! The last stage: packets to the file.

use crossbeam_channel::Receiver;

use super::{Halt, ToMux, next};
use crate::job::{Done, Reached};
use crate::muxer::Mp4;

/// The picture's track: it is always added first.
const VIDEO: usize = 0;

pub(super) fn stage(
    output: &mut Mp4,
    mut tracks: usize,
    packets: &Receiver<ToMux>,
    written: &mut Done,
    observe: &mut dyn FnMut(Reached),
) -> Result<(), Halt> {
    while tracks > 0 {
        match next(packets)? {
            ToMux::Packet(track, packet, base) => {
                let time = packet.pts().or(packet.dts()).map_or(0, |ticks| base.micros(ticks));
                output.write(packet, track, base)?;
                if track == VIDEO {
                    written.video_packets += 1;
                } else {
                    written.audio_packets += 1;
                }
                observe(Reached { time_us: time, packets: written.video_packets + written.audio_packets });
            }
            ToMux::End => tracks -= 1,
        }
    }
    Ok(())
}
