//! Where in a text something stands.

use std::fmt;

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Place {
    /// The place of the byte at `at`; the end of the text for what lies behind it.
    #[must_use]
    pub fn of(text: &str, at: usize) -> Self {
        Cursor::new(text).place(at)
    }
}

/// Goes along a text once: a list of a hundred thousand rows in one line has as many places in it.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, place: Place { line: 1, column: 1 } }
    }

    /// The place of the byte at `at`. Asked for in rising order, all of them take one pass.
    pub(super) fn place(&mut self, at: usize) -> Place {
        if at < self.at {
            *self = Self::new(self.text);
        }
        let passed = self.text.get(self.at..at).unwrap_or_else(|| self.text.get(self.at..).unwrap_or_default());
        for c in passed.chars() {
            self.place = match c {
                '\n' => Place { line: self.place.line + 1, column: 1 },
                _ => Place { column: self.place.column + 1, ..self.place },
            };
        }
        self.at += passed.len();
        self.place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let text = "ab\nü=1\n";
        let told = |at| Place::of(text, at).to_string();
        assert_eq!(told(0), "line 1, column 1");
        assert_eq!(told(text.find('=').unwrap()), "line 2, column 2");
        assert_eq!((told(text.len()), told(99)), (told(99), "line 3, column 1".to_owned()));
        let mut cursor = Cursor::new(text);
        assert_eq!([6, 0, 6].map(|at| cursor.place(at)), [6, 0, 6].map(|at| Place::of(text, at)));
    }
}
