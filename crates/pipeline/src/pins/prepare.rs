//! Rows and videos are brought together: offline first, so that every mistake is told at once, then boards and
//! sections are looked up, which reads and changes nothing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pinpress_probe::{Seconds, Spec};
use pinpress_publish::{BoardId, BoardSectionId, Client, PinDraft, PublishError};

use super::{BadDraft, PinPlan, PinTexts, PinsError, VideoOrder};
use crate::discover::Found;
use crate::manifest::{Mistake, Row};

/// What the manifest says of one video, its texts checked. The board has not been looked up.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The row it stands in; `None` for a video that has none.
    pub row: Option<u64>,
    /// Another rule set than that of the run.
    pub spec: Option<Spec>,
    /// The frame to take as the cover.
    pub cover_at: Option<Seconds>,
    /// The Pin's texts; `None` when there is no board for it.
    pub draft: Option<PinDraft>,
    /// Not before this.
    pub publish_at: Option<Timestamp>,
}

/// What all the videos are to become, in their order, and what would do better otherwise.
#[derive(Debug, Clone)]
pub struct Assignments {
    /// One for each video.
    pub videos: Vec<Assignment>,
    /// What Pinterest advises against.
    pub advice: Vec<(PathBuf, String)>,
}

/// What is wrong, in the rows and in what has none.
#[derive(Debug, Default)]
pub(crate) struct Flaws {
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) drafts: Vec<BadDraft>,
}

/// Matches the rows with `videos`, and tells everything that is wrong with them beside.
pub(crate) fn draft_all(videos: &[Found], roots: &[PathBuf], texts: &PinTexts) -> (Assignments, Flaws) {
    let mut assigner = Assigner::new(roots, texts);
    let assigned = videos.iter().map(|video| assigner.assign(video)).collect();
    let (advice, flaws) = assigner.finish(false);
    (Assignments { videos: assigned, advice }, flaws)
}

/// Gives one video after another what its row says.
#[derive(Debug)]
pub(crate) struct Assigner<'a> {
    texts: &'a PinTexts,
    /// Rows by the file that they name.
    places: HashMap<PathBuf, Vec<&'a Row>>,
    /// The same rows by what they say.
    names: HashMap<&'a Path, Vec<&'a Row>>,
    /// Rows that have their video.
    met: HashSet<u64>,
    advice: Vec<(PathBuf, String)>,
    flaws: Flaws,
}

impl<'a> Assigner<'a> {
    /// For the videos below `roots`.
    pub(crate) fn new(roots: &[PathBuf], texts: &'a PinTexts) -> Self {
        let mut places: HashMap<PathBuf, Vec<&Row>> = HashMap::new();
        let mut names: HashMap<&Path, Vec<&Row>> = HashMap::new();
        if let Some(manifest) = &texts.manifest {
            for row in manifest.rows.iter().filter(|row| !row.file.as_os_str().is_empty()) {
                names.entry(&row.file).or_default().push(row);
                if let Some(place) = place_of(row, roots, &manifest.path) {
                    places.entry(place).or_default().push(row);
                }
            }
        }
        let (met, advice, flaws) = Default::default();
        Self { texts, places, names, met, advice, flaws }
    }

    /// What the row of `video` says, or the options for all.
    pub(crate) fn assign(&mut self, video: &Found) -> Assignment {
        let texts = self.texts;
        let row = self.row_of(video);
        let draft = draft_of(video, row, texts);
        let mistakes = &mut self.flaws.mistakes;
        match draft.as_ref().map(PinDraft::validate) {
            Some(Ok(hints)) => self.advice.extend(hints.iter().map(|hint| (video.path.clone(), hint.to_string()))),
            Some(Err(problems)) => match row {
                Some(row) => mistakes.extend(
                    problems.0.iter().map(|problem| mistake(row.number, &problem.field.to_string(), &problem.message)),
                ),
                None => self.flaws.drafts.push(BadDraft { video: video.path.clone(), problems }),
            },
            None => {}
        }
        if let Some(row) = row.filter(|row| row.board.is_none() && texts.board.is_none()) {
            mistakes.push(mistake(row.number, "board", "is missing: fill it in, or give --board for all"));
        }
        let spec = row.and_then(|row| {
            let name = row.spec.as_ref()?;
            Spec::load(name).map_err(|error| mistakes.push(mistake(row.number, "spec", error.to_string()))).ok()
        });
        Assignment {
            row: row.map(|row| row.number),
            spec,
            cover_at: row.and_then(|row| row.cover_at),
            draft,
            publish_at: row.and_then(|row| row.publish_at),
        }
    }

    fn row_of(&mut self, video: &Found) -> Option<&'a Row> {
        if self.names.is_empty() {
            return None;
        }
        let place = video.path.canonicalize().ok();
        let here = place.and_then(|place| self.places.get(&place)).or_else(|| self.names.get(video.relative.as_path()));
        let (first, others) = here?.split_first()?;
        if !self.met.insert(first.number) {
            return None;
        }
        for row in others {
            if self.met.insert(row.number) {
                let message = "another row names the same file: one Pin a file";
                self.flaws.mistakes.push(mistake(row.number, "file", message));
            }
        }
        Some(first)
    }

    /// What is advised, and all that is wrong: also the rows that no video was met for, unless `more_to_come`.
    pub(crate) fn finish(mut self, more_to_come: bool) -> (Vec<(PathBuf, String)>, Flaws) {
        for row in self.texts.manifest.iter().flat_map(|manifest| &manifest.rows) {
            if !more_to_come && !self.met.contains(&row.number) {
                let message = format!("{:?} is none of the videos of this run", row.file.display().to_string());
                self.flaws.mistakes.push(mistake(row.number, "file", message));
            }
        }
        self.flaws.mistakes.sort_by_key(|mistake| mistake.row);
        (self.advice, self.flaws)
    }

    /// What is advised, when nothing is wrong. Of a row without its video nothing is said when `more_to_come`.
    ///
    /// # Errors
    /// With every mistake of the manifest at once: rows that name no video, texts over their limits, rule sets that do
    /// not load, rows without a board. Else with every video whose name gives no usable title.
    pub(crate) fn settle(self, more_to_come: bool) -> Result<Vec<(PathBuf, String)>, PinsError> {
        let manifest = self.texts.manifest.as_ref();
        let (advice, flaws) = self.finish(more_to_come);
        if let Some(manifest) = manifest {
            manifest.refuse(flaws.mistakes)?;
        }
        if flaws.drafts.is_empty() { Ok(advice) } else { Err(PinsError::Drafts { drafts: flaws.drafts }) }
    }
}

/// The file that a row means: below one of the given folders, else beside the manifest, else from here.
fn place_of(row: &Row, roots: &[PathBuf], manifest: &Path) -> Option<PathBuf> {
    let beside = manifest.parent().unwrap_or_else(|| Path::new(""));
    let bases = roots.iter().map(PathBuf::as_path).chain([beside, Path::new("")]);
    bases.into_iter().find_map(|base| base.join(&row.file).canonicalize().ok())
}

fn mistake(row: u64, column: &str, message: impl Into<String>) -> Mistake {
    Mistake { row: Some(row), column: Some(column.to_owned()), message: message.into() }
}

fn draft_of(video: &Found, row: Option<&Row>, texts: &PinTexts) -> Option<PinDraft> {
    let board = row.and_then(|row| row.board.clone()).or_else(|| texts.board.clone())?;
    let mut draft = PinDraft::new(&video.path, board);
    draft.title = Some(title_from_name(&video.path)).filter(|title| !title.is_empty());
    if let Some(row) = row {
        draft.section.clone_from(&row.section);
        draft.description.clone_from(&row.description);
        draft.link.clone_from(&row.link);
        draft.alt_text.clone_from(&row.alt_text);
        if row.title.is_some() {
            draft.title.clone_from(&row.title);
        }
    }
    Some(draft)
}

/// The title of a video that was given none: its name without the ending, `_` and `-` as spaces, cut to the limit.
#[must_use]
pub fn title_from_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace(['_', '-'], " ");
    let words: Vec<&str> = stem.split_whitespace().collect();
    words.join(" ").chars().take(pinpress_publish::TITLE_MAX).collect::<String>().trim_end().to_owned()
}

/// Looks up every board and section once and makes the orders.
///
/// # Errors
/// When a board or section is not there, naming its row, or the API cannot be asked.
pub(crate) async fn resolve(
    client: &Client,
    assignments: Assignments,
    texts: &PinTexts,
) -> Result<Vec<VideoOrder>, PinsError> {
    let (orders, mistakes) = resolve_all(client, assignments, texts).await?;
    if let Some(manifest) = &texts.manifest {
        manifest.refuse(mistakes)?;
    }
    Ok(orders)
}

/// Looks up every board and section once, and tells the rows whose board or section is not there beside.
///
/// # Errors
/// When the board of all is not there, or the API cannot be asked.
pub(crate) async fn resolve_all(
    client: &Client,
    assignments: Assignments,
    texts: &PinTexts,
) -> Result<(Vec<VideoOrder>, Vec<Mistake>), PinsError> {
    let mut boards: HashMap<String, BoardId> = HashMap::new();
    let mut sections: HashMap<(BoardId, String), BoardSectionId> = HashMap::new();
    let mut mistakes = Vec::new();
    let mut orders = Vec::with_capacity(assignments.videos.len());
    for assignment in assignments.videos {
        let row_board = assignment.row.filter(|_| assignment.draft.as_ref().map(|d| &d.board) != texts.board.as_ref());
        let pin = match assignment.draft {
            None => None,
            Some(draft) => {
                match look_up(client, &draft, &mut boards, &mut sections).await {
                    Ok((board, section)) => Some(PinPlan { draft, board, section, publish_at: assignment.publish_at }),
                    // The row's own board or section is a mistake of that row; anything else stops here.
                    Err(PublishError::Board(error)) if row_board.is_some() || draft.section.is_some() => {
                        let row = assignment.row.unwrap_or(0);
                        let column = if boards.contains_key(&draft.board) { "section" } else { "board" };
                        mistakes.push(mistake(row, column, error.to_string()));
                        None
                    }
                    Err(source) => return Err(PinsError::Board { board: draft.board, source }),
                }
            }
        };
        orders.push(VideoOrder { spec: assignment.spec, cover_at: assignment.cover_at, pin });
    }
    Ok((orders, mistakes))
}

async fn look_up(
    client: &Client,
    draft: &PinDraft,
    boards: &mut HashMap<String, BoardId>,
    sections: &mut HashMap<(BoardId, String), BoardSectionId>,
) -> Result<(BoardId, Option<BoardSectionId>), PublishError> {
    let board = match boards.get(&draft.board) {
        Some(board) => board.clone(),
        None => {
            let board = client.resolve_board(&draft.board).await?;
            boards.insert(draft.board.clone(), board.clone());
            board
        }
    };
    let Some(asked) = &draft.section else { return Ok((board, None)) };
    let key = (board.clone(), asked.clone());
    let section = match sections.get(&key) {
        Some(section) => section.clone(),
        None => {
            let section = client.resolve_section(&board, asked).await?;
            sections.insert(key, section.clone());
            section
        }
    };
    Ok((board, Some(section)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Format, Manifest, ManifestError};

    struct Folder {
        dir: tempfile::TempDir,
        videos: Vec<Found>,
    }

    fn folder(names: &[&str]) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        let videos = names
            .iter()
            .map(|name| {
                let path = dir.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, b"x").unwrap();
                Found { path, relative: PathBuf::from(name) }
            })
            .collect();
        Folder { dir, videos }
    }

    fn assigned(videos: &[Found], roots: &[PathBuf], texts: &PinTexts) -> Result<Assignments, PinsError> {
        let mut assigner = Assigner::new(roots, texts);
        let videos = videos.iter().map(|video| assigner.assign(video)).collect();
        Ok(Assignments { videos, advice: assigner.settle(false)? })
    }

    fn told(folder: &Folder, csv: &str, board: Option<&str>) -> Result<Assignments, PinsError> {
        let manifest = Manifest::parse(csv.as_bytes(), Format::Csv, &folder.dir.path().join("pins.csv")).unwrap();
        let texts = PinTexts { manifest: Some(manifest), board: board.map(str::to_owned) };
        assigned(&folder.videos, &[folder.dir.path().to_owned()], &texts)
    }

    #[test]
    fn rows_find_their_videos_and_fill_in_the_rest() {
        let folder = folder(&["a.mov", "deep/b_clip-2.mkv", "c.mp4"]);
        let csv = "file,board,title,description\n./deep/../a.mov,Mine,Hello,World\ndeep/b_clip-2.mkv,,,\n";
        let assignments = told(&folder, csv, Some("All")).unwrap();
        let drafts: Vec<_> = assignments.videos.iter().map(|video| video.draft.clone().unwrap()).collect();
        assert_eq!((drafts[0].board.as_str(), drafts[0].title.as_deref()), ("Mine", Some("Hello")));
        assert_eq!((drafts[1].board.as_str(), drafts[1].title.as_deref()), ("All", Some("b clip 2")));
        assert_eq!(assignments.videos[2].row, None);
    }

    #[test]
    fn a_video_without_row_and_board_is_not_published() {
        let folder = folder(&["a.mov", "b.mov"]);
        let assignments = told(&folder, "file,board\na.mov,Mine\n", None).unwrap();
        assert!(assignments.videos[0].draft.is_some() && assignments.videos[1].draft.is_none());
    }

    #[test]
    fn every_mistake_of_every_row_is_told_at_once() {
        let folder = folder(&["a.mov", "b.mov", "c.mov"]);
        let csv = format!(
            "file,board,title,link,spec\na.mov,B,{},http://x,\ngone.mov,B,,,\nb.mov,,,,\nc.mov,B,,,nosuch\n./a.mov,B,,,\n",
            "x".repeat(101)
        );
        let Err(PinsError::Manifest(ManifestError::Mistakes { mistakes, .. })) = told(&folder, &csv, None) else {
            panic!("no mistakes");
        };
        let places: Vec<_> =
            mistakes.iter().map(|mistake| (mistake.row.unwrap(), mistake.column.as_deref().unwrap())).collect();
        assert_eq!(
            places,
            [(2, "title"), (2, "link"), (3, "file"), (4, "board"), (5, "spec"), (6, "file")],
            "{mistakes:#?}"
        );
    }

    #[test]
    fn titles_come_from_names() {
        assert_eq!(title_from_name(Path::new("x/my_first--clip .final.mov")), "my first clip .final");
        assert_eq!(title_from_name(Path::new(&format!("{}.mov", "é".repeat(120)))).chars().count(), 100);
        assert_eq!(title_from_name(Path::new("___.mov")), "");
    }

    #[test]
    fn every_name_that_gives_no_title_is_told_at_once() {
        let long = "x".repeat(2_100);
        let folder = folder(&["a.mov", "b.mov", "c.mov"]);
        let texts = PinTexts { manifest: None, board: Some(" ".to_owned()) };
        let Err(error @ PinsError::Drafts { .. }) = assigned(&folder.videos, &[], &texts) else { panic!("no flaws") };
        let text = error.to_string();
        assert!(text.starts_with("3 videos cannot be published") && text.contains("c.mov"), "{text}");
        let csv =
            format!("file,title,description,alt_text,link\na.mov,{long},,,\nb.mov,,{long},{long},https://{long}\n");
        let error = told(&folder, &csv, Some("B")).unwrap_err().to_string();
        for place in ["row 2, title", "row 3, description", "row 3, link", "row 3, alt_text"] {
            assert!(error.contains(place), "{place}: {error}");
        }
    }

    #[test]
    fn long_descriptions_are_advised_against() {
        let folder = folder(&["a.mov"]);
        let csv = format!("file,board,description\na.mov,B,{}\n", "x".repeat(600));
        assert_eq!(told(&folder, &csv, None).unwrap().advice.len(), 1);
    }
}
