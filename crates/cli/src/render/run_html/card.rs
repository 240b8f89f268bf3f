//! The card of one video: what it was, what was done, what it is now, how it ended, and what is to be done.

use maud::{Markup, html};
use pinpress_media::Plan;
use pinpress_pipeline::{End, VideoOutcome};
use pinpress_probe::{MediaInfo, Severity};

use super::Group;
use super::page::facts::{size, with_profile};
use super::page::finding;
use crate::output::clean;
use crate::render::{plan, run_end};

/// What is known of a video.
pub(super) struct Known<'a> {
    pub(super) outcome: &'a VideoOutcome,
    pub(super) group: Group,
    /// The source's facts.
    pub(super) before: Option<&'a MediaInfo>,
    /// The output's facts, where it is another file.
    pub(super) after: Option<&'a MediaInfo>,
    /// An address of its still.
    pub(super) still: Option<String>,
}

/// The card.
pub(super) fn card(known: &Known<'_>) -> Markup {
    let Known { outcome, group, .. } = known;
    let path = &outcome.source;
    let name = clean(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    html! {
        article.(group.class()) {
            div.still {
                @if let Some(still) = &known.still {
                    img alt={ "The cover of " (name) } src=(still) loading="lazy" decoding="async";
                } @else {
                    div.none { "no cover" }
                }
            }
            div.story {
                h2 { (name) }
                @if let Some(folder) = folder { span.folder { (clean(&folder.to_string_lossy())) } }
                p.end {
                    span.badge { (badge(outcome)) }
                    @if let Some(pin) = &outcome.pin { " " (pin_link(&pin.id, &pin.url)) }
                }
                @if let Some(why) = why(outcome) { p.why { (clean(&why)) } }
                @if let Some(step) = run_end::next_step(&outcome.end) { p.next { "→ " (commands(step)) } }
                @if let Some(plan) = &outcome.plan { (done(plan)) }
                (findings(outcome))
            }
            (facts(known))
        }
    }
}

/// One or two words for how it ended.
fn badge(outcome: &VideoOutcome) -> String {
    let published = outcome.pin.is_some();
    match &outcome.end {
        End::Done if published => "Published",
        End::UpToDate if published => "Published before",
        End::Done => "Done",
        End::UpToDate => "Done before",
        End::Scheduled { at } => return format!("Waits until {}", super::super::until::minute(*at)),
        End::Unlisted => "Not to be published",
        End::Duplicate { .. } => "Same as another",
        End::Unfit => "Does not fit",
        End::Later { .. } => "Not yet",
        End::Unknown { .. } => "Nobody knows",
        End::Failed { .. } => "Failed",
        End::SetAside { .. } => "Set aside",
        End::Interrupted => "Interrupted",
    }
    .to_owned()
}

fn why(outcome: &VideoOutcome) -> Option<String> {
    match (&outcome.end, run_end::reason(outcome)) {
        (End::Failed { stage, .. }, Some(reason)) => Some(format!("{stage}: {reason}")),
        (End::Duplicate { of }, _) => Some(format!("Its content is that of {}.", of.display())),
        (_, reason) => reason.map(str::to_owned),
    }
}

/// What was done, in short, and in full when it is opened.
fn done(plan: &Plan) -> Markup {
    let lines = plan::in_full(plan);
    html! {
        p.plan { b { "Done: " } (clean(&plan::in_short(plan))) }
        @if !lines.is_empty() {
            details {
                summary { "In detail" }
                dl { @for (what, line) in lines { div { dt { (what) } dd { (clean(&line)) } } } }
            }
        }
    }
}

/// A text with what stands between backticks as code.
fn commands(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A link to where people see it. Another scheme is none that a browser should be sent to.
fn pin_link(id: &str, url: &str) -> Markup {
    let safe = url.starts_with("https://") || url.starts_with("http://");
    html! {
        @if safe { a href=(url) rel="noreferrer" { "Pin " (clean(id)) } } @else { span { "Pin " (clean(id)) } }
    }
}

/// What fails, and what is only advised, of the source.
fn findings(outcome: &VideoOutcome) -> Markup {
    let found = outcome.report.as_ref().map(|report| report.findings.as_slice()).unwrap_or_default();
    let (fails, advice): (Vec<_>, Vec<_>) = found.iter().partition(|one| one.severity == Severity::Error);
    let fixed = outcome.output.is_some();
    html! {
        @if !fails.is_empty() {
            details.findings open[!fixed] {
                summary { @if fixed { "What did not fit" } @else { "What does not fit" } }
                ul { @for one in fails { (finding(one)) } }
            }
        }
        @if !advice.is_empty() {
            details.findings {
                summary { "Advice" }
                ul { @for one in advice { (finding(one)) } }
            }
        }
    }
}

/// Before and after, side by side; what changed is told apart.
fn facts(known: &Known<'_>) -> Markup {
    if known.before.is_none() && known.after.is_none() {
        return html! { div.facts { p.nothing { "It was not read." } } };
    }
    let (before, after) = (known.before.map(rows), known.after.map(rows));
    html! {
        table.facts {
            caption { @if after.is_none() { "What it is" } @else if before.is_none() { "What it is now" } @else { "Before and after" } }
            @if after.is_some() {
                thead {
                    tr {
                        td {}
                        @if before.is_some() { th scope="col" { "Before" } }
                        th scope="col" { "After" }
                    }
                }
            }
            tbody {
                @for (number, name) in NAMES.iter().enumerate() {
                    @let (old, new) = (before.as_ref().map(|all| &all[number]), after.as_ref().map(|all| &all[number]));
                    tr {
                        th scope="row" { (name) }
                        @if let Some(old) = old { td { (clean(old)) } }
                        @if let Some(new) = new {
                            td { @if old.is_some_and(|old| old != new) { b { (clean(new)) } } @else { (clean(new)) } }
                        }
                    }
                }
            }
        }
    }
}

const NAMES: [&str; 7] = ["Format", "Size", "Length", "Picture", "Displayed", "Frame rate", "Sound"];

fn rows(info: &MediaInfo) -> [String; 7] {
    let video = info.primary_video();
    let of = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    [
        info.container.name().to_owned(),
        size(info.size_bytes),
        of(info.duration.map(|duration| duration.to_string())),
        of(video.map(|video| with_profile(&video.codec, video.profile.as_deref()))),
        of(video.map(|video| video.display().to_string())),
        of(video.and_then(|video| video.frame_rate).map(|rate| rate.to_string())),
        info.primary_audio()
            .map_or_else(|| "none".to_owned(), |audio| with_profile(&audio.codec, audio.profile.as_deref())),
    ]
}
