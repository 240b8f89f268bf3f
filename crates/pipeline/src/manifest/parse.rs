//! From text to records: names and values, and where they stand.

use serde_json::{Map, Value};

use super::Format;

/// One row as it was written.
#[derive(Debug)]
pub(super) struct Record {
    /// CSV: the line, the names' line being 1. Else: its place in the list, from 1.
    pub(super) number: u64,
    /// The values by column.
    pub(super) values: Map<String, Value>,
}

/// Reads all records, or says where the text stops making sense.
pub(super) fn records(bytes: &[u8], format: Format) -> Result<Vec<Record>, String> {
    // Spreadsheets put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match format {
        Format::Csv => csv_records(bytes),
        Format::Json => {
            let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            listed(value, "a list of objects, [{\"file\": …}, …]")
        }
        Format::Toml => {
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            let mut table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
            let pins = table.remove("pins").ok_or("no [[pins]] in it")?;
            if let Some(name) = table.keys().next() {
                return Err(format!("unknown key {name:?} beside [[pins]]"));
            }
            listed(json_of(pins), "[[pins]] tables")
        }
    }
}

fn csv_records(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|other| other == *name))
    {
        return Err(format!("two columns are called {:?}", twice.1));
    }
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let number = record.position().map_or(0, csv::Position::line);
        let values = names
            .iter()
            .zip(record.iter())
            // An empty cell is a value that was not given.
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), Value::String(value.to_owned())))
            .collect();
        records.push(Record { number, values });
    }
    // Names that no row uses must still be known.
    if records.is_empty() || names.iter().any(|name| !super::COLUMNS.contains(&name)) {
        let values = names.iter().map(|name| (name.to_owned(), Value::Null)).collect();
        let unknown = Record { number: 1, values };
        if names.iter().any(|name| !super::COLUMNS.contains(&name)) {
            records.insert(0, unknown);
        }
    }
    Ok(records)
}

fn listed(value: Value, wanted: &str) -> Result<Vec<Record>, String> {
    let Value::Array(items) = value else {
        return Err(format!("not {wanted}"));
    };
    let numbered = (1_u64..).zip(items);
    numbered
        .map(|(number, item)| match item {
            Value::Object(values) => Ok(Record { number, values }),
            _ => Err(format!("item {number} is not {wanted}")),
        })
        .collect()
}

/// TOML's own times become text; the rest has a counterpart.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json_of).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, json_of(value))).collect())
        }
    }
}
