//! Picks a cover through the media worker.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pinpress_media::{CoverOptions, Failure, PictureFiles, PictureFormat, Reply, Request, Seconds, WirePath};

use crate::cover::{CoverError, CoverPicker, PickedCover};

/// Asks the media worker for the best frame, written as JPEG under `NAME.cover.jpg`.
#[derive(Debug)]
pub struct WorkerPicker<F> {
    ask: F,
    folder: PathBuf,
}

impl<F: Fn(&Request) -> Result<Reply, Failure>> WorkerPicker<F> {
    /// `ask` serves one request to its end; `folder` exists and takes the pictures, replacing those of the same name.
    pub const fn new(ask: F, folder: PathBuf) -> Self {
        Self { ask, folder }
    }
}

impl<F: Fn(&Request) -> Result<Reply, Failure>> CoverPicker for WorkerPicker<F> {
    fn pick(&self, video: &Path, at: Option<Duration>) -> Result<PickedCover, CoverError> {
        let failed = |reason: String| CoverError::Pick { reason, video: video.to_owned() };
        let mut stem = video.file_stem().unwrap_or(video.as_os_str()).to_owned();
        stem.push(".cover");
        let at = match at {
            Some(at) => Some(Seconds::from_millis(
                i64::try_from(at.as_millis()).map_err(|_| failed("the time is out of range".to_owned()))?,
            )),
            None => None,
        };
        let request = Request::Cover {
            source: video.into(),
            options: CoverOptions {
                count: 1,
                at,
                pictures: Some(PictureFiles {
                    folder: self.folder.as_path().into(),
                    stem: WirePath::from(Path::new(&stem)),
                    format: PictureFormat::Jpeg,
                    max_side: None,
                }),
                contact_sheet: None,
                overwrite: true,
            },
        };
        let covers = match (self.ask)(&request) {
            Ok(Reply::Covered(covers)) => covers,
            Ok(_) => {
                return Err(failed("the media worker answered something else: reinstall both programs".to_owned()));
            }
            Err(failure) => return Err(failed(failure.to_string())),
        };
        let best = covers.candidates.into_iter().next().ok_or_else(|| failed("the video shows no frame".to_owned()))?;
        let picture = best.file.as_ref().ok_or_else(|| failed("the media worker wrote no picture".to_owned()))?;
        let millis = u64::try_from(best.time.millis()).unwrap_or(0);
        Ok(PickedCover { time: Duration::from_millis(millis), picture: picture.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinpress_media::{Candidate, Covers, FailureKind};

    fn picker(
        ask: impl Fn(&Request) -> Result<Reply, Failure>,
    ) -> WorkerPicker<impl Fn(&Request) -> Result<Reply, Failure>> {
        WorkerPicker::new(ask, PathBuf::from("out"))
    }

    #[test]
    fn the_worker_is_asked_for_one_picture_beside_the_others() {
        let picker = picker(|request| {
            let Request::Cover { source, options } = request else { panic!("{request:?}") };
            assert_eq!(PathBuf::from(source), Path::new("in/a b.mp4"));
            let files = options.pictures.as_ref().unwrap();
            assert_eq!((PathBuf::from(&files.folder), PathBuf::from(&files.stem)), ("out".into(), "a b.cover".into()));
            assert_eq!((options.count, options.at), (1, Some(Seconds::from_millis(1_250))));
            let candidate = |millis, file: &str| Candidate {
                time: Seconds::from_millis(millis),
                score: 1.0,
                parts: Vec::new(),
                flaw: None,
                file: Some(Path::new(file).into()),
            };
            Ok(Reply::Covered(Covers {
                candidates: vec![candidate(1_233, "out/a b.cover.jpg"), candidate(9, "other.jpg")],
                rejected: Vec::new(),
                looked_at: 60,
            }))
        });
        let picked = picker.pick(Path::new("in/a b.mp4"), Some(Duration::from_millis(1_250))).unwrap();
        assert_eq!(picked, PickedCover { time: Duration::from_millis(1_233), picture: "out/a b.cover.jpg".into() });
    }

    #[test]
    fn a_worker_that_fails_is_told_with_the_video() {
        let picker = picker(|_| Err(Failure::new(FailureKind::Crashed, "the worker died")));
        let error = picker.pick(Path::new("a.mp4"), None).unwrap_err().to_string();
        assert_eq!(error, "no cover could be picked: the worker died: a.mp4");
    }
}
