//! Rows and videos are brought together: offline first, so that every mistake is told at once, then boards and
//! sections are looked up, which reads and changes nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pinpress_probe::{Seconds, Spec};
use pinpress_publish::{BoardId, BoardSectionId, Client, PinDraft, Problem, PublishError};
use pinpress_store::ObjectAddress;

use super::{BadDraft, PinPlan, PinTexts, PinsError, VideoOrder};
use crate::discover::Found;
use crate::manifest::{At, Mistake, Named, Row, Sidecars, StoredSidecars, Template, refuse, words};

/// What is said of one video, its texts checked. The board has not been looked up.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Its row in the manifest, its sidecar, or both in one; `None` for a video that has neither.
    pub row: Option<Row>,
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

/// Matches the rows with `videos`, whose given folders are `roots`, and the sidecars beside them, of which `strays` are of
/// none. Sends nothing. With `more_to_come` a row may name a file that is not there yet.
///
/// # Errors
/// With every mistake of the manifest at once: rows that name no video, texts over their limits, rule sets that do
/// not load, rows without a board. Else with every video whose name gives no usable title.
pub(crate) fn assign(
    videos: &[Found],
    strays: &[ObjectAddress],
    roots: &[PathBuf],
    texts: &PinTexts,
    more_to_come: bool,
) -> Result<Assignments, PinsError> {
    let (assignments, flaws) = draft_all(videos, strays, roots, texts, more_to_come)?;
    let Flaws { mut mistakes, drafts } = flaws;
    if mistakes.is_empty() && !drafts.is_empty() {
        return Err(PinsError::Drafts { drafts });
    }
    for BadDraft { video, problems } in drafts {
        let told =
            |problem: &Problem| Mistake::new(At::file(&video), &problem.message).of_column(&problem.field.to_string());
        mistakes.extend(problems.0.iter().map(told));
    }
    refuse(mistakes, manifest(texts))?;
    Ok(assignments)
}

fn manifest(texts: &PinTexts) -> Option<&Path> {
    texts.manifest.as_ref().map(|manifest| manifest.path.as_path())
}

/// What is wrong, in the rows and in what has none.
#[derive(Debug, Default)]
pub(crate) struct Flaws {
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) drafts: Vec<BadDraft>,
}

/// Matches the rows with `videos`, and tells everything that is wrong with them beside.
///
/// # Errors
/// When nothing at all names a board.
pub(crate) fn draft_all(
    videos: &[Found],
    strays: &[ObjectAddress],
    roots: &[PathBuf],
    texts: &PinTexts,
    more_to_come: bool,
) -> Result<(Assignments, Flaws), PinsError> {
    let Sidecars { rows: mut beside, mut mistakes } = Sidecars::beside(videos, strays, &texts.stored);
    if texts.board.is_none() && texts.manifest.is_none() && beside.is_empty() && mistakes.is_empty() {
        return Err(PinsError::NoBoard);
    }
    let mut drafts = Vec::new();
    let mut rows: HashMap<usize, &Row> = HashMap::new();
    if let Some(manifest) = &texts.manifest {
        mistakes.extend_from_slice(&manifest.mistakes);
        let index = Index::of(videos);
        for row in &manifest.rows {
            match index.find(row, roots, &manifest.path) {
                _ if is_told(&mistakes, row, "file") => {}
                Some(video) if rows.contains_key(&video) => {
                    mistakes.push(row.mistake("file", "another row names the same file: one Pin a file"));
                }
                Some(video) => drop(rows.insert(video, row)),
                None if more_to_come => {}
                None => {
                    let message = format!("{:?} is none of the videos of this run", row.file.display().to_string());
                    mistakes.push(row.mistake("file", message));
                }
            }
        }
    }
    let mut advice = Vec::new();
    let mut assignments = Vec::with_capacity(videos.len());
    for (place, video) in videos.iter().enumerate() {
        let row = match (rows.remove(&place).cloned(), beside.remove(&place)) {
            (Some(far), Some(near)) => {
                let number = far.at.row.unwrap_or_default();
                let (row, differ) = far.under(&near);
                let told = |column: &&str| format!("its {column} is that of its sidecar, not of row {number}");
                advice.extend(differ.iter().map(told).map(|advice| (video.path.clone(), advice)));
                Some(row)
            }
            (far, near) => far.or(near),
        };
        let row = row.as_ref();
        let board = row.and_then(|row| row.board.clone()).or_else(|| texts.board.clone());
        // Texts are judged also where a row lacks its board: that is one mistake more.
        let to_judge = board.clone().or_else(|| row.map(|_| "not yet named".to_owned()));
        let named = Named { video: &video.path, number: place + 1 };
        let draft = to_judge.map(|board| draft_of(named, board, row, texts));
        match draft.as_ref().map(PinDraft::validate) {
            Some(Ok(hints)) => advice.extend(hints.iter().map(|hint| (video.path.clone(), hint.to_string()))),
            Some(Err(problems)) => match row {
                Some(row) => mistakes
                    .extend(problems.0.iter().map(|problem| row.mistake(&problem.field.to_string(), &problem.message))),
                None => drafts.push(BadDraft { video: video.path.clone(), problems }),
            },
            None => {}
        }
        let no_board = |row: &&Row| row.board.is_none() && texts.board.is_none() && !is_told(&mistakes, row, "board");
        if let Some(row) = row.filter(no_board) {
            mistakes.push(row.mistake("board", "is missing: fill it in, or give --board for all"));
        }
        let spec = row.and_then(|row| {
            let name = row.spec.as_ref()?;
            Spec::load(name).map_err(|error| mistakes.push(row.mistake("spec", error.to_string()))).ok()
        });
        assignments.push(Assignment {
            spec,
            cover_at: row.and_then(|row| row.cover_at),
            draft: draft.filter(|_| board.is_some()),
            publish_at: row.and_then(|row| row.publish_at),
            row: row.cloned(),
        });
    }
    Ok((Assignments { videos: assignments, advice }, Flaws { mistakes, drafts }))
}

/// What is said of single videos, for work that begins before all are known. What is wrong with it is told later.
#[derive(Debug)]
pub(crate) struct Early<'a> {
    /// Rows by the file that they name.
    places: HashMap<PathBuf, &'a Row>,
    /// The same by what they say.
    names: HashMap<&'a Path, &'a Row>,
    stored: &'a StoredSidecars,
}

impl<'a> Early<'a> {
    /// For videos below `roots`.
    pub(crate) fn new(roots: &[PathBuf], texts: &'a PinTexts) -> Self {
        let (mut places, mut names) = (HashMap::new(), HashMap::new());
        if let Some(manifest) = &texts.manifest {
            for row in manifest.rows.iter().rev().filter(|row| !row.file.as_os_str().is_empty()) {
                names.insert(row.file.as_path(), row);
                places.extend(
                    bases(roots, &manifest.path)
                        .filter_map(|base| canonical(base, row))
                        .next()
                        .map(|place| (place, row)),
                );
            }
        }
        Self { places, names, stored: &texts.stored }
    }

    /// The rule set and the cover that are asked for.
    pub(crate) fn of(&self, video: &Found) -> (Option<Spec>, Option<Seconds>) {
        let far = if self.names.is_empty() {
            None
        } else {
            let place = video.path.canonicalize().ok();
            place
                .and_then(|place| self.places.get(&place))
                .or_else(|| self.names.get(video.relative.as_path()))
                .copied()
        };
        let row = match (far, Sidecars::of(video, self.stored)) {
            (Some(far), Some(near)) => Some(far.clone().under(&near).0),
            (far, near) => far.cloned().or(near),
        };
        let Some(row) = row else { return (None, None) };
        (row.spec.as_ref().and_then(|name| Spec::load(name).ok()), row.cover_at)
    }
}

/// Where the file of a row may lie: below one of the given folders, else beside the manifest, else from here.
fn bases<'a>(roots: &'a [PathBuf], manifest: &'a Path) -> impl Iterator<Item = &'a Path> {
    let beside = manifest.parent().unwrap_or_else(|| Path::new(""));
    roots.iter().map(PathBuf::as_path).chain([beside, Path::new("")])
}

fn canonical(base: &Path, row: &Row) -> Option<PathBuf> {
    base.join(&row.file).canonicalize().ok()
}

/// Whether something is known to be wrong with this value already.
fn is_told(mistakes: &[Mistake], row: &Row, column: &str) -> bool {
    mistakes.iter().any(|found| found.column.as_deref() == Some(column) && found.at == *row.place(column))
}

fn draft_of(named: Named<'_>, board: String, row: Option<&Row>, texts: &PinTexts) -> PinDraft {
    let mut draft = PinDraft::new(named.video, board);
    // What was said of the video is nearer than what was said of all.
    let nearer = |of_row: fn(&Row) -> &Option<Template>, of_all: &Option<Template>| {
        let template = row.and_then(|row| of_row(row).clone()).or_else(|| of_all.clone());
        template.filter(|template| !template.fill(named).trim().is_empty())
    };
    let filled = |template: Template| template.fill(named).trim().to_owned();
    let title = nearer(|row| &row.title, &texts.title).map_or_else(|| title_from_name(named.video), filled);
    draft.title = Some(title).filter(|title| !title.is_empty());
    draft.description = nearer(|row| &row.description, &texts.description).map(filled);
    draft.alt_text = nearer(|row| &row.alt_text, &texts.alt_text).map(filled);
    draft.link = nearer(|row| &row.link, &texts.link).map(|template| template.fill_address(named));
    draft.section = row.and_then(|row| row.section.clone());
    draft
}

/// The title of a video that was given none: its name without the ending, `_` and `-` as spaces, cut to the limit.
#[must_use]
pub fn title_from_name(path: &Path) -> String {
    words(path).chars().take(pinpress_publish::TITLE_MAX).collect::<String>().trim_end().to_owned()
}

/// Videos by where they really are.
struct Index<'a> {
    places: HashMap<PathBuf, usize>,
    videos: &'a [Found],
}

impl<'a> Index<'a> {
    fn of(videos: &'a [Found]) -> Self {
        let places = videos
            .iter()
            .enumerate()
            .filter_map(|(place, video)| video.path.canonicalize().ok().map(|real| (real, place)))
            .collect();
        Self { places, videos }
    }

    /// The video a row means: below one of the given folders, else beside the manifest, else from here.
    fn find(&self, row: &Row, roots: &[PathBuf], manifest: &Path) -> Option<usize> {
        if row.file.as_os_str().is_empty() {
            return None;
        }
        bases(roots, manifest)
            .filter_map(|base| canonical(base, row))
            .find_map(|path| self.places.get(&path).copied())
            .or_else(|| self.videos.iter().position(|video| video.relative == row.file))
    }
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
    let (orders, mistakes) = resolve_all(client, assignments).await?;
    refuse(mistakes, manifest(texts))?;
    Ok(orders)
}

/// Looks up every board and section once, and tells the rows whose board or section is not there beside.
///
/// # Errors
/// When the board of all is not there, or the API cannot be asked.
pub(crate) async fn resolve_all(
    client: &Client,
    assignments: Assignments,
) -> Result<(Vec<VideoOrder>, Vec<Mistake>), PinsError> {
    let mut boards: HashMap<String, BoardId> = HashMap::new();
    let mut sections: HashMap<(BoardId, String), BoardSectionId> = HashMap::new();
    let mut mistakes = Vec::new();
    let mut orders = Vec::with_capacity(assignments.videos.len());
    for assignment in assignments.videos {
        let of_row = assignment.row.filter(|row| row.board.is_some() || row.section.is_some());
        let pin = match assignment.draft {
            None => None,
            Some(draft) => {
                match (look_up(client, &draft, &mut boards, &mut sections).await, of_row) {
                    (Ok((board, section)), _) => {
                        Some(PinPlan { draft, board, section, publish_at: assignment.publish_at })
                    }
                    // The row's own board or section is a mistake of that row; anything else stops here.
                    (Err(PublishError::Board(error)), Some(row)) => {
                        let column = if boards.contains_key(&draft.board) { "section" } else { "board" };
                        mistakes.push(row.mistake(column, error.to_string()));
                        None
                    }
                    (Err(source), _) => return Err(PinsError::Board { board: draft.board, source }),
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

    const BESIDE: &str = "title = 'Beside {n}'\nboard = 'Near'\n";

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
                Found::here(path, PathBuf::from(name))
            })
            .collect();
        Folder { dir, videos }
    }

    fn told(folder: &Folder, csv: &str, board: Option<&str>) -> Result<Assignments, PinsError> {
        let manifest = Manifest::parse(csv.as_bytes(), Format::Csv, &folder.dir.path().join("pins.csv"));
        let texts = PinTexts { manifest: Some(manifest), board: board.map(str::to_owned), ..PinTexts::default() };
        assign(&folder.videos, &[], &[folder.dir.path().to_owned()], &texts, false)
    }

    fn sidecar(folder: &Folder, name: &str, text: &str) {
        std::fs::write(folder.dir.path().join(name), text).unwrap();
    }

    /// What is wrong, with the folder's own name taken out.
    fn refused(folder: &Folder, result: Result<Assignments, PinsError>) -> String {
        result.unwrap_err().to_string().replace(&folder.dir.path().display().to_string(), "[DIR]")
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
    fn what_lies_beside_a_video_is_nearer_than_its_row_and_than_what_is_said_of_all() {
        let folder = folder(&["a.mov", "deep/b.mkv", "deep/b.mp4"]);
        sidecar(&folder, "a.pin.toml", BESIDE);
        sidecar(&folder, "deep/b.mkv.pin.toml", "title = 'Own'\npublish_at = 2026-12-01T09:00:00Z\n");
        let csv = "file,board,title,description\na.mov,Far,Far,{{of}} {stem}\ndeep/b.mp4,,,\n";
        let assignments = told(&folder, csv, Some("All")).unwrap();
        let drafts: Vec<_> = assignments.videos.iter().map(|video| video.draft.clone().unwrap()).collect();
        assert_eq!((drafts[0].board.as_str(), drafts[0].title.as_deref()), ("Near", Some("Beside 1")));
        assert_eq!(drafts[0].description.as_deref(), Some("{of} a"), "the rest is the row's");
        assert_eq!((drafts[1].board.as_str(), drafts[1].title.as_deref()), ("All", Some("Own")));
        assert!(assignments.videos[1].publish_at.is_some());
        assert_eq!(drafts[2].title.as_deref(), Some("b"), "the whole name of another is not its stem");
        let advice: Vec<_> = assignments.advice.iter().map(|(_, advice)| advice.as_str()).collect();
        assert_eq!(
            advice,
            ["its board is that of its sidecar, not of row 2", "its title is that of its sidecar, not of row 2"]
        );
    }

    #[test]
    fn sidecars_alone_name_boards() {
        let folder = folder(&["a.mov", "b.mov"]);
        let nothing = PinTexts::default();
        assert!(matches!(assign(&folder.videos, &[], &[], &nothing, false), Err(PinsError::NoBoard)));
        sidecar(&folder, "a.pin.toml", BESIDE);
        let assignments = assign(&folder.videos, &[], &[], &nothing, false).unwrap();
        assert_eq!(assignments.videos[0].draft.as_ref().unwrap().board, "Near");
        assert!(assignments.videos[1].draft.is_none(), "nobody says where");
    }

    #[test]
    fn everything_wrong_beside_the_videos_is_told_with_its_place() {
        let folder = folder(&["a.mov", "b.mov", "c.mov", "c.mp4", "d.mov"]);
        let long = "x".repeat(101);
        sidecar(&folder, "a.pin.toml", &format!("titel = 'x'\nfile = 'a.mov'\n  title = '{long}'\n"));
        sidecar(&folder, "b.mov.pin.toml", "title = 'open\nlink = 5\n");
        sidecar(&folder, "c.pin.toml", BESIDE);
        sidecar(&folder, "gone.pin.toml", BESIDE);
        sidecar(&folder, ".hidden.pin.toml", "?");
        sidecar(&folder, "d.pin.toml", "board = 7\npublish_at = 2026-12-01\nlink = 'http://x/{parent}'");
        let texts = PinTexts { board: Some("B".to_owned()), ..PinTexts::default() };
        let told = refused(&folder, assign(&folder.videos, &[], &[], &texts, false));
        let wanted = "\
the texts of the Pins have 9 mistakes:
  line 1, column 9, titel: unknown column: is it title?: [DIR]/a.pin.toml
  line 2, column 8, file: leave it out: a sidecar is of the video beside it: [DIR]/a.pin.toml
  line 3, column 11, title: 101 characters, at most 100 are allowed: shorten it by 1: [DIR]/a.pin.toml
  line 1, column 14: not TOML: invalid literal string, expected `'`: [DIR]/b.mov.pin.toml
  it could be of each of c.mov, c.mp4: call it c.mov.pin.toml for the one: [DIR]/c.pin.toml
  line 1, column 9, board: is 7: write it as text, in quotes: [DIR]/d.pin.toml
  line 2, column 14, publish_at: is \"2026-12-01\": write RFC 3339 with its zone, such as 2026-12-01T09:00:00+01:00: [DIR]/d.pin.toml
  line 3, column 8, link: not https: use an https:// address: [DIR]/d.pin.toml
  no video is called gone here: rename the sidecar, or move it away: [DIR]/gone.pin.toml
nothing was sent; mend these and run again";
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_is_said_of_all_is_filled_in_for_each() {
        let folder = folder(&["my_day/one-two.mov", "my_day/2.mov"]);
        let texts = PinTexts {
            board: Some("B".to_owned()),
            title: Some("{words} ({n})".parse().unwrap()),
            description: Some("From {parent}".parse().unwrap()),
            link: Some("https://example.com/{stem}".parse().unwrap()),
            ..PinTexts::default()
        };
        let assignments = assign(&folder.videos, &[], &[], &texts, false).unwrap();
        let draft = assignments.videos[0].draft.as_ref().unwrap();
        assert_eq!((draft.title.as_deref(), draft.description.as_deref()), (Some("one two (1)"), Some("From my_day")));
        assert_eq!(draft.link.as_deref(), Some("https://example.com/one-two"));
        let second = assignments.videos[1].draft.as_ref().unwrap();
        assert_eq!(second.title.as_deref(), Some("2 (2)"));
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
            mistakes.iter().map(|mistake| (mistake.at.row.unwrap(), mistake.column.as_deref().unwrap())).collect();
        assert_eq!(
            places,
            [(2, "title"), (2, "link"), (3, "file"), (4, "board"), (5, "spec"), (6, "file")],
            "{mistakes:#?}"
        );
    }

    #[test]
    fn what_the_manifest_alone_shows_is_told_with_what_the_videos_show() {
        let folder = folder(&["a.mov", "b.mov"]);
        sidecar(&folder, "b.pin.toml", "bord = 'B'");
        let csv = "file,titel,board,link,publish_at\na.mov,x,,http://x,soon\n,,,,\ngone.mov,,B,,\ngone.mov,,B,,\n";
        assert_eq!(
            refused(&folder, told(&folder, csv, None)),
            "\
the manifest has 9 mistakes:
  row 1, titel: unknown column: is it title?
  row 2, publish_at: is \"soon\": write RFC 3339 with its zone, such as 2026-12-01T09:00:00+01:00
  row 2, link: not https: use an https:// address
  row 2, board: is missing: fill it in, or give --board for all
  row 3, file: is missing: every row names its video
  row 4, file: \"gone.mov\" is none of the videos of this run
  row 5, file: row 4 names the same file: one Pin a file
  board: is missing: fill it in, or give --board for all: [DIR]/b.pin.toml
  line 1, column 8, bord: unknown column: is it board?: [DIR]/b.pin.toml
nothing was sent; mend these and run again: [DIR]/pins.csv"
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
        let texts = PinTexts { board: Some(" ".to_owned()), ..PinTexts::default() };
        let Err(error @ PinsError::Drafts { .. }) = assign(&folder.videos, &[], &[], &texts, false) else {
            panic!("no flaws")
        };
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
