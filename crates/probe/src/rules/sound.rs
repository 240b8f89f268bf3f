//! How the sound is coded. No sound passes.

use super::{fails, listed};
use crate::finding::{Finding, Remedy, RuleId};
use crate::info::MediaInfo;
use crate::spec::Spec;

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    if let (Some(rule), Some(audio)) = (&spec.audio_codec, info.primary_audio())
        && !rule.allowed.contains(&audio.codec)
    {
        let (measured, required) = (audio.codec.clone(), listed(&rule.allowed));
        findings.push(fails(RuleId::AudioCodec, Some(audio.index), measured, required, Remedy::EncodeAudio));
    }
}
