//! The last picture shown on, all before it copied.

use std::path::Path;

use pinpress_media::{Action, AudioStep, Encoder, Plan, VideoExtend, VideoStep};
use pinpress_probe::{FrameRate, MediaInfo, RuleId, Seconds};

use crate::browser;
use crate::ground::{clip, facts, fix, packets, pictures, tried};
use crate::support::{ffmpeg_bytes, ffprobe, folder, good_clips, mean_difference, text};

/// Pixels of all frames over which a real clip is large: 5 s of 640×360.
const LARGE: u64 = 30_000_000;

fn extended(info: &MediaInfo, until_ms: i64) -> Plan {
    let video = info.primary_video().unwrap();
    let step = VideoExtend {
        stream: video.index,
        rules: vec![RuleId::Duration],
        rate: video.frame_rate.unwrap(),
        encoder: Encoder::Auto,
        quality: 16,
        preset: "medium".to_owned(),
    };
    let until = Some(Seconds::from_millis(until_ms));
    Plan {
        action: Action::Encode,
        video: Some(VideoStep::Extend(step)),
        audio: info.primary_audio().map(|audio| AudioStep::Copy { stream: audio.index }),
        hold_until: until,
        duration: until,
        ..Plan::passthrough(None)
    }
}

#[test]
fn the_last_picture_is_shown_on_and_all_others_are_the_same() {
    let folder = folder();
    let colours = ["-colorspace", "bt709", "-color_trc", "bt709", "-color_primaries", "bt709"];
    let clips: [(&str, &str, &str, &[&str]); 6] = [
        ("high.mp4", "320x240", "25", &["-bf", "3", "-b_strategy", "0", "-g", "30"]),
        ("main.mkv", "322x242", "30000/1001", &["-profile:v", "main", "-refs", "4"]),
        ("baseline.mov", "320x240", "24", &["-profile:v", "baseline", "-g", "10"]),
        ("rows.mp4", "1920x1080", "30", &["-bf", "2", "-preset", "ultrafast"]),
        ("numbered.mp4", "320x240", "25", &["-x264-params", "sps-id=3"]),
        ("wide.mp4", "320x240", "25", &["-vf", "setsar=4/3"]),
    ];
    let mut to_play = Vec::new();
    for (name, size, rate, options) in clips {
        let source = clip(folder.path(), name, size, rate, &[&colours[..], options].concat());
        let info = facts(&source);
        let output = folder.path().join(format!("{name}.out.mp4"));
        let fixed = fix(&source, extended(&info, 6_000), &output);
        let (before, after) = (info.primary_video().unwrap(), fixed.info.primary_video().unwrap());
        assert_eq!(
            (before.coded, before.display(), &before.profile),
            (after.coded, after.display(), &after.profile),
            "{name}"
        );
        assert_eq!((before.frame_rate, Some(false)), (after.frame_rate, after.variable_frame_rate), "{name}");
        let copied = packets(&source);
        assert_eq!(packets(&output)[..copied.len()], copied, "{name}");
        let (asked, made) = (pictures(&source, "null"), pictures(&output, "null"));
        assert_eq!(made[..asked.len()], asked, "{name}");
        let shown = after.duration.unwrap();
        assert!((shown.millis() - 6_000).abs() < 60, "{shown} {name}");
        assert_eq!(fixed.frames_decoded, after.frame_count.unwrap(), "{name}");
        let entries = ["-select_streams", "v:0", "-show_entries", "stream=r_frame_rate,avg_frame_rate"];
        // Matroska's times are milliseconds, and stay it.
        if !name.ends_with("mkv") {
            assert_eq!(ffprobe(&output, &entries), ffprobe(&source, &entries), "{name}");
        }
        let times = ffprobe(&output, &["-select_streams", "v:0", "-show_entries", "packet=dts"]);
        let times: Vec<i64> = times.iter().filter_map(|time| time.parse().ok()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        // What is held looks like the last picture.
        let drawn = |path: &Path, from_end: &str| {
            let last = ["-update", "1", "-vf", "format=rgb24", "-frames:v", "1", "-f", "rawvideo", "-"];
            ffmpeg_bytes(&[&["-sseof", from_end, "-i", text(path)][..], &last].concat())
        };
        let last = ffmpeg_bytes(&[
            "-i",
            text(&source),
            "-vf",
            &format!("select=eq(n\\,{}),format=rgb24", asked.len() - 1),
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-",
        ]);
        let difference = mean_difference(&last, &drawn(&output, "-0.5"));
        assert!(difference < 3.0, "{difference} {name}");
        to_play.extend([source, output]);
    }
    for (played, files) in browser::play_all(&to_play).chunks(2).zip(to_play.chunks(2)) {
        let ([whole, played], name) = (played, files[1].display()) else { panic!("two of each are played") };
        assert_eq!(played.size, whole.size, "{name}");
        assert!(played.duration_ms.abs_diff(6_000) < 100 && played.ended_ms.abs_diff(6_000) < 100, "{played:?} {name}");
        let off = played.last.iter().zip(whole.last).map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(off < 4, "{played:?} {whole:?} {name}");
    }
}

#[test]
fn what_cannot_be_shown_on_by_copying_is_refused_and_leaves_nothing() {
    let folder = folder();
    let stream = clip(folder.path(), "a.ts", "160x120", "25", &[]);
    let deep = clip(folder.path(), "b.mp4", "160x120", "25", &["-pix_fmt", "yuv420p10le"]);
    let full = clip(folder.path(), "c.mp4", "160x120", "25", &["-x264-params", "sps-id=31"]);
    let output = folder.path().join("out.mp4");
    for source in [stream, deep, full] {
        let info = facts(&source);
        let failure = tried(&source, extended(&info, 6_000), &output).unwrap_err();
        assert_eq!(failure.kind, pinpress_media::FailureKind::Encoder, "{failure}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn real_clips_are_shown_on_or_refused() {
    let mut held = 0;
    for source in good_clips() {
        let name = source.display().to_string();
        let info = facts(&source);
        let video = info.primary_video().unwrap();
        let long = info.duration.unwrap() > Seconds::from_millis(10_000);
        if video.codec != "h264" || video.scan == Some(pinpress_probe::Scan::Interlaced) || long {
            continue;
        }
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let until = info.duration.unwrap().millis() + 1_500;
        let mut plan = extended(&info, until);
        if info.primary_audio().is_some_and(|audio| audio.codec != "aac") {
            plan.audio = crate::ground::encoded_sound(&info);
        }
        match tried(&source, plan, &output) {
            Ok(fixed) => {
                held += 1;
                // Of large clips it has to be enough that nothing was changed: decoding them is most of the time.
                let coded = u64::from(video.coded.width) * u64::from(video.coded.height);
                let is_large = coded * video.frame_count.unwrap_or(0) > LARGE;
                let all = |path: &Path| if is_large { packets(path) } else { pictures(path, "null") };
                let (asked, made) = (all(&source), all(&output));
                assert_eq!(made[..asked.len()], asked, "{name}");
                // One of them shows its last picture longer than all others, and counts it into its rate.
                let rate = |rate: Option<FrameRate>| rate.unwrap().rational();
                let after = fixed.info.primary_video().unwrap().frame_rate;
                let ratio = rate(after).checked_div(rate(video.frame_rate)).unwrap().scaled_round(1_000);
                if video.variable_frame_rate == Some(false) {
                    assert!((980..1_020).contains(&ratio), "{ratio}/1000 {name}");
                }
            }
            Err(failure) => {
                assert_eq!(failure.kind, pinpress_media::FailureKind::Encoder, "{failure}: {name}");
                eprintln!("{failure}: {name}");
            }
        }
    }
    assert!(held > 0 || good_clips().is_empty(), "none was held");
}
