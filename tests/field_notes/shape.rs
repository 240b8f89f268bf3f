//! The shape of the picture: even, square samples, and the three ways into another shape.

use crate::stage::{H264, Stage, colour, rgb, size, stream};
use crate::support::mean_difference;

/// Encoders of 4:2:0 refuse odd sides.
#[test]
fn row_13_odd_sizes_come_out_even_and_not_bent() {
    let stage = Stage::new();
    // H.264 in 4:4:4 and VP9 have odd sides.
    for (width, height) in [(241, 241), (241, 429), (427, 241), (321, 481)] {
        let graph = format!("testsrc2=s={width}x{height}:r=25:d=4");
        let codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"];
        stage.drawn(&format!("{width}x{height}.mp4"), &graph, &codec);
    }
    let vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv420p"];
    stage.drawn("vp9.webm", "testsrc2=s=321x241:r=25:d=4", &vp9);
    for aspect in ["blur", "pad", "crop"] {
        let report = stage.fixed(&["--aspect", aspect]);
        for name in ["241x241.mp4", "241x429.mp4", "427x241.mp4", "321x481.mp4", "vp9.webm"] {
            assert_eq!(report.action(name), "encode", "{name}");
            let (width, height) = size(&stage.out(name));
            assert_eq!((width % 2, height % 2), (0, 0), "{aspect} {name}: {width}x{height}");
            assert!(width.min(height) >= 240, "{aspect} {name}: {width}x{height}");
        }
        // What was square is square but for its last line and column.
        assert_eq!(size(&stage.out("241x241.mp4")), (240, 240), "{aspect}");
        stage.again();
    }
}

/// Wide samples shown as square ones.
#[test]
fn row_16_nearly_square_samples_are_square_and_encodes_come_out_square() {
    let stage = Stage::new();
    let codec = [&H264[..], &["-movflags", "+faststart"]].concat();
    let ring = "geq=lum='if(lt(abs(hypot((X-W/2)*{sar},Y-H/2)-90),8),235,16)':cb=128:cr=128";
    let drawn = |name: &str, size: &str, sar: &str, codec: &[&str]| {
        let graph =
            format!("color=black:s={size}:r=25:d=4,{},setsar={sar}", ring.replace("{sar}", &format!("({sar})")));
        stage.drawn(name, &graph, codec);
    };
    drawn("nearly.mp4", "240x240", "320/319", &codec);
    drawn("tall.mkv", "320x240", "3/4", &["-c:v", "mpeg4", "-q:v", "3"]);
    drawn("wide.mp4", "320x360", "16/9", &codec);
    let report = stage.fixed(&["--aspect", "pad", "--prefer", "1:1"]);
    assert_eq!(report.action("nearly.mp4"), "passthrough");
    for (name, shown) in [("tall.mkv", None), ("wide.mp4", Some(360))] {
        assert_eq!(report.action(name), "encode", "{name}");
        let output = stage.out(name);
        assert_eq!(stream(&output, "v:0", "sample_aspect_ratio"), ["1:1"], "{name}");
        let (width, height) = size(&output);
        assert_eq!(width, height, "{name}");
        assert!(shown.is_none_or(|source| width > source), "{name}: {width}");
        // The ring is as wide as it is high.
        let light = rgb(&output, "2", "null");
        let lit: Vec<(usize, usize)> = light
            .chunks(3)
            .enumerate()
            .filter(|(_, pixel)| pixel[1] > 128)
            .map(|(at, _)| (at % width as usize, at / width as usize))
            .collect();
        let span = |values: Vec<usize>| values.iter().max().unwrap() - values.iter().min().unwrap();
        let across = span(lit.iter().map(|(x, _)| *x).collect());
        let down = span(lit.iter().map(|(_, y)| *y).collect());
        assert!(across.abs_diff(down) <= 3, "{name}: a ring of {across} by {down}");
    }
}

/// 16:9 into 9:16, three ways.
#[test]
fn row_21_a_wide_video_becomes_tall_by_blur_pad_and_crop() {
    let stage = Stage::new();
    let bt709 = ["-colorspace", "bt709", "-color_trc", "bt709", "-color_primaries", "bt709", "-crf", "8"];
    // Dark but for its middle, where red is: a cut leaves it, and a blurred backdrop is lit by it.
    let picture = "testsrc2=s=854x480:r=25:d=4";
    let source = stage.drawn("wide.mp4", picture, &[&H264[..], &bt709].concat());
    let fixed = |options: &[&str]| {
        let options = [&["--prefer", "9:16", "--quality", "8", "--overwrite"], options].concat();
        let report = stage.fixed(&options);
        let (width, height) = size(&stage.out("wide.mp4"));
        assert!((width * 16).abs_diff(height * 9) <= 32, "{width}x{height}");
        (report.action("wide.mp4").to_owned(), width, height)
    };
    let output = stage.out("wide.mp4");
    for (options, flat) in [
        (&["--aspect", "blur"][..], None),
        (&["--aspect", "pad"], Some([0, 0, 0])),
        (&["--aspect", "pad", "--pad-color", "#336699"], Some([0x33, 0x66, 0x99])),
    ] {
        let (action, width, height) = fixed(options);
        assert_eq!(action, "encode");
        let shown = (width * 480 / 854) & !1;
        let top = (height - shown) / 2;
        let band = rgb(&output, "2", &format!("crop={width}:{shown}:0:{top}:exact=1,scale=427:240:flags=area"));
        let difference = mean_difference(&rgb(&source, "2", "scale=427:240:flags=area"), &band);
        assert!(difference < 6.0, "{options:?}: the picture differs by {difference}");
        let corners = [(0, 0), (width - 32, 0), (0, height - 32), (width - 32, height - 32)];
        let seen = corners.map(|(x, y)| colour(&output, "2", &format!("32:32:{x}:{y}")));
        if let Some(flat) = flat {
            for corner in seen {
                let off = corner.iter().zip(flat).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max().unwrap();
                assert!(off <= 4, "{options:?}: {corner:?}");
            }
        } else {
            assert!(seen.iter().any(|corner| corner != &seen[0]), "a backdrop of one colour: {seen:?}");
            assert!(seen.iter().flatten().any(|value| *value > 32), "a black backdrop: {seen:?}");
            // Blurred: neighbours are alike.
            let strip = rgb(&output, "2", &format!("crop={width}:1:0:40:exact=1"));
            let step = strip.windows(4).map(|four| four[0].abs_diff(four[3])).max().unwrap();
            assert!(step < 24, "a sharp edge of {step} steps");
        }
    }
    let (action, width, height) = fixed(&["--aspect", "crop"]);
    assert_eq!((action.as_str(), height), ("edit", 480), "nothing is decoded for a crop");
    // Players obey a cut at the left in steps of 64 columns: as near to the middle as that allows.
    let left = (854 - width) / 2;
    let (whole, made) = (rgb(&source, "2", "null"), rgb(&output, "2", "null"));
    let side = width as usize * 3;
    let difference = |left: u32| {
        let rows = whole.chunks(854 * 3).flat_map(|row| &row[left as usize * 3..][..side]).copied();
        mean_difference(&rows.collect::<Vec<_>>(), &made)
    };
    let cut = (left - 32..=left + 32).map(difference).fold(f64::MAX, f64::min);
    assert!(cut < 0.5, "the middle differs by {cut}");
}
