//! The real clips without the large ones, which take most of the time.

use std::path::{Path, PathBuf};

use pinpress_fixtures::Clip;

use crate::judge::{duration_ms, ffprobe, shown_size};

/// Pixels of a frame times seconds, in millions, over which a clip is fixed in one way and by one command: five clips
/// are two thirds of the work.
const LARGE: u64 = 15;

/// The clips without the large ones, and a folder with copies of them.
pub(crate) fn small_clips(sources: &Path, clips: Vec<Clip>) -> (PathBuf, Vec<Clip>) {
    let folder = sources.canonicalize().expect("the folder is there");
    std::fs::create_dir_all(folder.join("malformed")).expect("it can be made");
    let is_small = |clip: &Clip| {
        let facts = ffprobe(&clip.path);
        let (width, height) = shown_size(&facts);
        u64::from(width) * u64::from(height) * duration_ms(&facts).unwrap_or(0) < LARGE * 1_000_000_000
    };
    let clips: Vec<Clip> = clips.into_iter().filter(|clip| clip.malformed || is_small(clip)).collect();
    for clip in &clips {
        std::fs::copy(&clip.path, folder.join(place(clip))).expect("it is copied");
    }
    (folder, clips)
}

/// Where a clip lies below the folder.
pub(crate) fn place(clip: &Clip) -> String {
    if clip.malformed { format!("malformed/{}", clip.name()) } else { clip.name() }
}
