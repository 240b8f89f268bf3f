//! A manifest or a sidecar in TOML, with the place of every value in it.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::mistake::{At, Mistake};
use super::parse::{Cell, Record};
use super::place::{Cursor, Place};

/// Reads `[[pins]]` tables.
pub(super) fn records(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Record> {
    let Some(table) = parsed(text, &At::default(), mistakes) else { return Vec::new() };
    let mut cursor = Cursor::new(text);
    let mut at = |row, start| At { row, place: Some(cursor.place(start)), ..At::default() };
    let mut pins = None;
    for (name, value) in &table {
        if name.get_ref() == "pins" {
            pins = Some(value);
        } else {
            let message = format!("unknown key {:?} beside [[pins]]", name.get_ref());
            mistakes.push(Mistake::new(at(None, name.span().start), message));
        }
    }
    let Some(pins) = pins else {
        mistakes.push(Mistake::new(At::default(), "no [[pins]] in it: each video has one"));
        return Vec::new();
    };
    let mut records = Vec::new();
    let Some(items) = pins.get_ref().as_array() else {
        mistakes
            .push(Mistake::new(at(None, pins.span().start), "not [[pins]] tables: write [[pins]], with two brackets"));
        return Vec::new();
    };
    for (number, item) in (1_u64..).zip(items.iter()) {
        let row = at(Some(number), item.span().start);
        match item.get_ref() {
            DeValue::Table(table) => {
                records.push(Record { cells: cells(table, |start| at(Some(number), start)), at: row });
            }
            _ => mistakes.push(Mistake::new(row, "is no [[pins]] table")),
        }
    }
    records
}

/// Reads a sidecar: the columns of one row at the top. `home` is the file.
pub(super) fn sidecar(text: &str, home: &At, mistakes: &mut Vec<Mistake>) -> Option<Record> {
    let table = parsed(text, home, mistakes)?;
    let mut cursor = Cursor::new(text);
    let cells = cells(&table, |start| At { place: Some(cursor.place(start)), ..home.clone() });
    Some(Record { at: home.clone(), cells })
}

fn parsed<'a>(text: &'a str, home: &At, mistakes: &mut Vec<Mistake>) -> Option<DeTable<'a>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    // What is left of broken text would only be told about once more.
    for error in &errors {
        let place = error.span().map(|span| Place::of(text, span.start));
        mistakes.push(Mistake::new(At { place, ..home.clone() }, format!("not TOML: {}", error.message())));
    }
    errors.is_empty().then(|| table.into_inner())
}

/// The values of a table in the order of the text.
fn cells(table: &DeTable<'_>, mut at: impl FnMut(usize) -> At) -> Vec<Cell> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(_, value)| value.span().start);
    let cell = |(name, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| Cell {
        name: name.get_ref().clone().into_owned(),
        value: json_of(value.get_ref()),
        at: at(value.span().start),
    };
    entries.into_iter().map(cell).collect()
}

/// TOML's own times become text; the rest has a counterpart.
fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| json_of(item.get_ref())).collect()),
        DeValue::Table(table) => Value::Object(
            table.iter().map(|(name, value)| (name.get_ref().clone().into_owned(), json_of(value.get_ref()))).collect(),
        ),
    }
}
