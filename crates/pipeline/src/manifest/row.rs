//! From a record to what it says.

use std::path::PathBuf;

use jiff::Timestamp;
use pinpress_probe::Seconds;
use serde_json::Value;

use super::Mistake;
use super::parse::Record;

/// The columns, in the order of the documentation.
pub const COLUMNS: [&str; 10] = [
    "file",
    "board",
    "section",
    "title",
    "description",
    "link",
    "alt_text",
    "cover_image_timestamp_ms",
    "publish_at",
    "spec",
];

/// One row of a manifest. What was not given is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// CSV: the line in the file, the column names being line 1. JSON and TOML: its place, from 1.
    pub number: u64,
    /// The video, relative to the folder of the run or of the manifest, or absolute.
    pub file: PathBuf,
    /// Board id or name.
    pub board: Option<String>,
    /// Board section id.
    pub section: Option<String>,
    /// The Pin's title.
    pub title: Option<String>,
    /// The Pin's description.
    pub description: Option<String>,
    /// Where the Pin leads.
    pub link: Option<String>,
    /// What the video shows, for people who do not see it.
    pub alt_text: Option<String>,
    /// The frame to take as the cover.
    pub cover_at: Option<Seconds>,
    /// Not before this time.
    pub publish_at: Option<Timestamp>,
    /// The rule set for this video: a built-in name or a file.
    pub spec: Option<String>,
}

impl Row {
    /// Reads a record, adding what is wrong with it to `mistakes`.
    pub(super) fn read(record: &Record, mistakes: &mut Vec<Mistake>) -> Self {
        for name in record.values.keys().filter(|name| !COLUMNS.contains(&name.as_str())) {
            mistakes.push(Mistake { row: None, column: Some(name.clone()), message: unknown(name) });
        }
        let mut reader = Reader { record, mistakes };
        let row = Self {
            number: record.number,
            file: reader.text("file").map(PathBuf::from).unwrap_or_default(),
            board: reader.text("board"),
            section: reader.text("section"),
            title: reader.text("title"),
            description: reader.text("description"),
            link: reader.text("link"),
            alt_text: reader.text("alt_text"),
            cover_at: reader.millis("cover_image_timestamp_ms"),
            publish_at: reader.time("publish_at"),
            spec: reader.text("spec"),
        };
        // A line of column names alone is read for its names only.
        let names_only = !record.values.is_empty() && record.values.values().all(Value::is_null);
        if row.file.as_os_str().is_empty() && !names_only {
            reader.mistake("file", "is missing: every row names its video");
        }
        row
    }
}

fn unknown(name: &str) -> String {
    let folded = name.to_lowercase().replace([' ', '-'], "_");
    let near = COLUMNS.iter().find(|known| folded == **known || (folded.len() > 3 && known.starts_with(&folded)));
    match near {
        Some(near) => format!("unknown column: is it {near}?"),
        None => format!("unknown column: use {}", COLUMNS.join(", ")),
    }
}

struct Reader<'a> {
    record: &'a Record,
    mistakes: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    fn mistake(&mut self, column: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            row: Some(self.record.number),
            column: Some(column.to_owned()),
            message: message.into(),
        });
    }

    fn text(&mut self, column: &str) -> Option<String> {
        match self.record.values.get(column)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Null => None,
            other => {
                let message = format!("is {other}: write it as text, in quotes");
                self.mistake(column, message);
                None
            }
        }
    }

    fn millis(&mut self, column: &str) -> Option<Seconds> {
        let value = self.record.values.get(column)?;
        let millis = match value {
            Value::Null => return None,
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse::<i64>().ok(),
            _ => None,
        };
        match millis.filter(|millis| *millis >= 0) {
            Some(millis) => Some(Seconds::from_millis(millis)),
            None => {
                let message = format!("is {value}: write whole milliseconds from the start, such as 1500");
                self.mistake(column, message);
                None
            }
        }
    }

    fn time(&mut self, column: &str) -> Option<Timestamp> {
        let text = self.text(column)?;
        match text.parse() {
            Ok(time) => Some(time),
            Err(_) => {
                let message = format!("is {text:?}: write RFC 3339 with its zone, such as 2026-12-01T09:00:00+01:00");
                self.mistake(column, message);
                None
            }
        }
    }
}
