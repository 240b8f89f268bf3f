//! Facts against ffprobe's, over the real clips.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../../av/tests/support/mod.rs"]
mod support;

use std::path::Path;

use pinpress_av::Cancel;
use pinpress_media::{Failure, FailureKind};
use pinpress_probe::{Anomaly, Container, MediaInfo, PrivateTag, Scan};
use serde_json::Value;
use support::{ffmpeg, folder, good_clips, media, text};

/// A frame or an audio packet more or less at either end; or two frames, where a file has no edit list to take the
/// reordering delay away, which its header leaves out of the duration.
const DURATION_TOLERANCE_MS: f64 = 70.0;

/// ffprobe rounds what it estimates.
const RATE_TOLERANCE: f64 = 0.002;

/// What ffprobe calls the average of a variable rate counts the first or last picture otherwise, by container.
const VARIABLE_TOLERANCE: f64 = 0.03;

fn read(path: &Path) -> Result<MediaInfo, Failure> {
    pinpress_transcode::read(path, &Cancel::new(), &mut |_| {})
}

fn judge(path: &Path) -> Value {
    let output = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-show_format", "-show_streams", "-count_packets", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fraction(text: &str) -> f64 {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap()
}

#[test]
fn facts_agree_with_ffprobe_on_every_good_clip() {
    for path in good_clips() {
        let name = path.display();
        let info = read(&path).unwrap();
        let judge = judge(&path);
        let streams = judge["streams"].as_array().unwrap();
        let of_kind = |kind: &str| {
            let kind = kind.to_owned();
            streams
                .iter()
                .filter(move |stream| stream["codec_type"] == kind && stream["disposition"]["attached_pic"] == 0)
                .collect::<Vec<_>>()
        };
        let (videos, sounds) = (of_kind("video"), of_kind("audio"));
        assert_eq!(info.video.len(), videos.len(), "pictures: {name}");
        assert_eq!(info.audio.len(), sounds.len(), "sounds: {name}");
        assert_eq!(info.other.len(), streams.len() - videos.len() - sounds.len(), "others: {name}");

        for (ours, theirs) in info.video.iter().zip(&videos) {
            assert_eq!(ours.codec, theirs["codec_name"], "{name}");
            assert_eq!(u64::from(ours.coded.width), theirs["width"], "{name}");
            assert_eq!(u64::from(ours.coded.height), theirs["height"], "{name}");
            let format = ours.pixel_format.as_ref().unwrap();
            assert_eq!(format.name, theirs["pix_fmt"].as_str().unwrap().replace("yuvj", "yuv"), "{name}");
            let profile = theirs["profile"].as_str().filter(|profile| profile.parse::<i32>().is_err());
            assert_eq!(ours.profile.as_deref(), profile, "{name}");
            let sides = theirs["side_data_list"].as_array().cloned().unwrap_or_default();
            let turn = sides.iter().find_map(|side| side["rotation"].as_i64()).unwrap_or(0);
            // ffprobe counts counter-clockwise.
            assert_eq!(i64::from(ours.orientation.rotation.degrees()), (-turn).rem_euclid(360), "{name}");
            let aspect = theirs["sample_aspect_ratio"].as_str().filter(|aspect| *aspect != "0:1");
            assert_eq!(ours.sample_aspect.map(|aspect| aspect.to_string()).as_deref(), aspect, "{name}");
            let order = theirs["field_order"].as_str();
            assert_eq!(
                ours.scan == Some(Scan::Interlaced),
                order.is_some_and(|order| order != "progressive"),
                "{name}"
            );
            assert_eq!(ours.colour.transfer.as_deref(), theirs["color_transfer"].as_str(), "{name}");
            assert_eq!(ours.colour.primaries.as_deref(), theirs["color_primaries"].as_str(), "{name}");
            assert_eq!(ours.colour.matrix.as_deref(), theirs["color_space"].as_str(), "{name}");
            let dovi = sides.iter().any(|side| side["side_data_type"] == "DOVI configuration record");
            assert_eq!(ours.dolby_vision, dovi, "{name}");
        }
        for (ours, theirs) in info.audio.iter().zip(&sounds) {
            assert_eq!(ours.codec, theirs["codec_name"], "{name}");
            assert_eq!(
                ours.sample_rate.map(|rate| rate.to_string()).as_deref(),
                theirs["sample_rate"].as_str(),
                "{name}"
            );
            assert_eq!(ours.channels.map(u64::from), theirs["channels"].as_u64(), "{name}");
            if ours.codec == "aac" {
                assert_eq!(ours.profile.as_deref(), theirs["profile"].as_str(), "{name}");
            }
        }
        // ffprobe counts subtitles that go on after the last picture.
        let subtitled = streams.iter().any(|stream| stream["codec_type"] == "subtitle");
        if let Some(duration) = judge["format"]["duration"].as_str().filter(|_| !subtitled) {
            let theirs = duration.parse::<f64>().unwrap() * 1000.0;
            let start =
                judge["format"]["start_time"].as_str().map_or(0.0, |start| start.parse::<f64>().unwrap() * 1000.0);
            let ours = info.duration.unwrap().millis() as f64;
            // ISO BMFF's duration counts from time zero, though nothing may be shown yet.
            let off = (ours - theirs).abs().min((ours - (theirs - start)).abs());
            assert!(off <= DURATION_TOLERANCE_MS, "{ours} and not {theirs} ms: {name}");
        }
    }
}

#[test]
fn frame_rates_agree_with_the_frames_that_ffprobe_decodes() {
    for path in good_clips() {
        let name = path.display();
        let info = read(&path).unwrap();
        let video = info.primary_video().unwrap();
        let times: Vec<f64> =
            support::ffprobe(&path, &["-select_streams", "V:0", "-show_entries", "frame=best_effort_timestamp_time"])
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect();
        let rate = video.frame_rate.unwrap().rational();
        let ours = rate.num() as f64 / rate.den() as f64;
        if times.len() < 10 {
            continue;
        }
        let span = times[times.len() - 1] - times[0];
        let counted = (times.len() - 1) as f64 / span;
        let off = |theirs: f64| (ours / theirs - 1.0).abs();
        if video.variable_frame_rate == Some(true) {
            // The last picture's own duration is among ours, and among what an index says; Ogg declares a grid.
            let entry = ["-select_streams", "V:0", "-show_entries", "stream=avg_frame_rate"];
            let declared = fraction(&support::ffprobe(&path, &entry)[0]);
            assert!(
                off(declared).min(off(counted)) < VARIABLE_TOLERANCE,
                "{ours}, not {declared} or {counted}: {name}"
            );
        } else {
            assert!(off(counted) < RATE_TOLERANCE + 0.001 / span, "{ours} and not {counted} fps: {name}");
        }
        let (slowest, fastest) = (video.min_frame_rate.unwrap(), video.max_frame_rate.unwrap());
        assert!(slowest <= video.frame_rate.unwrap() && video.frame_rate.unwrap() <= fastest, "{name}");
        if video.variable_frame_rate == Some(true) {
            let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (short, long) =
                (steps.iter().copied().fold(f64::MAX, f64::min), steps.iter().copied().fold(0.0, f64::max));
            assert!(long - short > 1e-4, "called variable, but all steps are near {short} s: {name}");
        }
    }
}

#[test]
fn exact_rates_come_out_of_rounded_timestamps() {
    let folder = folder();
    for rate in ["24000/1001", "24/1", "25/1", "30000/1001", "60000/1001", "15/2"] {
        for container in ["mkv", "flv", "ts", "mp4", "mov"] {
            let path = folder.path().join(format!("clip.{container}"));
            let source = format!("testsrc2=s=64x48:d=4:r={rate}");
            ffmpeg(&["-f", "lavfi", "-i", &source, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", text(&path)]);
            let info = read(&path).unwrap();
            let video = info.primary_video().unwrap();
            assert_eq!(
                video.frame_rate.map(|rate| rate.rational().to_fraction()).as_deref(),
                Some(rate),
                "{container}"
            );
            assert_eq!(video.variable_frame_rate, Some(false), "{rate} in {container}");
            let millis = info.duration.unwrap().millis();
            assert!((3950..=4140).contains(&millis), "{millis}: {rate} in {container}");
        }
    }
}

#[test]
fn variable_rates_are_seen_with_their_extremes() {
    let folder = folder();
    let path = folder.path().join("variable.mp4");
    // Two seconds of 30 fps; then every third picture alone, so 10 fps.
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x48:d=4:r=30",
        "-vf",
        "select='lt(t,2)+not(mod(n,3))'",
        "-vsync",
        "vfr",
        "-c:v",
        "libx264",
        text(&path),
    ]);
    let info = read(&path).unwrap();
    let video = info.primary_video().unwrap();
    assert_eq!(video.variable_frame_rate, Some(true));
    assert_eq!(video.min_frame_rate.unwrap().rational().to_fraction(), "10/1");
    assert_eq!(video.max_frame_rate.unwrap().rational().to_fraction(), "30/1");
    let rate = video.frame_rate.unwrap().rational();
    let average = rate.num() as f64 / rate.den() as f64;
    assert!((19.5..20.5).contains(&average), "{average}");
}

#[test]
fn containers_go_by_content_and_tags_by_kind() {
    let folder = folder();
    let source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:d=1:r=25", "-c:v", "libx264", "-pix_fmt", "yuv420p"];
    let make = |name: &str, options: &[&str]| {
        let path = folder.path().join(name);
        ffmpeg(&[&source[..], options, &[text(&path)]].concat());
        read(&path).unwrap()
    };
    assert_eq!(make("a.mkv", &["-f", "matroska"]).container, Container::Matroska);
    assert_eq!(make("a.mp4", &["-f", "matroska"]).container, Container::Matroska, "a wrong name");
    assert_eq!(make("a.mov", &["-f", "mov"]).container, Container::Mov);
    assert_eq!(make("b.mp4", &["-f", "mp4"]).container, Container::Mp4);
    assert_eq!(make("c.m4v", &["-f", "ipod", "-brand", "M4V "]).container, Container::M4v);
    assert_eq!(make("a.ts", &[]).container, Container::MpegTs);
    assert_eq!(make("a.flv", &[]).container, Container::Flv);
    assert_eq!(make("a.avi", &[]).container, Container::Avi);
    assert_eq!(make("a.webm", &["-c:v", "libvpx"]).container, Container::Webm);
    let late = make("late.mp4", &[]);
    assert_eq!((late.faststart, late.fragmented), (Some(false), false));
    assert_eq!(make("fast.mp4", &["-movflags", "+faststart"]).faststart, Some(true));
    assert!(make("fragments.mp4", &["-movflags", "+frag_keyframe+empty_moov"]).fragmented);
    let tagged = make(
        "tagged.mov",
        &[
            "-movflags",
            "use_metadata_tags",
            "-metadata",
            "com.apple.quicktime.location.ISO6709=+48.2+16.3/",
            "-metadata",
            "com.apple.quicktime.make=Example",
            "-metadata",
            "title=A title",
        ],
    );
    assert_eq!(tagged.private, [PrivateTag::Location, PrivateTag::Device]);
    assert_eq!(late.private, []);
}

#[test]
fn a_cut_file_tells_how_much_is_whole() {
    let folder = folder();
    let path = folder.path().join("cut.mp4");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=10:r=25",
        "-c:v",
        "libx264",
        "-g",
        "25",
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
        text(&path),
    ]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let info = read(&path).unwrap();
    let [Anomaly::Truncated { whole: Some(whole) }] = info.anomalies.as_slice() else { panic!("{:?}", info.anomalies) };
    assert!((3_500..6_500).contains(&whole.millis()), "{whole}");
    // Without its index nothing can be read at all.
    let path = folder.path().join("open.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=160x120:d=2:r=25", "-c:v", "libx264", text(&path)]);
    let bytes = std::fs::read(&path).unwrap();
    let moov = bytes.windows(4).rposition(|four| four == b"moov").unwrap();
    std::fs::write(&path, &bytes[..moov - 4]).unwrap();
    assert_eq!(read(&path).unwrap_err().kind, FailureKind::Incomplete);
}

#[test]
fn what_is_no_video_is_named_as_such() {
    let folder = folder();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read(&path).map(|info| info.container).unwrap_err()
    };
    assert_eq!(write("text.mp4", &b"hello world, ".repeat(500)).kind, FailureKind::NotAVideo);
    assert_eq!(write("empty.mp4", b"").kind, FailureKind::NotAVideo);
    let sound = folder.path().join("sound.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", text(&sound)]);
    let failure = read(&sound).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotAVideo);
    assert!(failure.message.contains("sound alone"), "{failure}");
    assert_eq!(read(&folder.path().join("missing.mp4")).unwrap_err().kind, FailureKind::Io);
    assert_eq!(read(folder.path()).unwrap_err().kind, FailureKind::NotAVideo);
}

/// Playlists that name another file and a host, under an innocent name.
#[test]
fn a_playlist_named_mp4_opens_nothing_else() {
    let folder = folder();
    let real = folder.path().join("real.ts");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=64x48:d=1:r=25", "-c:v", "libx264", text(&real)]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = format!("http://{}/x.ts", listener.local_addr().unwrap());
    for target in [text(&real), &host] {
        for (name, content) in [
            ("hls.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n")),
            ("concat.mp4", format!("ffconcat version 1.0\nfile '{target}'\n")),
            (
                "dash.mp4",
                format!(
                    "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
                     mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp2t\">\
                     <Representation id=\"1\" bandwidth=\"1\"><BaseURL>{target}</BaseURL></Representation>\
                     </AdaptationSet></Period></MPD>"
                ),
            ),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let failure = read(&path).unwrap_err();
            assert_eq!(failure.kind, FailureKind::NotAVideo, "{name} of {target}: {failure}");
        }
    }
    assert!(listener.accept().is_err(), "something connected");
}

#[test]
fn malformed_clips_are_named_for_what_they_are() {
    let Some(clips) = media() else { return };
    let outcome = |name: &str| read(&clips.join("malformed").join(name)).map_err(|failure| failure.kind);
    assert_eq!(outcome("mp4parse-rust__chunk_out_of_range.mp4"), Err(FailureKind::Corrupt));
    assert_eq!(outcome("mp4parse-rust__invalid_userdata.mp4"), Err(FailureKind::Corrupt), "no mdat");
    assert_eq!(outcome("mp4ff__init_truncated.mp4"), Err(FailureKind::NotAVideo), "no track");
    let odd = outcome("mp4parse-rust__no_timescale.mp4").unwrap();
    assert!(odd.anomalies.contains(&Anomaly::OddDisplayMatrix { stream: 0 }), "{:?}", odd.anomalies);
    let noisy = outcome("mediabunny__annex-b.mp4").unwrap();
    assert!(matches!(noisy.anomalies[..], [Anomaly::CorruptPackets { .. }]), "{:?}", noisy.anomalies);
    let uneven = outcome("mp4parse-rust__test_case_1185230.mp4").unwrap();
    assert!(matches!(uneven.anomalies[..], [Anomaly::UnevenStreams { .. }]), "{:?}", uneven.anomalies);
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_are_names() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder();
    let plain = folder.path().join("plain.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=64x48:d=1:r=25", "-c:v", "libx264", text(&plain)]);
    for name in [&b"a\xff b.mp4"[..], b"concat:a|b.mp4", b"http:x.mp4", b"%03d.mp4", b"-i.mp4", b"new\nline.mp4"] {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::copy(&plain, &path).unwrap();
        assert_eq!(read(&path).unwrap().video[0].frame_count, Some(25), "{path:?}");
    }
}

/// What an edit without decoding stands on, told by two readers that share no code but the parameter set's.
#[test]
fn both_readers_agree_on_cropping_and_on_how_a_picture_begins() {
    let mut compared = 0;
    for path in good_clips() {
        let source = pinpress_probe::Source::open(&path).unwrap();
        let pinpress_probe::sample_table::Decision::Facts(table) = pinpress_probe::sample_table::read(&source).unwrap()
        else {
            continue;
        };
        let (table, libav) = (&table.video[0], &read(&path).unwrap().video[0]);
        assert_eq!(table.cropping, libav.cropping, "{}", path.display());
        assert_eq!(table.clean_start, libav.clean_start, "{}", path.display());
        compared += usize::from(table.cropping.is_some());
    }
    if !good_clips().is_empty() {
        assert!(compared > 10, "{compared} H.264 clips were decided by their tables");
    }
}

/// The description of the picture's rate in its sample entry gives its place to a configuration of Dolby Vision.
#[test]
fn the_profile_of_dolby_vision_is_a_fact() {
    let folder = folder();
    let path = folder.path().join("a.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=320x240:d=1:r=25", "-c:v", "libx264", "-b:v", "200k", text(&path)]);
    assert_eq!(read(&path).unwrap().primary_video().unwrap().dolby_vision_profile, None);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|four| four == b"btrt").unwrap();
    bytes[at..at + 4].copy_from_slice(b"dvcC");
    bytes[at + 4..at + 16].copy_from_slice(&[1, 0, 5 << 1, 0x0D, 0, 0, 0, 0, 0, 0, 0, 0]);
    std::fs::write(&path, bytes).unwrap();
    let info = read(&path).unwrap();
    let video = info.primary_video().unwrap();
    assert_eq!((video.dolby_vision, video.dolby_vision_profile), (true, Some(5)));
    let judged = judge(&path);
    let side = &judged["streams"][0]["side_data_list"][0];
    assert_eq!(side["dv_profile"], 5, "ffprobe: {side}");
}
