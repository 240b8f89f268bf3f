//! Thousands of small files: whether the time grows with them, what is held in memory, and what a second run costs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Bench;
use crate::bench::fix::source::scratch;
use crate::bench::folder::{made_at, root};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{commands, mebibytes, ratio, tenths, words};

/// How many files each folder has.
const SIZES: [usize; 3] = [1_000, 2_500, 10_000];

/// A video that fits, small enough for ten thousand of them.
const SMALL: &str = "-f lavfi -i testsrc2=s=270x480:r=25:d=5 -f lavfi -i sine=d=5 -c:v libx264 -preset veryfast \
                     -crf 40 -pix_fmt yuv420p -g 50 -c:a aac -b:a 32k -shortest -movflags +faststart";

/// Measures and prints. Each run once, as the largest takes minutes.
pub(super) fn table(bench: &Bench) -> Result<()> {
    println!("| small videos | first run | a video | second run | peak memory of one process |\n|---|---|---|---|---|");
    let mut all = Vec::new();
    for size in SIZES {
        let folder = folder(size)?;
        let output = scratch(&format!("many-{size}-out"));
        let (input, into) = (folder.display().to_string(), output.display().to_string());
        let program = bench.pinpress.display().to_string();
        let command = words(&[&program, "run", &input, "-o", &into, "--no-publish", "--link", "hard", "-q"]);
        let first = Run::into(command.clone(), output);
        let second = Run::of(command);
        let taken = [in_turn(1, std::slice::from_ref(&first))?, in_turn(1, std::slice::from_ref(&second))?].concat();
        println!(
            "| {size} | {} | {:.1} ms | {} | {} |",
            tenths(taken[0].wall),
            taken[0].wall.as_secs_f64() * 1_000.0 / size as f64,
            tenths(taken[1].wall),
            mebibytes(taken[0].peak_kib.max(taken[1].peak_kib))
        );
        all.push((size, taken[0], first));
    }
    if let [first, .., last] = all.as_slice() {
        let times = ratio(last.1.wall, first.1.wall);
        println!("\n{} times the videos took {times:.1} times the time.", last.0 / first.0);
    }
    println!("Targets: time that grows with the videos, under 150 MB, a second run of 10,000 under 2 s.");
    commands(&all.into_iter().map(|(_, _, run)| run).collect::<Vec<_>>());
    Ok(())
}

/// A folder of so many videos, no two with the same content, in folders of a hundred.
fn folder(size: usize) -> Result<PathBuf> {
    let folder = root().join("many").join(size.to_string());
    if folder.is_dir() {
        return Ok(folder);
    }
    let arguments: Vec<&str> = SMALL.split_whitespace().collect();
    let small = fs::read(made_at(root().join("many").join("small.mp4"), &arguments)?)?;
    // Whole or not at all: the next bench takes it as it is.
    let unfinished = folder.with_extension("unfinished");
    for index in 0..size {
        let path = unfinished.join(format!("{:03}", index / 100)).join(format!("{index:05}.mp4"));
        write(&path, &small, index).with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::rename(&unfinished, &folder)?;
    Ok(folder)
}

/// The video with a `free` box at its end (ISO/IEC 14496-12 §8.1.2) that no other has.
fn write(path: &Path, video: &[u8], index: usize) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mark = format!("{index:08}");
    let size = u32::try_from(8 + mark.len())?.to_be_bytes();
    fs::write(path, [video, &size, b"free", mark.as_bytes()].concat())?;
    Ok(())
}
