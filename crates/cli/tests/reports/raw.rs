//! Videos of every verdict under names of every kind.

use crate::ground::folder;

/// A name that is markup, a line break, an escape sequence and a percent code at once.
#[cfg(unix)]
pub(crate) const HOSTILE: &str = "<b>\"a'&%41,:\u{1b}[31m\n::error::]]>.mp4";

/// `raw` with videos that pass, fail, advise and cannot be read, also under names that are hostile and not UTF-8.
/// `None` where there is no ffmpeg to make them.
pub(crate) fn raw() -> Option<tempfile::TempDir> {
    let dir = folder(&[
        ("conforming-9x16.mp4", "raw/fits.mp4"),
        ("upright-16x9.mp4", "raw/deep/wide.mp4"),
        ("film-24fps.mp4", "raw/film.mp4"),
        ("vp9-opus.webm", "raw/loop.webm"),
        ("not-a-video.mp4", "raw/notes.mp4"),
    ])?;
    std::fs::write(dir.path().join("raw/empty.mov"), b"").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = dir.path().join("raw/odd");
        std::fs::create_dir(&odd).unwrap();
        let film = dir.path().join("raw/film.mp4");
        std::fs::copy(&film, odd.join(HOSTILE)).unwrap();
        std::fs::copy(&film, odd.join(std::ffi::OsStr::from_bytes(b"caf\xe9.mp4"))).unwrap();
        std::fs::write(odd.join("empty <i>.mov"), b"").unwrap();
    }
    Some(dir)
}

/// `raw` with one video of each kind under plain names: fits, fails, is only advised, cannot be read.
pub(crate) fn judged() -> Option<tempfile::TempDir> {
    let dir = folder(&[
        ("conforming-9x16.mp4", "raw/fits.mp4"),
        ("upright-16x9.mp4", "raw/deep/wide.mp4"),
        ("rotated-90.mov", "raw/advised.mov"),
        ("vp9-opus.webm", "raw/loop.webm"),
    ])?;
    std::fs::write(dir.path().join("raw/empty.mov"), b"").unwrap();
    Some(dir)
}
