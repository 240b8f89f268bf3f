//! Plans by hand, and what the command lines say of a file.

use std::path::{Path, PathBuf};

use pinpress_av::Cancel;
use pinpress_media::{Action, AudioStep, Failure, Fix, FixOptions, Fixed, Plan, VideoEdit, VideoStep};
use pinpress_probe::{MediaInfo, RuleId, Spec};
use pinpress_transcode::{carry_out, read};

use crate::support::{ffmpeg, ffmpeg_bytes, text};

pub(crate) fn options() -> FixOptions {
    FixOptions { preset: "ultrafast".to_owned(), threads: 2, overwrite: true, ..FixOptions::default() }
}

pub(crate) fn facts(path: &Path) -> MediaInfo {
    read(path, &Cancel::new(), &mut |_| {}).unwrap()
}

/// The picture's packets as they are.
pub(crate) fn edit(info: &MediaInfo, rule: RuleId) -> VideoEdit {
    VideoEdit {
        stream: info.primary_video().unwrap().index,
        rules: vec![rule],
        cropping: None,
        size: None,
        square_pixels: false,
    }
}

/// The picture edited, the sound copied.
pub(crate) fn edited(info: &MediaInfo, edit: VideoEdit) -> Plan {
    let audio = info.primary_audio().map(|audio| AudioStep::Copy { stream: audio.index });
    Plan { action: Action::Edit, video: Some(VideoStep::Edit(edit)), audio, ..Plan::passthrough(None) }
}

/// The sound encoded.
pub(crate) fn encoded_sound(info: &MediaInfo) -> Option<AudioStep> {
    info.primary_audio().map(|audio| AudioStep::Encode {
        stream: audio.index,
        rules: vec![RuleId::Duration],
        sample_rate: 48_000,
        channels: audio.channels.unwrap_or(2).min(2),
        bit_rate: 128_000,
    })
}

/// What any carried out plan has to pass: the clips are too small and short for the real rules.
fn mechanics() -> Spec {
    let text = "name = \"mechanics\"\nversion = \"1\"\nsource = \"tests\"\n[container]\nallowed = [\"mp4\", \"mov\", \"m4v\"]\n";
    Spec::parse(text, "mechanics").unwrap()
}

pub(crate) fn tried(source: &Path, plan: Plan, output: &Path) -> Result<Fixed, Failure> {
    let info = facts(source);
    let (spec, options) = (mechanics(), options());
    let fix = Fix { source, info: &info, spec: &spec, options: &options, output, part: None };
    carry_out(fix, plan, &Cancel::new(), &mut |_| {})
}

pub(crate) fn fix(source: &Path, plan: Plan, output: &Path) -> Fixed {
    match tried(source, plan, output) {
        Ok(fixed) => fixed,
        Err(failure) => panic!("{failure} {:?}: {}", failure.log, source.display()),
    }
}

/// Four seconds of a moving picture of this size and rate, with sound, as these options encode them.
pub(crate) fn clip(folder: &Path, name: &str, size: &str, rate: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let picture = format!("testsrc2=s={size}:d=4:r={rate}");
    let source = ["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", "sine=d=4:r=48000"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    ffmpeg(&[&source[..], &codecs, options, &[text(&path)]].concat());
    path
}

/// A hash of each shown picture as it is coded, in order.
pub(crate) fn pictures(path: &Path, filter: &str) -> Vec<String> {
    let input = ["-noautorotate", "-i", text(path), "-map", "0:v:0", "-fps_mode", "passthrough"];
    let hash = ["-vf", filter, "-f", "framehash", "-hash", "md5", "-"];
    column(&ffmpeg_bytes(&[&input[..], &hash].concat()))
}

/// A hash of each packet of the picture, in order.
pub(crate) fn packets(path: &Path) -> Vec<String> {
    column(&ffmpeg_bytes(&["-i", text(path), "-map", "0:v:0", "-c", "copy", "-f", "framehash", "-hash", "md5", "-"]))
}

fn column(hashes: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(hashes).unwrap().lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(',').nth(5).unwrap().trim().to_owned()).collect()
}
