//! A clip several times, its picture copied.

use std::path::{Path, PathBuf};

use pinpress_media::{Plan, Retime};
use pinpress_probe::{FrameRate, Rational, RuleId, Seconds};

use crate::ground::{clip, edit, edited, encoded_sound, facts, fix, pictures, tried};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, text};

/// Pictures of very different lengths, reordered.
fn variable(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let picture = "testsrc2=s=160x120:d=3:r=30,select='lt(mod(n,7),3)+eq(mod(n,11),0)'";
    let codecs = [
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "3",
        "-b_strategy",
        "0",
        "-fps_mode",
        "passthrough",
        "-c:a",
        "aac",
    ];
    ffmpeg(
        &[&["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=3:r=48000"][..], &codecs, &[text(&path)]]
            .concat(),
    );
    path
}

/// Presentation times of the picture's shown packets, ascending, and whether decode times increase.
fn times(path: &Path) -> (Vec<i64>, bool) {
    let lines = ffprobe(path, &["-select_streams", "v:0", "-show_entries", "packet=pts,dts"]);
    let numbers: Vec<i64> = lines.iter().filter_map(|line| line.parse().ok()).collect();
    let (mut shown, decoded): (Vec<i64>, Vec<i64>) = numbers.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    shown.sort_unstable();
    (shown, decoded.windows(2).all(|pair| pair[0] < pair[1]))
}

#[test]
fn every_picture_is_there_as_often_as_the_clip_and_the_seam_is_exact() {
    let folder = folder();
    let deep = ["-bf", "3", "-b_strategy", "0", "-g", "30"];
    for source in [
        clip(folder.path(), "a.mp4", "160x120", "25", &deep),
        clip(folder.path(), "a.mkv", "160x120", "30000/1001", &deep),
        clip(folder.path(), "a.ts", "160x120", "25", &deep),
        clip(folder.path(), "plain.mov", "160x120", "24", &["-bf", "0"]),
        variable(folder.path(), "variable.mp4"),
        variable(folder.path(), "variable.mkv"),
    ] {
        let name = source.display().to_string();
        let info = facts(&source);
        let output = folder.path().join("out.mp4");
        let plan = Plan { repeat: 3, audio: encoded_sound(&info), ..edited(&info, edit(&info, RuleId::Duration)) };
        let once = fix(&source, Plan { repeat: 1, ..plan.clone() }, &output);
        let (first, _) = times(&output);
        let fixed = fix(&source, plan, &output);
        assert!(once.packets_compared > 0 && fixed.packets_compared == once.packets_compared * 3, "{name}");
        assert_eq!(pictures(&output, "null"), vec![pictures(&source, "null"); 3].concat(), "{name}");
        let (shown, increases) = times(&output);
        assert!(increases, "{name}");
        let count = first.len();
        let period = shown[count] - shown[0];
        for (at, time) in shown.iter().enumerate() {
            let pass = at / count;
            let asked = first[at % count] - first[0] + shown[0] + period * pass as i64;
            assert_eq!(*time, asked, "picture {at} {name}");
        }
        // The clip begins anew when its last picture has been shown as long as it was to be.
        let video = once.info.primary_video().unwrap();
        let whole = fixed.info.primary_video().unwrap().duration.unwrap();
        let thrice = Seconds(video.duration.unwrap().0.checked_mul(Rational::whole(3)).unwrap());
        assert!((whole.millis() - thrice.millis()).abs() <= 3, "{whole} {thrice} {name}");
        if video.variable_frame_rate == Some(false) {
            assert_eq!(fixed.info.primary_video().unwrap().variable_frame_rate, Some(false), "{name}");
        }
    }
}

#[test]
fn a_clip_is_repeated_at_another_rate() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", "160x120", "24", &["-bf", "3", "-b_strategy", "0"]);
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let retime = Some(Retime { from: FrameRate::new(24, 1).unwrap(), to: FrameRate::new(25, 1).unwrap() });
    let plan = Plan { repeat: 2, retime, audio: encoded_sound(&info), ..edited(&info, edit(&info, RuleId::Duration)) };
    fix(&source, plan, &output);
    let entries = ["-select_streams", "v:0", "-show_entries", "stream=r_frame_rate,avg_frame_rate,nb_frames"];
    assert_eq!(ffprobe(&output, &entries), ["25/1", "25/1", "192"]);
    assert_eq!(pictures(&output, "null"), vec![pictures(&source, "null"); 2].concat());
}

/// Sound that outlasts the picture is cut at the seam to the sample, and not what comes behind it.
#[test]
fn sound_begins_anew_with_the_picture() {
    let folder = folder();
    let source = folder.path().join("a.mp4");
    let sound = "aevalsrc='0.5*sin(2*PI*(300*t+300*t*t))':s=48000:d=2.07";
    let inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", "-f", "lavfi", "-i", sound];
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k"];
    ffmpeg(&[&inputs[..], &codecs, &[text(&source)]].concat());
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let plan = Plan { repeat: 4, audio: encoded_sound(&info), ..edited(&info, edit(&info, RuleId::Duration)) };
    fix(&source, plan, &output);
    let samples = |path: &Path| -> Vec<f32> {
        let decoded = ffmpeg_bytes(&["-i", text(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]);
        decoded.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    };
    let (once, four) = (samples(&source), samples(&output));
    for pass in 0..4 {
        for window in [1_000..20_000, 60_000..95_000] {
            let heard = &four[pass * 96_000..][window.clone()];
            let asked = &once[window.clone()];
            let energy: f32 = asked.iter().map(|a| a * a).sum();
            let error: f32 = asked.iter().zip(heard).map(|(a, b)| (a - b) * (a - b)).sum();
            assert!((error / energy).sqrt() < 0.2, "{pass} {window:?}: {}", (error / energy).sqrt());
        }
    }
}

#[test]
fn a_clip_that_begins_between_sync_samples_is_not_repeated_by_copying() {
    let folder = folder();
    let whole = clip(folder.path(), "whole.mp4", "160x120", "25", &["-g", "50", "-bf", "0"]);
    let source = folder.path().join("trimmed.mp4");
    ffmpeg(&["-ss", "1", "-i", text(&whole), "-c", "copy", text(&source)]);
    let flags = ffprobe(&source, &["-select_streams", "v:0", "-show_entries", "packet=flags"]);
    assert!(flags[0].contains('D'), "an edit list hides the beginning");
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let plan = Plan { audio: encoded_sound(&info), ..edited(&info, edit(&info, RuleId::Duration)) };
    fix(&source, plan.clone(), &output);
    let failure = tried(&source, Plan { repeat: 2, ..plan }, &output).unwrap_err();
    assert!(failure.message.contains("cannot be repeated without decoding"), "{failure}");
}
