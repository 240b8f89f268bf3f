//! Where in the text of a rule set something stands, told as the parser tells its own errors.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::faults::Fault;

type Table<'a> = Spanned<DeTable<'a>>;

/// The whole number at the top of the text under `key`; `None` for what is absent, or is no such number.
pub(super) fn number(table: &Table<'_>, key: &str) -> Option<u64> {
    let (_, value) = table.get_ref().iter().find(|(name, _)| name.get_ref() == key)?;
    let integer = value.get_ref().as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The fault with the line it stands in.
pub(super) fn told(fault: &Fault, table: &Table<'_>, text: &str) -> String {
    let name = match (fault.section, fault.key) {
        ("", key) => key.to_owned(),
        (section, "") => format!("[{section}]"),
        (section, key) => format!("[{section}] {key}"),
    };
    let reason = format!("{name}: {}", fault.reason);
    span(table, fault.section, fault.key).map_or_else(|| reason.clone(), |span| marked(&reason, text, span))
}

/// Where the value of a key stands; the head of the section for a key that is not there.
fn span(table: &Table<'_>, section: &str, key: &str) -> Option<Range<usize>> {
    let find = |table: &DeTable<'_>, name: &str| {
        table.iter().find(|(known, _)| known.get_ref() == name).map(|(known, value)| (known.span(), value.span()))
    };
    if section.is_empty() {
        return find(table.get_ref(), key).map(|(_, value)| value);
    }
    let (head, value) = table.get_ref().iter().find(|(known, _)| known.get_ref() == section)?;
    let inside = match value.get_ref() {
        DeValue::Table(inside) => find(inside, key).map(|(_, value)| value),
        _ => None,
    };
    Some(inside.unwrap_or_else(|| head.span()))
}

/// In the form of the parser's errors: line and column, the line, and carets under the place.
fn marked(reason: &str, text: &str, span: Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let shown = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(start..).unwrap_or_default().chars().count();
    // Of a value that goes on in further lines, what is in the first.
    let rest = shown.chars().count().saturating_sub(column);
    let carets = text.get(span).unwrap_or_default().chars().count().clamp(1, rest.max(1));
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    format!(
        "line {line}, column {}\n{margin} |\n{number} | {shown}\n{margin} | {}{}\n{reason}",
        column + 1,
        " ".repeat(column),
        "^".repeat(carets),
    )
}
