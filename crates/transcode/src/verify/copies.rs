//! Copied streams: what the muxer was given against what can be read back.

use std::path::Path;

use pinpress_av::{Cancel, Done, StreamDigest};
use pinpress_media::{AudioStep, Failure, Plan, VideoStep};

use super::unproven;
use crate::facts::ReadBack;
use crate::failure;

/// One track of the result, in file order.
pub(super) struct Track {
    /// What it is, in messages.
    name: &'static str,
    /// Packets that were written.
    packets: u64,
    /// What they hold. `None` where it has to be decoded: it was encoded, or the muxer may have changed it.
    pub(super) digest: Option<StreamDigest>,
}

/// The tracks that were written. What is left of a damaged source has to decode, also where it was copied.
pub(super) fn tracks(written: &Done, plan: &Plan) -> Vec<Track> {
    let copied = |copied: bool, digest: Option<StreamDigest>| digest.filter(|_| copied && !plan.salvage);
    let picture = !matches!(plan.video, Some(VideoStep::Encode(_) | VideoStep::Extend(_)));
    let sound = matches!(plan.audio, Some(AudioStep::Copy { .. }));
    let video =
        Track { name: "picture", packets: written.video_packets, digest: copied(picture, written.video_digest) };
    let audio = plan.audio.as_ref().map(|_| Track {
        name: "sound",
        packets: written.audio_packets,
        digest: copied(sound, written.audio_digest),
    });
    std::iter::once(video).chain(audio).collect()
}

/// Compares copied tracks, and answers how many packets are the same.
pub(super) fn compare(tracks: &[Track], result: &ReadBack, path: &Path, cancel: &Cancel) -> Result<u64, Failure> {
    let written: Vec<_> = tracks.iter().map(|track| track.digest).collect();
    let mut read = result.digests.clone();
    if read != written && written.iter().any(Option::is_some) {
        // An edit list can keep the demuxer from reading samples that nothing shows; they are in the file all the same.
        let units: Vec<_> = written.iter().map(|digest| digest.map(|digest| digest.units)).collect();
        read = pinpress_av::digest_samples(path, &units, cancel).map_err(|error| failure::from_av(&error))?;
    }
    let mut compared = 0;
    for (track, read) in tracks.iter().zip(read) {
        let Some(written) = track.digest else { continue };
        same(track, &written, read)?;
        compared += written.packets;
    }
    Ok(compared)
}

fn same(track: &Track, written: &StreamDigest, read: Option<StreamDigest>) -> Result<(), Failure> {
    const REMEDY: &str = "run it again, and check the output folder's disk";
    let name = track.name;
    let Some(read) = read else {
        return Err(unproven(format!("a packet of the {name} cannot be made sense of when it is read back: {REMEDY}")));
    };
    if (written.packets, track.packets) != (read.packets, read.packets) {
        return Err(unproven(format!(
            "{} packets of the {name} were written and {} can be read back: {REMEDY}",
            track.packets, read.packets
        )));
    }
    if read != *written {
        return Err(unproven(format!("the {name} does not read back as it was written: {REMEDY}")));
    }
    Ok(())
}
