//! What would be published.

use std::io::{self, Write};

use pinpress_pipeline::{DryRun, DryVideo, Standing};
use pinpress_publish::PlannedRequest;
use serde_json::Value;

use super::check_human::counted;
use super::doubt::{seconds, shortened};
use super::media_json::TOOL;
use crate::output::{BAD, DIM, GOOD, NOTE, clean, shown};

/// For people: each video with its requests, then what is wrong.
pub(crate) fn human(out: &mut dyn Write, told: &DryRun) -> io::Result<()> {
    for video in &told.videos {
        let (mark, style, what) = said(video);
        writeln!(out, "{style}{mark}{style:#} {}  {}", shown(&video.source), clean(&what))?;
        if let Standing::Sent(requests) = &video.standing {
            requests.iter().try_for_each(|request| request_for_people(out, request))?;
        }
    }
    for (video, advice) in &told.advice {
        writeln!(out, "{NOTE}note{NOTE:#}: {}: {}", clean(advice), shown(video))?;
    }
    for problem in &told.problems {
        writeln!(out, "{BAD}problem{BAD:#}: {}", clean(problem))?;
    }
    writeln!(out, "{}", total(told))
}

fn said(video: &DryVideo) -> (char, anstyle::Style, String) {
    match &video.standing {
        Standing::Sent(_) => {
            let board = video.board.as_ref().map_or_else(String::new, |(asked, id)| {
                let name = if asked == id.as_str() { String::new() } else { format!("{asked:?}, ") };
                format!("to board {name}{id}")
            });
            let section = video.section.as_ref().map_or_else(String::new, |section| format!(", section {section}"));
            let when = video.publish_at.map_or_else(String::new, |at| format!(", not before {}", seconds(at)));
            ('→', GOOD, board + &section + &when)
        }
        Standing::Published { url } => ('✓', GOOD, format!("was published before: {url}")),
        Standing::Unknown => ('?', NOTE, "its Pin is unknown: it would be looked for, and not sent".to_owned()),
        Standing::SetAside => ('·', NOTE, "was set aside: pinpress retry gives it new attempts".to_owned()),
        Standing::Unlisted => ('·', NOTE, "not published: no row and no board that is there".to_owned()),
        Standing::Unfit { reason } => ('✗', BAD, format!("not published: {reason}")),
    }
}

fn request_for_people(out: &mut dyn Write, request: &PlannedRequest) -> io::Result<()> {
    writeln!(out, "    {} {}", request.method, request.path)?;
    let Some(body) = &request.body else { return Ok(()) };
    let mut lines = Vec::new();
    flatten(body, "", &mut lines);
    for (name, value) in lines {
        writeln!(out, "        {DIM}{name}{DIM:#} {}", clean(&shortened(&value)))?;
    }
    Ok(())
}

/// `media_source.media_id` and its value, in the order of the body.
fn flatten(value: &Value, name: &str, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(value, &name, lines);
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| flatten(part, name, lines)),
        Value::String(text) => lines.push((name.to_owned(), text.clone())),
        other => lines.push((name.to_owned(), other.to_string())),
    }
}

fn total(told: &DryRun) -> String {
    let count = |is: fn(&Standing) -> bool| told.videos.iter().filter(|video| is(&video.standing)).count();
    let parts = [
        (count(|standing| matches!(standing, Standing::Sent(_))), "would be published"),
        (count(|standing| matches!(standing, Standing::Published { .. })), "published before"),
        (count(|standing| matches!(standing, Standing::Unknown)), "unknown"),
        (count(|standing| matches!(standing, Standing::SetAside)), "set aside"),
        (count(|standing| matches!(standing, Standing::Unlisted)), "not to be published"),
        (count(|standing| matches!(standing, Standing::Unfit { .. })), "not fit"),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let videos = format!("{}: {}", counted(told.videos.len(), "video"), parts.join(", "));
    match told.problems.len() {
        0 => format!("{videos}; nothing was sent"),
        count => format!("{videos}; {} to mend before anything is sent", counted(count, "problem")),
    }
}

/// For programs: `pinpress.dry-run/1`.
pub(crate) fn json(told: &DryRun) -> Value {
    let videos: Vec<_> = told.videos.iter().map(video).collect();
    let advice: Vec<_> = told
        .advice
        .iter()
        .map(|(video, advice)| serde_json::json!({"path": video.to_string_lossy(), "advice": advice}))
        .collect();
    serde_json::json!({
        "schema": "pinpress.dry-run/1", "tool": TOOL, "problems": told.problems, "advice": advice, "videos": videos,
    })
}

fn video(video: &DryVideo) -> Value {
    let (standing, requests, url, reason) = match &video.standing {
        Standing::Sent(requests) => ("send", requests.as_slice(), None, None),
        Standing::Published { url } => ("published", [].as_slice(), Some(url), None),
        Standing::Unknown => ("unknown", [].as_slice(), None, None),
        Standing::SetAside => ("set-aside", [].as_slice(), None, None),
        Standing::Unlisted => ("unlisted", [].as_slice(), None, None),
        Standing::Unfit { reason } => ("unfit", [].as_slice(), None, Some(reason)),
    };
    let (board, board_id) = video.board.as_ref().map(|(asked, id)| (asked, id.as_str())).unzip();
    serde_json::json!({
        "path": video.source.to_string_lossy(), "standing": standing, "board": board, "board_id": board_id,
        "board_section_id": video.section.as_ref().map(|section| section.as_str()),
        "publish_at": video.publish_at.map(|at| at.to_string()), "url": url, "reason": reason, "requests": requests,
    })
}
