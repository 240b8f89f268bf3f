//! Where a job writes: in private folders beside its outputs, out of which its parent takes what is good.
//!
//! The child may write nowhere else, so that one which a file has taken over reaches none of the other files of an
//! output folder. Which names appear there is settled by the request, before the child begins.

use std::io;
use std::path::{Path, PathBuf};

use pinpress_media::final_name::{give_name, sync_folder_of};
use pinpress_media::{Failure, FailureKind, PrivateFolder, Reply, Request, WirePath, sweep_abandoned};
use pinpress_transcode::failure as of_videos;

/// The outputs of one request. Dropped, they leave nothing.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    video: Option<Aside>,
    pictures: Vec<Aside>,
    sheet: Option<Aside>,
    overwrite: bool,
    /// Where they are until they are good.
    folders: Vec<PrivateFolder>,
}

/// A file that the child writes.
#[derive(Debug, PartialEq, Eq)]
struct Aside {
    /// In the private folder.
    at: PathBuf,
    /// The final name.
    wanted: PathBuf,
}

impl Outputs {
    /// Makes the private folders that `request` needs, and lets it write there instead.
    ///
    /// # Errors
    /// `OutputExists` when something is there that may not be replaced, `Io` when the output folder cannot be written
    /// to. Nothing is left then.
    pub(crate) fn aside(request: &mut Request) -> Result<Self, Failure> {
        let mut outputs = Self::default();
        match request {
            Request::Fix { output, options, .. } => {
                let wanted = PathBuf::from(&*output);
                outputs.overwrite = options.overwrite;
                sweep_abandoned(&wanted);
                pinpress_transcode::refuse_existing(&wanted, options.overwrite)?;
                if wanted.file_name().is_none() {
                    return Err(of_videos::nameless());
                }
                let at = outputs.beside(&wanted).map_err(|error| {
                    of_videos::of_a_folder_that_is_gone(&wanted).unwrap_or_else(|| of_videos::of_creating(&error))
                })?;
                *output = at.as_path().into();
                outputs.video = Some(Aside { at, wanted });
            }
            Request::Cover { options, .. } => {
                outputs.overwrite = options.overwrite;
                let wanted = options.picture_names();
                wanted.iter().for_each(|picture| sweep_abandoned(picture));
                if let Some(sheet) = &options.contact_sheet {
                    sweep_abandoned(&PathBuf::from(sheet));
                }
                pinpress_cover::refuse_existing(options)?;
                if let (Some(first), Some(files)) = (wanted.first(), &mut options.pictures) {
                    let at = outputs.beside(first).map_err(|error| pinpress_cover::failure::of_writing(&error))?;
                    files.folder = at.parent().unwrap_or(&at).into();
                    // The rest of a stem with folders in it is in the final names.
                    let stem = PathBuf::from(&files.stem);
                    files.stem = Path::new(stem.file_name().unwrap_or_default()).into();
                    let names = options.picture_names().into_iter().zip(wanted);
                    outputs.pictures = names.map(|(at, wanted)| Aside { at, wanted }).collect();
                }
                if let Some(sheet) = &mut options.contact_sheet {
                    let wanted = PathBuf::from(&*sheet);
                    let at = outputs.beside(&wanted).map_err(|error| pinpress_cover::failure::of_writing(&error))?;
                    *sheet = at.as_path().into();
                    outputs.sheet = Some(Aside { at, wanted });
                }
            }
            Request::Probe { .. } | Request::Decode { .. } | Request::Plan { .. } | Request::About => {}
        }
        Ok(outputs)
    }

    /// The name in a new private folder that `wanted` has until it is good.
    fn beside(&mut self, wanted: &Path) -> io::Result<PathBuf> {
        let folder = PrivateFolder::beside(wanted)?;
        let at = folder.path().join(wanted.file_name().unwrap_or_default());
        self.folders.push(folder);
        Ok(at)
    }

    /// Gives what the child has made its final names, and lets its reply speak of those. Call it when the child is
    /// gone: it could still change what it has made.
    ///
    /// # Errors
    /// As [`Outputs::aside`]; `Protocol` for a file that was not asked for. There is no new name then.
    pub(crate) fn publish(self, mut reply: Reply) -> Result<Reply, Failure> {
        match &mut reply {
            Reply::Fixed(fixed) => {
                let Some(video) = &self.video else { return Ok(reply) };
                self.place(&[video]).map_err(|error| {
                    of_videos::of_a_folder_that_is_gone(&video.wanted).unwrap_or_else(|| of_videos::of_renaming(&error))
                })?;
                fixed.output = video.wanted.as_path().into();
                sync_folder_of(&video.wanted).map_err(|error| of_videos::of_syncing(&error))?;
            }
            Reply::Covered(covers) => {
                let mut made: Vec<&Aside> = Vec::new();
                for file in covers.candidates.iter_mut().filter_map(|candidate| candidate.file.as_mut()) {
                    let picture = self.picture(file).ok_or_else(not_asked_for)?;
                    *file = picture.wanted.as_path().into();
                    made.push(picture);
                }
                // All pictures are in one folder.
                let in_folders: Vec<&Aside> = made.first().copied().into_iter().chain(&self.sheet).collect();
                made.extend(&self.sheet);
                let refused = |error: io::Error| pinpress_cover::failure::of_writing(&error);
                self.place(&made).map_err(refused)?;
                for file in in_folders {
                    sync_folder_of(&file.wanted).map_err(refused)?;
                }
            }
            Reply::Probed { .. } | Reply::Decoded(_) | Reply::Planned { .. } | Reply::About(_) => {}
        }
        Ok(reply)
    }

    fn picture(&self, named: &WirePath) -> Option<&Aside> {
        let named = PathBuf::from(named);
        self.pictures.iter().find(|picture| picture.at == named)
    }

    /// Gives all of `files` their final names, or none of them.
    fn place(&self, files: &[&Aside]) -> io::Result<()> {
        for (count, file) in files.iter().enumerate() {
            let placed = is_file(&file.at).and_then(|()| give_name(&file.at, &file.wanted, self.overwrite));
            if let Err(error) = placed {
                // What has replaced another file stays: that one is gone.
                for file in files[..count].iter().filter(|_| !self.overwrite) {
                    let _ = std::fs::remove_file(&file.wanted);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Fails for all but a file: a child that is not behind Landlock could have made a link that leads elsewhere.
fn is_file(path: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(path)?.is_file() { Ok(()) } else { Err(io::Error::other("the job made no file")) }
}

fn not_asked_for() -> Failure {
    Failure::new(FailureKind::Protocol, "the job named a file that it was not asked for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Grants;
    use pinpress_media::{
        Candidate, CoverOptions, Covers, FixOptions, Fixed, PictureFiles, PictureFormat, Plan, Seconds,
    };
    use pinpress_probe::{Container, MediaInfo, Reader, Spec, check};
    use tempfile::TempDir;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn cover(out: &TempDir, overwrite: bool) -> Request {
        let pictures = PictureFiles {
            folder: out.path().into(),
            stem: Path::new("a").into(),
            format: PictureFormat::Jpeg,
            max_side: None,
        };
        let contact_sheet = Some(out.path().join("sheet.png").as_path().into());
        let options = CoverOptions { count: 2, at: None, pictures: Some(pictures), contact_sheet, overwrite };
        Request::Cover { source: Path::new("a.mov").into(), options }
    }

    /// What the child writes for `request`, and its reply.
    fn covered(request: &Request) -> Reply {
        let Request::Cover { options, .. } = request else { panic!("no cover") };
        let pictures = options.picture_names();
        let sheet = options.contact_sheet.as_ref().map(PathBuf::from);
        for file in pictures.iter().chain(&sheet) {
            std::fs::write(file, "new").unwrap();
        }
        let candidate = |file: &PathBuf| Candidate {
            time: Seconds::from_millis(0),
            score: 1.0,
            parts: Vec::new(),
            flaw: None,
            file: Some(file.as_path().into()),
        };
        let candidates = pictures.iter().map(candidate).collect();
        Reply::Covered(Covers { candidates, rejected: Vec::new(), looked_at: 2 })
    }

    #[test]
    fn a_job_may_write_in_folders_of_its_own_alone() {
        let out = tempfile::tempdir().unwrap();
        let mut request = cover(&out, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let grants = Grants::of(&request, false);
        let own: Vec<_> = outputs.folders.iter().map(|folder| folder.path().to_owned()).collect();
        assert_eq!((grants.write_in, own.len()), (own.clone(), 2));
        assert!(own.iter().all(|folder| folder.parent() == Some(out.path())), "{own:?}");
        drop(outputs);
        assert!(names(out.path()).is_empty());

        let mut nothing = Request::Probe { source: Path::new("a.mov").into() };
        assert!(Outputs::aside(&mut nothing).unwrap().folders.is_empty());
    }

    #[test]
    fn what_is_good_gets_its_names_and_the_reply_tells_them() {
        let out = tempfile::tempdir().unwrap();
        let mut request = cover(&out, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let Reply::Covered(covers) = outputs.publish(covered(&request)).unwrap() else { panic!("no covers") };
        let told: Vec<_> = covers.candidates.iter().map(|one| PathBuf::from(one.file.as_ref().unwrap())).collect();
        assert_eq!(told, ["a.1.jpg", "a.2.jpg"].map(|name| out.path().join(name)));
        assert_eq!(names(out.path()), ["a.1.jpg", "a.2.jpg", "sheet.png"]);

        // A process that was killed when it had given the names has left them.
        for left in [".a.1.jpg.4194305.pinpress-tmp", ".sheet.png.4194305.pinpress-tmp"] {
            std::fs::create_dir(out.path().join(left)).unwrap();
        }
        let refused = Outputs::aside(&mut cover(&out, false)).unwrap_err();
        assert_eq!(refused.kind, FailureKind::OutputExists);
        assert_eq!(names(out.path()), ["a.1.jpg", "a.2.jpg", "sheet.png"]);
        std::fs::write(out.path().join("a.2.jpg"), "old").unwrap();
        let mut again = cover(&out, true);
        Outputs::aside(&mut again).unwrap().publish(covered(&again)).unwrap();
        assert_eq!(std::fs::read(out.path().join("a.2.jpg")).unwrap(), b"new");
        assert_eq!(names(out.path()), ["a.1.jpg", "a.2.jpg", "sheet.png"]);
    }

    #[test]
    fn where_one_name_was_taken_meanwhile_none_is_given() {
        let out = tempfile::tempdir().unwrap();
        let mut request = cover(&out, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let reply = covered(&request);
        std::fs::write(out.path().join("a.2.jpg"), "mine").unwrap();
        assert_eq!(outputs.publish(reply).unwrap_err().kind, FailureKind::OutputExists);
        assert_eq!(names(out.path()), ["a.2.jpg"]);
        assert_eq!(std::fs::read(out.path().join("a.2.jpg")).unwrap(), b"mine");
    }

    #[test]
    fn what_a_job_was_not_asked_for_and_what_is_no_file_stays_behind() {
        let out = tempfile::tempdir().unwrap();
        let mut request = cover(&out, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let Reply::Covered(mut covers) = covered(&request) else { panic!("no covers") };
        let other = outputs.folders[0].path().join("b.jpg");
        std::fs::write(&other, "new").unwrap();
        covers.candidates[0].file = Some(other.as_path().into());
        assert_eq!(outputs.publish(Reply::Covered(covers)).unwrap_err().kind, FailureKind::Protocol);
        assert!(names(out.path()).is_empty());

        let mut request = cover(&out, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let reply = covered(&request);
        let sheet = &outputs.sheet.as_ref().unwrap().at;
        std::fs::remove_file(sheet).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", sheet).unwrap();
        assert_eq!(outputs.publish(reply).unwrap_err().kind, FailureKind::Io);
        assert!(names(out.path()).is_empty());
    }

    /// An MP4 with nothing in it.
    fn info() -> MediaInfo {
        MediaInfo {
            container: Container::Mp4,
            size_bytes: 0,
            duration: None,
            video: Vec::new(),
            audio: Vec::new(),
            other: Vec::new(),
            faststart: None,
            fragmented: false,
            private: Vec::new(),
            anomalies: Vec::new(),
            reader: Reader::SampleTable,
        }
    }

    fn fix(output: &Path, overwrite: bool) -> Request {
        Request::Fix {
            source: Path::new("a.mov").into(),
            info: Box::new(info()),
            spec: Box::new(Spec::load("pinterest").unwrap()),
            options: Box::new(FixOptions { overwrite, ..FixOptions::default() }),
            output: output.into(),
            part: None,
        }
    }

    #[test]
    fn a_fix_is_refused_before_its_job_begins_where_it_could_not_end_well() {
        let out = tempfile::tempdir().unwrap();
        let output = out.path().join("a.mp4");
        let refused = |request: &mut Request| Outputs::aside(request).unwrap_err();
        let gone = refused(&mut fix(&out.path().join("gone/a.mp4"), false));
        assert!(gone.kind == FailureKind::Io && gone.message.contains("removed or renamed"), "{gone}");
        assert!(refused(&mut fix(Path::new("/"), true)).message.contains("no file name"));
        std::fs::write(&output, "mine").unwrap();
        assert_eq!(refused(&mut fix(&output, false)).kind, FailureKind::OutputExists);
        assert_eq!(names(out.path()), ["a.mp4"]);
    }

    #[test]
    fn a_fixed_video_gets_the_name_that_was_asked_for_whatever_the_job_says() {
        let out = tempfile::tempdir().unwrap();
        let output = out.path().join("a.mp4");
        // A process that was killed has left it.
        std::fs::create_dir(out.path().join(".a.mp4.4194305.pinpress-tmp")).unwrap();
        let mut request = fix(&output, false);
        let outputs = Outputs::aside(&mut request).unwrap();
        let Request::Fix { info, spec, output: at, .. } = &request else { panic!("no fix") };
        let at = PathBuf::from(at);
        std::fs::write(&at, "fixed").unwrap();
        let fixed = Fixed {
            plan: Plan::unfixable(String::new(), None),
            output: Path::new("/etc/passwd").into(),
            info: MediaInfo::clone(info),
            report: check(info, spec),
            frames_decoded: 0,
            packets_compared: 0,
            salvaged: None,
        };
        let Reply::Fixed(fixed) = outputs.publish(Reply::Fixed(Box::new(fixed))).unwrap() else { panic!("no video") };
        assert_eq!(PathBuf::from(&fixed.output), output);
        assert_eq!(names(out.path()), ["a.mp4"]);
    }
}
