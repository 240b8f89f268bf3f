//! From text to records: names and values, and where they stand.

use serde_json::Value;

use super::mistake::{At, Mistake};
use super::{Format, objects, tables};

/// One row as it was written.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it stands.
    pub(super) at: At,
    /// What it gives, in the order of the text.
    pub(super) cells: Vec<Cell>,
}

/// A value of a row.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) at: At,
}

/// Reads all records, and adds to `mistakes` where the text makes no sense.
pub(super) fn records(bytes: &[u8], format: Format, mistakes: &mut Vec<Mistake>) -> Vec<Record> {
    // Spreadsheets put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if format == Format::Csv {
        return csv_records(bytes, mistakes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if format == Format::Json => objects::records(text, mistakes),
        Ok(text) => tables::records(text, mistakes),
        Err(_) => {
            mistakes.push(Mistake::new(At::default(), "it is not UTF-8: save it as UTF-8 text"));
            Vec::new()
        }
    }
}

fn csv_records(bytes: &[u8], mistakes: &mut Vec<Mistake>) -> Vec<Record> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let names: Vec<String> = match reader.byte_headers() {
        Ok(names) => names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        Err(error) => {
            mistakes.push(Mistake::new(At::row(1), error.to_string()));
            return Vec::new();
        }
    };
    if let [name] = names.as_slice()
        && let Some(separator) = [(';', "semicolons"), ('\t', "tabs")].iter().find(|(sign, _)| name.contains(*sign))
    {
        let message = format!("the columns are separated by {}: separate them by commas", separator.1);
        mistakes.push(Mistake::new(At::row(1), message));
        return Vec::new();
    }
    for (place, name) in names.iter().enumerate() {
        if names[..place].contains(name) {
            mistakes.push(Mistake::new(At::row(1), format!("two columns are called {name:?}")));
        }
        super::row::know(name, At::row(1), &super::row::COLUMNS, mistakes);
    }
    let mut records = Vec::new();
    for record in reader.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                mistakes.push(Mistake::new(At::default(), error.to_string()));
                break;
            }
        };
        let at = At::row(record.position().map_or(0, csv::Position::line));
        if record.len() != names.len() {
            let message = format!(
                "has {}, and there are {}: is a comma missing or too many, or a text with a comma without its quotes?",
                counted(record.len(), "value"),
                counted(names.len(), "column")
            );
            mistakes.push(Mistake::new(at, message));
            continue;
        }
        let mut cells = Vec::new();
        for (name, value) in names.iter().zip(record.iter()) {
            match std::str::from_utf8(value) {
                // An empty cell is a value that was not given.
                Ok("") => {}
                Ok(text) => {
                    let value = Value::String(text.to_owned());
                    cells.push(Cell { name: name.clone(), value, at: at.clone() });
                }
                Err(_) => {
                    let message = "is not UTF-8: save the file as UTF-8 text";
                    mistakes.push(Mistake::new(at.clone(), message).of_column(name));
                }
            }
        }
        records.push(Record { at, cells });
    }
    records
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
