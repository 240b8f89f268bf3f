//! Which board a user means: by id, or by a name that is there once.

use crate::id::{BoardId, BoardSectionId};
use crate::model::{Board, BoardSection};

/// The board or section is not there, or not the only one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// None has this id or name.
    #[error("no {what} {asked:?}: {}", told(near))]
    Unknown {
        /// `board` or `section`.
        what: &'static str,
        /// What the user wrote.
        asked: String,
        /// Names that are like it, at most five; else all there are, at most five.
        near: Vec<String>,
    },
    /// Several have this name.
    #[error("{} {what}s are called {asked:?}: give the id of one: {}", ids.len(), listed(ids, names))]
    Ambiguous {
        /// `board` or `section`.
        what: &'static str,
        /// What the user wrote.
        asked: String,
        /// Their ids.
        ids: Vec<String>,
        /// Their names, letter by letter, in the same order.
        names: Vec<String>,
    },
}

fn listed(ids: &[String], names: &[String]) -> String {
    ids.iter().zip(names).map(|(id, name)| format!("{id} for {name:?}")).collect::<Vec<_>>().join(", ")
}

fn told(near: &[String]) -> String {
    if near.is_empty() {
        return "there is none at all: make one on Pinterest".to_owned();
    }
    format!("did you mean {}?", near.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "))
}

/// The board that `asked` names, compared without regard to case and to white space around it.
///
/// # Errors
/// When there is none or more than one.
pub fn find_board(boards: &[Board], asked: &str) -> Result<BoardId, BoardError> {
    let all: Vec<_> = boards.iter().map(|board| (board.id.as_str(), board.name.as_str())).collect();
    find(&all, asked, "board").map(|place| boards[place].id.clone())
}

/// The section that `asked` names, by its id or its name.
///
/// # Errors
/// When there is none or more than one.
pub fn find_section(sections: &[BoardSection], asked: &str) -> Result<BoardSectionId, BoardError> {
    let all: Vec<_> = sections.iter().map(|section| (section.id.as_str(), section.name.as_str())).collect();
    find(&all, asked, "section").map(|place| sections[place].id.clone())
}

fn find(all: &[(&str, &str)], asked: &str, what: &'static str) -> Result<usize, BoardError> {
    let wanted = asked.trim();
    if let Some(place) = all.iter().position(|(id, _)| *id == wanted) {
        return Ok(place);
    }
    let folded = fold(wanted);
    let found: Vec<_> = (0..all.len()).filter(|place| fold(all[*place].1) == folded).collect();
    match found.as_slice() {
        [] => {
            let near = near(all.iter().map(|(_, name)| *name), &folded);
            Err(BoardError::Unknown { what, asked: asked.to_owned(), near })
        }
        [place] => Ok(*place),
        several => {
            // Two boards may differ in case alone: then the exact name decides.
            let mut exact = several.iter().filter(|place| all[**place].1 == wanted);
            if let (Some(place), None) = (exact.next(), exact.next()) {
                return Ok(*place);
            }
            let (ids, names) =
                several.iter().map(|place| all[*place]).map(|(id, name)| (id.to_owned(), name.to_owned())).unzip();
            Err(BoardError::Ambiguous { what, asked: asked.to_owned(), ids, names })
        }
    }
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The five names that are most like `folded`, best first.
fn near<'a>(names: impl Iterator<Item = &'a str>, folded: &str) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| {
            let other = fold(name);
            let inside = !folded.is_empty() && (other.contains(folded) || folded.contains(&other));
            (strsim::normalized_damerau_levenshtein(&other, folded) + f64::from(u8::from(inside)), name)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    // One edit in two letters: more than that is no misspelling. A name inside the other counts 1 on top.
    let like: Vec<_> = scored.iter().filter(|(score, _)| *score >= 0.5).copied().collect();
    let shown = if like.is_empty() { scored } else { like };
    shown.into_iter().take(5).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boards(names: &[&str]) -> Vec<Board> {
        names
            .iter()
            .enumerate()
            .map(|(place, name)| Board {
                id: (100 + place).to_string().parse().unwrap(),
                name: (*name).to_owned(),
                privacy: None,
                pin_count: None,
            })
            .collect()
    }

    #[test]
    fn a_name_is_found_whatever_its_case() {
        let boards = boards(&["Summer Recipes", "Straße", "Winter"]);
        for (asked, id) in [("summer recipes", "100"), (" STRASSE ", ""), ("straße", "101"), ("102", "102")] {
            let found = find_board(&boards, asked).ok();
            assert_eq!(found.as_ref().map_or("", BoardId::as_str), id, "{asked}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_near_ones() {
        let boards = boards(&["Winter", "Summer Recipes", "Garden", "Recipes"]);
        let BoardError::Unknown { near, .. } = find_board(&boards, "sumer recipe").unwrap_err() else { panic!() };
        assert_eq!(near, ["Summer Recipes"]);
        let BoardError::Unknown { near, .. } = find_board(&boards, "recipe").unwrap_err() else { panic!() };
        assert_eq!(near, ["Recipes", "Summer Recipes"], "both hold it, the shorter is nearer");
        let error = find_board(&boards, "zzz").unwrap_err();
        assert!(error.to_string().contains("Garden"), "all of them when none is like it: {error}");
        assert!(find_board(&[], "x").unwrap_err().to_string().contains("none at all"));
    }

    #[test]
    fn an_ambiguous_name_lists_the_ids() {
        let all = boards(&["Food", "food", "Other"]);
        assert_eq!(find_board(&all, "food").unwrap().as_str(), "101", "the exact name decides");
        let error = find_board(&all, "FOOD").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"2 boards are called "FOOD": give the id of one: 100 for "Food", 101 for "food""#
        );
        let BoardError::Ambiguous { ids, .. } = error else { panic!() };
        assert_eq!(ids, ["100", "101"]);
    }
}
