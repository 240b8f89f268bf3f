//! What a run would publish, told and not done: texts are checked, boards are looked up, nothing is written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use pinpress_probe::{Fingerprint, Source};
use pinpress_publish::{BoardId, BoardSectionId, CoverSource, PinDraft, PlannedRequest, PublishError, PublishState};
use pinpress_store::Stores;

use crate::check::check_file;
use crate::discover::{Discovery, Found, discover, discover_with};
use crate::ledger::{Ledger, LedgerError, PinKey, PinStatus};
use crate::media::Media;
use crate::naming::{absolute, cover_of};
use crate::pins::{Flaws, PinOptions, PinPlan, PinsError, VideoOrder, draft_all, resolve_all};
use crate::run::{Mode, RunError, RunOptions, runtime, stamp_of};

/// What would be published.
#[derive(Debug)]
pub struct DryRun {
    /// Everything that keeps the run from beginning.
    pub problems: Vec<String>,
    /// What Pinterest advises against.
    pub advice: Vec<(PathBuf, String)>,
    /// All videos, in the order in which they were found.
    pub videos: Vec<DryVideo>,
}

impl DryRun {
    /// Whether the run could begin, and every video could be published.
    #[must_use]
    pub fn all_good(&self) -> bool {
        self.problems.is_empty()
            && self.videos.iter().all(|video| !matches!(video.standing, Standing::Unfit { .. } | Standing::Unknown))
    }
}

/// A video of a dry run.
#[derive(Debug)]
pub struct DryVideo {
    /// As the user would name it.
    pub source: PathBuf,
    /// The board as the user named it, and its id, where there is one.
    pub board: Option<(String, BoardId)>,
    /// The section's id.
    pub section: Option<BoardSectionId>,
    /// Not before this.
    pub publish_at: Option<Timestamp>,
    /// What would become of it.
    pub standing: Standing,
}

/// What would become of a video.
#[derive(Debug)]
pub enum Standing {
    /// These would be sent.
    Sent(Vec<PlannedRequest>),
    /// Its Pin is there.
    Published {
        /// Where people see it.
        url: String,
    },
    /// Whether its Pin is there would be looked for.
    Unknown,
    /// Its attempts are used up.
    SetAside,
    /// Neither a row nor a board names it, or its board is not there.
    Unlisted,
    /// It would not be published as it is.
    Unfit {
        /// Why.
        reason: String,
    },
}

/// Tells what [`crate::run()`] with these options would publish. Reads the videos, the ledger and the boards; writes
/// and sends nothing else.
///
/// # Errors
/// When a path does not exist, there is no video, or the API cannot be asked. What is wrong with rows and texts is no
/// error, but in the answer.
pub fn dry_run(options: &RunOptions, media: &dyn Media) -> Result<DryRun, RunError> {
    let output = matches!(options.mode, Mode::Fix(_)).then(|| options.output_as_named());
    let output = output.as_deref();
    let discovery = match options.mode {
        Mode::Fix(_) => discover_with(&options.paths, output, &options.filters, &Stores::new())?,
        Mode::AsIs => discover(&options.paths, output, &options.filters)?,
    };
    if discovery.videos.is_empty() {
        return Err(RunError::NoVideos { paths: options.paths.clone() });
    }
    let Discovery { videos, strays, .. } = &discovery;
    let (assignments, Flaws { mut mistakes, drafts }) =
        draft_all(videos, strays, &options.paths, &options.texts, options.more_to_come)?;
    let is_ours = |found: &&Found| options.shard.is_none_or(|shard| shard.holds(&found.relative));
    let ours: HashSet<&PathBuf> = discovery.videos.iter().filter(is_ours).map(|found| &found.path).collect();
    let advice = assignments.advice.iter().filter(|(path, _)| ours.contains(path)).cloned().collect();
    let mut problems = Vec::new();
    let mut orders = vec![VideoOrder::default(); discovery.videos.len()];
    if let Some(pins) = &options.pins {
        match runtime()?.block_on(resolve_all(&pins.client, assignments)) {
            Ok((resolved, unresolved)) => {
                orders = resolved;
                mistakes.extend(unresolved);
            }
            Err(PinsError::Board { board, source: source @ PublishError::Board(_) }) => {
                problems.push(PinsError::Board { board, source }.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    mistakes.sort_by(|one, other| one.order().cmp(&other.order()));
    problems.extend(mistakes.iter().map(ToString::to_string));
    problems.extend(drafts.iter().map(ToString::to_string));
    let ledger = Known::open(options)?;
    let videos = discovery
        .videos
        .iter()
        .zip(orders)
        .filter(|(video, _)| ours.contains(&video.path))
        .map(|(video, order)| foretold(options, media, ledger.as_ref(), video, order))
        .collect::<Result<_, _>>()?;
    Ok(DryRun { problems, advice, videos })
}

fn foretold(
    options: &RunOptions,
    media: &dyn Media,
    ledger: Option<&Known>,
    video: &Found,
    order: VideoOrder,
) -> Result<DryVideo, RunError> {
    let told = |plan: Option<&PinPlan>, standing| DryVideo {
        source: video.path.clone(),
        board: plan.map(|plan| (plan.draft.board.clone(), plan.board.clone())),
        section: plan.and_then(|plan| plan.section.clone()),
        publish_at: plan.and_then(|plan| plan.publish_at),
        standing,
    };
    let (Some(pins), Some(plan)) = (&options.pins, &order.pin) else { return Ok(told(None, Standing::Unlisted)) };
    if let Some(standing) = ledger.map(|ledger| ledger.standing(pins, plan, video)).transpose()?.flatten() {
        return Ok(told(Some(plan), standing));
    }
    if matches!(options.mode, Mode::AsIs) {
        let spec = order.spec.as_ref().unwrap_or(&options.spec);
        let reason = match check_file(&video.path, spec, media) {
            Ok(checked) if checked.report.passes() => None,
            Ok(_) => Some("it does not fit: run `pinpress fix` on it".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            return Ok(told(Some(plan), Standing::Unfit { reason }));
        }
    }
    let draft = draft_of(options, pins, &video.path, &order, plan);
    let requests = pinpress_publish::planned_requests(&draft, &plan.board, plan.section.as_ref());
    Ok(told(Some(plan), Standing::Sent(requests)))
}

/// The draft with its video and cover, as far as they are there.
fn draft_of(options: &RunOptions, pins: &PinOptions, video: &Path, order: &VideoOrder, plan: &PinPlan) -> PinDraft {
    let mut draft = PinDraft { cover_as: pins.cover_as, ..plan.draft.clone() };
    video.clone_into(&mut draft.video);
    if matches!(options.mode, Mode::Fix(_)) {
        draft.video = Path::new(video.file_name().unwrap_or_default()).with_extension("mp4");
    }
    let picture = cover_of(&draft.video);
    if let Some(covers) = &pins.cover_url {
        draft.cover = CoverSource::Url(covers.of(&draft.video));
        return draft;
    }
    draft.cover = match order.cover_at.and_then(|at| u64::try_from(at.millis()).ok()) {
        Some(millis) => CoverSource::Time(Duration::from_millis(millis)),
        None if matches!(options.mode, Mode::AsIs) && picture.is_file() => {
            CoverSource::Picture { file: picture, time: None }
        }
        None => CoverSource::Pick,
    };
    draft
}

/// A ledger that has Pins.
struct Known(Box<dyn Ledger>);

impl Known {
    /// `None` when there is none, or nothing was published with it: then no video need be read for it.
    fn open(options: &RunOptions) -> Result<Option<Self>, LedgerError> {
        let Some(ledger) = options.ledger_place().open_known()? else { return Ok(None) };
        Ok((!ledger.pins()?.is_empty()).then_some(Self(ledger)))
    }

    /// What the ledger has of the video's Pin, when that decides.
    fn standing(&self, pins: &PinOptions, plan: &PinPlan, video: &Found) -> Result<Option<Standing>, LedgerError> {
        // A file that cannot be read is told about by the check, or the run.
        let Some(fingerprint) = self.fingerprint(video)? else { return Ok(None) };
        let board = plan.board.as_str().to_owned();
        let key = PinKey { destination: pins.destination.clone(), fingerprint, board };
        let Some(record) = self.0.pin(&key)? else { return Ok(None) };
        let state = record.state.as_deref().and_then(|state| serde_json::from_str(state).ok());
        Ok(match state {
            Some(PublishState::Pinned { url, .. }) => Some(Standing::Published { url }),
            Some(PublishState::Intended { .. } | PublishState::Unknown { .. }) => Some(Standing::Unknown),
            _ if record.status == PinStatus::SetAside => Some(Standing::SetAside),
            _ => None,
        })
    }

    /// An object that no run has read is fetched by none of this.
    fn fingerprint(&self, video: &Found) -> Result<Option<Fingerprint>, LedgerError> {
        if let Some(stamp) = stamp_of(video)
            && let Some(known) = self.0.fingerprint(&absolute(&video.path), stamp)?
        {
            return Ok(Some(known));
        }
        if video.object.is_some() {
            return Ok(None);
        }
        Ok(Source::open(&video.path).ok().and_then(|source| source.fingerprint().ok()))
    }
}
