//! Encoders of H.264 as libav opens them here; ffprobe judges what they wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

mod support;

use std::path::Path;

use pinpress_av::{AvError, Cancel, Colour, Fraction, H264Encoder, Job, VideoEncode, VideoTrack, run, try_open};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, mean_difference, text};

const SECONDS: u64 = 8;

/// Noise over moving detail: an encoder spends on it what it is given.
fn noisy(path: &Path) {
    let graph = format!("testsrc2=s=320x240:r=30000/1001:d={SECONDS},noise=alls=40:allf=t");
    ffmpeg(&["-f", "lavfi", "-i", &graph, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", text(path)]);
}

fn encoded(input: &Path, output: &Path, encoder: H264Encoder, max_bit_rate: Option<u64>) -> Result<(), AvError> {
    let bt709 = || Some("bt709".to_owned());
    let colour = Colour { primaries: bt709(), transfer: bt709(), matrix: bt709(), full_range: Some(false) };
    let video = VideoTrack::Encode(VideoEncode {
        stream: 0,
        filter: "scale=320:240,format=yuv420p,setsar=1".to_owned(),
        width: 320,
        height: 240,
        frame_rate: Fraction::new(30_000, 1001),
        constant: false,
        encoder,
        crf: 20,
        preset: "veryfast".to_owned(),
        max_bit_rate,
        colour,
    });
    let job = Job {
        input: input.to_owned(),
        output: output.to_owned(),
        video,
        audio: None,
        part: None,
        retime: None,
        moov_room: None,
        repeat: 1,
        period_us: None,
        end_us: None,
        metadata: Vec::new(),
        language: None,
        all_metadata: false,
        salvage: None,
        threads: 2,
    };
    run(&job, &Cancel::new(), &mut |_| {}).map(drop)
}

#[test]
fn a_ceiling_keeps_the_file_under_its_size() {
    let folder = folder();
    let (source, free, bound) =
        (folder.path().join("in.mp4"), folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    noisy(&source);
    encoded(&source, &free, H264Encoder::X264, None).unwrap();
    let ceiling = 400_000;
    encoded(&source, &bound, H264Encoder::X264, Some(ceiling)).unwrap();
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    // The buffer of two seconds may be full at the start, and the index takes its share.
    let allowed = ceiling * (SECONDS + 2) / 8 + 20_000;
    assert!(size(&free) > 2 * allowed, "the clip needs no ceiling: {}", size(&free));
    assert!(size(&bound) < allowed, "{} of {allowed}", size(&bound));
}

/// For every encoder that opens on this machine; the others are named.
#[test]
fn what_opens_makes_closed_groups_of_two_seconds_in_high_profile() {
    let folder = folder();
    let source = folder.path().join("in.mp4");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x240:r=30000/1001:d=7",
        "-c:v",
        "libx264",
        "-crf",
        "12",
        text(&source),
    ]);
    for encoder in H264Encoder::ALL {
        if let Err(error) = try_open(encoder) {
            eprintln!("skipped: {error}");
            continue;
        }
        let name = encoder.name();
        let output = folder.path().join(format!("{name}.mp4"));
        encoded(&source, &output, encoder, None).unwrap();
        let entries = ["-select_streams", "v", "-show_entries", "stream=profile,pix_fmt"];
        assert_eq!(ffprobe(&output, &entries), ["High", "yuv420p"], "{name}");
        let entries = ["-select_streams", "v", "-skip_frame", "nokey", "-show_entries", "frame=pts_time"];
        let keys: Vec<f64> = ffprobe(&output, &entries).iter().map(|time| time.parse().unwrap()).collect();
        assert_eq!(keys.len(), 4, "{name}: {keys:?}");
        for (number, time) in (0..).map(f64::from).zip(&keys) {
            assert!((time - 2.002 * number).abs() < 0.04, "{name}: {keys:?}");
        }
        // Each group by itself decodes to the pictures of the whole: nothing refers across its beginning.
        let luma = |before: &[&str], path: &Path| {
            ffmpeg_bytes(
                &[before, &["-i", text(path), "-frames:v", "20", "-f", "rawvideo", "-pix_fmt", "gray", "-"]].concat(),
            )
        };
        let group = luma(&["-ss", "4.004"], &output);
        let same = luma(&["-ss", "4.004"], &source);
        assert!(mean_difference(&group, &same) < 6.0, "{name}: {}", mean_difference(&group, &same));
    }
}

#[test]
fn what_does_not_open_says_why() {
    for encoder in H264Encoder::ALL {
        match try_open(encoder) {
            Ok(()) => assert!(encoder.is_compiled_in()),
            Err(AvError::Missing(what)) => {
                assert!(!encoder.is_compiled_in() && what.contains(encoder.name()), "{what}");
            }
            Err(AvError::Encoder { name, reason }) => {
                assert!(encoder.is_hardware() && name == encoder.name() && !reason.is_empty(), "{name}: {reason}");
                assert!(!reason.contains("0x"), "an address is no reason: {reason}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
