//! Small stills of videos, made by the worker, for the report that shows one of each.

use std::path::Path;

use anyhow::Context as _;
use pinpress_media::{CoverOptions, Observer, PictureFiles, PictureFormat};
use pinpress_pipeline::{Interrupt, Media as _};
use pinpress_probe::{MediaInfo, Seconds};

use crate::workers::LazyWorkers;

/// The longest side in pixels: twice the size at which a report shows it, for screens of double density.
const SIDE: u32 = 320;

/// Takes stills.
pub(crate) struct Stills<'a> {
    workers: &'a LazyWorkers,
    interrupt: &'a Interrupt,
    folder: tempfile::TempDir,
}

impl<'a> Stills<'a> {
    /// With a folder of its own for the pictures, which goes with it.
    ///
    /// # Errors
    /// When there is no room for temp files.
    pub(crate) fn new(workers: &'a LazyWorkers, interrupt: &'a Interrupt) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no room for stills: set TMPDIR to a folder that can be written")?;
        Ok(Self { workers, interrupt, folder })
    }

    /// A JPEG of the frame that is shown after a third of the video; `None` when it cannot be had. `number` is
    /// another for each video.
    pub(crate) fn of(&self, number: usize, video: &Path, info: &MediaInfo) -> Option<Vec<u8>> {
        let third = info.duration.map_or(0, Seconds::millis) / 3;
        let options = CoverOptions {
            count: 1,
            at: Some(Seconds::from_millis(third)),
            pictures: Some(PictureFiles {
                folder: self.folder.path().into(),
                stem: Path::new(&number.to_string()).into(),
                format: PictureFormat::Jpeg,
                max_side: Some(SIDE),
            }),
            contact_sheet: None,
            overwrite: true,
        };
        let taken = self.workers.cover(video, &options, self);
        let picture = match taken {
            Ok(covers) => covers.candidates.into_iter().find_map(|candidate| candidate.file)?,
            Err(failure) => {
                tracing::info!(%failure, video = %video.display(), "no still");
                return None;
            }
        };
        let picture = std::path::PathBuf::from(&picture);
        let jpeg = std::fs::read(&picture).ok();
        // The folder goes at the end anyway; until then it holds no more than is being worked on.
        drop(std::fs::remove_file(&picture));
        jpeg
    }
}

impl Observer for Stills<'_> {
    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}
