//! From a request to its pictures.

use std::path::{Path, PathBuf};

use pinpress_av::Still;
use pinpress_media::{
    Candidate, CoverOptions, Covers, Failure, FailureKind, PictureFiles, PictureFormat, Progress, Rejected,
};
use pinpress_probe::Seconds;

use crate::choose::Choice;
use crate::frames::Sampler;
use crate::meter::Meter;
use crate::search::Search;
use crate::{failure, picture, sheet, write};

/// Chooses the frames of `source` that `options` asks for and writes their pictures. The same file gives the same
/// answer at any number of `threads` (at least 1: for decoding at several places, for measuring and for full-size
/// frames). Times are from the start of the file. `progress` is called for every frame that is decoded.
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
    let mut sampler = Sampler::open(source, threads)?;
    let meter = Meter::new(progress, sampler.duration_us());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|error| Failure::new(FailureKind::Io, format!("no threads for measuring: {error}")))?;
    let mut search = Search { sampler: &mut sampler, pool: &pool, meter: &meter };
    let (stills, choice) = match options.at {
        Some(at) => search.one(at),
        None => search.best(options.count.max(1)),
    };
    if choice.picks.is_empty() {
        return Err(sampler.no_frame());
    }
    let mut covers = as_covers(&stills, &choice);
    if let Some(files) = &options.pictures {
        write_pictures(sampler, &mut covers, options, files, threads, &meter)?;
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
    sampler: Sampler,
    covers: &mut Covers,
    options: &CoverOptions,
    files: &PictureFiles,
    threads: usize,
    meter: &Meter<'_>,
) -> Result<(), Failure> {
    let quality = if files.max_side.is_some() { picture::SMALL_QUALITY } else { picture::QUALITY };
    let mut entries: Vec<_> = covers.candidates.iter_mut().zip(options.picture_names()).collect();
    // In order of time, so that frames of one GOP are decoded in one go.
    entries.sort_by_key(|(candidate, _)| candidate.time);
    let places: Vec<(i64, PathBuf)> =
        entries.iter().map(|(candidate, path)| (candidate.time.micros(), path.clone())).collect();
    // One frame alone may have all threads.
    let filter_threads = if places.len() < 2 { threads } else { 1 };
    let written = sampler.into_full_size(files.max_side, filter_threads).each(
        &places,
        &|(time_us, _)| *time_us,
        &|still, (_, path)| {
            write::write_whole(path, options.overwrite, |out| {
                picture::encode(out, (still.width, still.height), &still.rgb, files.format, quality)
            })
            .map_err(|error| failure::of_writing(&error))
        },
        &|_| meter.reach(0),
    );
    for ((candidate, path), written) in entries.into_iter().zip(written) {
        written?;
        candidate.file = Some(path.as_path().into());
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

/// Looks, before any work is done, whether there is something that may not be replaced; the rename looks again.
///
/// # Errors
/// [`FailureKind::OutputExists`].
pub fn refuse_existing(options: &CoverOptions) -> Result<(), Failure> {
    let sheet = options.contact_sheet.as_ref().map(PathBuf::from);
    let taken = options.picture_names().into_iter().chain(sheet).any(|path| path.exists());
    if taken && !options.overwrite { Err(failure::exists()) } else { Ok(()) }
}
