//! Which frames are taken, by measures alone.

use std::collections::BTreeMap;

use pinpress_media::{Flaw, ScorePart};

use crate::flaw;
use crate::measure::Measures;
use crate::score::{Scored, representativeness};

/// A frame that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) time_us: i64,
    pub(crate) measures: Measures,
}

/// What was chosen, by place in the list of frames.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// Best first; empty only when there was no frame.
    pub(crate) picks: Vec<Pick>,
    /// In order of time.
    pub(crate) rejected: Vec<(usize, Flaw)>,
}

/// A frame that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    pub(crate) frame: usize,
    pub(crate) score: f64,
    pub(crate) parts: Vec<ScorePart>,
    pub(crate) flaw: Option<Flaw>,
}

/// Takes up to `count` frames, no two alike. `frames` are in order of time; `later` measures the picture a step
/// after a frame, which costs a decode and is asked only of frames that may be taken.
pub(crate) fn choose(
    frames: &[Looked],
    duration_us: i64,
    count: usize,
    later: &mut dyn FnMut(usize) -> Option<Measures>,
) -> Choice {
    let covered = covered(frames, duration_us);
    let mut flaws: BTreeMap<usize, Flaw> =
        frames.iter().enumerate().filter_map(|(at, frame)| Some((at, flaw::of(&frame.measures)?))).collect();
    let clean: Vec<usize> = (0..frames.len()).filter(|at| !flaws.contains_key(at)).collect();
    let scorer = Scorer::new(frames, &clean, &covered);

    let mut movement: BTreeMap<usize, Option<f64>> = BTreeMap::new();
    let mut waiting = scorer.ranked(&clean, &BTreeMap::new()).into_iter().map(|pick| pick.frame).peekable();
    let mut picks = Vec::new();
    while picks.len() < count && waiting.peek().is_some() {
        for at in waiting.by_ref().take((2 * count).max(8)) {
            if is_like_any(frames, at, &picks) {
                flaws.insert(at, Flaw::Duplicate);
                continue;
            }
            let next = later(at);
            match next {
                Some(next) if flaw::is_transition(&frames[at].measures, &next) => {
                    flaws.insert(at, Flaw::Transition);
                }
                next => {
                    let moved = next.map(|next| frames[at].measures.grid.difference(&next.grid));
                    movement.insert(at, moved);
                }
            }
        }
        let measured: Vec<usize> = movement.keys().copied().collect();
        picks = distinct(frames, scorer.ranked(&measured, &movement), count, &mut flaws);
    }
    if picks.is_empty() {
        picks = least_bad(frames, &covered, &flaws, count);
    }
    for pick in &picks {
        flaws.remove(&pick.frame);
    }
    Choice { picks, rejected: flaws.into_iter().collect() }
}

/// For a video without one clean frame: the flaws a viewer forgives soonest, then the score.
fn least_bad(frames: &[Looked], covered: &[f64], flaws: &BTreeMap<usize, Flaw>, count: usize) -> Vec<Pick> {
    let all: Vec<usize> = (0..frames.len()).collect();
    let mut ranked = Scorer::new(frames, &all, covered).ranked(&all, &BTreeMap::new());
    for pick in &mut ranked {
        pick.flaw = flaws.get(&pick.frame).copied();
    }
    ranked.sort_by_key(|pick| flaw::badness(pick.flaw));
    distinct(frames, ranked, count, &mut BTreeMap::new())
}

/// The first `count` of `ranked` that look unlike all before them; notes the others as duplicates.
fn distinct(frames: &[Looked], ranked: Vec<Pick>, count: usize, flaws: &mut BTreeMap<usize, Flaw>) -> Vec<Pick> {
    let mut picks: Vec<Pick> = Vec::new();
    for pick in ranked {
        if picks.len() == count {
            break;
        }
        if is_like_any(frames, pick.frame, &picks) {
            flaws.insert(pick.frame, Flaw::Duplicate);
        } else {
            flaws.remove(&pick.frame);
            picks.push(pick);
        }
    }
    picks
}

fn is_like_any(frames: &[Looked], at: usize, picks: &[Pick]) -> bool {
    picks.iter().any(|pick| frames[pick.frame].measures.look.is_like(&frames[at].measures.look))
}

/// The time that each frame stands for, in seconds: up to half way to its neighbours.
fn covered(frames: &[Looked], duration_us: i64) -> Vec<f64> {
    let border = |left: i64, right: i64| left + (right - left) / 2;
    (0..frames.len())
        .map(|at| {
            let time = frames[at].time_us;
            let from = if at == 0 { 0 } else { border(frames[at - 1].time_us, time) };
            let to = frames.get(at + 1).map_or(duration_us.max(time), |next| border(time, next.time_us));
            (to - from).max(1) as f64 / 1e6
        })
        .collect()
}

/// Scores frames relative to a set of them.
struct Scorer<'a> {
    frames: &'a [Looked],
    representativeness: BTreeMap<usize, f64>,
    sharpest: f64,
}

impl<'a> Scorer<'a> {
    fn new(frames: &'a [Looked], among: &[usize], covered: &[f64]) -> Self {
        let measures: Vec<&Measures> = among.iter().map(|&at| &frames[at].measures).collect();
        let times: Vec<f64> = among.iter().map(|&at| covered[at]).collect();
        let values = representativeness(&measures, &times);
        Self {
            frames,
            representativeness: among.iter().copied().zip(values).collect(),
            sharpest: measures.iter().map(|measures| measures.sharpness).fold(0.0, f64::max),
        }
    }

    /// Best first; the earlier one first where the score is the same.
    fn ranked(&self, which: &[usize], movement: &BTreeMap<usize, Option<f64>>) -> Vec<Pick> {
        let mut picks: Vec<Pick> = which
            .iter()
            .map(|&frame| {
                let (score, parts) = Scored {
                    measures: &self.frames[frame].measures,
                    movement: movement.get(&frame).copied().flatten(),
                    representativeness: self.representativeness.get(&frame).copied().unwrap_or(0.0),
                    sharpest: self.sharpest,
                }
                .score();
                Pick { frame, score, parts, flaw: None }
            })
            .collect();
        picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.frame.cmp(&b.frame)));
        picks
    }
}
