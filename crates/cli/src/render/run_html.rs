//! The report of a run: one HTML file for people, with a card for each video and a choice of what needs attention.
//! Nothing is loaded from other places; one small script, which reading does without, finds words.

mod card;
mod still;

use std::collections::HashMap;
use std::fs::{File, create_dir_all};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pinpress_pipeline::{End, ResultFiles, RunSummary, VideoOutcome};
use pinpress_probe::{MediaInfo, Source, sample_table};

use super::check_human::counted;
use super::page::{self, choice, inlined};
use super::until::minute;
use crate::output::{Results, clean, file_url};
use card::{Known, card};
use still::Stills;

/// So many stills are data in the page; those of more videos are files beside it, loaded as they come into view.
const INLINED: usize = 1_000;

/// Pictures are data in the page or files of this machine; the one script has this hash, and nothing else may run.
const POLICY: &str = "default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'; \
                      script-src 'sha256-Eb3Gfdt88MCgdTSHsyWqZjnq1xWXEpjwE4+AEBXIlfE='; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("run_html/style.css");

/// Changed, it has another hash, which the tests in a browser ask for.
const SCRIPT: &str = include_str!("run_html/script.js");

/// What a reader chooses by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Attention,
    Waiting,
    Published,
    Other,
}

impl Group {
    const fn of(outcome: &VideoOutcome) -> Self {
        match &outcome.end {
            End::Failed { .. } | End::SetAside { .. } | End::Unknown { .. } | End::Unfit => Self::Attention,
            End::Scheduled { .. } | End::Later { .. } | End::Interrupted => Self::Waiting,
            _ if outcome.pin.is_some() => Self::Published,
            End::Done | End::UpToDate | End::Unlisted | End::Duplicate { .. } => Self::Other,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Other => "other",
        }
    }
}

/// The page as it grows. Its cards are made as videos are done, and wait on disk.
pub(crate) struct RunHtml {
    output: PathBuf,
    stills: Stills,
    cards: Mutex<Cards>,
}

struct Cards {
    file: File,
    /// By source: its last card.
    places: HashMap<PathBuf, Place>,
    inlined: usize,
    /// Why there is no more room for them.
    failed: Option<std::io::Error>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    group: Group,
    begin: u64,
    length: u64,
}

impl RunHtml {
    /// Of a run over the output folder `output`, whose own folder is `own`.
    ///
    /// # Errors
    /// When there is no room for temp files.
    pub(crate) fn new(output: &Path, own: &Path) -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("cannot keep the report: no room for a temp file (set TMPDIR)")?;
        let cards = Cards { file, places: HashMap::new(), inlined: 0, failed: None };
        let stills = Stills::new(own);
        Ok(Self { output: output.to_owned(), stills, cards: Mutex::new(cards) })
    }

    /// A video is done, and its results are `here`. Called from many threads.
    pub(crate) fn video(&self, outcome: &VideoOutcome, here: ResultFiles<'_>) {
        let group = Group::of(outcome);
        let still = here.cover.and_then(|cover| self.stills.of(cover));
        // What was published as it is, is one file.
        let output = here.output.filter(|output| !same_place(output, &outcome.source));
        let after = output.and_then(at_a_glance);
        let seen = if outcome.info.is_none() { at_a_glance(&outcome.source) } else { None };
        let before = outcome.info.as_deref().or(seen.as_ref());
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        let still = still.map(|still| {
            if cards.inlined < INLINED {
                cards.inlined += 1;
                inlined(&still.jpeg)
            } else {
                file_url(&still.file)
            }
        });
        let text = card(&Known { outcome, group, before, after: after.as_ref(), still }).into_string();
        cards.keep(&outcome.source, group, text.as_bytes());
    }

    /// Writes the page to `to`, whole or not at all; to stdout without a place.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn write(&self, to: Option<&Path>, summary: &RunSummary) -> anyhow::Result<()> {
        let known = |outcome: &&VideoOutcome| {
            let cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
            cards.places.contains_key(&outcome.source)
        };
        // Those that an interruption left where they were.
        for outcome in summary.videos.iter().filter(|outcome| !known(outcome)) {
            let cover = outcome.cover.as_ref().map(|cover| cover.file.as_path());
            self.video(outcome, ResultFiles { output: outcome.output.as_deref(), cover });
        }
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = cards.failed.take() {
            return Err(error).context("cannot keep the report: no room for a temp file (set TMPDIR)");
        }
        let cannot = || match to {
            Some(to) => format!("cannot write the report of the run: {}", to.display()),
            None => "cannot write the report of the run".to_owned(),
        };
        if let Some(folder) = to.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
            create_dir_all(folder).with_context(cannot)?;
        }
        let mut page = Results::exact(to)?;
        cards.write(&mut page, &self.output, summary).with_context(cannot)?;
        page.end()
    }

    /// Removes what was kept of videos that are not on the page.
    pub(crate) fn sweep(&self) {
        self.stills.sweep();
    }
}

impl Cards {
    fn keep(&mut self, source: &Path, group: Group, text: &[u8]) {
        let kept = self.file.seek(SeekFrom::End(0)).and_then(|begin| {
            self.file.write_all(text)?;
            Ok(Place { group, begin, length: text.len().try_into().unwrap_or(u64::MAX) })
        });
        match kept {
            Ok(place) => drop(self.places.insert(source.to_owned(), place)),
            Err(error) => self.failed = Some(error),
        }
    }

    fn write(&mut self, page: &mut dyn Write, output: &Path, summary: &RunSummary) -> std::io::Result<()> {
        let count = |group: Group| self.places.values().filter(|place| place.group == group).count();
        let counts = Counts {
            all: self.places.len(),
            attention: count(Group::Attention),
            waiting: count(Group::Waiting),
            published: count(Group::Published),
        };
        let mut order: Vec<(&PathBuf, &Place)> = self.places.iter().collect();
        // What needs attention first.
        order.sort_by(|(a, at), (b, bt)| (at.group, a).cmp(&(bt.group, b)));
        writeln!(page, "{}<html lang=\"en\">", DOCTYPE.into_string())?;
        writeln!(page, "{}<body>", page::head("Report of a run", POLICY, STYLE).into_string())?;
        writeln!(page, "{}<main>", top(output, summary, &counts).into_string())?;
        let mut file = BufReader::new(&self.file);
        for (_, place) in order {
            file.seek(SeekFrom::Start(place.begin))?;
            std::io::copy(&mut file.by_ref().take(place.length), page)?;
            writeln!(page)?;
        }
        write!(page, "</main>{}</body></html>", script().into_string())
    }
}

struct Counts {
    all: usize,
    attention: usize,
    waiting: usize,
    published: usize,
}

fn top(output: &Path, summary: &RunSummary, counts: &Counts) -> Markup {
    html! {
        header {
            p.kind { "Report of a run" }
            h1 { (headline(counts)) }
            p.asked {
                "Into " b { (clean(&output.to_string_lossy())) } ", " (minute(Timestamp::now())) ", by pinpress "
                (env!("CARGO_PKG_VERSION")) "."
            }
            @if summary.interrupted {
                p.closed { "The run was stopped before it was done. The same command goes on where it was." }
            }
            @if let Some(reason) = &summary.refused { p.closed { "Nothing could be published: " (clean(reason)) } }
            @if let Some(hold) = summary.hold {
                p.closed { "Pinterest asks to be left alone until " (minute(hold)) "." }
            }
            @for place in &summary.unreadable { p.closed { "Not looked into: " (clean(&place.to_string())) } }
            fieldset {
                legend { "Show" }
                (choice("all", "All", counts.all, true))
                (choice("attention", "Need attention", counts.attention, false))
                (choice("published", "Published", counts.published, false))
                (choice("waiting", "Waiting", counts.waiting, false))
            }
            search hidden {
                label for="find" { "Find" }
                input #find type="search" autocomplete="off" placeholder="a name, a rule, a reason";
                output #found for="find" {}
            }
        }
    }
}

fn headline(counts: &Counts) -> String {
    let all = counted(counts.all, "video");
    match *counts {
        Counts { attention: 0, published, all: total, .. } if published == total && total > 0 => {
            if total == 1 {
                "The video is published".to_owned()
            } else {
                format!("All {all} are published")
            }
        }
        Counts { attention: 0, waiting: 0, .. } => format!("{all}, and none needs attention"),
        Counts { attention: 0, waiting, .. } => format!("{waiting} of {all} wait, and none needs attention"),
        Counts { attention: 1, .. } => format!("1 of {all} needs attention"),
        Counts { attention, .. } => format!("{attention} of {all} need attention"),
    }
}

fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

/// The facts of a file whose index alone tells them; other files would need the worker, and were read in their time.
fn at_a_glance(path: &Path) -> Option<MediaInfo> {
    match sample_table::read(&Source::open(path).ok()?).ok()? {
        sample_table::Decision::Facts(info) => Some(*info),
        sample_table::Decision::Undecided { .. } => None,
    }
}

fn same_place(one: &Path, other: &Path) -> bool {
    matches!((std::path::absolute(one), std::path::absolute(other)), (Ok(one), Ok(other)) if one == other)
}
