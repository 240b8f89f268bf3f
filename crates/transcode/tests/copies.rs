//! Copied streams are proven by their packets: renditions that were doctored before the proof do not pass it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../../av/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use pinpress_av::Cancel;
use pinpress_media::{
    Action, AudioStep, Encoder, Failure, FailureKind, Fill, FixOptions, Plan, RateStep, VideoEncode, VideoStep,
};
use pinpress_probe::{MediaInfo, Orientation, RuleId, Spec};
use pinpress_transcode::execute::execute;
use pinpress_transcode::verify::verify;
use pinpress_transcode::{Claim, VerifiedRendition, read};
use support::{ffmpeg, ffprobe, folder, good_clips, text};

/// Two seconds at 25 fps with sound.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source = ["-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", "-f", "lavfi", "-i", "sine=d=2:r=48000"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    ffmpeg(&[&source[..], &codecs, options, &[text(&path)]].concat());
    path
}

fn copied(info: &MediaInfo) -> Plan {
    Plan {
        action: Action::Remux,
        video: Some(VideoStep::Copy { stream: info.primary_video().unwrap().index }),
        audio: info.primary_audio().map(|audio| AudioStep::Copy { stream: audio.index }),
        ..Plan::passthrough(None)
    }
}

/// Carries the plan out, lets `doctor` at the temp file, and proves what is left.
fn doctored(
    source: &Path,
    plan: impl FnOnce(&MediaInfo) -> Plan,
    doctor: impl FnOnce(&Path),
) -> Result<VerifiedRendition, Failure> {
    let cancel = Cancel::new();
    let info = read(source, &cancel, &mut |_| {}).unwrap();
    let options = FixOptions { preset: "ultrafast".to_owned(), threads: 2, overwrite: true, ..FixOptions::default() };
    let output = source.with_file_name("out.mp4");
    let plan = plan(&info);
    let spec = Spec::parse(
        "name = \"mechanics\"\nversion = \"1\"\nsource = \"tests\"\n[container]\nallowed = [\"mp4\"]\n",
        "mechanics",
    );
    let rendition = execute(source, &info, &plan, &options, &output, &cancel, &mut |_| {})?;
    doctor(rendition.path());
    let claim = Claim { info: &info, plan: &plan, spec: &spec.unwrap() };
    verify(rendition, claim, &options, &cancel, &mut |_| {})
}

/// The message with which a doctored copy of the clip is turned away.
fn refused(source: &Path, doctor: impl FnOnce(&Path)) -> String {
    let failure = doctored(source, copied, doctor).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unproven, "{failure}");
    let left: Vec<_> = std::fs::read_dir(source.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, [source.file_name().unwrap()], "nothing is left over");
    failure.message
}

/// Place and size of each packet.
fn packets(path: &Path, stream: &str) -> Vec<(usize, usize)> {
    let of = |entry: &str| -> Vec<usize> {
        let values = ffprobe(path, &["-select_streams", stream, "-show_entries", &format!("packet={entry}")]);
        values.iter().map(|value| value.parse().unwrap()).collect()
    };
    of("pos").into_iter().zip(of("size")).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Place of a number of 32 bits in the table `stsz` of the first track: that of sample `index`.
fn size_entry(bytes: &[u8], index: usize) -> usize {
    let stsz = bytes.windows(4).position(|four| four == b"stsz").unwrap();
    stsz + 4 + 4 + 4 + 4 + 4 * index
}

#[test]
fn one_flipped_bit_of_picture_or_sound_is_found() {
    for name in ["a.mkv", "a.ts", "a.avi"] {
        let folder = folder();
        let source = clip(folder.path(), name, &[]);
        for (stream, what) in [("v:0", "picture"), ("a:0", "sound")] {
            for which in [0, 20, usize::MAX] {
                let message = refused(&source, |path| {
                    let packets = packets(path, stream);
                    let (at, size) = packets[which.min(packets.len() - 1)];
                    flip(path, at + size - 1 - size / 3);
                });
                assert!(message.contains(&format!("the {what} does not read back as it was written")), "{message}");
            }
        }
    }
}

#[test]
fn a_length_that_leads_past_the_packet_is_found() {
    let folder = folder();
    let source = clip(folder.path(), "a.ts", &[]);
    let message = refused(&source, |path| {
        let (at, _) = packets(path, "v:0")[7];
        flip(path, at);
    });
    assert!(message.contains("a packet of the picture cannot be made sense of"), "{message}");
}

#[test]
fn a_missing_last_packet_is_found() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &["-bf", "0"]);
    for (stream, what, frames) in [("v:0", "picture", "-frames:v"), ("a:0", "sound", "-frames:a")] {
        let message = refused(&source, |path| {
            let count = packets(path, stream).len();
            let shorter = folder.path().join("shorter.mp4");
            ffmpeg(&["-i", text(path), "-c", "copy", frames, &(count - 1).to_string(), text(&shorter)]);
            assert_eq!(packets(&shorter, stream).len(), count - 1);
            std::fs::rename(&shorter, path).unwrap();
        });
        assert!(message.contains(&format!("packets of the {what} were written and")), "{message}");
    }
}

#[test]
fn packets_in_another_order_are_found() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &["-bf", "0", "-an"]);
    let message = refused(&source, |path| {
        let packets = packets(path, "v:0");
        let mut bytes = std::fs::read(path).unwrap();
        let (first, second) = (packets[10], packets[11]);
        assert_eq!(first.0 + first.1, second.0, "one behind the other");
        bytes[first.0..second.0 + second.1].rotate_left(first.1);
        for (index, size) in [(10, second.1), (11, first.1)] {
            let at = size_entry(&bytes, index);
            assert_ne!(bytes[at..at + 4], u32::try_from(size).unwrap().to_be_bytes());
            bytes[at..at + 4].copy_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
        }
        std::fs::write(path, bytes).unwrap();
    });
    assert!(message.contains("the picture does not read back as it was written"), "{message}");
}

#[test]
fn copies_are_proven_without_decoding_whatever_held_them() {
    for name in ["a.mkv", "a.ts", "a.avi", "a.mov", "a.flv", "a.mp4"] {
        let folder = folder();
        let source = clip(folder.path(), name, &[]);
        let mut counts = 0;
        let verified = doctored(&source, copied, |path| {
            counts = packets(path, "v:0").len() + packets(path, "a:0").len();
        });
        let plan = Plan::passthrough(None);
        let fixed = verified.unwrap_or_else(|failure| panic!("{name}: {failure}")).into_fixed(plan);
        assert_eq!((fixed.frames_decoded, fixed.packets_compared), (0, counts as u64), "{name}");
        // The first packet of AAC in an MP4 is the encoder's priming, which players skip and ffprobe shows.
        assert!(counts > 50 + 90, "{name}: {counts}");
        let judged =
            ffprobe(&source.with_file_name("out.mp4"), &["-count_frames", "-show_entries", "stream=nb_read_frames"]);
        assert_eq!(judged[0], "50", "{name}");
    }
}

#[test]
fn what_is_encoded_beside_a_copy_is_decoded() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let encoded = |info: &MediaInfo| {
        let video = info.primary_video().unwrap();
        let step = VideoEncode {
            stream: video.index,
            rules: vec![RuleId::AspectRatio],
            deinterlace: false,
            tone_map: false,
            orientation: Orientation::UPRIGHT,
            clean_aperture: None,
            picture: video.coded,
            canvas: video.coded,
            fill: Fill::None,
            rate: RateStep::Keep,
            encoder: Encoder::Auto,
            quality: 24,
            preset: "ultrafast".to_owned(),
            max_bit_rate: None,
        };
        Plan { action: Action::Encode, video: Some(VideoStep::Encode(step)), ..copied(info) }
    };
    let fixed = doctored(&source, encoded, |_| {}).unwrap().into_fixed(Plan::passthrough(None));
    let sound = packets(&source.with_file_name("out.mp4"), "a:0").len() as u64;
    assert_eq!((fixed.frames_decoded, fixed.packets_compared), (50, sound));
    let failure = doctored(&source, encoded, |path| {
        let (at, size) = packets(path, "a:0")[20];
        flip(path, at + size / 2);
    });
    assert!(failure.unwrap_err().message.contains("the sound does not read back"));
    let failure = doctored(&source, encoded, |path| {
        let (at, size) = packets(path, "v:0")[0];
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at + size / 2..at + size].fill(0x5A);
        std::fs::write(path, bytes).unwrap();
    });
    assert_eq!(failure.unwrap_err().kind, FailureKind::Corrupt);
}

#[test]
fn sound_that_ends_elsewhere_is_found() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &["-bf", "0"]);
    // Every packet is there, and the sound's last is heard a quarter of a second longer.
    let message = refused(&source, |path| {
        let mut bytes = std::fs::read(path).unwrap();
        let sound = bytes.windows(4).position(|four| four == b"smhd").unwrap();
        let stts = sound + bytes[sound..].windows(4).position(|four| four == b"stts").unwrap();
        let entries = u32::from_be_bytes(bytes[stts + 8..stts + 12].try_into().unwrap()) as usize;
        let last = stts + 12 + 8 * (entries - 1) + 4;
        bytes[last..last + 4].copy_from_slice(&13_024_u32.to_be_bytes());
        // The edit list would cut it off.
        let edits =
            bytes.windows(4).enumerate().filter(|(_, four)| *four == b"edts").map(|(at, _)| at).collect::<Vec<_>>();
        edits.into_iter().for_each(|at| bytes[at..at + 4].copy_from_slice(b"free"));
        std::fs::write(path, bytes).unwrap();
    });
    assert!(message.contains("the sound ends") || message.contains("the sound moved"), "{message}");
}

#[test]
fn every_clip_that_can_be_copied_reads_back_packet_by_packet() {
    for source in good_clips() {
        let info = read(&source, &Cancel::new(), &mut |_| {}).unwrap();
        let video = info.primary_video().unwrap();
        if !matches!(video.codec.as_str(), "h264" | "hevc") {
            continue;
        }
        let folder = folder();
        let here = folder.path().join(source.file_name().unwrap());
        std::fs::copy(&source, &here).unwrap();
        let aac = info.primary_audio().filter(|audio| audio.codec == "aac").map(|audio| audio.index);
        let plan = |info: &MediaInfo| Plan { audio: aac.map(|stream| AudioStep::Copy { stream }), ..copied(info) };
        let fixed = doctored(&here, plan, |_| {}).unwrap_or_else(|failure| panic!("{}: {failure}", source.display()));
        let fixed = fixed.into_fixed(Plan::passthrough(None));
        assert!(fixed.frames_decoded == 0 && fixed.packets_compared > 0, "{}", source.display());
    }
}

#[test]
fn the_index_of_a_large_copy_is_written_into_its_room() {
    let folder = folder();
    let source = folder.path().join("a.mkv");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=640x480:d=2:r=25,noise=alls=60:allf=t",
        "-f",
        "lavfi",
        "-i",
        "sine=d=2:r=48000",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-qp",
        "4",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        text(&source),
    ]);
    assert!(source.metadata().unwrap().len() > 16 << 20);
    let fixed = doctored(&source, copied, |_| {}).unwrap().into_fixed(Plan::passthrough(None));
    assert_eq!(fixed.info.faststart, Some(true));
    let bytes = std::fs::read(source.with_file_name("out.mp4")).unwrap();
    let size = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let moov = size(0);
    let free = moov + size(moov);
    assert_eq!(
        (&bytes[4..8], &bytes[moov + 4..moov + 8], &bytes[free + 4..free + 8]),
        (&b"ftyp"[..], &b"moov"[..], &b"free"[..])
    );
    assert!((16..64 << 10).contains(&size(free)), "{} bytes are left", size(free));
}
