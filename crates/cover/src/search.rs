//! Where in a video frames are looked for, the cheapest places first.

use std::collections::BTreeMap;

use pinpress_av::Still;
use pinpress_probe::Seconds;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::between::between;
use crate::choose::{Choice, choose, flaws};
use crate::frames::Sampler;
use crate::grid::Grid;
use crate::looked::Looked;
use crate::measure::Measures;
use crate::meter::Meter;
use crate::plane::Plane;
use crate::transition::Later;
use crate::{Picture, beside, flaw};

/// With fewer good frames than this at sync samples, evenly spread times are looked at besides.
const FEW: usize = 8;

/// How many frames there are then with those between them, and how many of them lie between at least; whatever number
/// of frames is asked for, lest the best one depend on it.
const IN_ALL: usize = 12;
const BETWEEN: usize = 4;

/// How many more where none of these is good. Each may cost a GOP.
const CLOSER: i64 = 20;

/// A search for frames.
pub(crate) struct Search<'a> {
    pub(crate) sampler: &'a mut Sampler,
    pub(crate) pool: &'a ThreadPool,
    pub(crate) meter: &'a Meter<'a>,
}

/// Frames in order of time, none twice.
#[derive(Default)]
struct Found {
    stills: Vec<Still>,
    frames: Vec<Looked>,
    /// The looks after frames, by their time, where they were taken on the way: going back for one costs a GOP.
    later: BTreeMap<i64, Vec<Later>>,
}

impl Search<'_> {
    /// The frame at a time that was asked for, whatever it is like.
    pub(crate) fn one(&mut self, at: Seconds) -> (Vec<Still>, Choice) {
        let mut found = Found::default();
        let stills = self.shown(at.micros()).into_iter().collect();
        self.add(&mut found, stills);
        let mut choice =
            choose(&found.frames, self.sampler.duration_us(), 1, &mut |which| vec![Vec::new(); which.len()]);
        for pick in &mut choice.picks {
            pick.flaw = flaw::of(&found.frames[pick.frame]);
        }
        (found.stills, choice)
    }

    /// The best frames of the video.
    pub(crate) fn best(&mut self, count: usize) -> (Vec<Still>, Choice) {
        let duration_us = self.sampler.duration_us();
        let mut found = Found::default();
        let syncs = self.sampler.sync_times();
        if syncs.len() < FEW {
            // These are looked at on the way, as they are the dearest of all to decode.
            self.spread(&mut found, &syncs, &syncs);
        } else {
            let stills = self.sampler.syncs(&syncs, &|time| self.meter.reach(time));
            self.add(&mut found, stills);
            if self.is_thin(&found) {
                let known: Vec<i64> = found.frames.iter().map(|frame| frame.time_us).collect();
                self.spread(&mut found, &known, &[]);
            }
        }
        if clean(&found.frames, duration_us) == 0 {
            let stills = self.sampler.spread_times(CLOSER).into_iter().filter_map(|time| self.shown(time)).collect();
            self.add(&mut found, stills);
        }
        if found.frames.is_empty() {
            let stills = self.shown(0).into_iter().collect();
            self.add(&mut found, stills);
        }
        let Found { stills, frames, mut later } = found;
        let choice = choose(&frames, duration_us, count, &mut |which| {
            let unknown: Vec<&Still> =
                which.iter().map(|&at| &stills[at]).filter(|still| !later.contains_key(&still.time_us)).collect();
            let looks = self.later(&unknown);
            later.extend(unknown.iter().map(|still| still.time_us).zip(looks));
            which.iter().map(|&at| later.remove(&frames[at].time_us).unwrap_or_default()).collect()
        });
        (stills, choice)
    }

    /// Whether the sync samples leave little to choose from.
    fn is_thin(&self, found: &Found) -> bool {
        let flaws = flaws(&found.frames, self.sampler.duration_us());
        flaws.iter().filter(|flaw| flaw.is_none()).count() < FEW || beside::are_soft(&found.frames, &flaws)
    }

    /// Looks at times between those that are `known`, and at these `besides`, each with the looks after it.
    fn spread(&mut self, found: &mut Found, known: &[i64], besides: &[i64]) {
        let count = IN_ALL.saturating_sub(known.len()).max(BETWEEN);
        let mut times = between(known, &self.sampler.middle(), count);
        // A microsecond more: the rounded time of a frame may lie a hair before its timestamp, in the GOP before.
        times.extend(besides.iter().map(|time| time.saturating_add(1)));
        times.sort_unstable();
        let mut stills = Vec::new();
        for time in times {
            let Some(still) = self.shown(time) else { continue };
            let later = self.later(&[&still]).pop().unwrap_or_default();
            found.later.insert(still.time_us, later);
            stills.push(still);
        }
        self.add(found, stills);
    }

    fn shown(&mut self, time_us: i64) -> Option<Still> {
        self.meter.reach(time_us);
        self.sampler.shown(time_us)
    }

    /// The looks after stills in order of time.
    fn later(&mut self, stills: &[&Still]) -> Vec<Vec<Later>> {
        let times: Vec<i64> = stills.iter().map(|still| still.time_us).collect();
        let all = self.sampler.later(&times, &|time| self.meter.reach(time));
        let looks = |(later, now): (Vec<Still>, &&Still)| {
            let plane = as_picture(now).map(|picture| Plane::of(&picture));
            let look = |still: Still| {
                let picture = as_picture(&still)?;
                let change = plane.as_ref()?.difference(&Plane::of(&picture));
                Some(Later { after_us: still.time_us - now.time_us, grid: Grid::of(&picture), change })
            };
            later.into_iter().filter_map(look).collect()
        };
        all.into_iter().zip(stills).map(looks).collect()
    }

    /// Measures new frames and puts them where their time is.
    fn add(&self, found: &mut Found, stills: Vec<Still>) {
        let looked = |still: Still| {
            let measures = Measures::of(&as_picture(&still)?);
            let frame = Looked { time_us: still.time_us, measures, combed: still.combed, damaged: still.damaged };
            Some((still, frame))
        };
        let new: Vec<_> = self.pool.install(|| stills.into_par_iter().filter_map(looked).collect());
        let mut all: Vec<_> =
            std::mem::take(&mut found.stills).into_iter().zip(std::mem::take(&mut found.frames)).collect();
        all.extend(new);
        all.sort_by_key(|(still, _)| still.time_us);
        all.dedup_by_key(|(still, _)| still.time_us);
        (found.stills, found.frames) = all.into_iter().unzip();
    }
}

/// How many frames have nothing wrong with them.
fn clean(frames: &[Looked], duration_us: i64) -> usize {
    flaws(frames, duration_us).iter().filter(|flaw| flaw.is_none()).count()
}

fn as_picture(still: &Still) -> Option<Picture<'_>> {
    Picture::new(still.width as usize, still.height as usize, &still.rgb)
}
