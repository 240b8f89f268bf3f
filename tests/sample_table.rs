//! The fast path against ffprobe, on made and on real videos; and against bytes that lie.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::Path;
use std::process::Command;

use pinpress_fixtures::{make_recipe, real_clips, recipes};
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Rational, Seconds, Source, Spec, check};
use serde_json::Value;

fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_format", "-show_streams"])
        .arg(path)
        .output()
        .expect("ffprobe starts");
    serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON")
}

fn stream_of<'a>(facts: &'a Value, kind: &str) -> Option<&'a Value> {
    facts["streams"].as_array()?.iter().find(|stream| stream["codec_type"] == kind)
}

fn decided(path: &Path) -> Option<MediaInfo> {
    match sample_table::read(&Source::open(path).expect("the clip opens")) {
        Ok(Decision::Facts(info)) => Some(*info),
        Ok(Decision::Undecided(_)) | Err(_) => None,
    }
}

/// Compares what the fast path decided with ffprobe; answers what differs.
fn differences(path: &Path, info: &MediaInfo) -> Vec<String> {
    let facts = ffprobe(path);
    let mut differences = Vec::new();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            differences.push(format!("{what}: ours {ours}, ffprobe {theirs}"));
        }
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let video = info.primary_video().expect("a decided file has a picture");
    let theirs = stream_of(&facts, "video").expect("ffprobe sees the picture");
    compare("codec", video.codec.clone(), text(&theirs["codec_name"]));
    compare("profile", video.profile.clone().unwrap_or_default(), text(&theirs["profile"]));
    compare("width", video.coded.width.to_string(), theirs["width"].to_string());
    compare("height", video.coded.height.to_string(), theirs["height"].to_string());
    compare("frames", video.frame_count.unwrap_or(0).to_string(), text(&theirs["nb_frames"]));
    let format = video.pixel_format.as_ref().map_or("", |format| &format.name);
    compare("pixel format", format.to_owned(), text(&theirs["pix_fmt"]).replace("yuvj", "yuv"));
    let rate = video.frame_rate.expect("a rate").rational().to_fraction();
    compare("frame rate", rate, text(&theirs["avg_frame_rate"]));
    if let Some(aspect) = theirs.get("sample_aspect_ratio") {
        compare("sample aspect", video.sample_aspect.map_or_else(|| "1:1".to_owned(), |a| a.to_string()), text(aspect));
    }
    // ffprobe counts counter-clockwise, and leaves the field out when there is no matrix.
    let turned = theirs["side_data_list"].as_array().into_iter().flatten().find_map(|side| side["rotation"].as_i64());
    let clockwise = (-turned.unwrap_or(0)).rem_euclid(360);
    compare("rotation", video.orientation.rotation.degrees().to_string(), clockwise.to_string());
    if let (Some(audio), Some(theirs)) = (info.primary_audio(), stream_of(&facts, "audio")) {
        compare("sound", audio.codec.clone(), text(&theirs["codec_name"]));
        compare("sample rate", audio.sample_rate.unwrap_or(0).to_string(), text(&theirs["sample_rate"]));
        if let Some(channels) = audio.channels {
            compare("channels", channels.to_string(), theirs["channels"].to_string());
        }
    }
    let longest = facts["streams"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|stream| stream["codec_type"] == "video" || stream["codec_type"] == "audio")
        .filter_map(|stream| stream["duration"].as_str()?.parse::<Rational>().ok())
        .max()
        .expect("ffprobe knows a duration");
    let ours = info.duration.expect("a duration").0;
    let off = ours.max(longest).checked_sub(ours.min(longest)).expect("near");
    // ffprobe reports `mdhd`, in which some writers leave out the last frame.
    let frame = video.min_frame_rate.or(video.frame_rate).expect("a rate").frame_duration().0;
    if off > frame {
        let frame = Seconds(frame);
        differences.push(format!("duration: ours {ours}, ffprobe {longest}, further apart than a frame ({frame})"));
    }
    differences
}

#[test]
fn made_videos_are_read_as_ffprobe_reads_them() {
    let mut decided_count = 0;
    for recipe in recipes().unwrap().iter().filter(|recipe| recipe.bytes.is_none()) {
        let path = make_recipe(recipe).unwrap();
        let Some(info) = decided(&path) else { continue };
        decided_count += 1;
        assert_eq!(differences(&path, &info), Vec::<String>::new(), "{}", recipe.name);
    }
    assert!(decided_count >= 10, "only {decided_count} were decided");
}

#[test]
fn made_videos_fail_the_rules_they_are_named_for() {
    let spec = Spec::load("pinterest").unwrap();
    for recipe in recipes().unwrap().iter().filter(|recipe| recipe.bytes.is_none()) {
        let path = make_recipe(recipe).unwrap();
        let Some(info) = decided(&path) else { continue };
        let mut failed: Vec<_> = check(&info, &spec).errors().map(|finding| finding.rule.name()).collect();
        failed.dedup();
        assert_eq!(failed, recipe.fails, "{}", recipe.name);
    }
}

#[test]
fn real_clips_are_read_as_ffprobe_reads_them() {
    let Some(clips) = real_clips() else {
        println!("skipped: no folder of real clips");
        return;
    };
    let mut decided_count = 0;
    for clip in clips.iter().filter(|clip| !clip.malformed) {
        let Some(info) = decided(&clip.path) else { continue };
        decided_count += 1;
        assert_eq!(differences(&clip.path, &info), Vec::<String>::new(), "{}", clip.name());
    }
    assert!(decided_count >= 15, "only {decided_count} were decided");
}

struct Nobody;

impl DeepReader for Nobody {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        Err(ProbeError::NotAVideo { reason: "nobody looked".to_owned(), path: path.to_owned() })
    }
}

/// A cheap generator of places and bytes, so that a failure can be repeated from its seed.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("below a usize")
    }
}

#[test]
fn bytes_that_lie_end_in_an_answer() {
    let original = std::fs::read(pinpress_fixtures::make("conforming-9x16.mp4").unwrap()).unwrap();
    let index = original.windows(4).position(|window| window == b"moov").unwrap();
    let moov_len = u32::from_be_bytes(original[index - 4..index].try_into().unwrap()) as usize;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated.mp4");
    for seed in 1..=400_u64 {
        let mut random = Xorshift(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bytes = original[..index + moov_len].to_vec();
        for _ in 0..=random.below(6) {
            let place = index + random.below(moov_len - 4);
            match random.below(4) {
                0 => bytes[place] ^= 1 << random.below(8),
                1 => bytes[place..place + 4].fill(0),
                2 => bytes[place..place + 4].fill(0xFF),
                _ => bytes[place..place + 4].copy_from_slice(&1_u32.to_be_bytes()),
            }
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len()).max(1));
        }
        std::fs::write(&path, &bytes).unwrap();
        // The mdat is gone, so whatever is still read is cut off, or nobody could say; a panic or a loop fails here.
        let source = Source::open(&path).unwrap();
        if let Ok(info) = pinpress_probe::read(&source, &Nobody) {
            let report = check(&info, &Spec::load("pinterest").unwrap());
            assert!(!report.passes(), "seed {seed} passed without its samples");
        }
    }
}

#[test]
fn a_recording_that_goes_on_is_incomplete() {
    let original = std::fs::read(pinpress_fixtures::make("matroska-fit.mkv").unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.mp4");
    let mut bytes = b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\0mdat".to_vec();
    bytes.extend_from_slice(&original[..1000]);
    std::fs::write(&path, bytes).unwrap();
    let error = pinpress_probe::read(&Source::open(&path).unwrap(), &Nobody).unwrap_err();
    assert!(matches!(error, ProbeError::Incomplete { .. }), "{error}");
}

#[test]
fn a_cut_off_file_is_found_without_its_samples() {
    let original = std::fs::read(pinpress_fixtures::make("just-long-enough.mp4").unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    std::fs::write(&path, &original[..original.len() * 3 / 4]).unwrap();
    let info = pinpress_probe::read(&Source::open(&path).unwrap(), &Nobody).unwrap();
    let report = check(&info, &Spec::load("pinterest").unwrap());
    let finding = report.errors().next().expect("it fails");
    assert_eq!(finding.rule.name(), "integrity");
    assert!(
        finding.measured.starts_with("cut off, whole up to 2")
            || finding.measured.starts_with("cut off, whole up to 3"),
        "{}",
        finding.measured
    );
}
