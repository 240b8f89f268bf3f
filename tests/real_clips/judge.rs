//! What outside tools say of a video, and the rules by arithmetic alone.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::process::Command;

use pinpress_probe::Rational;
use serde_json::Value;

pub(crate) fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-count_packets", "-show_format", "-show_streams"])
        .arg(path)
        .output()
        .expect("ffprobe starts");
    serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON")
}

pub(crate) fn stream_of<'a>(facts: &'a Value, kind: &str) -> Option<&'a Value> {
    let pictures_in_motion = |stream: &&Value| stream["disposition"]["attached_pic"] != 1;
    facts["streams"].as_array()?.iter().filter(pictures_in_motion).find(|stream| stream["codec_type"] == kind)
}

pub(crate) fn rotation_of(stream: &Value) -> i64 {
    // ffprobe counts counter-clockwise.
    let turned = stream["side_data_list"].as_array().into_iter().flatten().find_map(|side| side["rotation"].as_i64());
    // Of a matrix that turns by nothing sensible, ffprobe says the least number there is.
    turned.unwrap_or(0).wrapping_neg().rem_euclid(360)
}

pub(crate) fn rational(value: &Value) -> Option<Rational> {
    value.as_str()?.parse::<Rational>().ok().filter(|rate| rate.num() > 0)
}

/// The longest of picture and sound: `format.duration` also counts subtitles and timecode.
pub(crate) fn duration_ms(facts: &Value) -> Option<u64> {
    let streams = ["video", "audio"].into_iter().filter_map(|kind| stream_of(facts, kind));
    let longest = streams.filter_map(|stream| rational(&stream["duration"])).max();
    let known = longest.or_else(|| rational(&facts["format"]["duration"]))?;
    u64::try_from(known.scaled_round(1000)).ok()
}

/// When the first of picture and sound begins.
pub(crate) fn start_ms(facts: &Value) -> u64 {
    let streams = ["video", "audio"].into_iter().filter_map(|kind| stream_of(facts, kind));
    let starts = streams.filter_map(|stream| stream["start_time"].as_str()?.parse::<Rational>().ok());
    starts.min().and_then(|start| u64::try_from(start.scaled_round(1000)).ok()).unwrap_or(0)
}

/// What the rules ask of an output, judged by what ffprobe says of it and arithmetic alone.
pub(crate) fn broken_rules(facts: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            broken.push(what);
        }
    };
    let video = stream_of(facts, "video").expect("a picture");
    let format = facts["format"]["format_name"].as_str().unwrap_or_default();
    must(format.contains("mp4"), format!("format {format}"));
    must(video["codec_name"] == "h264", format!("codec {}", video["codec_name"]));
    must(matches!(video["pix_fmt"].as_str(), Some("yuv420p" | "yuvj420p")), format!("samples {}", video["pix_fmt"]));
    let rate = rational(&video["avg_frame_rate"]).expect("a rate");
    must(rate >= Rational::whole(25), format!("rate {rate}"));
    let duration = duration_ms(facts).expect("a duration");
    must((4_000..=900_000).contains(&duration), format!("duration {duration} ms"));
    let side = |name: &str| video[name].as_u64().expect("a side");
    let (mut width, mut height) = (side("width"), side("height"));
    if let Some(aspect) = video["sample_aspect_ratio"].as_str().and_then(|text| text.parse::<Rational>().ok()) {
        width = u64::try_from(aspect.scaled_round(i64::try_from(width).expect("small"))).expect("positive");
    }
    if rotation_of(video) % 180 == 90 {
        (width, height) = (height, width);
    }
    must(width.min(height) >= 240, format!("size {width}×{height}"));
    // Within a percent or two pixels of 9:16, 1:1 or 2:3.
    let near = |a: u64, b: u64| {
        let off = (width * b).abs_diff(height * a);
        off * 100 <= height * a || off <= 2 * a.max(b)
    };
    must(near(9, 16) || near(1, 1) || near(2, 3), format!("shape {width}×{height}"));
    if let Some(audio) = stream_of(facts, "audio") {
        must(audio["codec_name"] == "aac", format!("sound {}", audio["codec_name"]));
    }
    let streams = facts["streams"].as_array().map_or(0, Vec::len);
    must(streams <= 2, format!("{streams} streams"));
    broken
}

/// Decodes all of a file with the ffmpeg command line; answers what it complains of.
pub(crate) fn decode_complaints(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-xerror", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .expect("ffmpeg starts");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Width and height as a player shows them.
pub(crate) fn shown_size(facts: &Value) -> (u32, u32) {
    let video = stream_of(facts, "video").expect("a picture");
    let side = |name: &str| u32::try_from(video[name].as_u64().expect("a side")).expect("small");
    let (width, height) = (side("width"), side("height"));
    if rotation_of(video) % 180 == 90 { (height, width) } else { (width, height) }
}
