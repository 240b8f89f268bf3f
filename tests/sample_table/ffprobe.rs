//! What ffprobe says of a file, compared with our facts.

use std::path::Path;
use std::process::Command;

use pinpress_probe::{AudioStream, MediaInfo, Rational, Scan, Seconds, VideoStream};
use serde_json::Value;

fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_format", "-show_streams"])
        .arg(path)
        .output()
        .expect("ffprobe starts");
    serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON")
}

/// What differs between our facts and ffprobe's.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: &str, ours: impl Into<String>, theirs: impl Into<String>) {
        let (ours, theirs) = (ours.into(), theirs.into());
        if ours != theirs {
            self.0.push(format!("{what}: ours {ours}, ffprobe {theirs}"));
        }
    }

    /// Compares where ffprobe knows: it leaves a field out, or says `unknown`, of what it does not.
    fn compare_known(&mut self, what: &str, ours: Option<&str>, theirs: &Value) {
        if let Some(theirs) = theirs.as_str().filter(|text| *text != "unknown") {
            self.compare(what, ours.unwrap_or("unknown"), theirs);
        }
    }

    /// Times may differ by `within`.
    fn compare_time(&mut self, what: &str, ours: Option<Seconds>, theirs: Option<Rational>, within: Rational) {
        let Some(theirs) = theirs else { return };
        if ours.is_none_or(|ours| apart(ours.0, theirs) > within) {
            let ours = ours.map_or_else(|| "unknown".to_owned(), |ours| ours.0.to_fraction());
            self.0.push(format!("{what}: ours {ours}, ffprobe {theirs}, further apart than {within} s"));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn millis(millis: i64) -> Rational {
    Seconds::from_millis(millis).0
}

fn apart(left: Rational, right: Rational) -> Rational {
    left.max(right).checked_sub(left.min(right)).expect("near")
}

fn number(value: &Value) -> Option<Rational> {
    value.as_str()?.parse().ok()
}

/// ffprobe reports the duration in `mdhd`, and some writers put another there than their samples have: where it is
/// not ours, the packets are asked.
fn duration_of(path: &Path, stream: u32, ours: Option<Seconds>, theirs: &Value, within: Rational) -> Option<Rational> {
    let told = number(&theirs["duration"])?;
    let near = ours.is_some_and(|ours| apart(ours.0, told) <= within);
    if near { Some(told) } else { Some(packet_span(path, stream)) }
}

/// From the first packet to the end of the last, as ffprobe sees them.
fn packet_span(path: &Path, stream: u32) -> Rational {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries", "packet=pts_time,duration_time", "-select_streams"])
        .arg(stream.to_string())
        .arg(path)
        .output()
        .expect("ffprobe starts");
    let packets: Value = serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON");
    let packets = packets["packets"].as_array().expect("packets");
    let first = packets.iter().filter_map(|packet| number(&packet["pts_time"])).min().expect("a first packet");
    let ends =
        packets.iter().filter_map(|packet| number(&packet["pts_time"])?.checked_add(number(&packet["duration_time"])?));
    ends.max().expect("a last packet").checked_sub(first).expect("a span")
}

fn compare_picture(found: &mut Differences, path: &Path, video: &VideoStream, theirs: &Value) {
    found.compare("codec", &video.codec, text(&theirs["codec_name"]));
    found.compare_known("profile", video.profile.as_deref(), &theirs["profile"]);
    found.compare("width", video.coded.width.to_string(), theirs["width"].to_string());
    found.compare("height", video.coded.height.to_string(), theirs["height"].to_string());
    found.compare("frames", video.frame_count.unwrap_or(0).to_string(), text(&theirs["nb_frames"]));
    let format = video.pixel_format.as_ref().map_or("", |format| &format.name);
    found.compare("pixel format", format, text(&theirs["pix_fmt"]).replace("yuvj", "yuv"));
    let rate = video.frame_rate.expect("a rate").rational().to_fraction();
    found.compare("frame rate", rate, text(&theirs["avg_frame_rate"]));
    if let Some(aspect) = theirs.get("sample_aspect_ratio") {
        let ours = video.sample_aspect.map_or_else(|| "1:1".to_owned(), |aspect| aspect.to_string());
        found.compare("sample aspect", ours, text(aspect));
    }
    // ffprobe counts counter-clockwise, and leaves the field out when there is no matrix.
    let sides = theirs["side_data_list"].as_array();
    let turned = sides.into_iter().flatten().find_map(|side| side["rotation"].as_i64());
    let clockwise = (-turned.unwrap_or(0)).rem_euclid(360);
    found.compare("rotation", video.orientation.rotation.degrees().to_string(), clockwise.to_string());
    let colour = &video.colour;
    found.compare_known("primaries", colour.primaries.as_deref(), &theirs["color_primaries"]);
    found.compare_known("transfer", colour.transfer.as_deref(), &theirs["color_transfer"]);
    found.compare_known("matrix", colour.matrix.as_deref(), &theirs["color_space"]);
    let range = colour.full_range.map(|full| if full { "pc" } else { "tv" });
    found.compare_known("range", range, &theirs["color_range"]);
    if let Some(scan) = video.scan {
        let order = theirs["field_order"].as_str().filter(|order| *order != "unknown");
        let theirs = order.map(|order| if order == "progressive" { Scan::Progressive } else { Scan::Interlaced });
        found.compare("scan", format!("{scan:?}"), format!("{:?}", theirs.unwrap_or(scan)));
    }
    let frame = video.min_frame_rate.or(video.frame_rate).expect("a rate").frame_duration().0;
    let duration = duration_of(path, video.index, video.duration, theirs, frame);
    found.compare_time("picture duration", video.duration, duration, frame);
    found.compare_time("picture start", video.start, number(&theirs["start_time"]), millis(1));
}

fn compare_sound(found: &mut Differences, path: &Path, audio: &AudioStream, theirs: &Value) {
    found.compare("sound", &audio.codec, text(&theirs["codec_name"]));
    found.compare_known("sound profile", audio.profile.as_deref(), &theirs["profile"]);
    found.compare("sample rate", audio.sample_rate.unwrap_or(0).to_string(), text(&theirs["sample_rate"]));
    if let Some(channels) = audio.channels {
        found.compare("channels", channels.to_string(), theirs["channels"].to_string());
    }
    // Within two frames of sound: what ffprobe counts of the first and the last one depends on the edit list.
    let duration = duration_of(path, audio.index, audio.duration, theirs, millis(50));
    found.compare_time("sound duration", audio.duration, duration, millis(50));
    found.compare_time("sound start", audio.start, number(&theirs["start_time"]), millis(1));
}

/// Compares what the fast path decided with ffprobe, stream by stream; answers what differs.
pub(crate) fn differences(path: &Path, info: &MediaInfo) -> Vec<String> {
    let facts = ffprobe(path);
    let mut found = Differences::default();
    let stream = |index: u32| &facts["streams"][usize::try_from(index).expect("a small number")];
    assert!(!info.video.is_empty(), "a decided file has a picture");
    for video in &info.video {
        compare_picture(&mut found, path, video, stream(video.index));
    }
    for audio in &info.audio {
        compare_sound(&mut found, path, audio, stream(audio.index));
    }
    for other in &info.other {
        let kind = text(&stream(other.index)["codec_type"]);
        let attached = stream(other.index)["disposition"]["attached_pic"] == 1;
        found.compare(
            "other stream",
            "other",
            if kind == "audio" || kind == "video" && !attached { &kind } else { "other" },
        );
    }
    let streams = info.video.len() + info.audio.len() + info.other.len();
    found.compare("streams", streams.to_string(), facts["streams"].as_array().map_or(0, Vec::len).to_string());
    found.0
}
