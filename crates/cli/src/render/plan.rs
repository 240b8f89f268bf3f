//! A plan in words: what is done, and the rules that force it.

use pinpress_media::{Action, AudioStep, Encoder, Estimate, Fill, Plan, RateStep, VideoEdit, VideoEncode, VideoStep};
use pinpress_probe::{PrivateTag, RuleId};

/// The word of the JSON contract.
pub(crate) const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Passthrough => "passthrough",
        Action::Remux => "remux",
        Action::Edit => "edit",
        Action::Encode => "encode",
        Action::Unfixable => "unfixable",
    }
}

/// The plan in one line: `encode the picture (aspect-ratio), copy the sound`.
pub(crate) fn in_short(plan: &Plan) -> String {
    if let Some(whole) = all_or_nothing(plan) {
        return whole;
    }
    let mut words = Vec::new();
    if let Some(part) = plan.part {
        words.push(format!("part {} of {}", part.number, part.of));
    }
    let encodes = plan.action == Action::Encode;
    match &plan.video {
        Some(VideoStep::Encode(step)) => words.push(format!("encode the picture{}", because(&step.rules))),
        Some(VideoStep::Edit(edit)) => words.push(format!("{}{}", edited(edit, plan), because(&edit.rules))),
        Some(VideoStep::Extend(step)) => {
            words.push(format!("copy the picture, encode what is held{}", because(&step.rules)));
        }
        Some(VideoStep::Copy { .. }) if encodes => words.push("copy the picture".to_owned()),
        Some(VideoStep::Copy { .. }) => words.push(format!("remux{}", because(&plan.container_rules))),
        None => {}
    }
    match &plan.audio {
        Some(AudioStep::Encode { rules, .. }) => words.push(format!("encode the sound{}", because(rules))),
        Some(AudioStep::Copy { .. }) if encodes => words.push("copy the sound".to_owned()),
        _ => {}
    }
    if plan.repeat > 1 && !matches!(plan.video, Some(VideoStep::Edit(_))) {
        words.push(format!("show it {} times", plan.repeat));
    }
    if let Some(end) = plan.hold_until {
        words.push(format!("hold the last frame until {end}"));
    }
    if let Some(end) = plan.end.filter(|_| plan.part.is_none() && !matches!(plan.video, Some(VideoStep::Edit(_)))) {
        words.push(format!("end at {end}"));
    }
    if !plan.dropped.is_empty() {
        words.push(format!("drop {}", dropped(plan)));
    }
    if !plan.stripped.is_empty() {
        words.push(format!("strip {} metadata", stripped(plan)));
    }
    words.join(", ")
}

/// The plan in lines, each with the stream that it is about: for `--plan`.
pub(crate) fn in_full(plan: &Plan) -> Vec<(&'static str, String)> {
    if plan.action == Action::Passthrough || plan.action == Action::Unfixable {
        return Vec::new();
    }
    let mut lines = Vec::new();
    match &plan.video {
        Some(VideoStep::Encode(step)) => lines.push(("picture", format!("{}{}", encoded(step), because(&step.rules)))),
        Some(VideoStep::Edit(edit)) => {
            lines.push(("picture", format!("{}{}; nothing is decoded", edited(edit, plan), because(&edit.rules))));
        }
        Some(VideoStep::Extend(step)) => {
            lines.push(("picture", format!("copied, only what is held is encoded{}", because(&step.rules))));
        }
        Some(VideoStep::Copy { .. }) => lines.push(("picture", "copied".to_owned())),
        None => {}
    }
    match &plan.audio {
        Some(AudioStep::Encode { rules, sample_rate, channels, bit_rate, .. }) => {
            let channels = match channels {
                1 => "mono".to_owned(),
                2 => "stereo".to_owned(),
                6 => "5.1".to_owned(),
                many => format!("{many} channels"),
            };
            let stretched = if plan.retime.is_some() { ", stretched with its pitch kept" } else { "" };
            let what = format!("AAC-LC {channels}, {} kb/s, {sample_rate} Hz{stretched}", bit_rate / 1000);
            lines.push(("sound", format!("{what}{}", because(rules))));
        }
        Some(AudioStep::Copy { .. }) => lines.push(("sound", "copied".to_owned())),
        None => lines.push(("sound", "none".to_owned())),
    }
    let mut file = vec![format!("MP4{}", because(&plan.container_rules))];
    if let Some(part) = plan.part {
        file.push(format!("part {} of {}, {} to {}", part.number, part.of, part.begin, part.end));
    }
    if plan.repeat > 1 {
        file.push(format!("shown {} times", plan.repeat));
    }
    if let Some(end) = plan.hold_until {
        file.push(format!("the last frame held until {end}"));
    }
    if let Some(end) = plan.end.filter(|_| plan.part.is_none()) {
        file.push(format!("ends at {end}"));
    }
    if plan.salvage {
        file.push("what cannot be decoded is left out".to_owned());
    }
    if !plan.dropped.is_empty() {
        file.push(format!("without {}", dropped(plan)));
    }
    if !plan.stripped.is_empty() {
        file.push(format!("without {} metadata", stripped(plan)));
    }
    lines.push(("file", file.join(", ")));
    lines
}

/// `about 12 MB in 3 s`.
pub(crate) fn cost(estimate: Estimate) -> String {
    let size = match estimate.bytes {
        bytes @ 0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        bytes @ 1_000_000..1_000_000_000 => format!("{} MB", (bytes + 500_000) / 1_000_000),
        bytes => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    };
    let time = match estimate.millis {
        0..1_000 => "under a second".to_owned(),
        millis @ 1_000..120_000 => format!("{} s", (millis + 500) / 1000),
        millis => format!("{} min", (millis + 30_000) / 60_000),
    };
    format!("about {size} in {time}")
}

fn all_or_nothing(plan: &Plan) -> Option<String> {
    match plan.action {
        Action::Passthrough => Some("fits as it is".to_owned()),
        Action::Unfixable => {
            Some(plan.unfixable.as_ref().map_or_else(|| "unfixable".to_owned(), |why| format!("unfixable: {why}")))
        }
        Action::Remux | Action::Edit | Action::Encode => None,
    }
}

/// What an edit comes to: `crop the picture to 1080×1080`.
fn edited(edit: &VideoEdit, plan: &Plan) -> String {
    let mut words = Vec::new();
    if let Some(size) = edit.size {
        words.push(format!("crop the picture to {size}"));
    }
    if edit.square_pixels {
        words.push("declare its pixels square".to_owned());
    }
    if let Some(retime) = plan.retime {
        let (from, to) = (retime.from.to_string(), retime.to);
        // 24.9998 must not be told as 25.
        let from = if from == to.to_string() { format!("{} fps", retime.from.rational().to_decimal(6)) } else { from };
        words.push(format!("play it at {to} instead of {from}"));
    }
    if plan.repeat > 1 {
        words.push(format!("show it {} times", plan.repeat));
    }
    if let Some(part) = plan.part {
        words.push(format!("cut it at {}", if part.number == 1 { part.end } else { part.begin }));
    } else if let Some(end) = plan.end {
        words.push(format!("end it at {end}"));
    }
    words.join(", ")
}

/// What an encode comes to: `H.264 1080×1080, x264 medium, CRF 20: …`.
fn encoded(step: &VideoEncode) -> String {
    let encoder = match step.encoder {
        Encoder::X264 | Encoder::Auto => format!("x264 {}, CRF {}", step.preset, step.quality),
        Encoder::Openh264 => "openh264".to_owned(),
        Encoder::VideoToolbox => "VideoToolbox".to_owned(),
        Encoder::Nvenc => "NVENC".to_owned(),
        Encoder::Qsv => "Quick Sync".to_owned(),
        Encoder::Vaapi => "VA-API".to_owned(),
    };
    let mut words = vec![format!("H.264 {}", step.canvas), encoder];
    if let Some(ceiling) = step.max_bit_rate {
        words.push(format!("at most {} kb/s", ceiling / 1000));
    }
    match &step.fill {
        Fill::None => {}
        Fill::Blur => words.push(format!("the picture {} over a blurred copy", step.picture)),
        Fill::Colour(colour) => words.push(format!("the picture {} on {colour}", step.picture)),
        Fill::Crop { .. } => words.push("cropped".to_owned()),
    }
    if step.deinterlace {
        words.push("deinterlaced".to_owned());
    }
    if step.tone_map {
        words.push("HDR to SDR".to_owned());
    }
    if let RateStep::Constant(rate) = step.rate {
        words.push(rate.to_string());
    }
    words.join(", ")
}

fn dropped(plan: &Plan) -> String {
    plan.dropped.iter().map(|stream| stream.what.as_str()).collect::<Vec<_>>().join(", ")
}

fn stripped(plan: &Plan) -> String {
    let names = plan.stripped.iter().map(|tag| match tag {
        PrivateTag::Location => "location",
        PrivateTag::Device => "device",
    });
    names.collect::<Vec<_>>().join(" and ")
}

fn because(rules: &[RuleId]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    format!(" ({})", rules.iter().map(|rule| rule.name()).collect::<Vec<_>>().join(", "))
}
