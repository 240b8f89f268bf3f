//! From a request to its pictures.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pinpress_av::Still;
use pinpress_media::{
    Candidate, CoverOptions, Covers, Failure, FailureKind, PictureFiles, PictureFormat, Progress, Rejected, Stage,
};
use pinpress_probe::Seconds;
use rayon::prelude::*;

use crate::choose::{Choice, Looked, choose};
use crate::frames::{FEW, FullSize, Sampler};
use crate::measure::Measures;
use crate::{Picture, failure, flaw, picture, sheet, write};

/// Chooses the frames of `source` that `options` asks for and writes their pictures. The same file gives the same
/// answer at any number of `threads` (at least 1; for measuring and for the decoder of full-size frames). Times are
/// from the start of the file. `progress` is called for every frame that is decoded.
///
/// # Errors
/// [`FailureKind::OutputExists`] before any work when a picture is there and overwriting was not asked for;
/// [`FailureKind::NotAVideo`], [`FailureKind::Incomplete`] or [`FailureKind::Corrupt`] when no frame can be had;
/// [`FailureKind::Io`] when the file cannot be read or a picture not be written. Pictures that were written before
/// the failure stay.
pub fn cover(
    source: &Path,
    options: &CoverOptions,
    threads: usize,
    progress: &dyn Fn(Progress),
) -> Result<Covers, Failure> {
    let sheet_format = options.contact_sheet.as_ref().map(|path| sheet_format(&PathBuf::from(path))).transpose()?;
    refuse_existing(options)?;
    let mut sampler = Sampler::open(source)?;
    let meter = Meter { report: progress, total_us: sampler.duration_us(), done_us: Cell::new(0) };
    meter.reach(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|error| Failure::new(FailureKind::Io, format!("no threads for measuring: {error}")))?;
    let measure = |stills: &[Still]| pool.install(|| stills.par_iter().map(measures).collect::<Vec<_>>());

    let (stills, choice) = match options.at {
        Some(at) => one(&mut sampler, at, &measure),
        None => ranked(&mut sampler, options.count.max(1), &measure, &meter),
    };
    if choice.picks.is_empty() {
        return Err(sampler.no_frame());
    }
    let mut covers = as_covers(&stills, &choice);
    if let Some(files) = &options.pictures {
        write_pictures(source, &mut covers, options, files, threads, &meter)?;
    }
    if let (Some(path), Some(format)) = (&options.contact_sheet, sheet_format) {
        let entries: Vec<_> =
            choice.picks.iter().map(|pick| (&stills[pick.frame], caption(&stills, pick.frame, pick.score))).collect();
        let sheet = sheet::lay_out(&entries);
        write::write_whole(&PathBuf::from(path), options.overwrite, |out| {
            picture::encode(out, (sheet.width, sheet.height), &sheet.rgb, format, picture::QUALITY)
        })
        .map_err(|error| failure::of_writing(&error))?;
    }
    Ok(covers)
}

/// Tells how far the work is; never goes back.
struct Meter<'a> {
    report: &'a dyn Fn(Progress),
    total_us: i64,
    done_us: Cell<i64>,
}

impl Meter<'_> {
    fn reach(&self, time_us: i64) {
        self.done_us.set(self.done_us.get().max(time_us));
        let millis = |micros: i64| u64::try_from(micros / 1000).unwrap_or(0);
        let total_ms = (self.total_us > 0).then(|| millis(self.total_us));
        (self.report)(Progress { stage: Stage::Covering, done_ms: millis(self.done_us.get()), total_ms });
    }
}

type Measure<'a> = dyn Fn(&[Still]) -> Vec<Option<Measures>> + 'a;

fn as_picture(still: &Still) -> Option<Picture<'_>> {
    Picture::new(still.width as usize, still.height as usize, &still.rgb)
}

fn measures(still: &Still) -> Option<Measures> {
    as_picture(still).map(|picture| Measures::of(&picture))
}

/// The frame at a time that was asked for, whatever it is like.
fn one(sampler: &mut Sampler, at: Seconds, measure: &Measure<'_>) -> (Vec<Still>, Choice) {
    let mut stills: Vec<Still> = sampler.shown(at.micros()).into_iter().collect();
    in_order(&mut stills);
    let frames = looked(&stills, measure);
    let duration_us = sampler.duration_us();
    let mut choice = choose(&frames, duration_us, 1, &mut |_| None);
    for pick in &mut choice.picks {
        pick.flaw = flaw::of(&frames[pick.frame].measures);
    }
    (stills, choice)
}

/// The best frames of the video.
fn ranked(sampler: &mut Sampler, count: usize, measure: &Measure<'_>, meter: &Meter<'_>) -> (Vec<Still>, Choice) {
    let mut stills = Vec::new();
    for time in sampler.sync_times() {
        stills.extend(sampler.sync(time));
        meter.reach(time);
    }
    in_order(&mut stills);
    let mut frames = looked(&stills, measure);
    let clean = frames.iter().filter(|frame| flaw::of(&frame.measures).is_none()).count();
    // The second looks of frames between sync samples, taken on the way: going back for one costs a GOP.
    let mut seconds = BTreeMap::new();
    if stills.len() < FEW || clean < count.min(FEW) {
        for time in sampler.spread_times(FEW.max(2 * count)) {
            let Some(still) = sampler.shown(time) else { continue };
            seconds.insert(still.time_us, sampler.later(still.time_us).as_ref().and_then(measures));
            stills.push(still);
            meter.reach(time);
        }
        if stills.is_empty() {
            stills.extend(sampler.shown(0));
        }
        in_order(&mut stills);
        frames = looked(&stills, measure);
    }
    let choice = choose(&frames, sampler.duration_us(), count, &mut |at| {
        let time = frames[at].time_us;
        meter.reach(time);
        seconds.remove(&time).unwrap_or_else(|| sampler.later(time).as_ref().and_then(measures))
    });
    (stills, choice)
}

/// In order of time, each frame once; none without pixels.
fn in_order(stills: &mut Vec<Still>) {
    stills.retain(|still| as_picture(still).is_some());
    stills.sort_by_key(|still| still.time_us);
    stills.dedup_by_key(|still| still.time_us);
}

fn looked(stills: &[Still], measure: &Measure<'_>) -> Vec<Looked> {
    let measured = measure(stills).into_iter().zip(stills);
    measured.filter_map(|(measures, still)| Some(Looked { time_us: still.time_us, measures: measures? })).collect()
}

fn as_covers(stills: &[Still], choice: &Choice) -> Covers {
    let time = |frame: usize| Seconds::from_micros(stills[frame].time_us);
    Covers {
        candidates: choice
            .picks
            .iter()
            .map(|pick| Candidate {
                time: time(pick.frame),
                score: pick.score,
                parts: pick.parts.clone(),
                flaw: pick.flaw,
                file: None,
            })
            .collect(),
        rejected: choice.rejected.iter().map(|&(frame, flaw)| Rejected { time: time(frame), flaw }).collect(),
        looked_at: stills.len(),
    }
}

fn write_pictures(
    source: &Path,
    covers: &mut Covers,
    options: &CoverOptions,
    files: &PictureFiles,
    threads: usize,
    meter: &Meter<'_>,
) -> Result<(), Failure> {
    let mut video = FullSize::open(source, files.max_side, threads)?;
    let quality = if files.max_side.is_some() { picture::SMALL_QUALITY } else { picture::QUALITY };
    let mut entries: Vec<_> = covers.candidates.iter_mut().zip(options.picture_names()).collect();
    // In order of time, so that frames of one GOP are decoded in one go.
    entries.sort_by_key(|(candidate, _)| candidate.time);
    for (candidate, path) in entries {
        let still = video.frame(candidate.time.micros())?;
        write::write_whole(&path, options.overwrite, |out| {
            picture::encode(out, (still.width, still.height), &still.rgb, files.format, quality)
        })
        .map_err(|error| failure::of_writing(&error))?;
        candidate.file = Some(path.as_path().into());
        meter.reach(0);
    }
    Ok(())
}

fn caption(stills: &[Still], frame: usize, score: f64) -> String {
    format!("{}  {score:.2}", Seconds::from_millis(stills[frame].time_us / 1000))
}

/// By the ending of the name.
fn sheet_format(path: &Path) -> Result<PictureFormat, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("jpg" | "jpeg") => Ok(PictureFormat::Jpeg),
        Some("png") => Ok(PictureFormat::Png),
        _ => Err(Failure::new(FailureKind::Io, "a contact sheet is a .jpg or a .png: name it so")),
    }
}

/// Looks before any work is done; the rename looks again.
fn refuse_existing(options: &CoverOptions) -> Result<(), Failure> {
    let sheet = options.contact_sheet.as_ref().map(PathBuf::from);
    let taken = options.picture_names().into_iter().chain(sheet).any(|path| path.exists());
    if taken && !options.overwrite { Err(failure::exists()) } else { Ok(()) }
}
