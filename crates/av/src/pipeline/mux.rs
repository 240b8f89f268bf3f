//! The last stage: packets to the file.

use super::{Halt, Receiver, ToMux, next};
use crate::digest::Digester;
use crate::job::{Done, Reached};
use crate::muxer::Mp4;

/// The picture's track: it is always added first.
const VIDEO: usize = 0;

/// `digesters` has one place a track; there is none in it for what is encoded.
pub(super) fn stage(
    output: &mut Mp4,
    mut digesters: Vec<Option<Digester>>,
    packets: &Receiver<ToMux>,
    written: &mut Done,
    observe: &mut dyn FnMut(Reached),
) -> Result<(), Halt> {
    let (mut open, mut shown_us) = (digesters.len(), 0);
    while open > 0 {
        match next(packets)? {
            ToMux::Packet(_, packet, _) if packet.size() == 0 => {}
            ToMux::Packet(track, packet, base) => {
                let time = packet.pts().or(packet.dts()).map_or(0, |ticks| base.micros(ticks));
                if let Some(Some(digester)) = digesters.get_mut(track) {
                    digester.add(&packet);
                }
                output.write(packet, track, base)?;
                if track == VIDEO {
                    written.video_packets += 1;
                    // Pictures come in the order in which they are decoded.
                    shown_us = time.max(shown_us);
                } else {
                    written.audio_packets += 1;
                }
                observe(Reached { time_us: shown_us, packets: written.video_packets + written.audio_packets });
            }
            ToMux::End => open -= 1,
        }
    }
    let mut digests = digesters.into_iter().map(|digester| digester.and_then(Digester::finish));
    written.video_digest = digests.next().flatten();
    written.audio_digest = digests.next().flatten();
    Ok(())
}
