//! Where the results of a source go: `raw/a/b.mkv` → `out/a/b.mp4`, with `b.cover.jpg` and `b.pin.json` beside it.
//!
//! Two sources never share an output. `a.mkv` and `a.mov` in one folder would both be `a.mp4`: the first in sorted
//! order has the short name, the others keep their own ending, `a.mov.mp4`. A name that was given out in an earlier
//! run stays with its source. Names that differ in case only count as equal, as some filesystems take them so.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use pinpress_store::ObjectAddress;

/// Longest stem in bytes. Common filesystems take names of 255: this leaves room for `.cover.jpg` and the rest, and
/// for the dot, process id and `.pinpress-tmp` of a temp file.
const MAX_STEM_BYTES: usize = 180;

/// Output names as they are given out, relative to the output folder.
#[derive(Debug, Clone, Default)]
pub struct Names {
    taken: HashSet<Vec<u8>>,
}

impl Names {
    /// Names that are not given out again: those of an earlier run.
    #[must_use]
    pub fn beside<'a>(given: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        Self { taken: given.into_iter().map(|output| folded(output)).collect() }
    }

    /// The first name for `source` that nobody has. Whoever asks first has the short one.
    pub fn give(&mut self, source: &Path) -> PathBuf {
        // The candidates never run out.
        candidates(source).find(|output| self.take(output)).unwrap_or_else(|| source.to_owned())
    }

    /// Gives out that very name; false when somebody has it.
    pub fn take(&mut self, output: &Path) -> bool {
        self.taken.insert(folded(output))
    }
}

/// The output of each of `sources`, in their order, all relative to the output folder.
#[must_use]
pub fn output_names(sources: &[PathBuf]) -> Vec<PathBuf> {
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by(|a, b| sources[*a].cmp(&sources[*b]));
    let mut names = Names::default();
    let mut outputs = vec![PathBuf::new(); sources.len()];
    for index in order {
        outputs[index] = names.give(&sources[index]);
    }
    outputs
}

/// `a.mp4`, `a.mov.mp4`, `a.mov.2.mp4` and so on without end.
fn candidates(source: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = source.parent().unwrap_or_else(|| Path::new(""));
    let stem = source.file_stem().unwrap_or_else(|| OsStr::new("video"));
    let name = source.file_name().unwrap_or(stem);
    let numbered = (2_u64..).map(move |number| {
        let mut numbered = name.to_owned();
        numbered.push(format!(".{number}"));
        numbered
    });
    let stems = [stem.to_owned(), name.to_owned()].into_iter().chain(numbered);
    stems.map(move |stem| folder.join(with_suffix(&shortened(&stem), ".mp4")))
}

/// The output of one part of a video that is split: `b.mp4` → `b.part1.mp4`.
#[must_use]
pub fn part_of(output: &Path, number: u32) -> PathBuf {
    beside(output, &format!(".part{number}.mp4"))
}

/// The cover beside an output: `b.mp4` → `b.cover.jpg`.
#[must_use]
pub fn cover_of(output: &Path) -> PathBuf {
    beside(output, ".cover.jpg")
}

/// The stem of the cover beside an output, as a cover request takes it: `b.cover`.
#[must_use]
pub fn cover_stem(output: &Path) -> OsString {
    with_suffix(output.file_stem().unwrap_or_default(), ".cover")
}

/// The receipt beside an output: `b.mp4` → `b.pin.json`.
#[must_use]
pub fn receipt_of(output: &Path) -> PathBuf {
    beside(output, ".pin.json")
}

fn beside(output: &Path, suffix: &str) -> PathBuf {
    output.with_file_name(with_suffix(output.file_stem().unwrap_or_default(), suffix))
}

fn with_suffix(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// A stem that is too long for the names made from it: its beginning, and a hash of the whole so that it stays unique.
fn shortened(stem: &OsStr) -> OsString {
    let bytes = stem.as_encoded_bytes();
    if bytes.len() <= MAX_STEM_BYTES {
        return stem.to_owned();
    }
    let hash = blake3::hash(bytes).to_hex();
    // Lossy is fine here: the hash tells such names apart.
    let mut head = String::from_utf8_lossy(bytes).into_owned();
    let mut end = (MAX_STEM_BYTES - 9).min(head.len());
    while !head.is_char_boundary(end) {
        end -= 1;
    }
    head.truncate(end);
    OsString::from(format!("{head}~{}", &hash[..8]))
}

/// Whether a user who writes `asked` means the video of that source and output: a path to either, or the end of one.
#[must_use]
pub fn means(asked: &Path, source: &Path, output: &Path) -> bool {
    let real = absolute(asked);
    real == absolute(source) || real == absolute(output) || source.ends_with(asked) || output.ends_with(asked)
}

/// A result that a ledger keeps, in the output folder that a person names. An address stays itself, as an absolute path
/// does.
#[must_use]
pub fn result_in(folder: &Path, kept: &Path) -> PathBuf {
    if ObjectAddress::of_argument(kept).is_some() { kept.to_owned() } else { folder.join(kept) }
}

/// Where a file really is, as the ledger keeps it.
#[must_use]
pub fn absolute(path: &Path) -> PathBuf {
    if let Some(Ok(address)) = ObjectAddress::of_argument(path) {
        // An object in storage is where its address says.
        return address.local_path().map_or_else(|| path.to_owned(), |local| absolute(&local));
    }
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn folded(path: &Path) -> Vec<u8> {
    path.to_str().map_or_else(|| path.as_os_str().as_encoded_bytes().to_vec(), |text| text.to_lowercase().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(sources: &[&str]) -> Vec<String> {
        let sources: Vec<PathBuf> = sources.iter().map(PathBuf::from).collect();
        output_names(&sources).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn the_tree_is_mirrored_and_names_stay_apart() {
        assert_eq!(names(&["a/b.mkv", "c.MOV"]), ["a/b.mp4", "c.mp4"]);
        assert_eq!(names(&["a.mov", "a.mkv"]), ["a.mov.mp4", "a.mp4"], "sorted order decides, not the given one");
        assert_eq!(names(&["a.mkv", "a.mov", "a.mov.mp4"]), ["a.mp4", "a.mov.mp4", "a.mov.mp4.mp4"]);
        assert_eq!(names(&["A.mkv", "a.mov"]), ["A.mp4", "a.mov.mp4"], "one file on some filesystems");
        assert_eq!(names(&["x/a.mkv", "y/a.mkv"]), ["x/a.mp4", "y/a.mp4"]);
        assert_eq!(names(&["a.mkv", "a.mkv", "a.mkv"]), ["a.mp4", "a.mkv.mp4", "a.mkv.2.mp4"]);
    }

    #[test]
    fn a_name_that_was_given_out_stays() {
        let mut names = Names::beside(&[PathBuf::from("a.mp4")]);
        assert_eq!(names.give(Path::new("a.avi")), Path::new("a.avi.mp4"));
        assert!(!names.take(Path::new("A.mp4")) && names.take(Path::new("b.mp4")));
        assert_eq!(names.give(Path::new("b.mov")), Path::new("b.mov.mp4"));
    }

    #[test]
    fn companions_share_the_stem() {
        assert_eq!(cover_of(Path::new("o/a.mov.mp4")), Path::new("o/a.mov.cover.jpg"));
        assert_eq!(receipt_of(Path::new("o/a.mp4")), Path::new("o/a.pin.json"));
        assert_eq!(cover_stem(Path::new("o/a.mp4")), "a.cover");
        assert_eq!(part_of(Path::new("o/a.mov.mp4"), 12), Path::new("o/a.mov.part12.mp4"));
    }

    #[test]
    fn a_video_is_meant_by_a_path_or_the_end_of_one() {
        let is = |asked: &str| means(Path::new(asked), Path::new("/raw/a/b.mkv"), Path::new("/out/a/b.mp4"));
        assert!(is("b.mkv") && is("a/b.mp4") && is("/raw/a/b.mkv") && is("/raw/./a/b.mkv"));
        assert!(!is("b") && !is(".mkv") && !is("raw") && !is("/b.mkv"));
    }

    #[test]
    fn names_of_255_bytes_leave_room() {
        let long = "ü".repeat(125);
        let output = &names(&[&format!("{long}.mkv")])[0];
        assert!(output.len() <= MAX_STEM_BYTES + 4 && output.ends_with(".mp4"), "{output}");
        assert_ne!(names(&[&format!("{long}a.mkv")])[0], *output);
    }

    proptest! {
        #[test]
        fn no_two_sources_share_an_output(
            sources in prop::collection::vec("([ab]/)?[aAb](\\.mov|\\.mp4|\\.2|)\\.(mkv|mov|mp4)", 1..20),
            earlier in 0_usize..20,
        ) {
            let paths: Vec<PathBuf> = sources.iter().map(PathBuf::from).collect();
            let outputs = {
                // An earlier run saw a part of the folder.
                let first = output_names(&paths[..earlier.min(paths.len())]);
                let mut names = Names::beside(&first);
                let rest: Vec<PathBuf> = paths[first.len()..].iter().map(|path| names.give(path)).collect();
                [first, rest].concat()
            };
            let distinct: HashSet<Vec<u8>> = outputs.iter().map(|output| folded(output)).collect();
            prop_assert_eq!(distinct.len(), paths.len());
            for (source, output) in paths.iter().zip(&outputs) {
                prop_assert_eq!(source.parent(), output.parent(), "the tree is mirrored");
                prop_assert!(output.extension().is_some_and(|extension| extension == "mp4"));
            }
        }
    }
}
