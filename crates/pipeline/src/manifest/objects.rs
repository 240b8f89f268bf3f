//! A manifest in JSON, with the place of every value in it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::mistake::{At, Mistake};
use super::parse::{Cell, Record};
use super::place::{Cursor, Place};

const WANTED: &str = "a list of objects, [{\"file\": …}, …]";

/// Reads a list of objects.
pub(super) fn records(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Record> {
    let items: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(items) => items,
        Err(error) => {
            let at = Place { line: error.line(), column: error.column() };
            let message =
                if error.is_data() { format!("not {WANTED}") } else { format!("not JSON: {}", reason(&error)) };
            mistakes.push(Mistake::new(At { place: Some(at), ..At::default() }, message));
            return Vec::new();
        }
    };
    let mut cursor = Cursor::new(text);
    let mut records = Vec::with_capacity(items.len());
    for (number, item) in (1_u64..).zip(items) {
        let at = At { row: Some(number), place: Some(cursor.place(offset(text, item))), ..At::default() };
        let Ok(Members(members)) = serde_json::from_str(item.get()) else {
            mistakes.push(Mistake::new(at, format!("is no object: write {WANTED}")));
            continue;
        };
        let mut cells: Vec<Cell> = Vec::with_capacity(members.len());
        for (name, raw) in members {
            let at = At { place: Some(cursor.place(offset(text, raw))), ..at.clone() };
            if cells.iter().any(|cell| cell.name == name) {
                mistakes.push(Mistake::new(at, "stands twice in it").of_column(&name));
                continue;
            }
            // It has been read once, so it can be read again.
            let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
            cells.push(Cell { name, value, at });
        }
        records.push(Record { at, cells });
    }
    records
}

/// Where the value begins: it borrows from the text.
fn offset(text: &str, raw: &RawValue) -> usize {
    (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// Without the place, which is told with every mistake in one way.
fn reason(error: &serde_json::Error) -> String {
    let told = error.to_string();
    told.rsplit_once(" at line ").map_or(told.clone(), |(reason, _)| reason.to_owned())
}

/// The members of an object in their order, those with one name too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Each).map(Members)
    }
}
