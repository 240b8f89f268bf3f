//! Facts of whole files against a second reader of `moov`.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

mod second_reader;

use std::path::{Path, PathBuf};

use pinpress_fixtures::{make_recipe, real_clips, recipes};
use pinpress_probe::Source;
use pinpress_probe::sample_table::{self, Decision};

use second_reader::{differences, second_reading};

/// The first `moov` of a small file, whole.
fn moov(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some((header, _)) = rest.split_at_checked(8) {
        let size = match u32::from_be_bytes(header[..4].try_into().expect("four bytes")) {
            0 => rest.len(),
            1 => usize::try_from(u64::from_be_bytes(rest.get(8..16)?.try_into().expect("eight bytes"))).ok()?,
            size => size as usize,
        };
        if &header[4..] == b"moov" {
            return rest.get(..size);
        }
        rest = rest.get(size..)?;
    }
    None
}

/// Whether both readers decided.
fn agree(path: &Path) -> bool {
    let source = Source::open(path).expect("it opens");
    let Ok(Decision::Facts(info)) = sample_table::read(&source) else { return false };
    let bytes = std::fs::read(path).expect("it reads");
    let Some(second) = moov(&bytes).and_then(second_reading) else { return false };
    assert_eq!(differences(&info, &second, true), Vec::<String>::new(), "{}", path.display());
    true
}

fn decided_by_both(paths: impl Iterator<Item = PathBuf>) -> usize {
    paths.filter(|path| agree(path)).count()
}

#[test]
fn made_videos_are_read_the_same_by_both() {
    let recipes = recipes().expect("recipes that parse");
    let made = recipes.iter().filter(|recipe| recipe.bytes.is_none());
    let both = decided_by_both(made.map(|recipe| make_recipe(recipe).expect("a recipe that works")));
    assert!(both >= 10, "only {both} were decided by both");
}

#[test]
fn real_clips_are_read_the_same_by_both() {
    let Some(clips) = real_clips() else {
        println!("skipped: no folder of real clips");
        return;
    };
    let both = decided_by_both(clips.into_iter().map(|clip| clip.path).filter(|path| Source::open(path).is_ok()));
    assert!(both >= 15, "only {both} were decided by both");
}
