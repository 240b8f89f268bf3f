//! What a Pin is to say: as a user writes it ([`PinDraft`]), and checked and settled ([`Draft`]).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::cover::{Cover, CoverAs, CoverPicker, CoverSource, cover_flaw, settle_cover};
use crate::error::PublishError;
use crate::id::{BoardId, BoardSectionId};
use crate::link;

/// OpenAPI `PinCreate.title.maxLength`, in Unicode code points.
pub const TITLE_MAX: usize = 100;
/// OpenAPI `PinCreate.description.maxLength`, in Unicode code points.
pub const DESCRIPTION_MAX: usize = 800;
/// Pinterest's help pages give 500 for descriptions: over it is advice, not an error.
pub const DESCRIPTION_ADVISED: usize = 500;
/// OpenAPI `PinCreate.alt_text.maxLength`, in Unicode code points.
pub const ALT_TEXT_MAX: usize = 500;
/// OpenAPI `PinCreate.link.maxLength`, in Unicode code points.
pub const LINK_MAX: usize = 2048;

/// A Pin as a user describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinDraft {
    /// The finished video.
    pub video: PathBuf,
    /// How long it plays, where known. A cover time past the end is refused by it.
    pub duration: Option<Duration>,
    /// The board: its id, or its name.
    pub board: String,
    /// A section of the board: its id, or its name.
    pub section: Option<String>,
    /// At most 100 code points.
    pub title: Option<String>,
    /// At most 800 code points; 500 are advised.
    pub description: Option<String>,
    /// At most 2048 code points, `https`, to a host on the web.
    pub link: Option<String>,
    /// At most 500 code points.
    pub alt_text: Option<String>,
    /// Where the cover comes from.
    pub cover: CoverSource,
    /// How the cover goes over the wire.
    pub cover_as: CoverAs,
}

/// A field of a draft, by its name in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `board`.
    Board,
    /// `section`.
    Section,
    /// `title`.
    Title,
    /// `description`.
    Description,
    /// `link`.
    Link,
    /// `alt_text`.
    AltText,
    /// `cover_image_timestamp_ms`, or what else the cover comes from.
    Cover,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Board => "board",
            Self::Section => "section",
            Self::Title => "title",
            Self::Description => "description",
            Self::Link => "link",
            Self::AltText => "alt_text",
            Self::Cover => "cover",
        })
    }
}

/// One thing that is wrong, or could be better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub field: Field,
    /// What, by how much, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Everything that is wrong with a draft, in the order of the fields. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl PinDraft {
    /// A draft with nothing but a video and a board; the cover will be picked.
    #[must_use]
    pub fn new(video: impl Into<PathBuf>, board: impl Into<String>) -> Self {
        Self {
            video: video.into(),
            duration: None,
            board: board.into(),
            section: None,
            title: None,
            description: None,
            link: None,
            alt_text: None,
            cover: CoverSource::Pick,
            cover_as: CoverAs::Image,
        }
    }

    /// Checks every text against Pinterest's limits, and whether the cover's source fits the form in which it is sent.
    /// Reads and sends nothing. The answer is advice: what is allowed and would do better otherwise.
    ///
    /// # Errors
    /// With everything that is wrong at once.
    pub fn validate(&self) -> Result<Vec<Problem>, Problems> {
        let mut problems = Vec::new();
        if self.board.trim().is_empty() {
            problems.push(problem(Field::Board, "empty: give a board's id or name"));
        }
        if self.section.as_ref().is_some_and(|section| section.trim().is_empty()) {
            problems.push(problem(Field::Section, "empty: give a section's id or name, or leave it out"));
        }
        problems.extend(over(Field::Title, self.title.as_deref(), TITLE_MAX));
        problems.extend(over(Field::Description, self.description.as_deref(), DESCRIPTION_MAX));
        if let Some(link) = &self.link {
            problems.extend(over(Field::Link, Some(link), LINK_MAX));
            problems.extend(link::flaw(link).map(|flaw| problem(Field::Link, flaw)));
        }
        problems.extend(over(Field::AltText, self.alt_text.as_deref(), ALT_TEXT_MAX));
        let cover = cover_flaw(&self.cover, self.cover_as, &self.video, self.duration);
        problems.extend(cover.map(|flaw| problem(Field::Cover, flaw.to_string())));
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let length = self.description.as_deref().map_or(0, code_points);
        Ok((length > DESCRIPTION_ADVISED)
            .then(|| {
                problem(
                    Field::Description,
                    format!("{length} characters: Pinterest's help advises at most {DESCRIPTION_ADVISED}"),
                )
            })
            .into_iter()
            .collect())
    }

    /// Checks the draft and settles its cover, so that nothing about it can fail after the upload. May take as long
    /// as picking a cover does, and blocks.
    ///
    /// # Errors
    /// When a text breaks a limit, or there is no usable cover.
    pub fn settle(
        self,
        board: BoardId,
        section: Option<BoardSectionId>,
        picker: Option<&dyn CoverPicker>,
    ) -> Result<Draft, PublishError> {
        self.validate()?;
        let cover = settle_cover(&self.cover, self.cover_as, &self.video, self.duration, picker)?;
        Ok(Draft {
            video: self.video,
            board,
            section,
            title: some_text(self.title),
            description: some_text(self.description),
            link: some_text(self.link),
            alt_text: some_text(self.alt_text),
            cover,
        })
    }
}

/// A Pin that can be published: its texts are within the limits, its board is known by id, its cover is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(crate) video: PathBuf,
    pub(crate) board: BoardId,
    pub(crate) section: Option<BoardSectionId>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) cover: Cover,
}

impl Draft {
    /// The finished video.
    #[must_use]
    pub fn video(&self) -> &std::path::Path {
        &self.video
    }

    /// The board.
    #[must_use]
    pub const fn board(&self) -> &BoardId {
        &self.board
    }

    /// The cover as it goes over the wire.
    #[must_use]
    pub const fn cover(&self) -> &Cover {
        &self.cover
    }
}

fn some_text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn code_points(text: &str) -> usize {
    text.chars().count()
}

fn problem(field: Field, message: impl Into<String>) -> Problem {
    Problem { field, message: message.into() }
}

fn over(field: Field, text: Option<&str>, max: usize) -> Option<Problem> {
    let length = code_points(text?);
    (length > max).then(|| {
        problem(field, format!("{length} characters, at most {max} are allowed: shorten it by {}", length - max))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> PinDraft {
        PinDraft::new("a.mp4", "Summer recipes")
    }

    fn fields(draft: &PinDraft) -> Vec<Field> {
        draft.validate().err().map(|problems| problems.0.iter().map(|p| p.field).collect()).unwrap_or_default()
    }

    #[test]
    fn limits_are_inclusive_and_count_code_points() {
        // Two UTF-16 units and four bytes, one code point.
        let text = |count: usize| Some("🌲".repeat(count));
        type TextOf = fn(&mut PinDraft) -> &mut Option<String>;
        let cases: [(TextOf, usize, Field); 3] = [
            (|draft| &mut draft.title, TITLE_MAX, Field::Title),
            (|draft| &mut draft.description, DESCRIPTION_MAX, Field::Description),
            (|draft| &mut draft.alt_text, ALT_TEXT_MAX, Field::AltText),
        ];
        for (field_of, max, field) in cases {
            let mut draft = draft();
            *field_of(&mut draft) = text(max);
            assert_eq!(fields(&draft), [], "{field} at {max}");
            *field_of(&mut draft) = text(max + 1);
            assert_eq!(fields(&draft), [field]);
        }
        let link = |count: usize| Some(format!("https://e.example/{}", "x".repeat(count - 18)));
        assert_eq!(fields(&PinDraft { link: link(LINK_MAX), ..draft() }), []);
        assert_eq!(fields(&PinDraft { link: link(LINK_MAX + 1), ..draft() }), [Field::Link]);
    }

    #[test]
    fn a_long_description_is_advice() {
        let of = |count: usize| PinDraft { description: Some("x".repeat(count)), ..draft() }.validate().unwrap();
        assert_eq!(of(500), []);
        let advice = of(501);
        assert_eq!(advice.len(), 1);
        assert!(advice[0].to_string().contains("501"), "{}", advice[0]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let draft = PinDraft {
            board: " ".to_owned(),
            section: Some(String::new()),
            title: Some("x".repeat(103)),
            description: Some("x".repeat(801)),
            link: Some("ftp://e.example".to_owned()),
            alt_text: Some("x".repeat(501)),
            cover_as: CoverAs::Url,
            ..draft()
        };
        let problems = draft.validate().unwrap_err();
        assert_eq!(
            problems.0.iter().map(|p| p.field).collect::<Vec<_>>(),
            [Field::Board, Field::Section, Field::Title, Field::Description, Field::Link, Field::AltText, Field::Cover]
        );
        let text = problems.to_string();
        assert!(text.contains("title: 103 characters, at most 100 are allowed: shorten it by 3"), "{text}");
    }

    #[test]
    fn a_bad_draft_does_not_settle() {
        let bad = PinDraft { title: Some("x".repeat(101)), cover: CoverSource::Time(Duration::ZERO), ..draft() };
        let board: BoardId = "1".parse().unwrap();
        assert!(matches!(bad.settle(board, None, None), Err(PublishError::Draft(_))));
    }
}
