//! A video in parts.

use std::path::{Path, PathBuf};

use pinpress_av::Cancel;
use pinpress_media::{Encoder, Fill, Part, Plan, RateStep, VideoEncode, VideoStep};
use pinpress_probe::{CodedSize, MediaInfo, Rational, RuleId, Seconds};
use pinpress_transcode::sync_times;

use crate::ground::{clip, edit, edited, encoded_sound, facts, fix, packets, pictures, tried};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, good_clips, mean_difference, text};

/// Parts that begin at every `every`th place where the file can be cut.
fn parts(source: &Path, info: &MediaInfo, every: usize) -> Vec<Part> {
    let stream = info.primary_video().unwrap().index;
    let times = sync_times(source, stream, &Cancel::new()).unwrap();
    let mut begins: Vec<Seconds> = times.into_iter().step_by(every).collect();
    begins[0] = Seconds::ZERO;
    let ends = begins.iter().skip(1).copied().chain([info.duration.unwrap()]);
    let of = u32::try_from(begins.len()).unwrap();
    (1..).zip(begins.iter().zip(ends)).map(|(number, (begin, end))| Part { number, of, begin: *begin, end }).collect()
}

fn minus(left: Seconds, right: Seconds) -> Seconds {
    Seconds(left.0.checked_sub(right.0).unwrap())
}

/// Carries out `plan` for each part; the names of what came of it.
fn split(source: &Path, plan: &Plan, parts: &[Part], folder: &Path) -> Vec<PathBuf> {
    let mut outputs = Vec::new();
    for part in parts {
        let output = folder.join(format!("part-{}.mp4", part.number));
        let plan = Plan { part: Some(*part), duration: Some(minus(part.end, part.begin)), ..plan.clone() };
        fix(source, plan, &output);
        outputs.push(output);
    }
    outputs
}

/// Clips with the ways in which containers hold times: an edit list for reordered pictures, milliseconds, a clock that
/// begins somewhere, no edit list and an open beginning.
fn clips(folder: &Path) -> Vec<PathBuf> {
    let keys = ["-g", "20", "-bf", "3", "-b_strategy", "0", "-sc_threshold", "0"];
    let with = |name, more: &[&str]| clip(folder, name, "160x120", "30000/1001", &[&keys[..], more].concat());
    vec![with("a.mp4", &[]), with("a.mkv", &[]), with("a.ts", &[]), with("late.mov", &["-output_ts_offset", "1.5"])]
}

#[test]
fn copied_parts_hold_every_picture_once() {
    let folder = folder();
    for source in clips(folder.path()) {
        let name = source.display().to_string();
        let info = facts(&source);
        let parts = parts(&source, &info, 2);
        assert_eq!(parts.len(), 3, "{parts:?} {name}");
        let plan = edited(&info, edit(&info, RuleId::Duration));
        let outputs = split(&source, &plan, &parts, folder.path());
        let all: Vec<String> = outputs.iter().flat_map(|output| pictures(output, "null")).collect();
        assert_eq!(all, pictures(&source, "null"), "{name}");
        for (part, output) in parts.iter().zip(&outputs) {
            let starts = ffprobe(output, &["-show_entries", "stream=start_time"]);
            let (video, audio): (f64, f64) = (starts[0].parse().unwrap(), starts[1].parse().unwrap());
            let offset = if part.number == 1 { 0.03 } else { 0.000_1 };
            assert!(video.abs() < offset && audio.abs() < 0.03, "{starts:?} {part:?} {name}");
            let (asked, made) = (minus(part.end, part.begin), facts(output).duration.unwrap());
            assert!((asked.millis() - made.millis()).abs() <= 25, "{made} of {asked} {name}");
        }
    }
}

#[test]
fn encoded_parts_hold_every_picture_once() {
    let folder = folder();
    for source in clips(folder.path()) {
        let name = source.display().to_string();
        let info = facts(&source);
        let video = info.primary_video().unwrap();
        let size = CodedSize { width: 160, height: 120 };
        for rate in [RateStep::Keep, RateStep::Constant(video.frame_rate.unwrap())] {
            let step = VideoEncode {
                stream: video.index,
                rules: vec![RuleId::AspectRatio],
                deinterlace: false,
                tone_map: false,
                orientation: video.orientation,
                clean_aperture: None,
                picture: size,
                canvas: size,
                fill: Fill::None,
                rate,
                encoder: Encoder::Auto,
                quality: 1,
                preset: "ultrafast".to_owned(),
                max_bit_rate: None,
            };
            let plan = Plan {
                action: pinpress_media::Action::Encode,
                video: Some(VideoStep::Encode(step)),
                audio: encoded_sound(&info),
                ..Plan::passthrough(None)
            };
            let outputs = split(&source, &plan, &parts(&source, &info, 2), folder.path());
            let made: Vec<Vec<u8>> = outputs.iter().flat_map(|output| drawn(output)).collect();
            let asked = drawn(&source);
            assert_eq!(made.len(), asked.len(), "{rate:?} {name}");
            for (at, picture) in made.iter().enumerate() {
                let off = |other: usize| asked.get(other).map_or(f64::MAX, |other| mean_difference(picture, other));
                let neighbours = off(at.wrapping_sub(1)).min(off(at + 1));
                assert!(off(at) < 1.0 && off(at) * 2.0 < neighbours, "picture {at}: {} {rate:?} {name}", off(at));
            }
        }
    }
}

/// The pictures in grey.
fn drawn(path: &Path) -> Vec<Vec<u8>> {
    let grey = ["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"];
    ffmpeg_bytes(&[&["-i", text(path)][..], &grey].concat()).chunks(160 * 120).map(<[u8]>::to_vec).collect()
}

#[test]
fn sound_goes_on_over_parts_where_it_was() {
    let folder = folder();
    let source = folder.path().join("chirp.mp4");
    // A sound that is nowhere like itself.
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=6:r=25",
        "-f",
        "lavfi",
        "-i",
        "aevalsrc='0.5*sin(2*PI*(300*t+150*t*t))':s=48000:d=6",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "25",
        "-c:a",
        "aac",
        "-b:a",
        "192k",
        text(&source),
    ]);
    let info = facts(&source);
    let parts = parts(&source, &info, 2);
    let copied = edited(&info, edit(&info, RuleId::Duration));
    let encoded = Plan { audio: encoded_sound(&info), ..copied.clone() };
    let whole = samples(&source);
    for (plan, what) in [(copied, "copied"), (encoded, "encoded")] {
        for (part, output) in parts.iter().zip(split(&source, &plan, &parts, folder.path())) {
            let (begin, end) = (sample(part.begin), sample(part.end).min(whole.len()));
            let (asked, made) = (&whole[begin..end], samples(&output));
            assert!(made.len() + 1_100 > asked.len() && made.len() < asked.len() + 1_100, "{what} {part:?}");
            let length = made.len().min(asked.len());
            // From the very first window on, and at its place to the sample.
            for window in [0..2_000, 2_000..20_000, length - 4_000..length - 1_100] {
                let error = difference(&asked[window.clone()], &made[window.clone()]);
                assert!(error < 0.2, "{what} {part:?} {window:?}: {error}");
            }
        }
    }
}

fn sample(time: Seconds) -> usize {
    usize::try_from(time.0.checked_mul(Rational::whole(48_000)).unwrap().ceil()).unwrap()
}

/// The sound as a player hears it.
fn samples(path: &Path) -> Vec<f32> {
    let decoded = ffmpeg_bytes(&["-i", text(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]);
    decoded.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// Root of the mean square of the difference, over that of the sound.
fn difference(asked: &[f32], made: &[f32]) -> f32 {
    let energy: f32 = asked.iter().map(|a| a * a).sum();
    let error: f32 = asked.iter().zip(made).map(|(a, b)| (a - b) * (a - b)).sum();
    (error / energy.max(1e-9)).sqrt()
}

#[test]
fn open_groups_and_pictures_that_recover_slowly_are_no_place_to_cut() {
    let folder = folder();
    let times = |name: &str, options: &[&str]| {
        let source = clip(folder.path(), name, "160x120", "25", options);
        sync_times(&source, 0, &Cancel::new()).unwrap()
    };
    let closed = times("closed.mp4", &["-g", "25", "-sc_threshold", "0", "-bf", "2"]);
    assert_eq!(closed, [0, 1, 2, 3].map(|second| Seconds::from_millis(second * 1_000)));
    let open = times(
        "open.ts",
        &["-g", "24", "-sc_threshold", "0", "-bf", "2", "-b_strategy", "0", "-x264-params", "open-gop=1"],
    );
    assert!(open.len() == 1 && open[0] < Seconds::from_millis(30), "{open:?}");
    let refreshed = times("refreshed.ts", &["-g", "25", "-bf", "0", "-x264-params", "intra-refresh=1"]);
    assert!(refreshed.len() == 1 && refreshed[0] < Seconds::from_millis(30), "{refreshed:?}");
}

#[test]
fn a_part_that_begins_at_no_sync_sample_is_refused() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", "160x120", "25", &["-g", "25"]);
    let info = facts(&source);
    let [begin, end] = [1_040, 3_000].map(Seconds::from_millis);
    let plan = edited(&info, edit(&info, RuleId::Duration));
    let plan = Plan { part: Some(Part { number: 2, of: 2, begin, end }), ..plan };
    let failure = tried(&source, plan, &folder.path().join("out.mp4")).unwrap_err();
    assert_eq!(failure.kind, pinpress_media::FailureKind::Corrupt, "{failure}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn real_clips_are_split_without_losing_a_picture() {
    for source in good_clips() {
        let name = source.display().to_string();
        let info = facts(&source);
        let video = info.primary_video().unwrap();
        if video.codec != "h264" || video.scan == Some(pinpress_probe::Scan::Interlaced) {
            continue;
        }
        let folder = folder();
        let times = sync_times(&source, video.index, &Cancel::new()).unwrap();
        if times.len() < 3 {
            continue;
        }
        let parts = parts(&source, &info, times.len().div_ceil(2));
        let mut plan = edited(&info, edit(&info, RuleId::Duration));
        if info.primary_audio().is_some_and(|audio| audio.codec != "aac") {
            plan.audio = encoded_sound(&info);
        }
        let outputs = split(&source, &plan, &parts, folder.path());
        let whole = folder.path().join("whole.mp4");
        fix(&source, Plan { part: None, ..plan }, &whole);
        let all: Vec<String> = outputs.iter().flat_map(|output| packets(output)).collect();
        assert_eq!(all, packets(&whole), "{name}");
    }
}
