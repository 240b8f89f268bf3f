//! A plan in words: what is done, and the rules that force it.

use pinpress_media::{Action, AudioStep, Plan, VideoStep};
use pinpress_probe::RuleId;

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
    match plan.action {
        Action::Passthrough => return "fits as it is".to_owned(),
        Action::Unfixable => {
            return plan.unfixable.as_ref().map_or_else(|| "unfixable".to_owned(), |why| format!("unfixable: {why}"));
        }
        Action::Remux | Action::Edit | Action::Encode => {}
    }
    let mut words = Vec::new();
    match &plan.video {
        Some(VideoStep::Encode(step)) => words.push(format!("encode the picture{}", because(&step.rules))),
        Some(VideoStep::Edit(edit)) => words.push(format!("edit the picture{}", because(&edit.rules))),
        Some(VideoStep::Copy { .. }) if plan.action == Action::Encode => words.push("copy the picture".to_owned()),
        Some(VideoStep::Copy { .. }) => words.push(format!("remux{}", because(&plan.container_rules))),
        None => {}
    }
    match &plan.audio {
        Some(AudioStep::Encode { rules, .. }) => words.push(format!("encode the sound{}", because(rules))),
        Some(AudioStep::Copy { .. }) if plan.action == Action::Encode => words.push("copy the sound".to_owned()),
        _ => {}
    }
    if plan.repeat > 1 {
        words.push(format!("show it {} times", plan.repeat));
    }
    if let Some(end) = plan.hold_until {
        words.push(format!("hold the last frame until {end}"));
    }
    if let Some(end) = plan.end {
        words.push(format!("end at {end}"));
    }
    if !plan.dropped.is_empty() {
        let dropped: Vec<&str> = plan.dropped.iter().map(|stream| stream.what.as_str()).collect();
        words.push(format!("drop {}", dropped.join(", ")));
    }
    if !plan.stripped.is_empty() {
        words.push("strip private metadata".to_owned());
    }
    words.join(", ")
}

fn because(rules: &[RuleId]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    format!(" ({})", rules.iter().map(|rule| rule.name()).collect::<Vec<_>>().join(", "))
}
