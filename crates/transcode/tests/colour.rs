//! Colours of encodes beside ffmpeg's own conversion of the same pictures, and the tags that say what they are.

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
use pinpress_media::{Action, Encoder, Fill, Fix, FixOptions, Plan, RateStep, VideoEncode, VideoStep};
use pinpress_probe::{CodedSize, MediaInfo, Orientation, RuleId, Spec};
use pinpress_transcode::{carry_out, read};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, mean_difference, text};

/// Steps of 255 that an encode at CRF 4 and two ways of rounding may differ, on average.
const TOLERANCE: f64 = 1.6;

/// A slow gradient through all colours, and bars: where a matrix, a range or a curve is wrong, it shows.
const PICTURE: &str = "gradients=s=320x240:c0=0xd03020:c1=0x2040d0:c2=0x30c040:c3=0xf0f0f0:n=4:x0=0:y0=0:x1=319:y1=239:\
                       d=1:r=25:speed=0.00001:seed=7";

fn facts(path: &Path) -> MediaInfo {
    read(path, &Cancel::new(), &mut |_| {}).unwrap()
}

/// The picture encoded as it is, nearly without loss.
fn encoded(source: &Path) -> PathBuf {
    let info = facts(source);
    let video = info.primary_video().unwrap();
    let size = CodedSize { width: video.coded.width & !1, height: video.coded.height & !1 };
    let hdr = matches!(video.colour.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"));
    let step = VideoStep::Encode(VideoEncode {
        stream: video.index,
        rules: vec![RuleId::PixelFormat],
        deinterlace: false,
        tone_map: hdr,
        orientation: Orientation::UPRIGHT,
        clean_aperture: None,
        picture: size,
        canvas: size,
        fill: Fill::None,
        rate: RateStep::Keep,
        encoder: Encoder::X264,
        quality: 4,
        preset: "ultrafast".to_owned(),
        max_bit_rate: None,
    });
    let plan = Plan { action: Action::Encode, video: Some(step), ..Plan::passthrough(info.duration) };
    let rules = "name = \"mechanics\"\nversion = \"1\"\nsource = \"tests\"\n[container]\nallowed = [\"mp4\"]\n";
    let spec = Spec::parse(rules, "mechanics").unwrap();
    let output = source.with_extension("out.mp4");
    let options = FixOptions { threads: 2, ..FixOptions::default() };
    let fix = Fix { source, info: &info, spec: &spec, options: &options, output: &output, part: None };
    carry_out(fix, plan, &Cancel::new(), &mut |_| {}).unwrap();
    output
}

/// A source of the picture, brought by zscale to these terms and tagged with them.
fn source(folder: &Path, name: &str, size: &str, zscale: &str, format: &str, codec: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let graph = format!("{},format=gbrp,zscale={zscale},format={format}", PICTURE.replace("320x240", size));
    ffmpeg(&[&["-f", "lavfi", "-i", &graph, "-frames:v", "5"], codec, &[text(&path)]].concat());
    path
}

/// The first picture as RGB by zscale, through these filters.
fn rgb(path: &Path, filters: &str) -> Vec<u8> {
    let filters = format!("{filters}format=gbrp,format=rgb24");
    ffmpeg_bytes(&["-i", text(path), "-vf", &filters, "-frames:v", "1", "-f", "rawvideo", "-"])
}

/// Primaries, transfer, matrix and range by the VUI of the coded stream, and by `colr`.
fn tags(path: &Path) -> ([String; 4], Vec<u8>) {
    let entries = "stream=color_range,color_space,color_transfer,color_primaries";
    let annexb = path.with_extension("h264");
    ffmpeg(&["-i", text(path), "-c", "copy", "-f", "h264", text(&annexb)]);
    let told = ffprobe(&annexb, &["-select_streams", "v:0", "-show_entries", entries]);
    let bytes = std::fs::read(path).unwrap();
    let colr = bytes.windows(4).position(|four| four == b"colr").unwrap() + 4;
    (told.try_into().unwrap(), bytes[colr..colr + 11].to_vec())
}

fn is_tagged(path: &Path, names: [&str; 4], codes: [u8; 3]) {
    let (vui, colr) = tags(path);
    assert_eq!(vui, names, "VUI of {}", path.display());
    let [primaries, transfer, matrix] = codes;
    let expected = [b"nclx".as_slice(), &[0, primaries, 0, transfer, 0, matrix, 0]].concat();
    assert_eq!(colr, expected, "colr of {}", path.display());
}

const BT709: [&str; 4] = ["tv", "bt709", "bt709", "bt709"];

/// To RGB by the tags of BT.709, limited range.
const FROM_709: &str = "zscale=min=709:rin=limited:m=gbr:r=full,";

#[test]
fn full_range_and_every_sampling_become_limited_420_of_the_same_colours() {
    let folder = folder();
    let x264 = ["-c:v", "libx264", "-crf", "2", "-preset", "ultrafast"];
    let cases = [
        ("full.mp4", "m=709:r=full", "yuv420p", "full", &["-color_range", "pc"][..]),
        ("ten.mp4", "m=709:r=limited", "yuv420p10le", "limited", &["-color_range", "tv"][..]),
        ("422.mp4", "m=709:r=limited", "yuv422p", "limited", &["-color_range", "tv"][..]),
        ("444.mp4", "m=709:r=limited", "yuv444p", "limited", &["-color_range", "tv"][..]),
        ("444-ten-full.mp4", "m=709:r=full", "yuv444p10le", "full", &["-color_range", "pc"][..]),
    ];
    for (name, zscale, format, range, tag) in cases {
        let bt709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
        let source = source(folder.path(), name, "320x240", zscale, format, &[&x264[..], tag, &bt709].concat());
        assert_eq!(facts(&source).primary_video().unwrap().colour.full_range, Some(range == "full"), "{name}");
        let output = encoded(&source);
        is_tagged(&output, BT709, [1, 1, 1]);
        let theirs = rgb(&source, &format!("zscale=min=709:rin={range}:m=gbr:r=full,"));
        let difference = mean_difference(&theirs, &rgb(&output, FROM_709));
        eprintln!("{name}: {difference}");
        assert!(difference < TOLERANCE, "{name}: {difference}");
        // The comparison can fail: the other range is several steps away.
        let other = if range == "full" { "limited" } else { "full" };
        let wrong = rgb(&source, &format!("zscale=min=709:rin={other}:m=gbr:r=full,"));
        assert!(mean_difference(&wrong, &rgb(&output, FROM_709)) > 2.0 * TOLERANCE, "{name}");
    }
}

#[test]
fn what_has_no_tags_gets_those_of_its_size() {
    let folder = folder();
    let x264 = ["-c:v", "libx264", "-crf", "2", "-preset", "ultrafast"];
    for (name, size, matrix, names, codes, read) in [
        ("sd.mp4", "720x576", "170m", ["tv", "smpte170m", "smpte170m", "smpte170m"], [6, 6, 6], "170m"),
        ("hd.mp4", "1280x720", "709", BT709, [1, 1, 1], "709"),
    ] {
        let source = source(folder.path(), name, size, &format!("m={matrix}:r=limited"), "yuv420p", &x264);
        // zscale's tags go into the file with its frames: they are taken out again.
        let untagged = folder.path().join(format!("untagged-{name}"));
        let clear =
            "h264_mp4toannexb,h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2";
        let raw = folder.path().join("raw.h264");
        ffmpeg(&["-y", "-i", text(&source), "-c", "copy", "-bsf:v", clear, "-f", "h264", text(&raw)]);
        ffmpeg(&["-r", "25", "-i", text(&raw), "-c", "copy", text(&untagged)]);
        assert_eq!(facts(&untagged).primary_video().unwrap().colour.matrix, None, "{name}");
        let output = encoded(&untagged);
        is_tagged(&output, names, codes);
        let told = format!("zscale=min={read}:rin=limited:m=gbr:r=full,");
        let difference = mean_difference(&rgb(&source, &told), &rgb(&output, &told));
        assert!(difference < TOLERANCE, "{name}: {difference}");
    }
}

#[test]
fn hdr_is_mapped_as_by_ffmpegs_own_chain_and_tagged_as_sdr() {
    let folder = folder();
    let x265 = ["-c:v", "libx265", "-x265-params", "log-level=none:qp=4", "-preset", "ultrafast"];
    for (name, transfer, tag) in [("pq.mp4", "smpte2084", "smpte2084"), ("hlg.mp4", "arib-std-b67", "arib-std-b67")] {
        let zscale = format!("tin=709:pin=709:npl=100:t={transfer}:p=2020:m=2020_ncl:r=limited");
        let tags = ["-color_range", "tv", "-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", tag];
        let source = source(folder.path(), name, "320x240", &zscale, "yuv420p10le", &[&x265[..], &tags].concat());
        assert!(facts(&source).primary_video().unwrap().is_hdr(), "{name}");
        let output = encoded(&source);
        is_tagged(&output, BT709, [1, 1, 1]);
        let chain = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,\
                     zscale=t=bt709:m=bt709:r=tv,format=yuv420p,";
        let theirs = rgb(&source, &format!("{chain}{FROM_709}"));
        let ours = rgb(&output, FROM_709);
        let difference = mean_difference(&theirs, &ours);
        eprintln!("{name}: {difference}");
        assert!(difference < TOLERANCE, "{name}: {difference}");
        // Taken for SDR it would be grey.
        let grey = rgb(&source, "zscale=tin=709:min=2020_ncl:pin=709:m=gbr:r=full,");
        assert!(mean_difference(&grey, &ours) > 4.0 * TOLERANCE, "{name}: {}", mean_difference(&grey, &ours));
    }
}
