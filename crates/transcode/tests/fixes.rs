//! Plans made by hand, carried out and proven; ffprobe and ffmpeg judge what came of it.

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
    Action, AudioStep, Encoder, Failure, FailureKind, Fill, Fix, FixOptions, Fixed, LinkMode, Plan, RateStep,
    VideoEncode, VideoStep,
};
use pinpress_probe::{CodedSize, FrameRate, MediaInfo, Orientation, RuleId, Seconds, Source, Spec, sample_table};
use pinpress_transcode::{carry_out, read};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, good_clips, mean_difference, media, text};

fn options() -> FixOptions {
    FixOptions { preset: "ultrafast".to_owned(), threads: 2, ..FixOptions::default() }
}

fn facts(path: &Path) -> MediaInfo {
    read(path, &Cancel::new(), &mut |_| {}).unwrap()
}

/// The picture whole, as large as the source shows it but even, on a canvas of this ratio.
fn encode(info: &MediaInfo, ratio: (u32, u32), fill: Fill) -> VideoEncode {
    let video = info.primary_video().unwrap();
    let shown = video.display();
    let even = |side: u32| (side & !1).max(2);
    let picture = CodedSize { width: even(shown.width), height: even(shown.height) };
    let (w, h) = ratio;
    let canvas = match fill {
        Fill::None => picture,
        Fill::Crop { .. } if picture.width * h > picture.height * w => {
            CodedSize { width: even(picture.height * w / h), height: picture.height }
        }
        Fill::Crop { .. } => CodedSize { width: picture.width, height: even(picture.width * h / w) },
        _ if picture.width * h > picture.height * w => {
            CodedSize { width: picture.width, height: even(picture.width * h / w) }
        }
        _ => CodedSize { width: even(picture.height * w / h), height: picture.height },
    };
    VideoEncode {
        stream: video.index,
        rules: vec![RuleId::AspectRatio],
        deinterlace: video.scan == Some(pinpress_probe::Scan::Interlaced),
        tone_map: video.is_hdr(),
        orientation: video.orientation,
        clean_aperture: None,
        picture,
        canvas,
        fill,
        rate: RateStep::Keep,
        encoder: Encoder::Auto,
        quality: 24,
        preset: "ultrafast".to_owned(),
        max_bit_rate: None,
    }
}

fn sound(info: &MediaInfo) -> Option<AudioStep> {
    let audio = info.primary_audio()?;
    Some(if audio.codec == "aac" {
        AudioStep::Copy { stream: audio.index }
    } else {
        AudioStep::Encode {
            stream: audio.index,
            rules: vec![RuleId::AudioCodec],
            sample_rate: 48_000,
            channels: audio.channels.unwrap_or(2).min(2),
            bit_rate: 128_000,
        }
    })
}

fn plan(info: &MediaInfo, action: Action, video: VideoStep) -> Plan {
    Plan { action, video: Some(video), audio: sound(info), ..Plan::passthrough(None) }
}

fn copied(info: &MediaInfo) -> Plan {
    plan(info, Action::Remux, VideoStep::Copy { stream: info.primary_video().unwrap().index })
}

/// What any carried out plan has to pass: the plans here are made by hand, for small clips that the real rules refuse.
fn mechanics() -> Spec {
    let text = "name = \"mechanics\"\nversion = \"1\"\nsource = \"tests\"\n[container]\nallowed = [\"mp4\", \"mov\", \"m4v\"]\n";
    Spec::parse(text, "mechanics").unwrap()
}

fn fix(source: &Path, plan: Plan, options: &FixOptions, output: &Path) -> Result<Fixed, Failure> {
    fix_known(source, &facts(source), plan, options, output)
}

fn fix_known(
    source: &Path,
    info: &MediaInfo,
    plan: Plan,
    options: &FixOptions,
    output: &Path,
) -> Result<Fixed, Failure> {
    let spec = mechanics();
    carry_out(Fix { source, info, spec: &spec, options, output, part: None }, plan, &Cancel::new(), &mut |_| {})
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Three seconds at 25 fps with sound.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source = ["-f", "lavfi", "-i", "testsrc2=s=160x120:d=3:r=25", "-f", "lavfi", "-i", "sine=d=3:r=48000"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    ffmpeg(&[&source[..], &codecs, options, &[text(&path)]].concat());
    path
}

#[test]
fn every_good_clip_can_be_encoded_onto_a_blurred_canvas_and_proven() {
    for source in good_clips() {
        let name = source.display().to_string();
        let info = facts(&source);
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let mut step = encode(&info, (1, 1), Fill::Blur);
        // Small, for the tests' sake: the filters are the same.
        let longest = step.picture.width.max(step.picture.height);
        if longest > 320 {
            let small = |side: u32| (side * 320 / longest).max(2) & !1;
            step.picture = CodedSize { width: small(step.picture.width), height: small(step.picture.height) };
            let side = step.picture.width.max(step.picture.height);
            step.canvas = CodedSize { width: side, height: side };
        }
        let canvas = step.canvas;
        let mut plan = plan(&info, Action::Encode, VideoStep::Encode(step));
        // A long clip's first seconds say as much; the whole of each is fixed by `real_fixes`.
        plan.end = Some(Seconds::from_millis(2_000));
        let fixed = fix(&source, plan, &options(), &output);
        let fixed = match fixed {
            Ok(fixed) => fixed,
            Err(failure) => panic!("{failure} {:?}: {name}", failure.log),
        };
        let video = fixed.info.primary_video().unwrap();
        assert_eq!(video.coded, canvas, "{name}");
        assert_eq!(video.pixel_format.as_ref().unwrap().name, "yuv420p", "{name}");
        assert_eq!(video.orientation, Orientation::UPRIGHT, "{name}");
        assert_eq!(video.colour.full_range, Some(false), "{name}");
        assert!(video.colour.primaries.is_some() && video.colour.transfer.is_some() && video.colour.matrix.is_some());
        if info.primary_video().unwrap().is_hdr() {
            assert_eq!(video.colour.transfer.as_deref(), Some("bt709"), "{name}");
        }
        assert!(!video.is_hdr() && fixed.frames_decoded > 0, "{name}");
        assert_eq!(fixed.info.faststart, Some(true), "{name}");
        assert_eq!(fixed.info.other, [], "{name}");
        assert_eq!(fixed.info.private, [], "{name}");
        assert_eq!(names(folder.path()), ["out.mp4"], "{name}");
        let rate = |info: &MediaInfo| {
            let rate = info.primary_video().unwrap().frame_rate.unwrap().rational();
            rate.num() as f64 / rate.den() as f64
        };
        if info.primary_video().unwrap().variable_frame_rate == Some(false) {
            assert!((rate(&info) / rate(&fixed.info) - 1.0).abs() < 0.01, "the rate changed: {name}");
        }
    }
}

#[test]
fn every_h264_clip_is_remuxed_and_proven() {
    for source in good_clips() {
        let info = facts(&source);
        let video = info.primary_video().unwrap();
        let progressive = video.scan != Some(pinpress_probe::Scan::Interlaced);
        if video.codec != "h264" || !progressive {
            continue;
        }
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let fixed = fix(&source, copied(&info), &options(), &output);
        let fixed = match fixed {
            Ok(fixed) => fixed,
            Err(failure) => panic!("{failure} {:?}: {}", failure.log, source.display()),
        };
        let (before, after) = (info.primary_video().unwrap(), fixed.info.primary_video().unwrap());
        assert_eq!(before.orientation, after.orientation, "{}", source.display());
        assert_eq!(before.display(), after.display(), "{}", source.display());
        assert_eq!(before.profile, after.profile, "{}", source.display());
        let dropped = before.frame_count.unwrap() - after.frame_count.unwrap();
        assert_eq!(dropped, 0, "pictures were lost: {}", source.display());
        assert_eq!(before.variable_frame_rate, after.variable_frame_rate, "{}", source.display());
        assert_eq!(before.frame_rate, after.frame_rate, "{}", source.display());
    }
}

#[test]
fn canvases_hold_the_picture_where_they_should() {
    let folder = folder();
    let source =
        clip(folder.path(), "a.mkv", &["-colorspace", "bt709", "-color_trc", "bt709", "-color_primaries", "bt709"]);
    let info = facts(&source);
    let first = |path: &Path, crop: &str| {
        let filter = format!("{crop}format=rgb24");
        ffmpeg_bytes(&["-i", text(path), "-frames:v", "1", "-vf", &filter, "-f", "rawvideo", "-"])
    };
    let picture = first(&source, "");
    for (fill, size, crop) in [
        (Fill::Blur, (160, 284), "crop=160:120:0:82,"),
        (Fill::Colour("0x336699".to_owned()), (160, 284), "crop=160:120:0:82,"),
    ] {
        let output = folder.path().join("out.mp4");
        let mut step = encode(&info, (9, 16), fill.clone());
        step.quality = 10;
        let fixed = fix(&source, plan(&info, Action::Encode, VideoStep::Encode(step)), &options(), &output).unwrap();
        let coded = fixed.info.primary_video().unwrap().coded;
        assert_eq!((coded.width, coded.height), size, "{fill:?}");
        let difference = mean_difference(&picture, &first(&output, crop));
        assert!(difference < 4.0, "{fill:?}: {difference}");
        let corner = first(&output, "crop=16:16:0:0,");
        if fill == Fill::Blur {
            let spread = corner.iter().max().unwrap() - corner.iter().min().unwrap();
            assert!(corner.iter().any(|value| *value > 24) && spread > 0, "the backdrop is empty");
        } else {
            assert!(mean_difference(&corner, &[0x33, 0x66, 0x99].repeat(256)) < 2.0, "{:?}", &corner[..3]);
        }
        std::fs::remove_file(&output).unwrap();
    }
    let output = folder.path().join("crop.mp4");
    let mut step = encode(&info, (2, 3), Fill::Crop { left: 40, top: 0 });
    step.quality = 10;
    let fixed = fix(&source, plan(&info, Action::Encode, VideoStep::Encode(step)), &options(), &output).unwrap();
    let coded = fixed.info.primary_video().unwrap().coded;
    assert_eq!((coded.width, coded.height), (80, 120));
    let difference = mean_difference(&first(&source, "crop=80:120:40:0,"), &first(&output, ""));
    assert!(difference < 4.0, "{difference}");
}

#[test]
fn odd_sizes_wide_pixels_and_full_range_come_out_even_square_and_limited() {
    let folder = folder();
    let source = folder.path().join("odd.mov");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=0x405060:s=161x121:d=1:r=25,format=gbrp",
        "-vf",
        "setsar=4/3,scale=out_color_matrix=bt601:out_range=pc",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv444p",
        "-color_range",
        "pc",
        text(&source),
    ]);
    let info = facts(&source);
    assert_eq!(info.primary_video().unwrap().colour.full_range, Some(true));
    let output = folder.path().join("out.mp4");
    let step = VideoEncode { quality: 8, ..encode(&info, (1, 1), Fill::None) };
    let fixed = fix(&source, plan(&info, Action::Encode, VideoStep::Encode(step)), &options(), &output).unwrap();
    let video = fixed.info.primary_video().unwrap();
    let shown = info.primary_video().unwrap().display();
    assert!(shown.width > 200 && shown.height == 121, "{shown}");
    assert_eq!((video.coded.width, video.coded.height), (shown.width & !1, 120));
    assert!(video.sample_aspect.is_none_or(|aspect| aspect.is_square()));
    let entries = "stream=color_range,color_space,color_transfer,color_primaries";
    let tags = ffprobe(&output, &["-select_streams", "v:0", "-show_entries", entries]);
    assert_eq!(tags, ["tv", "smpte170m", "smpte170m", "smpte170m"], "untagged SD");
    // A flat colour is the same by the tags of both; taken for limited range it would be 8 steps darker.
    let shown = |path: &Path| {
        let filter = "scale=32:32:in_color_matrix=bt601:flags=area,format=rgb24";
        ffmpeg_bytes(&["-i", text(path), "-frames:v", "1", "-vf", filter, "-f", "rawvideo", "-"])
    };
    let difference = mean_difference(&shown(&source), &shown(&output));
    assert!(difference < 1.5, "{difference}");
}

#[test]
fn short_clips_are_looped_or_held_and_long_ones_end() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let overwrite = FixOptions { overwrite: true, ..options() };
    let seconds = |millis| Some(Seconds::from_millis(millis));
    let encoded = || plan(&info, Action::Encode, VideoStep::Encode(encode(&info, (1, 1), Fill::None)));

    let looped = Plan { repeat: 2, duration: seconds(6_000), ..encoded() };
    let fixed = fix(&source, looped, &overwrite, &output).unwrap();
    assert_eq!(fixed.frames_decoded, 150);

    let looped = Plan { repeat: 2, duration: seconds(6_000), ..copied(&info) };
    let fixed = fix(&source, looped, &overwrite, &output).unwrap();
    let frames = fixed.info.primary_video().unwrap().frame_count;
    // Its one group of pictures before the seam, and 17 pictures behind it.
    assert_eq!((fixed.frames_decoded, frames), (75 + 17, Some(150)), "the seam decodes");
    let packets = |path: &Path| ffprobe(path, &["-show_entries", "packet=size"]).len() as u64;
    assert_eq!(fixed.packets_compared, packets(&output), "each is compared");

    let held = Plan { hold_until: seconds(4_200), duration: seconds(4_200), ..encoded() };
    let fixed = fix(&source, held, &overwrite, &output).unwrap();
    assert_eq!(fixed.frames_decoded, 105);
    let last = |path: &Path, at: &str| {
        ffmpeg_bytes(&["-ss", at, "-i", text(path), "-frames:v", "1", "-vf", "format=rgb24", "-f", "rawvideo", "-"])
    };
    assert!(mean_difference(&last(&output, "4.1"), &last(&source, "2.96")) < 8.0, "the last frame is shown on");

    let cut = Plan { end: seconds(2_000), duration: seconds(2_000), ..copied(&info) };
    let fixed = fix(&source, cut, &overwrite, &output).unwrap();
    assert!(fixed.info.duration.unwrap() <= Seconds::from_millis(2_000));

    let rate = RateStep::Constant(FrameRate::new(50, 1).unwrap());
    let step = VideoEncode { rate, ..encode(&info, (1, 1), Fill::None) };
    let faster = plan(&info, Action::Encode, VideoStep::Encode(step));
    let fixed = fix(&source, faster, &overwrite, &output).unwrap();
    assert_eq!(fixed.info.primary_video().unwrap().frame_rate, FrameRate::new(50, 1));
    assert_eq!(fixed.frames_decoded, 150);
    assert_eq!(names(folder.path()), ["a.mkv", "out.mp4"]);
}

/// An editor that copies packets until a decode time leaves a picture behind a gap: those between it and the one before
/// would have been decoded later.
#[test]
fn a_clip_cut_by_packets_keeps_its_sound_in_place() {
    let folder = folder();
    let whole = folder.path().join("whole.mp4");
    let picture = "mandelbrot=size=160x120:rate=30:maxiter=100,noise=alls=4:allf=t,format=yuv420p";
    let sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=r=48000", "-t", "7"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-c:a", "aac"];
    ffmpeg(&[&sources[..], &codecs, &[text(&whole)]].concat());
    // With reordered pictures in the result libav finds no length for its last one, and takes the longest for it.
    for end in ["5.5", "6"] {
        let source = folder.path().join("cut.mp4");
        ffmpeg(&["-i", text(&whole), "-c", "copy", "-t", end, text(&source)]);
        let tables = match sample_table::read(&Source::open(&source).unwrap()).unwrap() {
            sample_table::Decision::Facts(info) => *info,
            sample_table::Decision::Undecided { .. } => panic!("an MP4 by ffmpeg"),
        };
        for info in [facts(&source), tables] {
            let step = VideoEncode { preset: "veryfast".to_owned(), ..encode(&info, (1, 1), Fill::None) };
            let plan = plan(&info, Action::Encode, VideoStep::Encode(step));
            let output = folder.path().join("out.mp4");
            let fixed = fix_known(&source, &info, plan, &FixOptions { overwrite: true, ..options() }, &output);
            assert!(fixed.is_ok(), "{end} {:?}: {fixed:?}", info.reader);
        }
    }
}

#[test]
fn a_wrong_duration_is_not_proven_and_leaves_nothing() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let wrong = Plan { duration: Some(Seconds::from_millis(9_000)), ..copied(&info) };
    let failure = fix(&source, wrong, &options(), &output).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unproven);
    assert_eq!(names(folder.path()), ["a.mkv"]);
}

#[test]
fn outputs_that_exist_stay_and_unfixable_plans_say_why() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    std::fs::write(&output, "mine").unwrap();
    let failure = fix(&source, copied(&info), &options(), &output).unwrap_err();
    assert_eq!(failure.kind, FailureKind::OutputExists);
    assert_eq!(std::fs::read(&output).unwrap(), b"mine");
    let never = Plan { unfixable: Some("too long".to_owned()), action: Action::Unfixable, ..copied(&info) };
    let failure = fix(&source, never, &FixOptions { overwrite: true, ..options() }, &output).unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Unfixable, "too long"));
    let failure = fix(&source, copied(&info), &options(), &folder.path().join("no/out.mp4")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Io);
    assert_eq!(names(folder.path()), ["a.mkv", "out.mp4"]);
}

#[test]
fn what_fits_is_copied_byte_for_byte_by_every_link_mode() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &[]);
    let info = facts(&source);
    for link in [LinkMode::Copy, LinkMode::Reflink, LinkMode::Hard] {
        let output = folder.path().join("out.mp4");
        let passthrough = Plan { action: Action::Passthrough, ..copied(&info) };
        let fixed = fix(&source, passthrough, &FixOptions { link, ..options() }, &output).unwrap();
        assert_eq!(fixed.frames_decoded, 0);
        assert_eq!(std::fs::read(&source).unwrap(), std::fs::read(&output).unwrap(), "{link:?}");
        std::fs::remove_file(&output).unwrap();
    }
    assert_eq!(names(folder.path()), ["a.mp4"]);
}

#[test]
fn titles_stay_and_places_go_unless_they_are_to_be_kept() {
    let folder = folder();
    let source = clip(
        folder.path(),
        "a.mov",
        &[
            "-movflags",
            "use_metadata_tags",
            "-metadata",
            "title=A title",
            "-metadata",
            "com.apple.quicktime.location.ISO6709=+48.2082+016.3738/",
            "-metadata",
            "com.apple.quicktime.make=Example",
            "-metadata:s:a:0",
            "language=ger",
        ],
    );
    let info = facts(&source);
    assert_eq!(info.private.len(), 2);
    let output = folder.path().join("out.mp4");
    let tags = |path: &Path| ffprobe(path, &["-show_entries", "format_tags:stream_tags"]).join("\n");
    let fixed = fix(&source, copied(&info), &options(), &output).unwrap();
    assert_eq!(fixed.info.private, []);
    assert!(tags(&output).contains("A title") && tags(&output).contains("ger"), "{}", tags(&output));
    let bytes = std::fs::read(&output).unwrap();
    assert!(!bytes.windows(8).any(|part| part == b"+48.2082"), "the place is still in it");
    let keep = FixOptions { keep_metadata: true, overwrite: true, ..options() };
    let fixed = fix(&source, copied(&info), &keep, &output).unwrap();
    assert_eq!(fixed.info.private, info.private);
    assert!(tags(&output).contains("A title") && tags(&output).contains("+48.2082"), "{}", tags(&output));
}

#[test]
fn sound_of_five_channels_is_mixed_down_as_loud_as_its_dialogue() {
    let folder = folder();
    let source = folder.path().join("surround.mkv");
    // Dialogue in the centre alone.
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=2:r=25",
        "-f",
        "lavfi",
        "-i",
        "sine=d=2:r=48000,volume=4,pan=5.1|FC=c0",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "ac3",
        text(&source),
    ]);
    let info = facts(&source);
    assert_eq!(info.audio[0].channels, Some(6));
    let output = folder.path().join("out.mp4");
    fix(&source, copied(&info), &options(), &output).unwrap();
    let loudness = |path: &Path, filter: &str| -> f64 {
        let chain = format!("{filter}volumedetect");
        let output = std::process::Command::new("ffmpeg")
            .args(["-nostdin", "-i", text(path), "-vn", "-af", &chain, "-f", "null", "-"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().find(|line| line.contains("mean_volume")).unwrap();
        line.split_once("mean_volume: ").unwrap().1.trim_end_matches(" dB").parse().unwrap()
    };
    let (dialogue, mixed) = (loudness(&source, "pan=mono|c0=FC,"), loudness(&output, ""));
    // Each side gets 0.7071 of the centre: 3 dB less a side, the same in the room.
    assert!((dialogue - 3.0 - mixed).abs() < 1.0, "{dialogue} dB became {mixed} dB");
}

#[test]
fn malformed_clips_end_in_a_clear_failure_or_a_proven_file_and_leave_nothing_over() {
    let Some(clips) = media() else { return };
    for entry in std::fs::read_dir(clips.join("malformed")).unwrap() {
        let source = entry.unwrap().path();
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let Ok(info) = read(&source, &Cancel::new(), &mut |_| {}) else { continue };
        let step = encode(&info, (1, 1), Fill::None);
        let outcome = fix(&source, plan(&info, Action::Encode, VideoStep::Encode(step)), &options(), &output);
        match outcome {
            Ok(_) => assert_eq!(names(folder.path()), ["out.mp4"], "{}", source.display()),
            Err(failure) => {
                eprintln!("{}: {:?} {failure}", source.display(), failure.kind);
                assert_eq!(names(folder.path()), [""; 0], "{}", source.display());
            }
        }
    }
}

#[test]
fn damaged_sources_are_named_corrupt_and_a_cancelled_fix_leaves_nothing() {
    let folder = folder();
    let whole = clip(folder.path(), "a.mp4", &["-bf", "0"]);
    let positions = ffprobe(&whole, &["-select_streams", "v:0", "-show_entries", "packet=pos"]);
    let mut bytes = std::fs::read(&whole).unwrap();
    let at: usize = positions[40].parse().unwrap();
    for byte in &mut bytes[at + 60..at + 200] {
        *byte ^= 0x5A;
    }
    let source = folder.path().join("broken.mp4");
    std::fs::write(&source, bytes).unwrap();
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let step = encode(&info, (1, 1), Fill::None);
    let failure = fix(&source, plan(&info, Action::Encode, VideoStep::Encode(step)), &options(), &output).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Corrupt, "{failure}");
    assert!(!failure.log.is_empty());
    // What is left of a damaged source has to decode, so a copy of all of it does not pass.
    let salvaged = Plan { salvage: true, ..copied(&info) };
    let failure = fix(&source, salvaged, &options(), &output).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Corrupt, "{failure}");
    assert!(!failure.log.is_empty());
    // A copy alone is the source's packets, its damage with them: `check --deep` names that, as for what passes
    // through.
    let fixed = fix(&source, copied(&info), &options(), &output).unwrap();
    assert_eq!(fixed.frames_decoded, 0);
    std::fs::remove_file(&output).unwrap();
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let spec = mechanics();
    let info = facts(&whole);
    let fix = Fix { source: &whole, info: &info, spec: &spec, options: &options(), output: &output, part: None };
    let failure = carry_out(fix, copied(&info), &cancel, &mut |_| stop.cancel()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert_eq!(names(folder.path()), ["a.mp4", "broken.mp4"]);
}

/// A plan that does too little must not leave the house, whoever made it.
#[test]
fn a_result_that_breaks_the_rules_gets_no_name() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let info = facts(&source);
    let spec = Spec::load("pinterest").unwrap();
    let output = folder.path().join("out.mp4");
    let fix = Fix { source: &source, info: &info, spec: &spec, options: &options(), output: &output, part: None };
    let failure = carry_out(fix, copied(&info), &Cancel::new(), &mut |_| {}).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unproven);
    assert!(failure.message.contains("the result does not pass pinterest: duration"), "{failure}");
    assert_eq!(names(folder.path()), ["a.mkv"]);
}
