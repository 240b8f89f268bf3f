//! How the picture is coded: codec and profile, samples, fields.

use super::{advises, fails, listed};
use crate::finding::{Finding, Remedy, RuleId};
use crate::info::{Chroma, MediaInfo, Scan, VideoStream};
use crate::spec::{PixelFormatRule, Spec, VideoCodecRule};

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    let Some(video) = info.primary_video() else { return };
    let stream = Some(video.index);
    if let Some(rule) = &spec.video_codec
        && let Some((measured, required)) = codec(video, rule)
    {
        findings.push(fails(RuleId::VideoCodec, stream, measured, required, Remedy::EncodeVideo));
    }
    if let Some(rule) = &spec.pixel_format {
        if let Some(measured) = samples(video, rule) {
            let chroma: Vec<_> = rule.chroma.iter().map(|chroma| chroma_name(*chroma)).collect();
            let required = format!("{}, at most {} bit", listed(&chroma), rule.max_bit_depth);
            findings.push(fails(RuleId::PixelFormat, stream, measured, required, Remedy::EncodeVideo));
        }
        findings.extend(range_and_transfer(video));
    }
    if spec.scan_type.is_some_and(|rule| rule.progressive)
        && let Some(measured) = fields(video)
    {
        findings.push(fails(
            RuleId::ScanType,
            stream,
            measured.to_owned(),
            "progressive".to_owned(),
            Remedy::Deinterlace,
        ));
    }
}

fn codec(video: &VideoStream, rule: &VideoCodecRule) -> Option<(String, String)> {
    if !rule.allowed.contains(&video.codec) {
        return Some((video.codec.clone(), listed(&rule.allowed)));
    }
    // Profiles are asked of H.264 alone: the other codecs name theirs differently.
    if video.codec != "h264" || rule.profiles.is_empty() {
        return None;
    }
    let profile = video.profile.as_deref();
    let known = profile.is_some_and(|profile| rule.profiles.iter().any(|allowed| allowed == profile));
    (!known).then(|| {
        (format!("h264 {}", profile.unwrap_or("of unknown profile")), format!("h264 {}", listed(&rule.profiles)))
    })
}

/// Codecs whose headers always say whether fields are coded. Of the others it is mostly unknown: VP9 and AV1 have no
/// fields, and H.265 tells of them in optional messages alone.
const TELL_OF_FIELDS: [&str; 2] = ["h264", "mpeg2video"];

fn fields(video: &VideoStream) -> Option<&'static str> {
    match video.scan {
        Some(Scan::Progressive) => None,
        Some(Scan::Interlaced) => Some("interlaced"),
        None => TELL_OF_FIELDS.contains(&video.codec.as_str()).then_some("unknown"),
    }
}

fn samples(video: &VideoStream, rule: &PixelFormatRule) -> Option<String> {
    let Some(format) = &video.pixel_format else { return Some("unknown".to_owned()) };
    let fits = format.bit_depth <= rule.max_bit_depth && rule.chroma.contains(&format.chroma);
    (!fits).then(|| format!("{} ({} bit, {})", format.name, format.bit_depth, chroma_name(format.chroma)))
}

fn range_and_transfer(video: &VideoStream) -> Vec<Finding> {
    let advice = |measured: &str, required: &str| {
        advises(RuleId::PixelFormat, Some(video.index), measured.to_owned(), required.to_owned(), Remedy::EncodeVideo)
    };
    let mut findings = Vec::new();
    if video.is_hdr() {
        let name = match video.colour.transfer.as_deref() {
            Some("smpte2084") => "HDR (PQ)",
            Some("arib-std-b67") => "HDR (HLG)",
            _ => "HDR (Dolby Vision)",
        };
        findings.push(advice(name, "standard range: HDR looks grey where it is not understood"));
    }
    if video.colour.full_range == Some(true) {
        findings.push(advice("full range", "limited range: players that ignore the flag crush black and white"));
    }
    findings
}

const fn chroma_name(chroma: Chroma) -> &'static str {
    match chroma {
        Chroma::Monochrome => "4:0:0",
        Chroma::Yuv420 => "4:2:0",
        Chroma::Yuv422 => "4:2:2",
        Chroma::Yuv444 => "4:4:4",
        Chroma::Other => "not YUV",
    }
}
