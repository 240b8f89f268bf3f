//! Damaged sources of which the rest is kept: plans made by hand, results judged by ffmpeg.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../../av/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use pinpress_av::Cancel;
use pinpress_media::{
    Action, AudioStep, Encoder, Failure, FailureKind, Fill, Fix, FixOptions, Fixed, Plan, RateStep, VideoEncode,
    VideoStep,
};
use pinpress_probe::{Anomaly, CodedSize, MediaInfo, Orientation, RuleId, Seconds, Spec};
use pinpress_transcode::{carry_out, read};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, media, text};

fn facts(path: &Path) -> MediaInfo {
    read(path, &Cancel::new(), &mut |_| {}).unwrap()
}

fn spec() -> Spec {
    let text = "name = \"mechanics\"\nversion = \"1\"\nsource = \"tests\"\n[container]\nallowed = [\"mp4\"]\n";
    Spec::parse(text, "mechanics").unwrap()
}

fn fix(source: &Path, plan: Plan, output: &Path) -> Result<Fixed, Failure> {
    let (info, spec) = (facts(source), spec());
    let options = FixOptions { preset: "ultrafast".to_owned(), threads: 2, ..FixOptions::default() };
    let fix = Fix { source, info: &info, spec: &spec, options: &options, output, part: None };
    carry_out(fix, plan, &Cancel::new(), &mut |_| {})
}

/// Picture and sound encoded, with what is damaged left out or not.
fn encoding(info: &MediaInfo, salvage: bool) -> Plan {
    let video = info.primary_video().unwrap();
    let (width, height) = (video.display().width & !1, video.display().height & !1);
    let size = CodedSize { width, height };
    let step = VideoStep::Encode(VideoEncode {
        stream: video.index,
        rules: vec![RuleId::Integrity],
        deinterlace: false,
        tone_map: false,
        orientation: Orientation::UPRIGHT,
        clean_aperture: None,
        picture: size,
        canvas: size,
        fill: Fill::None,
        rate: RateStep::Keep,
        encoder: Encoder::X264,
        quality: 20,
        preset: "ultrafast".to_owned(),
        max_bit_rate: None,
    });
    let audio = info.primary_audio().map(|audio| AudioStep::Encode {
        stream: audio.index,
        rules: vec![RuleId::Integrity],
        sample_rate: 48_000,
        channels: 1,
        bit_rate: 128_000,
    });
    Plan { action: Action::Encode, video: Some(step), audio, salvage, ..Plan::passthrough(info.duration) }
}

/// Both streams copied up to `end`.
fn copying(info: &MediaInfo, end: Option<Seconds>, salvage: bool) -> Plan {
    let audio = info.primary_audio().map(|audio| AudioStep::Copy { stream: audio.index });
    let video = Some(VideoStep::Copy { stream: info.primary_video().unwrap().index });
    Plan { action: Action::Remux, video, audio, end, salvage, ..Plan::passthrough(end) }
}

/// Eight seconds of counting pictures, a second a group, with a sound that beeps.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source =
        ["-f", "lavfi", "-i", "testsrc2=s=320x240:d=8:r=25", "-f", "lavfi", "-i", "sine=d=8:r=48000:beep_factor=4"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    ffmpeg(&[&source[..], &codecs, options, &[text(&path)]].concat());
    path
}

/// The same file with so many bytes in its middle overwritten.
fn overwritten(source: &Path, name: &str, bytes: usize) -> PathBuf {
    let mut content = std::fs::read(source).unwrap();
    let middle = content.len() / 2;
    let mut noise = 1_u32;
    for byte in &mut content[middle..middle + bytes] {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = noise.to_be_bytes()[0];
    }
    let path = source.with_file_name(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// What ffmpeg complains about when it decodes all of it.
fn complaints(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-err_detect", "crccheck+bitstream+buffer", "-i", text(path)])
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn times(path: &Path) -> Vec<f64> {
    let mut times: Vec<f64> = ffprobe(path, &["-select_streams", "v:0", "-show_entries", "frame=pts_time"])
        .iter()
        .filter_map(|time| time.parse().ok())
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn grey(path: &Path, at: &str) -> Vec<u8> {
    let filter = format!("select=gte(t\\,{at}),format=gray");
    ffmpeg_bytes(&["-i", text(path), "-vf", &filter, "-frames:v", "1", "-f", "rawvideo", "-"])
}

#[test]
fn what_does_not_decode_is_left_out_and_the_rest_keeps_its_times() {
    let folder = folder();
    for (name, damage) in [("a.mp4", 6_000), ("a.ts", 9_400), ("a.mkv", 6_000)] {
        let whole = clip(folder.path(), name, &["-bf", "0"]);
        let broken = overwritten(&whole, &format!("broken-{name}"), damage);
        assert!(!complaints(&broken).is_empty(), "{name} is not damaged");
        let info = facts(&broken);
        let output = folder.path().join(format!("{name}-out.mp4"));

        let refused = fix(&broken, encoding(&info, false), &output).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Corrupt, "{name}: {refused}");
        assert!(refused.message.contains("--salvage"), "{name}: {refused}");
        assert!(!output.exists());

        let fixed = match fix(&broken, encoding(&info, true), &output) {
            Ok(fixed) => fixed,
            Err(failure) => panic!("{name}: {failure} {:?}", failure.log),
        };
        let salvaged = fixed.salvaged.unwrap();
        let first = salvaged.first.unwrap().millis();
        eprintln!("{name}: {salvaged:?}");
        assert!(salvaged.pieces > 0 && (2_000..6_000).contains(&first), "{name}: {salvaged:?}");
        assert_eq!(complaints(&output), "", "{name}");

        // Every picture that is there is shown when it was, and stands for as long as those that are missing.
        let (before, after) = (times(&whole), times(&output));
        // A result begins with the first of picture and sound.
        let zero: f64 = ffprobe(&whole, &["-show_entries", "format=start_time"])[0].parse().unwrap();
        assert!(after.len() < before.len() && after.len() > before.len() / 2, "{name}: {} pictures", after.len());
        for time in &after {
            assert!(before.iter().any(|known| (known - zero - time).abs() < 0.002), "{name}: nothing was at {time}");
        }
        assert!(
            (after.last().unwrap() - (before.last().unwrap() - zero)).abs() < 0.002,
            "{name}: the end is not the end"
        );
        // Far from the damage the pictures are the source's.
        for at in ["1.01", "7.51"] {
            let difference = support::mean_difference(&grey(&whole, at), &grey(&output, at));
            assert!(difference < 4.0, "{name}: {difference} at {at}");
        }
        // The sound goes on at the same times: its last beep is where it was.
        assert!((last_beep(&whole) - last_beep(&output)).abs() < 0.03, "{name}");
    }
}

/// When the sound is loud for the last time, counted from the first picture or sound.
fn last_beep(path: &Path) -> f64 {
    let filter = "aresample=async=1:first_pts=0,bandpass=f=1760:w=200,aformat=sample_fmts=s16:channel_layouts=mono";
    let bytes = ffmpeg_bytes(&["-i", text(path), "-af", filter, "-ar", "48000", "-f", "s16le", "-"]);
    let loud =
        bytes.as_chunks::<2>().0.iter().rposition(|sample| i16::from_le_bytes(*sample).unsigned_abs() > 1_500).unwrap();
    loud as f64 / 48_000.0
}

#[test]
fn what_is_damaged_at_the_beginning_moves_nothing() {
    let folder = folder();
    let whole = clip(folder.path(), "a.mp4", &["-bf", "0"]);
    let positions = ffprobe(&whole, &["-select_streams", "v:0", "-show_entries", "packet=pos"]);
    let mut content = std::fs::read(&whole).unwrap();
    let first: usize = positions[0].parse().unwrap();
    let next: usize = positions[1].parse().unwrap();
    for byte in &mut content[first + 1000..next - 10] {
        *byte ^= 0x5A;
    }
    let broken = folder.path().join("broken.mp4");
    std::fs::write(&broken, content).unwrap();
    let output = folder.path().join("out.mp4");
    let fixed = fix(&broken, encoding(&facts(&broken), true), &output).unwrap();
    assert!(fixed.salvaged.unwrap().pieces > 0);
    assert_eq!(complaints(&output), "");
    let (before, after) = (times(&whole), times(&output));
    assert!((after[0] - before[0]).abs() < 0.002, "the picture begins at {}", after[0]);
    assert!((after.last().unwrap() - before.last().unwrap()).abs() < 0.002);
}

#[test]
fn a_file_that_was_cut_off_ends_with_its_whole_part_and_is_copied() {
    let folder = folder();
    for (name, options) in [("a.mp4", ["-bf", "0"]), ("b.mp4", ["-bf", "3"])] {
        let whole = clip(folder.path(), name, &[&options[..], &["-movflags", "+faststart"]].concat());
        let content = std::fs::read(&whole).unwrap();
        let cut = folder.path().join(format!("cut-{name}"));
        std::fs::write(&cut, &content[..content.len() * 6 / 10]).unwrap();
        let info = facts(&cut);
        let end = info.anomalies.iter().find_map(|anomaly| match anomaly {
            Anomaly::Truncated { whole } => *whole,
            _ => None,
        });
        let end = end.unwrap();
        assert!((3_000..6_000).contains(&end.millis()), "{end:?}");
        let output = folder.path().join(format!("out-{name}"));

        let refused = fix(&cut, copying(&info, None, false), &output).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Corrupt, "{refused}");
        let fixed = fix(&cut, copying(&info, Some(end), true), &output).unwrap();
        let salvaged = fixed.salvaged.unwrap();
        assert!(salvaged.pieces > 10, "{salvaged:?}");
        assert!((salvaged.first.unwrap().millis() - end.millis()).abs() < 300, "{salvaged:?}, whole to {end:?}");
        assert_eq!(complaints(&output), "", "{name}");
        // The packets are the source's own, from the first on.
        let hashes = |path: &Path| {
            ffprobe(path, &["-select_streams", "v:0", "-show_data_hash", "sha256", "-show_entries", "packet=data_hash"])
        };
        let (before, after) = (hashes(&whole), hashes(&output));
        assert!(after.len() > 60 && before.starts_with(&after), "{name}: {} packets", after.len());
    }
}

#[test]
fn nothing_of_a_file_without_an_index_can_be_kept() {
    let folder = folder();
    let whole = clip(folder.path(), "a.mp4", &["-bf", "0"]);
    let content = std::fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.mp4");
    // Without `faststart` the index is at the end.
    std::fs::write(&cut, &content[..content.len() / 2]).unwrap();
    let failure = read(&cut, &Cancel::new(), &mut |_| {}).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Incomplete, "{failure}");
}

#[test]
fn whole_files_lose_nothing_to_salvage() {
    let folder = folder();
    for name in ["a.mp4", "a.ts"] {
        let whole = clip(folder.path(), name, &["-bf", "2"]);
        let output = folder.path().join(format!("{name}-out.mp4"));
        let fixed = fix(&whole, encoding(&facts(&whole), true), &output).unwrap();
        assert_eq!(fixed.salvaged, None, "{name}");
        assert_eq!(times(&output).len(), times(&whole).len(), "{name}");
    }
}

#[test]
fn malformed_clips_are_salvaged_clean_or_refused_with_a_reason() {
    let Some(clips) = media() else { return };
    let mut kept = 0;
    for entry in std::fs::read_dir(clips.join("malformed")).unwrap() {
        let source = entry.unwrap().path();
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let Ok(info) = read(&source, &Cancel::new(), &mut |_| {}) else { continue };
        match fix(&source, encoding(&info, true), &output) {
            Ok(fixed) => {
                eprintln!("{}: {:?}", source.display(), fixed.salvaged);
                assert_eq!(complaints(&output), "", "{}", source.display());
                let again = fix(&source, encoding(&info, true), &folder.path().join("again.mp4")).unwrap();
                assert_eq!(fixed.salvaged, again.salvaged, "another time: {}", source.display());
                kept += 1;
            }
            Err(failure) => {
                eprintln!("{}: {:?} {failure}", source.display(), failure.kind);
                assert!(!failure.message.is_empty() && !output.exists(), "{}", source.display());
            }
        }
    }
    assert!(kept > 0, "nothing of any of them was kept");
}
