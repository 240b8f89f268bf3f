//! What a dead job leaves beside its output, and how it is swept.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::wire::Request;

/// How the name of every temp file ends.
pub const TEMP_SUFFIX: &str = ".pinpress-tmp";

/// The hidden name beside `output` that its bytes have until they are good: `.NAME.PID.pinpress-tmp`. In the same
/// folder, so that the rename stays in one filesystem.
#[must_use]
pub fn temp_name(output: &Path, pid: u32) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(output.file_name().unwrap_or_default());
    name.push(format!(".{pid}{TEMP_SUFFIX}"));
    output.with_file_name(name)
}

/// Removes the temp files of `request`. Only for a request whose worker is dead.
pub(crate) fn sweep(request: &Request) {
    for output in outputs(request) {
        let Some(name) = output.file_name() else { continue };
        let folder = match output.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            if is_temp_of(name, &entry.file_name())
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!("cannot remove a temp file: {error}: {}", entry.path().display());
            }
        }
    }
}

/// Every final name that `request` may write.
fn outputs(request: &Request) -> Vec<PathBuf> {
    match request {
        Request::Fix { output, .. } => vec![output.into()],
        Request::Cover { options, .. } => {
            let mut files = options.picture_names();
            files.extend(options.contact_sheet.as_ref().map(PathBuf::from));
            files
        }
        Request::Probe { .. } | Request::Plan { .. } | Request::About => Vec::new(),
    }
}

/// Whether `entry` is `.NAME.<mark>.pinpress-tmp`. The mark holds no dot: the temp file of `a.mp4.b.mp4` is not one
/// of `a.mp4`.
fn is_temp_of(name: &OsStr, entry: &OsStr) -> bool {
    let (name, entry) = (name.as_encoded_bytes(), entry.as_encoded_bytes());
    let mark = entry
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(TEMP_SUFFIX.as_bytes()));
    mark.is_some_and(|mark| !mark.is_empty() && !mark.contains(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cover::{CoverOptions, PictureFiles, PictureFormat};
    use crate::wire::WirePath;

    #[test]
    fn only_the_temp_files_of_this_output_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let mine = [temp_name(&folder.path().join("a.1.jpg"), 7), temp_name(&folder.path().join("a.2.jpg"), 7)];
        let others = [
            "a.1.jpg",
            ".a.1.jpg.pinpress-tmp",
            ".a.1.jpg.b.jpg.7.pinpress-tmp",
            ".a.3.jpg.7.pinpress-tmp",
            ".a.1.jpg.7",
        ]
        .map(|name| folder.path().join(name));
        for file in mine.iter().chain(&others) {
            std::fs::write(file, "x").unwrap();
        }
        let path = |path: &Path| WirePath::from(path);
        sweep(&Request::Cover {
            source: path(Path::new("v.mp4")),
            options: CoverOptions {
                count: 2,
                at: None,
                pictures: Some(PictureFiles {
                    folder: path(folder.path()),
                    stem: path(Path::new("a")),
                    format: PictureFormat::Jpeg,
                }),
                contact_sheet: None,
                overwrite: false,
            },
        });
        assert!(mine.iter().all(|file| !file.exists()), "temp files are left over");
        for other in others {
            assert!(other.exists(), "it was removed: {}", other.display());
        }
    }
}
