//! What a dead job leaves beside its output, and how it is swept.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::final_name::folder_of;
use crate::private_folder;
use crate::wire::Request;

/// How the name of every temp file and temp folder ends.
pub const TEMP_SUFFIX: &str = ".pinpress-tmp";

/// The longest file name on Linux and on most filesystems, in bytes.
const NAME_MAX: usize = 255;

/// How often, and how long after each other, the killed processes of a request are given time to let go of a lock: the
/// system closes their files one by one.
const LAST_LOCKS: (u32, Duration) = (20, Duration::from_millis(10));

/// The hidden name beside `output` that its bytes, or the folder that they are in, have until they are good:
/// `.NAME.PID.pinpress-tmp`. In the same folder, so that the rename stays in one filesystem. Of a name that would be
/// too long so, only the beginning.
#[must_use]
pub fn temp_name(output: &Path, pid: u32) -> PathBuf {
    temp_name_marked(output, &pid.to_string())
}

/// The same with another mark than the number of a process alone. There is no dot in it.
pub(crate) fn temp_name_marked(output: &Path, mark: &str) -> PathBuf {
    let name = output.file_name().unwrap_or_default();
    let ending = format!(".{mark}{TEMP_SUFFIX}");
    let mut temp = OsString::from(".");
    match room_for_name(ending.len()) {
        room if name.len() <= room => temp.push(name),
        room => {
            let text = name.to_string_lossy();
            let cut = (0..=room.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
            temp.push(&text[..cut.unwrap_or(0)]);
        }
    }
    temp.push(ending);
    output.with_file_name(temp)
}

/// Bytes of the output's name that a temp name with an ending of this length has room for.
const fn room_for_name(ending: usize) -> usize {
    (NAME_MAX - 1).saturating_sub(ending)
}

/// Removes what is left of `request`, but for what somebody holds the lock of. Only for a request whose worker is dead.
pub(crate) fn sweep(request: &Request) {
    let (attempts, pause) = LAST_LOCKS;
    for output in outputs(request) {
        for attempt in 1..=attempts {
            if sweep_once(&output) || attempt == attempts {
                break;
            }
            std::thread::sleep(pause);
        }
    }
}

/// Removes the temp files and temp folders of `output` whose writer is dead: one that lives holds their lock
/// ([`File::lock`]), which the system takes away from a process that ends in whatever way. Where a filesystem has no
/// locks, it removes them all.
pub fn sweep_abandoned(output: &Path) {
    sweep_once(output);
}

/// Answers whether none is left that somebody holds the lock of.
fn sweep_once(output: &Path) -> bool {
    let Some(name) = output.file_name() else { return true };
    let Ok(entries) = std::fs::read_dir(folder_of(output)) else { return true };
    let mut all = true;
    for entry in entries.flatten().filter(|entry| is_temp_of(name, &entry.file_name())) {
        match remove_abandoned(&entry.path()) {
            Ok(gone) => all &= gone,
            Err(error) => tracing::warn!("cannot remove what a dead job left: {error}: {}", entry.path().display()),
        }
    }
    all
}

/// Removes the temp file or temp folder at `path`, unless somebody holds its lock. Answers whether it is gone.
///
/// # Errors
/// What the system says.
pub fn remove_abandoned(path: &Path) -> io::Result<bool> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => match private_folder::take(path)? {
            Some(_lock) => private_folder::remove(path),
            None => return Ok(!path.is_dir()),
        },
        Ok(_) => {
            // For writing, though nothing is: NFS locks no file that is open for reading alone.
            let file = File::options().write(true).open(path);
            if matches!(file.as_ref().map(File::try_lock), Ok(Err(TryLockError::WouldBlock))) {
                return Ok(false);
            }
            std::fs::remove_file(path)
        }
        Err(error) => Err(error),
    };
    match removed {
        // Somebody else swept too.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        removed => removed.map(|()| true),
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
        Request::Probe { .. } | Request::Decode { .. } | Request::Plan { .. } | Request::About => Vec::new(),
    }
}

/// Whether `entry` is `.NAME.<mark>.pinpress-tmp`, or the same with the beginning of a long name. The mark holds no
/// dot: the temp file of `a.mp4.b.mp4` is not one of `a.mp4`.
fn is_temp_of(name: &OsStr, entry: &OsStr) -> bool {
    let (name, entry) = (name.as_encoded_bytes(), entry.as_encoded_bytes());
    let middle = entry.strip_prefix(b".").and_then(|rest| rest.strip_suffix(TEMP_SUFFIX.as_bytes()));
    let Some(middle) = middle else { return false };
    let Some(dot) = middle.iter().rposition(|&byte| byte == b'.') else { return false };
    let (begun, ending) = (&middle[..dot], middle.len() - dot + TEMP_SUFFIX.len());
    // Cut before a character of up to four bytes.
    let full = begun.len() + 4 > room_for_name(ending);
    let shortened = full && name.len() > room_for_name(ending) && name.starts_with(begun);
    dot + 1 < middle.len() && (begun == name || shortened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cover::{CoverOptions, PictureFiles, PictureFormat};
    use crate::wire::WirePath;

    #[test]
    fn temp_names_of_names_of_any_length_fit_and_are_known_again() {
        for text in ["a".to_owned(), "x".repeat(251), "ü".repeat(125), "y".repeat(230)] {
            let output = Path::new("/out").join(text + ".mp4");
            let temp = temp_name(&output, 4_194_304);
            let (name, temp_name) = (output.file_name().unwrap(), temp.file_name().unwrap());
            assert!(temp_name.len() <= NAME_MAX, "{}", temp.display());
            assert!(is_temp_of(name, temp_name), "{}", temp.display());
            assert!(!is_temp_of(OsStr::new("b.mp4"), temp_name), "{}", temp.display());
            assert!(!is_temp_of(name, OsStr::new(".y.1.pinpress-tmp")), "{}", output.display());
        }
    }

    #[test]
    fn what_a_living_process_writes_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.mp4");
        let (dead, alive) = (temp_name(&output, 7), temp_name(&output, 8));
        std::fs::write(&dead, "x").unwrap();
        let writer = File::create(&alive).unwrap();
        writer.lock().unwrap();
        sweep_abandoned(&output);
        assert!(!dead.exists() && alive.exists());
        drop(writer);
        sweep_abandoned(&output);
        assert!(!alive.exists());
    }

    #[test]
    fn a_folder_goes_when_its_maker_is_dead_and_not_before() {
        let out = tempfile::tempdir().unwrap();
        let output = out.path().join("a.mp4");
        // With and without a lock file, as a kill may come before it.
        let dead = [temp_name(&output, 7), temp_name(&output, 8)];
        dead.iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        std::fs::write(dead[0].join("lock.pinpress-tmp"), "").unwrap();
        std::fs::write(dead[0].join("a.mp4"), "half").unwrap();
        let alive = crate::PrivateFolder::beside(&output).unwrap();
        let of_others = temp_name(&out.path().join("b.mp4"), 7);
        std::fs::create_dir(&of_others).unwrap();
        sweep_abandoned(&output);
        assert!(dead.iter().all(|folder| !folder.exists()));
        assert!(alive.path().is_dir() && of_others.is_dir());
        assert!(!remove_abandoned(alive.path()).unwrap(), "it lives");
        assert!(remove_abandoned(&of_others).unwrap() && !of_others.exists());
        assert!(remove_abandoned(&of_others).unwrap(), "it was gone already");
    }

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
                    max_side: None,
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
