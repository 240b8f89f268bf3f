//! The fast path against ffprobe, on made and on real videos; and against bytes that lie.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::Path;

use pinpress_fixtures::{make_recipe, real_clips, recipes};
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Source, Spec, check};

#[path = "sample_table/ffprobe.rs"]
mod ffprobe;
use ffprobe::differences;

fn decided(path: &Path) -> Option<MediaInfo> {
    match sample_table::read(&Source::open(path).expect("the clip opens")) {
        Ok(Decision::Facts(info)) => Some(*info),
        Ok(Decision::Undecided { .. }) | Err(_) => None,
    }
}

#[test]
fn made_videos_are_read_as_ffprobe_reads_them() {
    let mut decided_count = 0;
    for recipe in recipes().unwrap().iter().filter(|recipe| recipe.bytes.is_none()) {
        let path = make_recipe(recipe).unwrap();
        let Some(info) = decided(&path) else { continue };
        decided_count += 1;
        assert_eq!(differences(&path, &info), Vec::<String>::new(), "{}", recipe.name);
    }
    assert!(decided_count >= 13, "only {decided_count} were decided");
}

#[test]
fn made_videos_fail_the_rules_they_are_named_for() {
    let spec = Spec::load("pinterest").unwrap();
    for recipe in recipes().unwrap().iter().filter(|recipe| recipe.bytes.is_none()) {
        let path = make_recipe(recipe).unwrap();
        let Some(info) = decided(&path) else { continue };
        let mut failed: Vec<_> = check(&info, &spec).errors().map(|finding| finding.rule.name()).collect();
        failed.dedup();
        assert_eq!(failed, recipe.fails, "{}", recipe.name);
    }
}

#[test]
fn real_clips_are_read_as_ffprobe_reads_them() {
    let Some(clips) = real_clips() else {
        println!("skipped: no folder of real clips");
        return;
    };
    let mut decided_count = 0;
    for clip in clips.iter().filter(|clip| !clip.malformed) {
        let Some(info) = decided(&clip.path) else { continue };
        decided_count += 1;
        assert_eq!(differences(&clip.path, &info), Vec::<String>::new(), "{}", clip.name());
    }
    assert!(decided_count >= 25, "only {decided_count} were decided");
}

struct Nobody;

impl DeepReader for Nobody {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        Err(ProbeError::NotAVideo { reason: "nobody looked".to_owned(), path: path.to_owned() })
    }
}

/// A cheap generator of places and bytes, so that a failure can be repeated from its seed.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("below a usize")
    }
}

#[test]
fn bytes_that_lie_end_in_an_answer() {
    let original = std::fs::read(pinpress_fixtures::make("conforming-9x16.mp4").unwrap()).unwrap();
    let index = original.windows(4).position(|window| window == b"moov").unwrap();
    let moov_len = u32::from_be_bytes(original[index - 4..index].try_into().unwrap()) as usize;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated.mp4");
    for seed in 1..=400_u64 {
        let mut random = Xorshift(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bytes = original[..index + moov_len].to_vec();
        for _ in 0..=random.below(6) {
            let place = index + random.below(moov_len - 4);
            match random.below(4) {
                0 => bytes[place] ^= 1 << random.below(8),
                1 => bytes[place..place + 4].fill(0),
                2 => bytes[place..place + 4].fill(0xFF),
                _ => bytes[place..place + 4].copy_from_slice(&1_u32.to_be_bytes()),
            }
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len()).max(1));
        }
        std::fs::write(&path, &bytes).unwrap();
        // The mdat is gone, so whatever is still read is cut off, or nobody could say; a panic or a loop fails here.
        let source = Source::open(&path).unwrap();
        if let Ok(info) = pinpress_probe::read(&source, &Nobody) {
            let report = check(&info, &Spec::load("pinterest").unwrap());
            assert!(!report.passes(), "seed {seed} passed without its samples");
        }
    }
}
