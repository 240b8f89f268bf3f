//! From a record to what it says.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use pinpress_probe::Seconds;
use serde_json::Value;

use super::mistake::{At, Mistake};
use super::parse::{Cell, Record};
use super::template::Template;

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

/// What is said of one video: a row of a manifest, a sidecar, or both. What was not given is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub at: At,
    /// The video, relative to the folder of the run or of the manifest, or absolute. Empty in a sidecar.
    pub file: PathBuf,
    /// Board id or name.
    pub board: Option<String>,
    /// Board section: id or name.
    pub section: Option<String>,
    /// The Pin's title.
    pub title: Option<Template>,
    /// The Pin's description.
    pub description: Option<Template>,
    /// Where the Pin leads.
    pub link: Option<Template>,
    /// What the video shows, for people who do not see it.
    pub alt_text: Option<Template>,
    /// The frame to take as the cover.
    pub cover_at: Option<Seconds>,
    /// Not before this time.
    pub publish_at: Option<Timestamp>,
    /// The rule set for this video: a built-in name or a file.
    pub spec: Option<String>,
    /// Where single values stand, when that is not where the row does.
    places: HashMap<&'static str, At>,
}

impl Row {
    /// Reads a row of a manifest, adding what is wrong with it to `mistakes`.
    pub(super) fn read(record: Record, mistakes: &mut Vec<Mistake>) -> Self {
        let named = record.cells.iter().any(|cell| cell.name == "file" && !is_blank(&cell.value));
        let row = Self::of(record, &COLUMNS, mistakes);
        if !named {
            mistakes.push(row.mistake("file", "is missing: every row names its video"));
        }
        row
    }

    /// Reads a sidecar, adding what is wrong with it to `mistakes`.
    pub(super) fn of_sidecar(mut record: Record, mistakes: &mut Vec<Mistake>) -> Self {
        if let Some(at) = record.cells.iter().position(|cell| cell.name == COLUMNS[0]) {
            let Cell { name, at, .. } = record.cells.remove(at);
            mistakes.push(Mistake::new(at, "leave it out: a sidecar is of the video beside it").of_column(&name));
        }
        Self::of(record, &COLUMNS[1..], mistakes)
    }

    fn of(Record { at, cells }: Record, columns: &[&'static str], mistakes: &mut Vec<Mistake>) -> Self {
        for Cell { name, at, .. } in &cells {
            know(name, at.clone(), columns, mistakes);
        }
        let mut reader = Reader { cells: &cells, mistakes };
        Self {
            file: reader.text("file").map(PathBuf::from).unwrap_or_default(),
            board: reader.text("board"),
            section: reader.text("section"),
            title: reader.template("title"),
            description: reader.template("description"),
            link: reader.template("link"),
            alt_text: reader.template("alt_text"),
            cover_at: reader.millis("cover_image_timestamp_ms"),
            publish_at: reader.time("publish_at"),
            spec: reader.text("spec"),
            places: columns
                .iter()
                .filter_map(|column| Some((*column, reader.cell(column)?.at.clone())))
                .filter(|(_, cell)| *cell != at)
                .collect(),
            at,
        }
    }

    /// Where the value of a column stands; of one that was not given, where the row does.
    #[must_use]
    pub fn place(&self, column: &str) -> &At {
        self.places.get(column).unwrap_or(&self.at)
    }

    /// One thing that is wrong with a column.
    pub(crate) fn mistake(&self, column: &str, message: impl Into<String>) -> Mistake {
        Mistake::new(self.place(column).clone(), message).of_column(column)
    }

    /// What `near`, a sidecar, says, and of the rest what this row does. The second value names the columns that both
    /// give, and differ in.
    pub(crate) fn under(self, near: &Self) -> (Self, Vec<&'static str>) {
        let far = self;
        let mut row = far.clone();
        let mut differ = Vec::new();
        macro_rules! take {
            ($($column:literal: $field:ident),*) => {$(
                if near.$field.is_some() {
                    if far.$field.is_some() && far.$field != near.$field {
                        differ.push($column);
                    }
                    row.$field.clone_from(&near.$field);
                    row.places.insert($column, near.place($column).clone());
                }
            )*};
        }
        take!(
            "board": board, "section": section, "title": title, "description": description, "link": link,
            "alt_text": alt_text, "cover_image_timestamp_ms": cover_at, "publish_at": publish_at, "spec": spec
        );
        (row, differ)
    }
}

/// Notes a column that there is not, once.
pub(super) fn know(name: &str, at: At, columns: &[&str], mistakes: &mut Vec<Mistake>) {
    let told = |found: &Mistake| found.column.as_deref() == Some(name) && found.message.starts_with(UNKNOWN);
    if !columns.contains(&name) && !mistakes.iter().any(|found| told(found) && found.at.file == at.file) {
        mistakes.push(Mistake::new(at, unknown(name, columns)).of_column(name));
    }
}

const UNKNOWN: &str = "unknown column";

fn unknown(name: &str, columns: &[&str]) -> String {
    let folded = name.to_lowercase().replace([' ', '-'], "_");
    let near = columns.iter().map(|known| (strsim::damerau_levenshtein(&folded, known), known));
    // A slip in three letters, two in six; or a name that was cut short.
    let near =
        near.filter(|(slips, known)| slips * 3 <= known.len() || (folded.len() > 3 && known.starts_with(&folded)));
    match near.min_by_key(|(slips, _)| *slips) {
        Some((_, near)) => format!("{UNKNOWN}: is it {near}?"),
        None => format!("{UNKNOWN}: use {}", columns.join(", ")),
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

struct Reader<'a> {
    cells: &'a [Cell],
    mistakes: &'a mut Vec<Mistake>,
}

impl<'a> Reader<'a> {
    fn cell(&self, column: &str) -> Option<&'a Cell> {
        self.cells.iter().find(|cell| cell.name == column)
    }

    fn mistake(&mut self, cell: &Cell, message: String) {
        self.mistakes.push(Mistake::new(cell.at.clone(), message).of_column(&cell.name));
    }

    fn text(&mut self, column: &str) -> Option<String> {
        let cell = self.cell(column)?;
        match &cell.value {
            blank if is_blank(blank) => None,
            Value::String(text) => Some(text.trim().to_owned()),
            other => {
                self.mistake(cell, format!("is {other}: write it as text, in quotes"));
                None
            }
        }
    }

    fn template(&mut self, column: &str) -> Option<Template> {
        let text = self.text(column)?;
        match Template::from_str(&text) {
            Ok(template) => Some(template),
            Err(error) => {
                let cell = self.cell(column)?;
                self.mistake(cell, error.to_string());
                None
            }
        }
    }

    fn millis(&mut self, column: &str) -> Option<Seconds> {
        let cell = self.cell(column)?;
        let millis = match &cell.value {
            Value::Null => return None,
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse::<i64>().ok(),
            _ => None,
        };
        match millis.filter(|millis| *millis >= 0) {
            Some(millis) => Some(Seconds::from_millis(millis)),
            None => {
                let value = &cell.value;
                self.mistake(cell, format!("is {value}: write whole milliseconds from the start, such as 1500"));
                None
            }
        }
    }

    fn time(&mut self, column: &str) -> Option<Timestamp> {
        let text = self.text(column)?;
        match text.parse() {
            Ok(time) => Some(time),
            Err(_) => {
                let cell = self.cell(column)?;
                let told = format!("is {text:?}: write RFC 3339 with its zone, such as 2026-12-01T09:00:00+01:00");
                self.mistake(cell, told);
                None
            }
        }
    }
}
