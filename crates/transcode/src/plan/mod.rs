//! The cheapest change that clears every finding. Pure: facts, rule set and preferences in, a [`Plan`] out.
//!
//! Rungs, cheapest first: passthrough, remux, edit without decoding, encode the sound, encode a part of the picture,
//! encode the picture. Each part of a plan names the rules that force it, and a plan for what a plan made is a
//! passthrough.

mod canvas;
mod edit;
mod estimate;
mod measured;
mod parts;
mod rate;
mod sound;
mod timing;

use pinpress_media::{
    Action, AudioStep, DroppedStream, Encoder, Fill, FixOptions, FpsMode, Part, Plan, RateStep, Retime, VideoEdit,
    VideoEncode, VideoExtend, VideoStep,
};
use pinpress_probe::{Anomaly, Container, MediaInfo, Medium, Report, RuleId, Scan, Seconds, Spec, VideoStream, check};

pub use estimate::estimate;
pub use measured::{Focus, Measured};
pub use parts::parts;

use timing::Length;

/// Rules that only another picture, or another declaration of it, can satisfy.
const PICTURE_RULES: [RuleId; 7] = [
    RuleId::FileSize,
    RuleId::AspectRatio,
    RuleId::Resolution,
    RuleId::FrameRate,
    RuleId::VideoCodec,
    RuleId::PixelFormat,
    RuleId::ScanType,
];

/// Plans the least change that makes a video pass `spec`. `measured` is what a look at decoded pictures told, where
/// anybody looked.
#[must_use]
pub fn plan(info: &MediaInfo, spec: &Spec, options: &FixOptions, measured: &Measured) -> Plan {
    try_plan(info, spec, options, measured)
        .unwrap_or_else(|reason| Plan::unfixable(reason, info.duration.filter(|time| *time > Seconds::ZERO)))
}

/// Plans the same for one part of a video that is split.
#[must_use]
pub fn plan_part(info: &MediaInfo, spec: &Spec, options: &FixOptions, measured: &Measured, part: Part) -> Plan {
    let mut plan = plan(&parts::facts(info, part), spec, options, measured);
    if plan.action == Action::Unfixable {
        return plan;
    }
    let length = part.end.0.checked_sub(part.begin.0).map(Seconds);
    plan.part = Some(part);
    plan.end = plan.end.or(length);
    plan.duration = plan.duration.or(length);
    if !plan.container_rules.contains(&RuleId::Duration) {
        plan.container_rules.push(RuleId::Duration);
    }
    plan.action = plan.action.max(Action::Edit);
    match plan.video.take() {
        Some(VideoStep::Copy { stream }) => {
            plan.video = Some(VideoStep::Edit(passed_on(stream, vec![RuleId::Duration])));
        }
        Some(VideoStep::Edit(mut edit)) => {
            edit.rules.push(RuleId::Duration);
            plan.video = Some(VideoStep::Edit(edit));
        }
        other => plan.video = other,
    }
    if let Some(video) = &plan.video {
        plan.dropped = dropped(info, video, plan.audio.as_ref());
    }
    plan.estimate = Some(estimate(info, &plan, options.threads));
    plan
}

/// An edit that changes which packets there are, or when, and no header.
const fn passed_on(stream: u32, rules: Vec<RuleId>) -> VideoEdit {
    VideoEdit { stream, rules, cropping: None, size: None, square_pixels: false }
}

fn try_plan(info: &MediaInfo, spec: &Spec, options: &FixOptions, measured: &Measured) -> Result<Plan, String> {
    let plan = assemble(info, spec, options, measured, true)?;
    // What is encoded anyway gets its rate along the way, and the sound stays as it is.
    let encodes = matches!(plan.video, Some(VideoStep::Encode(_)));
    if encodes && plan.retime.is_some() && options.fps != FpsMode::Retime {
        return assemble(info, spec, options, measured, false);
    }
    Ok(plan)
}

fn assemble(
    info: &MediaInfo,
    spec: &Spec,
    options: &FixOptions,
    measured: &Measured,
    unseen: bool,
) -> Result<Plan, String> {
    let report = check(info, spec);
    let broken = |rule: RuleId| report.fails(rule);
    let salvage = Salvage::of(info, &report, options)?;
    let video = info.primary_video().ok_or("it has no picture")?;
    let stripped = if options.keep_metadata { Vec::new() } else { info.private_tags() };
    let mut container_rules: Vec<_> =
        [RuleId::Container, RuleId::Streams].into_iter().filter(|rule| broken(*rule)).collect();
    if !stripped.is_empty() {
        container_rules.push(RuleId::Privacy);
    }
    if salvage.cut_off.is_some() {
        container_rules.push(RuleId::Integrity);
    }

    let retime = if broken(RuleId::FrameRate) { rate::retimed(info, spec, options, unseen) } else { None };
    let length = timing::length(info, spec, options, retime, salvage.cut_off)?;
    if length.end.is_some() && salvage.cut_off.is_none() {
        container_rules.push(RuleId::Duration);
    }
    let mut picture_rules: Vec<_> = PICTURE_RULES.into_iter().filter(|rule| broken(*rule)).collect();
    if salvage.picture {
        picture_rules.push(RuleId::Integrity);
    }
    if length.extends() && !follows_on_itself(video, length) {
        picture_rules.push(RuleId::Duration);
    }
    let audio_step = info.primary_audio().map(|audio| {
        let mut rules = Vec::new();
        for (rule, holds) in [
            (RuleId::AudioCodec, broken(RuleId::AudioCodec)),
            // What is held is held in silence; what is repeated gets new samples at the seam.
            (RuleId::Duration, length.repeat > 1),
            (RuleId::FrameRate, retime.is_some_and(|retime| rate::is_heard(info, retime))),
            (RuleId::Integrity, salvage.sound),
        ] {
            if holds {
                rules.push(rule);
            }
        }
        sound::step(audio, rules)
    });
    let sound_encodes = matches!(audio_step, Some(AudioStep::Encode { .. }));
    let step = Picture { info, video, retime, length, spec, options, measured };
    let video_step = step.plan(picture_rules, sound_encodes || !container_rules.is_empty())?;
    let picture_encodes = matches!(video_step, VideoStep::Encode(_));
    let encodes = picture_encodes || sound_encodes || matches!(video_step, VideoStep::Extend(_));
    let action = if encodes {
        Action::Encode
    } else if matches!(video_step, VideoStep::Edit(_)) {
        Action::Edit
    } else if !container_rules.is_empty() {
        Action::Remux
    } else {
        Action::Passthrough
    };
    let rewrites = action != Action::Passthrough;
    let mut plan = Plan {
        action,
        dropped: if rewrites { dropped(info, &video_step, audio_step.as_ref()) } else { Vec::new() },
        video: Some(video_step),
        audio: audio_step,
        part: None,
        repeat: length.repeat,
        period: length.period,
        hold_until: if picture_encodes { timing::hold_to_sound(info, length) } else { length.hold_until },
        end: length.end,
        retime,
        salvage: salvage.is_needed(),
        stripped,
        container_rules,
        unfixable: None,
        duration: length.result,
        estimate: None,
    };
    plan.estimate = Some(estimate(info, &plan, options.threads));
    Ok(plan)
}

/// What is done about damage.
#[derive(Debug, Clone, Copy, Default)]
struct Salvage {
    /// Where the file stops being whole.
    cut_off: Option<Seconds>,
    picture: bool,
    sound: bool,
}

impl Salvage {
    fn of(info: &MediaInfo, report: &Report, options: &FixOptions) -> Result<Self, String> {
        let Some(finding) = report.errors().find(|finding| finding.rule == RuleId::Integrity) else {
            return Ok(Self::default());
        };
        if !options.salvage {
            let keep =
                if info.anomalies.iter().any(is_hopeless) { "" } else { ", or keep what is whole with --salvage" };
            return Err(format!("it is damaged ({}): export or copy it again{keep}", finding.measured));
        }
        let mut salvage = Self::default();
        for anomaly in &info.anomalies {
            match anomaly {
                anomaly if is_hopeless(anomaly) => {
                    return Err(format!("it is damaged ({}), and nothing can be kept", finding.measured));
                }
                Anomaly::Truncated { whole } => salvage.cut_off = *whole,
                // Nobody knows whose they are.
                Anomaly::CorruptPackets { .. } => (salvage.picture, salvage.sound) = (true, true),
                Anomaly::Undecodable { medium: Medium::Video, .. } => salvage.picture = true,
                Anomaly::Undecodable { medium: Medium::Audio, .. } => salvage.sound = true,
                _ => {}
            }
        }
        Ok(salvage)
    }

    const fn is_needed(self) -> bool {
        self.cut_off.is_some() || self.picture || self.sound
    }
}

/// Damage that leaves nothing.
fn is_hopeless(anomaly: &Anomaly) -> bool {
    match anomaly {
        Anomaly::Truncated { whole } => whole.is_none_or(|whole| whole <= Seconds::ZERO),
        Anomaly::Undecodable { partly, .. } => !partly,
        _ => false,
    }
}

/// Whether the packets of a clip that is shown several times can stand behind themselves. With a period that is not
/// the picture's own its rate would change at every seam.
fn follows_on_itself(video: &VideoStream, length: Length) -> bool {
    length.hold_until.is_none() && length.period.is_none() && video.clean_start == Some(true)
}

/// Everything that decides what becomes of the picture.
struct Picture<'a> {
    info: &'a MediaInfo,
    video: &'a VideoStream,
    retime: Option<Retime>,
    length: Length,
    spec: &'a Spec,
    options: &'a FixOptions,
    measured: &'a Measured,
}

impl Picture<'_> {
    fn plan(&self, rules: Vec<RuleId>, rewrites: bool) -> Result<VideoStep, String> {
        let Self { video, spec, options, .. } = *self;
        let stream = video.index;
        if rules == [RuleId::Duration]
            && let Some(extend) = self.extend()
        {
            return Ok(VideoStep::Extend(extend));
        }
        // What changes the times of packets and none of them.
        let mut edits = Vec::new();
        if self.length.extends() || self.length.end.is_some() {
            edits.push(RuleId::Duration);
        }
        if self.retime.is_some() {
            edits.push(RuleId::FrameRate);
        }
        let by_headers: Vec<RuleId> = rules.iter().copied().filter(|rule| !edits.contains(rule)).collect();
        let forced = rules.contains(&RuleId::Duration);
        let rewrites = rewrites || !edits.is_empty() || !by_headers.is_empty();
        let headers = if forced {
            None
        } else {
            edit::headers(video, &by_headers, rewrites, spec, options, self.measured.busiest.unwrap_or_default())
        };
        let Some(headers) = headers else { return Ok(VideoStep::Encode(self.encode(rules)?)) };
        edits.extend(by_headers);
        edits.sort_unstable();
        if edits.is_empty() && !headers.change() {
            return Ok(VideoStep::Copy { stream });
        }
        Ok(VideoStep::Edit(VideoEdit {
            stream,
            rules: edits,
            cropping: headers.cropping,
            size: headers.size,
            square_pixels: headers.square_pixels,
        }))
    }

    /// The last picture held behind copied ones, where only it has to be encoded.
    fn extend(&self) -> Option<VideoExtend> {
        let Self { info, video, options, length, .. } = *self;
        let sets_in_head =
            info.container.is_iso_bmff() || matches!(info.container, Container::Matroska | Container::Flv);
        let whole = length.hold_until.is_some() && length.repeat == 1 && length.end.is_none();
        let numbered = matches!(options.encoder, Encoder::Auto | Encoder::X264);
        let constant = video.variable_frame_rate == Some(false) && video.clean_aperture.is_none();
        let plain = edit::is_plain(video) && video.scan == Some(Scan::Progressive) && video.cropping.is_some();
        (sets_in_head && whole && numbered && constant && plain && !info.fragmented).then_some(VideoExtend {
            stream: video.index,
            rules: vec![RuleId::Duration],
            rate: video.frame_rate?,
            encoder: options.encoder,
            quality: options.quality,
            preset: options.preset.clone(),
        })
    }

    fn encode(&self, mut rules: Vec<RuleId>) -> Result<VideoEncode, String> {
        let Self { info, video, spec, options, measured, .. } = *self;
        // Decoded as what it is not, the picture is green and purple.
        if video.dolby_vision_profile == Some(5) {
            return Err(
                "Dolby Vision profile 5 has colours that only Dolby's own decoders know: export it as HDR10 or SDR"
                    .to_owned(),
            );
        }
        let placement = canvas::place(video.display(), spec, options, measured.busiest.unwrap_or_default())?;
        if placement.fill != Fill::None && !rules.contains(&RuleId::AspectRatio) {
            rules.push(RuleId::AspectRatio);
        }
        if self.length.extends() && !rules.contains(&RuleId::Duration) {
            rules.push(RuleId::Duration);
        }
        if rules.is_empty() {
            // A clean aperture that a copy would lose.
            rules.push(RuleId::AspectRatio);
        }
        rules.sort_unstable();
        let rate = match self.retime {
            Some(_) => RateStep::Keep,
            None if rules.contains(&RuleId::FrameRate) => rate::raised_rate(video, spec, options)?,
            None => RateStep::Keep,
        };
        Ok(VideoEncode {
            stream: video.index,
            rules,
            // The flag is a hint, the pictures are the judge.
            deinterlace: measured.scan.or(video.scan) == Some(Scan::Interlaced),
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
            max_bit_rate: timing::size_ceiling(info, spec, self.length.result),
        })
    }
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
mod properties;
#[cfg(test)]
mod tests;
