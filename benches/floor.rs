//! The gate in process against its floor: reading and judging a video beside finding and reading its `moov` and doing
//! nothing with it; and what single videos cost, whatever lies between their boxes.
//!
//! `cargo bench -p pinpress-probe --bench floor -- FOLDER VIDEO...`; `cargo xtask bench check` makes the videos.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{Source, Spec, check};

/// Rounds; the median counts.
const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut paths = std::env::args_os().skip(1).filter(|arg| arg != "--bench").map(PathBuf::from);
    let Some(folder) = paths.next() else {
        println!("name a folder of videos, and single videos: `cargo xtask bench check` does");
        return Ok(());
    };
    above_the_floor(&folder)?;
    single_videos(&paths.collect::<Vec<_>>())
}

fn above_the_floor(folder: &Path) -> Result<(), Box<dyn Error>> {
    let spec = Spec::load("pinterest")?;
    let videos: Vec<_> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for path in &videos {
            black_box(moov(path)?);
        }
        floors.push(begun.elapsed());
        let begun = Instant::now();
        for path in &videos {
            match sample_table::read(&Source::open(path)?)? {
                Decision::Facts(info) => black_box(check(&info, &spec)),
                Decision::Undecided { .. } => return Err(format!("not decided: {}", path.display()).into()),
            };
        }
        ours.push(begun.elapsed());
    }
    let count = u32::try_from(videos.len())?;
    let (floor, ours) = (median(floors) / count, median(ours) / count);
    let times = ours.as_secs_f64() / floor.as_secs_f64();
    println!("\n| in process, one thread, a file of {count} | time |\n|---|---|");
    println!("| finding and reading `moov`, nothing else | {} |", micros(floor));
    println!("| reading and judging | {} ({times:.1}×) |", micros(ours));
    Ok(())
}

fn single_videos(videos: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    println!("\n| one file, in process | size | `moov` | read | time | floor |\n|---|---|---|---|---|---|");
    for path in videos {
        let (size, index) = (std::fs::metadata(path)?.len(), moov(path)?.len());
        let before = bytes_read();
        let decided = sample_table::read(&Source::open(path)?)?;
        let after = bytes_read();
        if let Decision::Undecided { .. } = decided {
            return Err(format!("not decided: {}", path.display()).into());
        }
        let read = before.zip(after).map(|((before, own), (after, _))| after - before - own);
        let read = read.map_or_else(|| "not counted here".to_owned(), |bytes| bytes.to_string());
        let (mut times, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            black_box(sample_table::read(&Source::open(path)?)?);
            times.push(begun.elapsed());
            let begun = Instant::now();
            black_box(moov(path)?);
            floors.push(begun.elapsed());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("| `{name}` | {size} | {index} | {read} | {} | {} |", micros(median(times)), micros(median(floors)));
    }
    Ok(())
}

/// The `moov` box of the file at `path`, found by the headers of the boxes before it.
fn moov(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut at = 0;
    while at + 16 <= len {
        let mut header = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header)?;
        let [a, b, c, d, kind @ .., e, f, g, h, i, j, k, l] = header;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            1 => u64::from_be_bytes([e, f, g, h, i, j, k, l]),
            size => u64::from(size),
        };
        if kind == *b"moov" {
            let mut bytes = Vec::with_capacity(usize::try_from(size).map_err(io::Error::other)?);
            file.seek(SeekFrom::Start(at))?;
            file.take(size).read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        at += size.max(8);
    }
    Err(io::Error::other("no moov"))
}

/// Bytes that this process has read so far, and those that asking will have added (Linux, `/proc/self/io`).
fn bytes_read() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/self/io").ok()?;
    let counted = text.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()?;
    Some((counted, text.len() as u64))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}
