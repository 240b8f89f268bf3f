//! The cheapest change that clears every finding. Pure: facts, rule set and preferences in, a [`Plan`] out.
//!
//! Rungs, cheapest first: passthrough, remux, encode the sound, encode the picture. Each part of a plan names the
//! rules that force it, and a plan for what a plan made is a passthrough.

mod canvas;
mod measured;
mod sound;
mod timing;

use pinpress_media::{Action, AudioStep, DroppedStream, Fill, FixOptions, Plan, RateStep, VideoEncode, VideoStep};
use pinpress_probe::{MediaInfo, RuleId, Scan, Seconds, Spec, VideoStream, check};

pub use measured::{Focus, Measured};
use timing::Length;

/// Rules that only a new picture can satisfy.
const PICTURE_RULES: [RuleId; 7] = [
    RuleId::FileSize,
    RuleId::AspectRatio,
    RuleId::Resolution,
    RuleId::FrameRate,
    RuleId::VideoCodec,
    RuleId::PixelFormat,
    RuleId::ScanType,
];

/// Plans the least change that makes a video pass `spec`.
#[must_use]
pub fn plan(info: &MediaInfo, spec: &Spec, options: &FixOptions) -> Plan {
    try_plan(info, spec, options)
        .unwrap_or_else(|reason| Plan::unfixable(reason, info.duration.filter(|time| *time > Seconds::ZERO)))
}

fn try_plan(info: &MediaInfo, spec: &Spec, options: &FixOptions) -> Result<Plan, String> {
    let report = check(info, spec);
    let broken = |rule: RuleId| report.fails(rule);
    if let Some(finding) = report.errors().find(|finding| finding.rule == RuleId::Integrity) {
        return Err(format!("it is damaged ({}): export or copy it again", finding.measured));
    }
    let video = info.primary_video().ok_or("it has no picture")?;
    let length = timing::length(info, spec, options)?;

    let mut picture_rules: Vec<_> = PICTURE_RULES.into_iter().filter(|rule| broken(*rule)).collect();
    if length.extends() {
        picture_rules.push(RuleId::Duration);
    }
    let video_step = if picture_rules.is_empty() {
        VideoStep::Copy { stream: video.index }
    } else {
        VideoStep::Encode(encode(info, video, picture_rules, spec, options, length)?)
    };
    let audio_step = info.primary_audio().map(|audio| sound::step(audio, broken(RuleId::AudioCodec), length));
    let stripped = if options.keep_metadata { Vec::new() } else { info.private_tags() };

    let picture_encodes = matches!(video_step, VideoStep::Encode(_));
    let encodes = picture_encodes || matches!(audio_step, Some(AudioStep::Encode { .. }));
    let mut container_rules: Vec<_> =
        [RuleId::Container, RuleId::Streams].into_iter().filter(|rule| broken(*rule)).collect();
    if length.end.is_some() {
        container_rules.push(RuleId::Duration);
    }
    if !stripped.is_empty() {
        container_rules.push(RuleId::Privacy);
    }
    let action = match (encodes, container_rules.is_empty()) {
        (true, _) => Action::Encode,
        (false, false) => Action::Remux,
        (false, true) => Action::Passthrough,
    };
    let rewrites = action != Action::Passthrough;
    Ok(Plan {
        action,
        dropped: if rewrites { dropped(info, &video_step, audio_step.as_ref()) } else { Vec::new() },
        video: Some(video_step),
        audio: audio_step,
        part: None,
        repeat: length.repeat,
        period: length.period,
        hold_until: if picture_encodes { timing::hold_to_sound(info, length) } else { None },
        end: length.end,
        retime: None,
        salvage: false,
        stripped,
        container_rules,
        unfixable: None,
        duration: length.result,
        estimate: None,
    })
}

fn encode(
    info: &MediaInfo,
    video: &VideoStream,
    mut rules: Vec<RuleId>,
    spec: &Spec,
    options: &FixOptions,
    length: Length,
) -> Result<VideoEncode, String> {
    let placement = canvas::place(video.display(), spec, options)?;
    if placement.fill != Fill::None && !rules.contains(&RuleId::AspectRatio) {
        rules.push(RuleId::AspectRatio);
    }
    rules.sort_unstable();
    let rate =
        if rules.contains(&RuleId::FrameRate) { timing::raised_rate(video, spec, options)? } else { RateStep::Keep };
    let max_bit_rate = timing::size_ceiling(info, spec, length.result);
    Ok(VideoEncode {
        stream: video.index,
        rules,
        deinterlace: video.scan == Some(Scan::Interlaced),
        tone_map: matches!(video.colour.transfer.as_deref(), Some("smpte2084" | "arib-std-b67")),
        orientation: video.orientation,
        clean_aperture: video.clean_aperture,
        picture: placement.picture,
        canvas: placement.canvas,
        fill: placement.fill,
        rate,
        encoder: options.encoder,
        quality: options.quality,
        preset: options.preset.clone(),
        max_bit_rate,
    })
}

fn dropped(info: &MediaInfo, video: &VideoStep, audio: Option<&AudioStep>) -> Vec<DroppedStream> {
    let (video, audio) = (video.stream(), audio.map(AudioStep::stream));
    let videos = info.video.iter().map(|stream| (stream.index, format!("another picture ({})", stream.codec)));
    let sounds = info.audio.iter().map(|stream| (stream.index, format!("another sound ({})", stream.codec)));
    let others = info.other.iter().map(|stream| (stream.index, format!("{} ({})", stream.kind, stream.codec)));
    let mut dropped: Vec<_> = videos
        .chain(sounds)
        .chain(others)
        .filter(|(stream, _)| *stream != video && Some(*stream) != audio)
        .map(|(stream, what)| DroppedStream { stream, what })
        .collect();
    dropped.sort_by_key(|stream| stream.stream);
    dropped
}

#[cfg(test)]
mod tests;
