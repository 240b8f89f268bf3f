//! What is copied, what goes, and what need not be done again.

use crate::stage::{H264, Stage, payload, plays, stream};
use crate::support::{ffmpeg, ffprobe, media, text};

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=s=240x240:r=25:d=4"];
const TONE: [&str; 4] = ["-f", "lavfi", "-i", "sine=d=4:r=48000"];

/// "Copy what is fine": each stream for itself, and the rule that forced what was done.
#[test]
fn row_07_each_stream_is_copied_edited_or_encoded_for_itself() {
    let stage = Stage::new();
    let clip = |name: &str, options: &[&str]| stage.clip(name, &[&PICTURE[..], &TONE, options].concat());
    clip("sound.mov", &[&H264[..], &["-c:a", "pcm_s16le"]].concat());
    clip("picture.mp4", &["-c:v", "mpeg4", "-q:v", "4", "-c:a", "aac"]);
    clip("container.mkv", &[&H264[..], &["-c:a", "aac"]].concat());
    clip("fine.mp4", &[&H264[..], &["-c:a", "aac", "-movflags", "+faststart"]].concat());
    clip("shape.mp4", &[&["-vf", "scale=426:240,setsar=1"], &H264[..], &["-c:a", "aac"]].concat());
    let report = stage.fixed(&["--aspect", "crop"]);
    for (name, action, streams, rule) in [
        ("sound.mov", "encode", ["video copy", "audio encode"], "audio-codec"),
        ("picture.mp4", "encode", ["video encode", "audio copy"], "video-codec"),
        ("container.mkv", "remux", ["video copy", "audio copy"], "container"),
        ("fine.mp4", "passthrough", ["video copy", "audio copy"], ""),
        ("shape.mp4", "edit", ["video edit", "audio copy"], "aspect-ratio"),
    ] {
        assert_eq!(
            (report.action(name), report.streams(name)),
            (action, streams.map(str::to_owned).to_vec()),
            "{name}"
        );
        let video = report.video(name);
        let rules = format!("{} {}", video["container_rules"], video["streams"]);
        assert!(rules.contains(rule), "{name}: {rules}");
        for (which, done) in [("v:0", streams[0]), ("a:0", streams[1])] {
            let same = payload(&stage.raw(name), which) == payload(&stage.out(name), which);
            // An edit says something else of the same packets.
            assert_eq!(same, !done.ends_with("encode"), "{name} {which}");
        }
        plays(&stage.out(name));
    }
    assert_eq!(std::fs::read(stage.raw("fine.mp4")).unwrap(), std::fs::read(stage.out("fine.mp4")).unwrap());
}

/// The same file for ever: what is fixed needs nothing, and no result is taken for a source.
#[test]
fn row_09_what_is_fixed_needs_nothing_and_is_no_source() {
    let stage = Stage::new();
    let clip = |name: &str, options: &[&str]| stage.clip(name, &[&PICTURE[..], &TONE, options].concat());
    clip("container.mkv", &[&H264[..], &["-c:a", "aac"]].concat());
    clip("wide.mp4", &[&["-vf", "scale=426:240,setsar=1"], &H264[..], &["-c:a", "aac"]].concat());
    clip("short.mp4", &[&["-t", "2"], &H264[..], &["-c:a", "aac"]].concat());
    clip("film.mp4", &[&["-r", "24"], &H264[..], &["-c:a", "aac"]].concat());
    clip("odd.mkv", &["-vf", "scale=321:243,setsar=4/3", "-c:v", "mpeg4", "-r", "12", "-c:a", "ac3"]);
    for options in
        [&[][..], &["--aspect", "crop", "--fps", "retime", "--short", "hold"], &["--aspect", "pad", "--prefer", "9:16"]]
    {
        let first = stage.fixed(options);
        let moved = first.document["videos"].as_array().unwrap().iter().any(|video| video["action"] != "passthrough");
        assert!(moved, "nothing was to be done: no test");
        let plan = stage.ran(&[&["fix", "--plan", "--format", "json", "out"], options].concat());
        let plan = crate::stage::Report::of(&plan);
        for name in ["container.mp4", "wide.mp4", "short.mp4", "film.mp4", "odd.mp4"] {
            assert_eq!(plan.action(name), "passthrough", "{options:?} {name}: {:#}", plan.video(name));
        }
        let again = stage.tried(options);
        assert_eq!(again.document["summary"]["kept"], 5, "{:#}", again.document["summary"]);
        stage.again();
    }
    // The results lie among the sources.
    let within = ["fix", "raw", "-o", "raw/done", "--preset", "ultrafast", "--format", "json"];
    for kept in [0, 5] {
        let report = crate::stage::Report::of(&stage.ran(&within));
        assert_eq!(report.document["videos"].as_array().unwrap().len(), 5, "a result was taken for a source");
        assert_eq!(report.document["summary"]["kept"], kept);
    }
}

/// Covers, time codes, subtitles, telemetry and second tracks break a copy: they go, and are named.
#[test]
fn row_10_what_is_neither_picture_nor_sound_goes_and_is_named() {
    let stage = Stage::new();
    let subtitles = stage.path().join("words.srt");
    std::fs::write(&subtitles, "1\n00:00:01,000 --> 00:00:02,000\nwords\n").unwrap();
    let cover = stage.path().join("cover.jpg");
    ffmpeg(&["-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", text(&cover)]);
    let extra = ["-i", text(&cover), "-i", text(&subtitles)];
    let map = ["-map", "0:v", "-map", "1:a", "-map", "2:v", "-map", "3:s", "-map", "1:a"];
    let codecs = ["-c:v:0", "libx264", "-pix_fmt:v:0", "yuv420p", "-c:v:1", "copy", "-c:a", "aac", "-c:s", "mov_text"];
    let more = ["-disposition:v:1", "attached_pic"];
    stage.clip("cover.mp4", &[&PICTURE[..], &TONE, &extra, &map, &codecs, &more].concat());
    let time_code = ["-timecode", "01:00:00:00", "-c:a", "aac", "-metadata", "location=+48.8577+002.2950/"];
    stage.clip("timecode.mov", &[&PICTURE[..], &TONE, &H264, &time_code].concat());
    let report = stage.fixed(&[]);
    let dropped = |name: &str| -> Vec<String> {
        let streams = report.video(name)["streams"].as_array().unwrap().iter();
        streams
            .filter(|stream| stream["done"] == "drop")
            .map(|stream| stream["what"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(dropped("cover.mp4").len(), 3, "{:?}", dropped("cover.mp4"));
    for word in ["attached-picture", "subtitle", "another sound"] {
        assert!(dropped("cover.mp4").iter().any(|what| what.contains(word)), "{word}: {:?}", dropped("cover.mp4"));
    }
    for name in ["cover.mp4", "timecode.mov"] {
        let output = stage.out(name);
        assert_eq!(ffprobe(&output, &["-show_entries", "stream=codec_name"]), ["h264", "aac"], "{name}");
        assert_eq!(payload(&stage.raw(name), "v:0"), payload(&output, "v:0"), "{name}: copied");
        plays(&output);
    }
    let Some(media) = media() else { return };
    for (clip, what) in [
        ("gpmf-parser__max-heromode.mp4", &["tmcd", "gpmd"][..]),
        ("rails__rotated_hdr_video.mov", &["mebx"]),
        ("torchcodec__nasa_13013.mp4", &["another picture", "another sound", "subtitle"]),
    ] {
        let (clip, out) = (media.join(clip), stage.path().join("telemetry"));
        let fix = ["fix", text(&clip), "-o", text(&out), "--preset", "ultrafast", "--format", "human", "--overwrite"];
        let ran = stage.ran(&fix);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        for what in what {
            assert!(ran.stdout.contains(what), "{what} is not named:\n{}", ran.stdout);
        }
        let output = out.join(clip.with_extension("mp4").file_name().unwrap());
        let kinds = ffprobe(&output, &["-show_entries", "stream=codec_name"]);
        assert!(kinds.iter().all(|kind| kind == "h264" || kind == "aac") && kinds.len() <= 2, "{kinds:?}");
    }
}

/// Where it was taken is not published, unless that is asked for; the report says so.
#[test]
fn row_20_places_and_devices_are_stripped_and_named() {
    let stage = Stage::new();
    let told = [
        "-movflags",
        "+faststart+use_metadata_tags",
        "-metadata",
        "com.apple.quicktime.location.ISO6709=+48.8577+002.2950/",
        "-metadata",
        "com.apple.quicktime.model=Telephone 15",
        "-metadata",
        "title=Evening",
    ];
    // MP4 may hold a place as numbers, which ffprobe spells out.
    let has = |path: &std::path::Path, text: &str| {
        std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
            || ffprobe(path, &["-show_entries", "format_tags"]).iter().any(|tag| tag.contains(text))
    };
    stage.clip("apple.mov", &[&PICTURE[..], &TONE, &H264, &["-c:a", "aac"], &told].concat());
    let other = ["-c:a", "aac", "-metadata", "location=+48.8577+002.2950/", "-metadata", "title=Evening"];
    stage.clip("udta.mp4", &[&PICTURE[..], &TONE, &H264, &other].concat());
    let encoded = ["-vf", "scale=426:240,setsar=1", "-c:a", "aac", "-metadata", "location=+48.8577+002.2950/"];
    stage.clip("encoded.mp4", &[&PICTURE[..], &TONE, &H264, &encoded].concat());
    let report = stage.fixed(&[]);
    for (name, action) in [("apple.mov", "remux"), ("udta.mp4", "remux"), ("encoded.mp4", "encode")] {
        assert!(has(&stage.raw(name), "48.8577"), "{name}: the source is no test");
        assert_eq!(report.action(name), action, "{name}");
        assert!(!has(&stage.out(name), "48.8577") && !has(&stage.out(name), "Telephone"), "{name}");
        assert!(!report.video(name)["stripped"].as_array().unwrap().is_empty(), "{name}");
    }
    assert_eq!(payload(&stage.raw("apple.mov"), "v:0"), payload(&stage.out("apple.mov"), "v:0"));
    assert!(has(&stage.out("udta.mp4"), "Evening"), "a title is no secret");
    stage.again();
    let human = stage.ran(&["fix", "raw", "-o", "out", "--preset", "ultrafast"]);
    assert!(human.stdout.contains("location"), "{}", human.stdout);
    stage.again();
    stage.fixed(&["--keep-metadata"]);
    for name in ["apple.mov", "udta.mp4", "encoded.mp4"] {
        assert!(has(&stage.out(name), "48.8577"), "{name}");
    }
    assert_eq!(stream(&stage.out("encoded.mp4"), "v:0", "codec_name"), ["h264"]);
}
