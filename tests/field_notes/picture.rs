//! What the picture looks like: upright, in its colours, whole pictures, for every player.

use std::path::Path;

use crate::stage::{H264, Stage, rgb, size, stream};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, mean_difference, text};

/// Red, green, blue and white quarters, in reading order.
fn quarters(width: u32, height: u32, seconds: u32) -> String {
    let (w, h) = (width / 2, height / 2);
    let part = |colour: &str| format!("color={colour}:s={w}x{h}:r=25:d={seconds}");
    format!(
        "{}[a];{}[b];{}[c];{}[d];[a][b]hstack[t];[c][d]hstack[u];[t][u]vstack",
        part("red"),
        part("0x00ff00"),
        part("blue"),
        part("white")
    )
}

/// Whether a player shows red, green, blue and white in reading order within this rectangle of the picture.
fn is_upright(path: &Path, (left, top, width, height): (u32, u32, u32, u32)) {
    let expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
    let shown = rgb(path, "1", &format!("crop={width}:{height}:{left}:{top}:exact=1"));
    for (number, expected) in (0..).zip(expected) {
        // The middle of each quarter.
        let (x, y) = (width / 2 * (number % 2) + width / 4, height / 2 * (number / 2) + height / 4);
        let seen = &shown[(y * width + x) as usize * 3..][..3];
        let off = seen.iter().zip(expected).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max().unwrap();
        assert!(off < 48, "quarter {number} is {seen:?}, not {expected:?}: {}", path.display());
    }
}

/// How a picture may lie in its file: name, the display matrix `a b c d` (ISO/IEC 14496-12 §8.3.2), and what makes the
/// coded picture of the upright one.
const ORIENTATIONS: [(&str, [i32; 4], &str); 8] = [
    ("0", [1, 0, 0, 1], "null"),
    ("90", [0, 1, -1, 0], "transpose=cclock"),
    ("180", [-1, 0, 0, -1], "hflip,vflip"),
    ("270", [0, -1, 1, 0], "transpose=clock"),
    ("mirrored", [-1, 0, 0, 1], "hflip"),
    ("mirrored-180", [1, 0, 0, -1], "vflip"),
    ("mirrored-90", [0, 1, 1, 0], "transpose=cclock_flip"),
    ("mirrored-270", [0, -1, -1, 0], "transpose=clock_flip"),
];

/// Writes the display matrix of the first track (version 0 of its header), which ffmpeg's command line cannot mirror.
fn turn(path: &Path, [a, b, c, d]: [i32; 4]) {
    let mut bytes = std::fs::read(path).unwrap();
    let matrix = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4 + 40;
    assert_eq!(bytes[matrix..matrix + 4], [0, 1, 0, 0], "not where the matrix is");
    for (at, value) in [(0, a), (4, b), (12, c), (16, d)] {
        bytes[matrix + at..matrix + at + 4].copy_from_slice(&(value * 0x1_0000).to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

fn matrix(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let matrix = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4 + 40;
    [&bytes[matrix..matrix + 8], &bytes[matrix + 12..matrix + 20]].concat()
}

/// Sideways, or turned twice: on a copy the matrix stays, on an encode it is obeyed and gone.
#[test]
fn row_01_every_turn_and_mirror_is_upright_after_a_copy_and_after_an_encode() {
    let stage = Stage::new();
    for (name, matrix, coded) in ORIENTATIONS {
        for (kind, (width, height)) in [("copy", (272, 480)), ("encode", (480, 272))] {
            let graph = format!("{},{coded}", quarters(width, height, 4));
            // A place forces a copy to be written anew.
            let options = [&H264[..], &["-crf", "12", "-metadata", "location=+48.8577+002.2950/"]].concat();
            let path = stage.drawn(&format!("{kind}-{name}.mov"), &graph, &options);
            turn(&path, matrix);
            is_upright(&path, (0, 0, width, height));
        }
    }
    let report = stage.fixed(&["--aspect", "pad", "--prefer", "1:1"]);
    for (name, ..) in ORIENTATIONS {
        let copied = format!("copy-{name}.mov");
        assert_eq!(report.action(&copied), "remux", "{name}");
        assert_eq!(matrix(&stage.out(&copied)), matrix(&stage.raw(&copied)), "{name}");
        is_upright(&stage.out(&copied), (0, 0, 272, 480));

        let encoded = format!("encode-{name}.mov");
        assert_eq!(report.action(&encoded), "encode", "{name}");
        let one = 0x1_0000_i32.to_be_bytes();
        let identity = [one, [0; 4], [0; 4], one].concat();
        assert_eq!(matrix(&stage.out(&encoded)), identity, "{name}");
        assert_eq!(size(&stage.out(&encoded)), (480, 480), "{name}");
        is_upright(&stage.out(&encoded), (0, 104, 480, 272));
    }
}

/// Range, matrix, transfer and primaries by the parameter sets, and the same by `colr`.
fn colour_tags(path: &Path) -> ([String; 4], Vec<u8>) {
    let annexb = path.with_extension("h264");
    ffmpeg(&["-i", text(path), "-map", "0:v", "-c", "copy", "-f", "h264", text(&annexb)]);
    let told = stream(&annexb, "v:0", "color_range,color_space,color_transfer,color_primaries").try_into().unwrap();
    std::fs::remove_file(annexb).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let colr = bytes.windows(4).position(|four| four == b"colr").unwrap() + 4;
    (told, bytes[colr..colr + 11].to_vec())
}

/// Grey, or in other colours: all four fields say what the samples are.
#[test]
fn row_02_hdr_untagged_and_full_range_come_out_as_tagged_sdr_of_the_same_colours() {
    let stage = Stage::new();
    let x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none"];
    for (name, transfer) in [("hlg.mp4", "arib-std-b67"), ("pq.mov", "smpte2084")] {
        // Red as it would be at the white of a television: in both curves a good part of the scale.
        let red = format!(
            "color=0xc02020:s=240x240:r=25:d=4,format=gbrp,zscale=pin=709:tin=709:min=gbr:p=2020:t={transfer}:m=2020_ncl:\
             r=limited:npl=200,format=yuv420p10le"
        );
        let tags =
            ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc", "-color_range", "tv"];
        stage.drawn(name, &red, &[&x265[..], &tags, &["-tag:v", "hvc1"]].concat());
    }
    // A codec that says nothing, so that the size decides: 576 lines and fewer are of standard definition.
    for (name, size, matrix) in [("sd.avi", "320x320", "bt601"), ("hd.avi", "720x720", "bt709")] {
        let graph =
            format!("color=0xc02020:s={size}:r=25:d=4,format=gbrp,scale=out_color_matrix={matrix}:out_range=tv");
        stage.drawn(name, &graph, &["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"]);
        assert_eq!(stream(&stage.raw(name), "v:0", "color_space"), ["unknown"], "{name}");
    }
    let full = "color=0xc02020:s=240x240:r=25:d=4,format=gbrp,zscale=m=709:r=full,format=yuv444p";
    let tags = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "pc"];
    stage.drawn("full.mkv", full, &[&["-c:v", "libx264", "-pix_fmt", "yuv444p"], &tags[..]].concat());

    let report = stage.fixed(&[]);
    let bt709 = ["tv", "bt709", "bt709", "bt709"];
    for (name, names, codes) in [
        ("hlg.mp4", bt709, [1, 1, 1]),
        ("pq.mov", bt709, [1, 1, 1]),
        ("hd.avi", bt709, [1, 1, 1]),
        ("full.mkv", bt709, [1, 1, 1]),
        ("sd.avi", ["tv", "smpte170m", "smpte170m", "smpte170m"], [6, 6, 6]),
    ] {
        assert_eq!(report.action(name), "encode", "{name}");
        let output = stage.out(name);
        let [primaries, transfer, matrix] = codes;
        let nclx = [b"nclx".as_slice(), &[0, primaries, 0, transfer, 0, matrix, 0]].concat();
        assert_eq!(colour_tags(&output), (names.map(str::to_owned), nclx), "{name}");
        let matrix = if names[1] == "bt709" { "bt709" } else { "bt601" };
        let [red, green, blue]: [u8; 3] =
            rgb(&output, "1", &format!("scale=1:1:in_color_matrix={matrix}:in_range=tv:flags=area"))
                .try_into()
                .unwrap();
        if name.starts_with("hlg") || name.starts_with("pq") {
            // A tone map may be darker or lighter, but red stays red.
            assert!(red > 120 && green < red / 2 && blue < red / 2, "{name}: {red} {green} {blue}");
        } else {
            let off = red.abs_diff(0xc0).max(green.abs_diff(0x20)).max(blue.abs_diff(0x20));
            assert!(off <= 6, "{name}: {red} {green} {blue}");
        }
    }
}

/// H.264 that browsers and phones do not play.
#[test]
fn row_12_h264_is_8_bit_420_of_a_profile_that_everything_plays() {
    let stage = Stage::new();
    let picture = "testsrc2=s=240x240:r=25:d=4";
    for (name, codec) in [
        ("ten.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p10le"][..]),
        ("422.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv422p"]),
        ("444.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv444p"]),
        ("lossless.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-qp", "0"]),
        ("grey.mp4", &["-c:v", "libx264", "-pix_fmt", "gray"]),
        ("hevc.mp4", &["-c:v", "libx265", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none"]),
        ("main.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-profile:v", "main"]),
    ] {
        stage.drawn(name, picture, &[codec, &["-preset", "ultrafast"]].concat());
    }
    let report = stage.fixed(&[]);
    for name in ["ten.mp4", "422.mp4", "444.mp4", "lossless.mp4", "grey.mp4", "hevc.mp4", "main.mp4"] {
        let action = if name == "main.mp4" { "passthrough" } else { "encode" };
        assert_eq!(report.action(name), action, "{name}");
        let facts = stream(&stage.out(name), "v:0", "codec_name,profile,pix_fmt");
        assert_eq!((facts[0].as_str(), facts[2].as_str()), ("h264", "yuv420p"), "{name}");
        assert!(["Constrained Baseline", "Main", "High"].contains(&facts[1].as_str()), "{name}: {}", facts[1]);
        let difference = mean_difference(&rgb(&stage.raw(name), "2", "null"), &rgb(&stage.out(name), "2", "null"));
        assert!(difference < 8.0, "{name}: {difference}");
    }
}

/// Pictures that `idet` calls whole, and pictures that it calls interlaced.
fn whole_and_interlaced(path: &Path) -> (u64, u64) {
    let output = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-i", text(path), "-vf", "idet", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.lines().find(|line| line.contains("Multi frame detection")).unwrap();
    let count =
        |name: &str| -> u64 { line.split(name).nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap() };
    (count("Progressive:"), count("TFF:") + count("BFF:"))
}

/// Fields shown as pictures, and pictures torn into fields: the flag is a hint, what is seen decides.
#[test]
fn row_15_what_is_seen_decides_whether_fields_are_put_together() {
    let stage = Stage::new();
    let moving = "mandelbrot=maxiter=60:start_scale=2:end_scale=0.3:end_pts=60";
    // Of the height that cameras with fields have.
    let fields = format!("{moving}:s=640x480:r=50,trim=duration=4,tinterlace=interleave_top,setfield=prog");
    stage.drawn("fields-flagged-whole.mp4", &fields, &H264);
    let whole = format!("{moving}:s=480x272:r=25,trim=duration=4,setfield=tff");
    let flagged = [&H264[..], &["-crf", "10", "-flags", "+ildct+ilme", "-x264opts", "tff=1:interlaced=1"]].concat();
    stage.drawn("whole-flagged-fields.mp4", &whole, &flagged);
    let flags = |name: &str| stream(&stage.raw(name), "v:0", "field_order").concat();
    assert_ne!(flags("whole-flagged-fields.mp4"), "progressive");
    assert_eq!(flags("fields-flagged-whole.mp4"), "progressive");
    let (seen_whole, seen_fields) = whole_and_interlaced(&stage.raw("fields-flagged-whole.mp4"));
    assert!(seen_fields > seen_whole, "the source is no test: {seen_whole} {seen_fields}");

    stage.fixed(&["--aspect", "pad", "--prefer", "1:1", "--quality", "8"]);
    for name in ["fields-flagged-whole.mp4", "whole-flagged-fields.mp4"] {
        let output = stage.out(name);
        assert_eq!(stream(&output, "v:0", "field_order"), ["progressive"], "{name}");
        let (whole, fields) = whole_and_interlaced(&output);
        assert!(fields * 10 < whole, "{name}: {whole} whole, {fields} interlaced");
    }
    // Deinterlacing would have cost detail.
    let name = "whole-flagged-fields.mp4";
    let source = rgb(&stage.raw(name), "2", "null");
    let made = rgb(&stage.out(name), "2", "crop=480:272:0:104:exact=1");
    let deinterlaced = rgb(&stage.raw(name), "2", "yadif=deint=all");
    let (kept, lost) = (mean_difference(&source, &made), mean_difference(&source, &deinterlaced));
    assert!(kept * 2.0 < lost, "{kept} away from the source; deinterlaced would be {lost}");
    let pictures = |path: &Path| {
        ffprobe(path, &["-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets"])
    };
    assert_eq!(pictures(&stage.out(name)), pictures(&stage.raw(name)));
    assert!(!ffmpeg_bytes(&["-i", text(&stage.out(name)), "-f", "framemd5", "-"]).is_empty());
}
