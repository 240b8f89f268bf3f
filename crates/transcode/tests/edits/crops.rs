//! Other parameter sets: a cropping rectangle, square samples.

use pinpress_media::{FailureKind, VideoEdit};
use pinpress_probe::{CodedSize, FrameCropping, RuleId};

use crate::browser;
use crate::ground::{clip, edit, edited, facts, fix, packets, pictures, tried};
use crate::support::{ffmpeg, ffprobe, folder, text};

/// The cropping that shows `size` at `left` and `top` of a picture coded in whole macroblocks.
fn cropping(coded: (u32, u32), size: (u32, u32), (left, top): (u32, u32)) -> Option<FrameCropping> {
    let whole = |side: u32| side.div_ceil(16) * 16;
    Some(FrameCropping {
        left,
        right: whole(coded.0) - size.0 - left,
        top,
        bottom: whole(coded.1) - size.1 - top,
        unit_x: 2,
        unit_y: 2,
    })
}

/// Name, size, options, size and place of the crop, whether the packets have parameter sets of their own.
type Case<'a> = (&'a str, (u32, u32), &'a [&'a str], (u32, u32), (u32, u32), bool);

#[test]
fn a_crop_by_parameter_set_shows_the_same_pixels_as_a_decoded_crop() {
    let folder = folder();
    let annex_b = ["-bsf:v", "dump_extra=freq=k"];
    let cases: [Case<'_>; 6] = [
        ("high.mp4", (320, 240), &["-bf", "3", "-b_strategy", "0"], (240, 240), (64, 0), false),
        ("main.mkv", (322, 242), &["-profile:v", "main"], (180, 240), (128, 2), false),
        ("baseline.mov", (320, 240), &["-profile:v", "baseline"], (160, 200), (0, 40), false),
        ("rows.mp4", (1920, 1080), &["-bf", "2"], (720, 1078), (576, 2), false),
        ("stream.ts", (320, 240), &["-g", "25"], (136, 240), (0, 0), true),
        ("own.mp4", (320, 240), &[&["-g", "25"][..], &annex_b].concat(), (136, 240), (64, 0), true),
    ];
    let mut shown = Vec::new();
    for (name, (width, height), options, size, place, in_band) in cases {
        let source = clip(folder.path(), name, &format!("{width}x{height}"), "25", options);
        let info = facts(&source);
        let output = folder.path().join(format!("{name}.out.mp4"));
        let step = VideoEdit {
            cropping: cropping((width, height), size, place),
            size: Some(CodedSize { width: size.0, height: size.1 }),
            ..edit(&info, RuleId::AspectRatio)
        };
        let fixed = fix(&source, edited(&info, step), &output);
        let video = fixed.info.primary_video().unwrap();
        assert_eq!((video.coded.width, video.coded.height), size, "{name}");
        assert!(fixed.packets_compared >= 100, "{name}");
        let entries = ["-select_streams", "v:0", "-show_entries", "stream=width,height"];
        assert_eq!(ffprobe(&output, &entries), [size.0.to_string(), size.1.to_string()], "{name}");
        let crop = format!("crop={}:{}:{}:{}", size.0, size.1, place.0, place.1);
        assert_eq!(pictures(&source, &crop), pictures(&output, "null"), "{name}");
        if !in_band {
            assert_eq!(packets(&source), packets(&output), "nothing but the parameter sets changed: {name}");
        }
        // A decoder that believes the packets alone: no parameter sets in the head of the file.
        if in_band {
            let stream = folder.path().join("alone.h264");
            ffmpeg(&["-i", text(&output), "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-an", text(&stream)]);
            assert_eq!(ffprobe(&stream, &entries), [size.0.to_string(), size.1.to_string()], "{name}");
            assert_eq!(pictures(&stream, "null"), pictures(&output, "null"), "{name}");
        }
        // All results are MP4: a browser takes as long as the clip, so it is shown those that differ there.
        if ["high.mp4", "rows.mp4", "own.mp4"].contains(&name) {
            shown.push((output, size));
        }
    }
    let outputs: Vec<_> = shown.iter().map(|(output, _)| output).collect();
    for ((output, size), played) in shown.iter().zip(browser::play_all(&outputs)) {
        let name = output.display();
        assert_eq!(played.size, *size, "{name}");
        let ended = [played.duration_ms, played.ended_ms].iter().all(|millis| millis.abs_diff(4_000) < 100);
        assert!(ended, "{played:?} {name}");
    }
}

#[test]
fn a_turned_picture_is_cropped_as_it_is_coded_and_stays_turned() {
    let folder = folder();
    let straight = clip(folder.path(), "straight.mp4", "320x240", "25", &[]);
    let source = folder.path().join("turned.mp4");
    ffmpeg(&["-i", text(&straight), "-c", "copy", "-metadata:s:v:0", "rotate=90", text(&source)]);
    let info = facts(&source);
    let orientation = info.primary_video().unwrap().orientation;
    assert!(orientation.rotation.swaps_sides());
    let output = folder.path().join("out.mp4");
    let step = VideoEdit {
        cropping: cropping((320, 240), (320, 180), (0, 30)),
        size: Some(CodedSize { width: 320, height: 180 }),
        ..edit(&info, RuleId::AspectRatio)
    };
    let fixed = fix(&source, edited(&info, step), &output);
    assert_eq!(fixed.info.primary_video().unwrap().orientation, orientation);
    assert_eq!(pictures(&source, "crop=320:180:0:30"), pictures(&output, "null"));
    assert_eq!(browser::play(&output).size, (180, 320));
    let bytes = std::fs::read(&output).unwrap();
    let tkhd = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4;
    let field = |at: usize| i32::from_be_bytes(bytes[tkhd + at..tkhd + at + 4].try_into().unwrap()) >> 16;
    assert_eq!((field(76), field(80)), (320, 180), "the size of the track");
    let matrix = 4 + 20 + 8 + 8;
    assert_eq!((field(matrix), field(matrix + 4)), (0, orientation_sign(&source)), "the turn");
    assert!([0, 180].contains(&field(matrix + 24)), "the picture begins at zero: {}", field(matrix + 24));
}

/// The second field of the source's matrix: 1 for a quarter clockwise.
fn orientation_sign(source: &std::path::Path) -> i32 {
    let bytes = std::fs::read(source).unwrap();
    let at = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4 + 4 + 20 + 8 + 8 + 4;
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) >> 16
}

#[test]
fn wide_samples_are_declared_square_everywhere() {
    let folder = folder();
    let mut outputs = Vec::new();
    for (name, options) in [
        ("wide.mp4", &["-vf", "setsar=4/3"][..]),
        ("wide.mkv", &["-vf", "setsar=64/45", "-bf", "2"]),
        ("wide.ts", &["-vf", "setsar=4/3"]),
    ] {
        let source = clip(folder.path(), name, "320x240", "25", options);
        let info = facts(&source);
        assert!(info.primary_video().unwrap().display().width > 320, "{name}");
        let output = folder.path().join(format!("{name}.out.mp4"));
        let step = VideoEdit { square_pixels: true, ..edit(&info, RuleId::AspectRatio) };
        fix(&source, edited(&info, step), &output);
        let entries = ["-select_streams", "v:0", "-show_entries", "stream=width,height,sample_aspect_ratio"];
        assert_eq!(ffprobe(&output, &entries), ["320", "240", "1:1"], "{name}");
        // What the parameter set says, without a container.
        let stream = folder.path().join("alone.h264");
        ffmpeg(&["-i", text(&output), "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-an", text(&stream)]);
        assert_eq!(ffprobe(&stream, &entries), ["320", "240", "1:1"], "{name}");
        assert_eq!(pictures(&source, "null"), pictures(&output, "null"), "{name}");
        let bytes = std::fs::read(&output).unwrap();
        let pasp = bytes.windows(4).position(|four| four == b"pasp").unwrap() + 4;
        assert_eq!(bytes[pasp..pasp + 8], [0, 0, 0, 1, 0, 0, 0, 1], "{name}");
        outputs.push(output);
    }
    for (played, output) in browser::play_all(&outputs).iter().zip(&outputs) {
        assert_eq!(played.size, (320, 240), "{}", output.display());
    }
}

/// Everything that has libavcodec in it counts its rows from whole vectors, and gives out more than the parameter set
/// says otherwise. What chroma cannot follow has no place in a parameter set.
#[test]
fn a_cropping_that_decoders_do_not_obey_is_refused_and_leaves_nothing() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", "320x240", "25", &[]);
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    for (size, place) in [((280, 240), (40, 0)), ((288, 240), (32, 0)), ((319, 240), (0, 0)), ((320, 239), (0, 1))] {
        let step = VideoEdit {
            cropping: cropping((320, 240), size, place),
            size: Some(CodedSize { width: size.0, height: size.1 }),
            ..edit(&info, RuleId::AspectRatio)
        };
        let failure = tried(&source, edited(&info, step), &output).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Encoder, "{failure}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// Chromium's software decoder cuts the right size off the right and the bottom, whatever side it was to be cut from:
/// only there does a browser show the right pixels.
#[test]
fn a_browser_shows_what_is_left_when_right_and_bottom_are_cut() {
    let folder = folder();
    let source = folder.path().join("bars.mp4");
    let bars =
        "color=blue:s=320x240:d=2:r=25,drawbox=x=280:w=40:h=240:c=red:t=fill,drawbox=y=200:h=40:w=320:c=red:t=fill";
    let codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-colorspace", "bt709"];
    ffmpeg(&[&["-f", "lavfi", "-i", bars][..], &codec, &[text(&source)]].concat());
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let step = VideoEdit {
        cropping: cropping((320, 240), (278, 198), (0, 0)),
        size: Some(CodedSize { width: 278, height: 198 }),
        ..edit(&info, RuleId::AspectRatio)
    };
    fix(&source, edited(&info, step), &output);
    let [before, played] = &browser::play_all(&[&source, &output])[..] else { panic!("two are played") };
    assert!(before.last[0] > 40, "red is there");
    assert_eq!(played.size, (278, 198));
    assert!(played.last[0] < 2 && played.last[2] > 250, "{played:?}");
}
