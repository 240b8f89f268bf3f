//! A folder in parts, for jobs that share it without a server: which part a video belongs to is told by its path alone.
//!
//! The rule, which holds for ever: of the path below the given folder, with `/` between its parts and in lower case,
//! the endings are left out, and the first 8 bytes of BLAKE3 over the rest (a little-endian number) modulo N, plus 1, is
//! the shard. The endings are the last one, whatever it is, and before it those of videos, each with a number behind it
//! or without: `a.mkv`, `A.mov` and `a.mov.mp4` are in one shard. These are the sources whose outputs could have one
//! name ([`crate::naming`]): who gives names out must know all of them, and what each was called in earlier runs. What
//! this leaves over (a video without an ending beside one that is called as if it were its second) is refused by whoever
//! comes second, as any file is that is there already.

mod scheduler;

use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::discover::{Found, has_video_extension};

pub use scheduler::{SHARDS, SchedulerError};

/// One of the parts of a folder: the `index`th of `of`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    of: u32,
}

/// A shard that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write I/N with I from 1 to N, such as 2/8")]
pub struct ShardError;

impl Shard {
    /// The `index`th of `of`, counted from 1; `None` when there is no such one.
    #[must_use]
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index >= 1 && index <= of { Some(Self { index, of }) } else { None }
    }

    /// The part of this process by the variables of the array job that it belongs to; see [`SchedulerError`].
    ///
    /// # Errors
    /// When it belongs to none, or the variables do not say which part of how many it is.
    pub fn of_scheduler(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SchedulerError> {
        scheduler::shard(&variable)
    }

    /// Which one, from 1.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Whether the video with that path below its folder ([`Found::relative`]) belongs to it.
    #[must_use]
    pub fn holds(self, relative: &Path) -> bool {
        let hash = blake3::hash(&family(relative));
        let head = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(head) % u64::from(self.of) + 1 == u64::from(self.index)
    }

    /// Its own folder within that of a run.
    #[must_use]
    pub fn folder(self) -> String {
        format!("shard-{}-of-{}", self.index, self.of)
    }

    /// The shard with that folder.
    #[must_use]
    pub fn from_folder(name: &str) -> Option<Self> {
        let (index, of) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard = Self::new(index.parse().ok()?, of.parse().ok()?)?;
        // One spelling alone, so that no shard has two folders.
        (shard.folder() == name).then_some(shard)
    }

    /// The places of the videos that belong to `shard`; without one, all.
    #[must_use]
    pub fn places(shard: Option<Self>, videos: &[Found]) -> Vec<usize> {
        let mine = |video: &Found| shard.is_none_or(|shard| shard.holds(&video.relative));
        videos.iter().enumerate().filter(|(_, video)| mine(video)).map(|(place, _)| place).collect()
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (index, of) = text.trim().split_once('/').ok_or(ShardError)?;
        // A sign is none of ours, and `parse` takes one.
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number(index).zip(number(of)).and_then(|(index, of)| Self::new(index, of)).ok_or(ShardError)
    }
}

/// What the sources share whose outputs could have one name.
fn family(relative: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let folders = relative.parent().into_iter().flat_map(Path::components);
    for folder in folders.filter(|folder| matches!(folder, Component::Normal(_))) {
        text.extend(folded(folder.as_os_str()));
        text.push(b'/');
    }
    text.extend(folded(without_endings(relative.file_name().unwrap_or_default())));
    text
}

fn without_endings(name: &OsStr) -> &OsStr {
    let ends_as_video = |name: &OsStr| has_video_extension(Path::new(name));
    let mut stem = without_ending(name);
    loop {
        let numbered = Path::new(stem).extension().map(OsStr::as_encoded_bytes);
        let before = without_ending(stem);
        if ends_as_video(stem) {
            stem = before;
        } else if numbered.is_some_and(|number| number.iter().all(u8::is_ascii_digit)) && ends_as_video(before) {
            stem = without_ending(before);
        } else {
            return stem;
        }
    }
}

fn without_ending(name: &OsStr) -> &OsStr {
    Path::new(name).file_stem().unwrap_or(name)
}

fn folded(part: &OsStr) -> Vec<u8> {
    part.to_str().map_or_else(|| part.as_encoded_bytes().to_vec(), |text| text.to_lowercase().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::output_names;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn shard_of(path: &str, of: u32) -> u32 {
        let mine: Vec<u32> = (1..=of).filter(|index| Shard::new(*index, of).unwrap().holds(Path::new(path))).collect();
        assert_eq!(mine.len(), 1, "{path} is in {mine:?} of {of}");
        mine[0]
    }

    #[test]
    fn shards_are_counted_from_one() {
        let read = |text: &str| text.parse::<Shard>().map(|shard| shard.to_string());
        for good in ["1/1", "2/8", "8/8", "1/4294967295"] {
            assert_eq!(read(good), Ok(good.to_owned()));
        }
        assert_eq!(read(" 3/4 "), Ok("3/4".to_owned()));
        for bad in ["", "1", "0/8", "9/8", "1/0", "-1/8", "+1/8", "1/8/2", "a/b", "1 / 8", "1/4294967296"] {
            assert_eq!(read(bad), Err(ShardError), "{bad}");
        }
    }

    #[test]
    fn a_folder_names_one_shard() {
        let shard = Shard::new(3, 12).unwrap();
        assert_eq!(Shard::from_folder(&shard.folder()), Some(shard));
        for other in ["", "shard-0-of-3", "shard-4-of-3", "shard-01-of-3", "shard-1-of-3x", "log", "shard-+1-of-3"] {
            assert_eq!(Shard::from_folder(other), None, "{other}");
        }
    }

    /// Array jobs of different days and builds rely on it: these numbers never change. They are those of another
    /// implementation (blake3 1.0.11 from `PyPI`, over "a", "b", "2024/05/clip one", "ärger/über" and "nameless").
    #[test]
    fn the_rule_is_for_ever() {
        let known = ["a.mp4", "b.mkv", "2024/05/clip one.mov", "Ärger/ÜBER.MP4", "nameless"];
        let of = |n: u32| known.map(|path| shard_of(path, n));
        assert_eq!((of(3), of(8), of(1_000)), ([1, 2, 3, 2, 3], [8, 1, 7, 8, 6], [144, 265, 455, 104, 46]));
    }

    #[test]
    fn sources_that_could_share_an_output_share_a_shard() {
        let families = [
            &["a.mkv", "a.mov", "A.MP4", "a.mov.mp4", "a.mov.2.mp4", "a.mp4.mov.mkv", "a.dat", "a"] as &[&str],
            &["x/2024.05.01.mp4", "x/2024.05.01.mov"],
            &[".hidden.mp4", ".HIDDEN.mov"],
        ];
        for family_of in families {
            let first = family(Path::new(family_of[0]));
            for name in family_of {
                assert_eq!(family(Path::new(name)), first, "{name}");
            }
        }
        // These never could, and a folder of days is not all in one shard.
        for (one, other) in [("2024.05.01.mp4", "2024.05.02.mp4"), ("x/a.mp4", "y/a.mp4"), ("a.2.mp4", "a.mp4")] {
            assert_ne!(family(Path::new(one)), family(Path::new(other)), "{one} {other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_has_a_shard() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(OsStr::from_bytes(b"d\xFF/A\xFE.mov"));
        assert_eq!(family(path), b"d\xFF/A\xFE");
    }

    #[test]
    fn shards_are_about_as_large() {
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        for number in 0..8_000 {
            *sizes.entry(shard_of(&format!("2024/clip{number:05}.mp4"), 8)).or_default() += 1;
        }
        // Six standard deviations of a fair draw are 177.
        assert!(sizes.len() == 8 && sizes.values().all(|size| size.abs_diff(1_000) < 178), "{sizes:?}");
    }

    fn folder() -> impl Strategy<Value = Vec<PathBuf>> {
        let name = "([ab]/|Ä/)?[aAbä.]{1,3}(\\.mov|\\.mp4|\\.2|\\.2024|)\\.(mkv|mov|MP4|dat)";
        prop::collection::btree_set(name, 1..30).prop_map(|names| names.into_iter().map(PathBuf::from).collect())
    }

    proptest! {
        #[test]
        fn shards_are_disjoint_and_complete(paths in prop::collection::vec(".{0,40}", 1..20), of in 1_u32..50) {
            for path in &paths {
                shard_of(path, of);
            }
        }

        /// What each shard calls its outputs, knowing nothing of the others, is what one run calls them.
        #[test]
        fn shards_give_the_names_of_one_run(paths in folder(), of in 1_u32..6) {
            let whole: BTreeMap<_, _> = paths.iter().cloned().zip(output_names(&paths)).collect();
            let mut parts = BTreeMap::new();
            for index in 1..=of {
                let shard = Shard::new(index, of).unwrap();
                let mine: Vec<PathBuf> = paths.iter().filter(|path| shard.holds(path)).cloned().collect();
                parts.extend(mine.iter().cloned().zip(output_names(&mine)));
            }
            prop_assert_eq!(parts, whole);
        }
    }
}
