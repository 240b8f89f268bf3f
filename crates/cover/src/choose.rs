//! Which frames are taken, by measures alone.

use std::collections::BTreeMap;

use pinpress_media::{Flaw, ScorePart};

use crate::looked::Looked;
use crate::measure::Measures;
use crate::score::{Movement, Scored};
use crate::transition::{self, Later};
use crate::{beside, cluster, flaw};

/// Frames of which it is known how much moves before any is taken: the best by all else. More than a few results need
/// more looks, which must not change which one is the best.
const LOOKS: usize = 8;

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

/// Takes up to `count` frames, no two alike; those of a smaller `count` are the first of a larger. `frames` are in
/// order of time; `later` looks at the pictures after a frame, which costs decoding and is asked only of frames that
/// may be taken, in order of time, many in one go.
pub(crate) fn choose(
    frames: &[Looked],
    duration_us: i64,
    count: usize,
    later: &mut dyn FnMut(&[usize]) -> Vec<Vec<Later>>,
) -> Choice {
    let covered = covered(frames, duration_us);
    let all = (0..).zip(flaws(frames, duration_us));
    let mut flaws: BTreeMap<usize, Flaw> = all.filter_map(|(at, flaw)| Some((at, flaw?))).collect();
    let clean: Vec<usize> = (0..frames.len()).filter(|at| !flaws.contains_key(at)).collect();
    let scorer = Scorer::new(frames, &clean, &covered);
    let mut looks = Looks { frames, later, movements: BTreeMap::new() };

    loop {
        let standing: Vec<usize> = clean.iter().copied().filter(|at| !flaws.contains_key(at)).collect();
        let mut first = distinct(frames, &scorer.ranked(&standing, &|_| Movement::Unknown), LOOKS);
        // What was a copy of a frame in a transition may stand for itself.
        first.retain(|at| !looks.movements.contains_key(at));
        if first.is_empty() {
            break;
        }
        first.sort_unstable();
        for at in looks.in_transition(&first) {
            flaws.insert(at, Flaw::Transition);
        }
    }
    let standing: Vec<usize> = clean.iter().copied().filter(|at| !flaws.contains_key(at)).collect();
    let mut picks: Vec<Pick> = Vec::new();
    for pick in scorer.ranked(&standing, &|at| looks.movement(at)) {
        if is_like_any(frames, pick.frame, picks.iter().map(|pick| pick.frame)) {
            flaws.insert(pick.frame, Flaw::Duplicate);
        } else if picks.len() < count {
            if looks.movements.contains_key(&pick.frame) || looks.in_transition(&[pick.frame]).is_empty() {
                picks.push(pick);
            } else {
                flaws.insert(pick.frame, Flaw::Transition);
            }
        }
    }
    if picks.is_empty() {
        picks = least_bad(frames, &covered, &flaws, count);
    }
    for pick in &picks {
        flaws.remove(&pick.frame);
    }
    Choice { picks, rejected: flaws.into_iter().collect() }
}

/// What is wrong with each frame, by itself and beside the others; the pictures after it were not looked at.
pub(crate) fn flaws(frames: &[Looked], duration_us: i64) -> Vec<Option<Flaw>> {
    beside::flaws(frames, &covered(frames, duration_us), duration_us)
}

/// What the pictures after frames say.
struct Looks<'a> {
    frames: &'a [Looked],
    later: &'a mut dyn FnMut(&[usize]) -> Vec<Vec<Later>>,
    /// By frame, of those that rest or move.
    movements: BTreeMap<usize, Movement>,
}

impl Looks<'_> {
    /// Looks after these frames, which are in order, and answers those that are in a transition.
    fn in_transition(&mut self, which: &[usize]) -> Vec<usize> {
        let mut changing = Vec::new();
        for (&at, later) in which.iter().zip((self.later)(which)) {
            let now = &self.frames[at].measures;
            if transition::is_transition(now, &later) {
                changing.push(at);
            } else {
                let movement = transition::movement(&later).map_or(Movement::Unknown, Movement::Known);
                self.movements.insert(at, movement);
            }
        }
        changing
    }

    fn movement(&self, at: usize) -> Movement {
        self.movements.get(&at).copied().unwrap_or(Movement::NotLooked)
    }
}

/// For a video without one clean frame: by score less what each flaw takes; dark frames only where all are dark.
fn least_bad(frames: &[Looked], covered: &[f64], flaws: &BTreeMap<usize, Flaw>, count: usize) -> Vec<Pick> {
    let dark = |at: &usize| flaws.get(at) == Some(&Flaw::TooDark);
    let mut which: Vec<usize> = (0..frames.len()).filter(|at| !dark(at)).collect();
    if which.is_empty() {
        which = (0..frames.len()).collect();
    }
    let mut ranked = Scorer::new(frames, &which, covered).ranked(&which, &|_| Movement::Unknown);
    for pick in &mut ranked {
        pick.flaw = flaws.get(&pick.frame).copied();
        pick.score = (pick.score - flaw::penalty(pick.flaw, &frames[pick.frame].measures)).max(0.0);
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.frame.cmp(&b.frame)));
    let taken = distinct(frames, &ranked, count);
    ranked.retain(|pick| taken.contains(&pick.frame));
    ranked
}

/// The first `count` of `ranked` that look unlike all before them.
fn distinct(frames: &[Looked], ranked: &[Pick], count: usize) -> Vec<usize> {
    let mut taken: Vec<usize> = Vec::new();
    for pick in ranked {
        if taken.len() < count && !is_like_any(frames, pick.frame, taken.iter().copied()) {
            taken.push(pick.frame);
        }
    }
    taken
}

fn is_like_any(frames: &[Looked], at: usize, mut others: impl Iterator<Item = usize>) -> bool {
    others.any(|other| frames[other].measures.is_like(&frames[at].measures))
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
    sharpest: [f64; 2],
}

impl<'a> Scorer<'a> {
    fn new(frames: &'a [Looked], among: &[usize], covered: &[f64]) -> Self {
        let measures: Vec<&Measures> = among.iter().map(|&at| &frames[at].measures).collect();
        let times: Vec<f64> = among.iter().map(|&at| covered[at]).collect();
        let looks: Vec<_> = measures.iter().map(|measures| &measures.look).collect();
        let values = cluster::representativeness(&looks, &times);
        let sharpest = |way: usize| measures.iter().map(|measures| measures.texture.sharp[way]).fold(0.0, f64::max);
        Self {
            frames,
            representativeness: among.iter().copied().zip(values).collect(),
            sharpest: [sharpest(0), sharpest(1)],
        }
    }

    /// Best first; the earlier one first where the score is the same.
    fn ranked(&self, which: &[usize], movement: &dyn Fn(usize) -> Movement) -> Vec<Pick> {
        let mut picks: Vec<Pick> = which
            .iter()
            .map(|&frame| {
                let (score, parts) = Scored {
                    measures: &self.frames[frame].measures,
                    movement: movement(frame),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    /// A frame of grey squares, `size` pixels each, up to `brightest`, that look different for each `seed`.
    fn squares(time_us: i64, seed: u32, size: u32, brightest: u32) -> Looked {
        let level = |x: u32, y: u32| {
            // Knuth's multiplicative hash: neighbouring squares differ.
            let hash = (x / size * 31 + y / size * 1_009 + seed * 100_003).wrapping_mul(2_654_435_761) >> 16;
            u8::try_from(brightest * (16 + hash % 48) / 64).unwrap()
        };
        let rgb: Vec<u8> = (0..64 * 64).flat_map(|at| [level(at % 64, at / 64); 3]).collect();
        let measures = Measures::of(&Picture::new(64, 64, &rgb).unwrap());
        Looked { time_us, measures, combed: false, damaged: false }
    }

    #[test]
    fn no_two_picks_look_alike_and_the_copies_are_told() {
        let frames: Vec<Looked> =
            (0..6).map(|at| squares(500_000 + i64::from(at) * 1_000_000, at % 2, 8, 200)).collect();
        let choice = choose(&frames, 6_000_000, 6, &mut |which| vec![Vec::new(); which.len()]);
        assert_eq!(choice.picks.len(), 2);
        assert!(choice.rejected.iter().all(|&(_, flaw)| flaw == Flaw::Duplicate));
        assert_eq!(choice.rejected.len(), 4);
    }

    #[test]
    fn a_flawed_frame_is_taken_only_when_nothing_else_is_there() {
        let (dark, good) = (squares(0, 1, 8, 20), squares(1_000_000, 2, 8, 200));
        let both = choose(&[dark.clone(), good], 2_000_000, 2, &mut |which| vec![Vec::new(); which.len()]);
        assert_eq!(both.picks.iter().map(|pick| (pick.frame, pick.flaw)).collect::<Vec<_>>(), [(1, None)]);
        assert_eq!(both.rejected, [(0, Flaw::TooDark)]);

        let alone = choose(&[dark], 2_000_000, 2, &mut |which| vec![Vec::new(); which.len()]);
        assert_eq!(alone.picks.iter().map(|pick| pick.flaw).collect::<Vec<_>>(), [Some(Flaw::TooDark)]);
        assert!(alone.rejected.is_empty());
    }

    #[test]
    fn a_frame_before_a_cut_gives_way_to_one_at_rest() {
        let frames = [squares(500_000, 1, 8, 200), squares(1_000_000, 2, 8, 200)];
        let other = squares(0, 3, 16, 200).measures;
        let choice = choose(&frames, 2_000_000, 1, &mut |which| {
            let grid = |at| if at == 0 { &other.grid } else { &frames[1].measures.grid };
            which.iter().map(|&at| vec![Later { after_us: 100_000, grid: grid(at).clone(), change: 0.0 }]).collect()
        });
        assert_eq!(choice.picks[0].frame, 1);
        assert!(choice.rejected.contains(&(0, Flaw::Transition)), "{:?}", choice.rejected);
    }

    #[test]
    fn no_frame_is_no_pick() {
        assert!(choose(&[], 0, 3, &mut |which| vec![Vec::new(); which.len()]).picks.is_empty());
    }
}
