//! The facts of a video on the page: one line, and all of them when it is opened.

use maud::{Markup, html};
use pinpress_probe::{MediaInfo, Scan};

use crate::output::clean;
use crate::render::facts as words;

/// A line to open.
pub(in crate::render) fn facts(info: &MediaInfo) -> Markup {
    html! {
        details {
            summary { (clean(&words::in_short(info))) }
            dl {
                @for (name, value) in pairs(info) { div { dt { (name) } dd { (clean(&value)) } } }
            }
        }
    }
}

/// What is known, by name; what is not known is left out.
fn pairs(info: &MediaInfo) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("Format", info.container.name().to_owned()), ("Size", size(info.size_bytes))];
    pairs.extend(info.duration.map(|duration| ("Duration", duration.to_string())));
    if let Some(video) = info.primary_video() {
        pairs.push(("Picture", with_profile(&video.codec, video.profile.as_deref())));
        pairs.extend(video.pixel_format.as_ref().map(|format| ("Samples", format.name.clone())));
        pairs.push(("Displayed", video.display().to_string()));
        let turn = match video.orientation.rotation.degrees() {
            0 => String::new(),
            degrees => format!(", turned {degrees}° clockwise"),
        };
        let mirrored = if video.orientation.mirrored { ", mirrored" } else { "" };
        pairs.push(("Coded", format!("{}×{}{turn}{mirrored}", video.coded.width, video.coded.height)));
        pairs.extend(video.sample_aspect.map(|aspect| ("Sample aspect", aspect.to_string())));
        let variable = if video.variable_frame_rate == Some(true) { " on average" } else { "" };
        pairs.extend(video.frame_rate.map(|rate| ("Frame rate", format!("{rate}{variable}"))));
        pairs.extend(
            video
                .scan
                .map(|scan| ("Scan", if scan == Scan::Interlaced { "interlaced" } else { "progressive" }.to_owned())),
        );
        pairs.extend(video.bit_rate.map(|rate| ("Picture bit rate", kilobits(rate))));
    }
    match info.primary_audio() {
        None => pairs.push(("Sound", "none".to_owned())),
        Some(audio) => {
            let rate = audio.sample_rate.map_or_else(String::new, |rate| format!(", {rate} Hz"));
            let channels = audio.channels.map_or_else(String::new, |channels| format!(", {channels} channels"));
            pairs.push(("Sound", with_profile(&audio.codec, audio.profile.as_deref()) + &rate + &channels));
        }
    }
    pairs.push(("Read by", words::reader(info.reader).to_owned()));
    pairs
}

pub(in crate::render) fn with_profile(codec: &str, profile: Option<&str>) -> String {
    profile.map_or_else(|| codec.to_owned(), |profile| format!("{codec} {profile}"))
}

/// Decimal megabytes, as the rules count.
pub(in crate::render) fn size(bytes: u64) -> String {
    if bytes < 100_000 {
        return format!("{bytes} bytes");
    }
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn kilobits(rate: u64) -> String {
    format!("{} kbit/s", rate / 1_000)
}
