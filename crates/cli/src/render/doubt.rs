//! A Pin of unknown outcome: what was sent, what could be it, how to settle it.

use std::io::{self, Write};
use std::path::Path;

use pinpress_pipeline::Doubt;
use pinpress_publish::Pin;
use serde_json::Value;

use super::media_json::TOOL;
use crate::output::{DIM, NOTE, clean, shown};

/// The Pins that could be it, each with its address; or why the board could not be read.
pub(crate) type Candidates = Result<Vec<(String, Pin)>, String>;

/// For people.
pub(crate) fn human(out: &mut dyn Write, doubt: &Doubt, candidates: &Candidates) -> io::Result<()> {
    let content = doubt.record.content.as_ref();
    let board = match content {
        Some(content) if content.board != doubt.record.key.board => {
            format!("{:?} ({})", content.board, doubt.record.key.board)
        }
        _ => doubt.record.key.board.clone(),
    };
    writeln!(out, "{NOTE}?{NOTE:#} {}", shown(&doubt.job.source))?;
    writeln!(out, "  sent at {} to board {}", seconds(doubt.attempted_at), clean(&board))?;
    if let Some(content) = content {
        for (name, text) in [("title", &content.title), ("description", &content.description), ("link", &content.link)]
        {
            if let Some(text) = text {
                writeln!(out, "  {DIM}{name}{DIM:#} {}", clean(&shortened(text)))?;
            }
        }
    }
    writeln!(out, "  {DIM}why{DIM:#} {}", clean(&doubt.reason))?;
    match candidates {
        Err(error) => writeln!(out, "  the board could not be read: {}", clean(error)),
        Ok(_) if content.is_none() => {
            writeln!(out, "  an older pinpress sent it and did not keep its texts: look at the board")
        }
        Ok(pins) if pins.is_empty() => writeln!(out, "  no Pin on the board has its texts and is not older"),
        Ok(pins) => pins.iter().enumerate().try_for_each(|(place, (url, pin))| {
            let made = pin.created_at.map_or_else(|| "at an unknown time".to_owned(), seconds);
            writeln!(out, "  {}  {}  made {made}", place + 1, clean(url))
        }),
    }
}

/// The commands that settle it.
pub(crate) fn ways(out: &mut dyn Write, doubt: &Doubt, candidates: &Candidates, place: &str) -> io::Result<()> {
    let command = format!("pinpress reconcile {} {place}", quoted(&doubt.job.source));
    let pin = match candidates.as_deref() {
        Ok([(_, pin), ..]) => pin.id.as_str(),
        _ => "PIN",
    };
    writeln!(out, "  it is one of the board: {command} --adopt {pin}")?;
    writeln!(out, "  it is not there:        {command} --resend")
}

/// For programs: `pinpress.reconcile/1`.
pub(crate) fn json(told: &[(&Doubt, Candidates)]) -> Value {
    let pins: Vec<_> = told.iter().map(|(doubt, candidates)| pin(doubt, candidates)).collect();
    serde_json::json!({"schema": "pinpress.reconcile/1", "tool": TOOL, "pins": pins})
}

fn pin(doubt: &Doubt, candidates: &Candidates) -> Value {
    let content = doubt.record.content.clone().unwrap_or_default();
    let (found, error) = match candidates {
        Ok(found) => (found.as_slice(), None),
        Err(error) => ([].as_slice(), Some(error)),
    };
    let found: Vec<_> = found
        .iter()
        .map(|(url, pin)| {
            let made = pin.created_at.map(|at| at.to_string());
            serde_json::json!({"pin_id": pin.id.as_str(), "url": url, "created_at": made, "title": pin.title})
        })
        .collect();
    serde_json::json!({
        "source": doubt.job.source.to_string_lossy(), "output": doubt.output.to_string_lossy(),
        "destination": doubt.record.key.destination, "board_id": doubt.record.key.board, "board": content.board,
        "board_section_id": content.section, "title": content.title, "description": content.description,
        "link": content.link, "attempted_at": doubt.attempted_at.to_string(), "reason": doubt.reason,
        "candidates": found, "error": error,
    })
}

/// A time without its fractions.
pub(crate) fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// At most a line of it.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 72;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.into_owned();
    }
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    clean(&format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (path, told) in [("a/b.mp4", "a/b.mp4"), ("a b.mp4", "'a b.mp4'"), ("it's", r"'it'\''s'"), ("-x", "'./-x'")]
        {
            assert_eq!(quoted(Path::new(path)), told);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shortened("ü"), "ü");
        assert_eq!(shortened(&"ü".repeat(80)).chars().count(), 72);
    }
}
