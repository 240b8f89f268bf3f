//! Which streams there are. Two pictures or two sounds fail: nobody says which one is shown. Other streams
//! (timecode, telemetry, subtitles) are advised against.

use super::{advises, fails};
use crate::finding::{Finding, Remedy, RuleId};
use crate::info::MediaInfo;
use crate::spec::Spec;

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    let Some(rule) = spec.streams else { return };
    let asked = |most: usize, what: &str| format!("at most {most} {what} stream{}", if most == 1 { "" } else { "s" });
    if info.video.is_empty() {
        let (measured, required) = ("no video stream".to_owned(), "a video stream".to_owned());
        findings.push(fails(RuleId::Streams, None, measured, required, Remedy::Replace));
    }
    for video in info.video.iter().skip(rule.max_video) {
        let measured = format!("one more video stream ({})", video.codec);
        let required = asked(rule.max_video, "video");
        findings.push(fails(RuleId::Streams, Some(video.index), measured, required, Remedy::DropStream));
    }
    for audio in info.audio.iter().skip(rule.max_audio) {
        let measured = format!("one more audio stream ({})", audio.codec);
        let required = asked(rule.max_audio, "audio");
        findings.push(fails(RuleId::Streams, Some(audio.index), measured, required, Remedy::DropStream));
    }
    for other in &info.other {
        let measured = format!("{} stream ({})", other.kind, other.codec);
        let required = "video and audio only".to_owned();
        findings.push(advises(RuleId::Streams, Some(other.index), measured, required, Remedy::DropStream));
    }
}
