//! The gate cannot be killed: tens of thousands of lying files, each answered in time, in memory and without a panic;
//! and what it says of them is what a second reader says.

#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at what it cannot go on from")]
#![expect(clippy::print_stdout, reason = "what hangs is told, and what was counted")]

mod mutants;
mod second_reader;

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mutants::{Base, Place, Sparse, bases};
use peak_alloc::PeakAlloc;
use pinpress_probe::sample_table::{Decision, Undecided, Unreadable, read_from};
use pinpress_probe::{Spec, check};
use second_reader::{differences, second_reading};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one file may hold at its peak, in bytes.
const MEMORY_LIMIT: usize = 256_000_000;
/// What takes longer hangs. A second is what a file may cost in a release build; a busy machine and a debug build
/// get some more.
const PATIENCE: Duration = Duration::from_secs(10);

/// The peak is the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Ends the process, with the name of the file, when one takes too long: nothing else stops an endless loop.
struct Watchdog(Arc<Mutex<Option<(Instant, String)>>>);

impl Watchdog {
    fn start() -> Self {
        let now = Arc::new(Mutex::new(None::<(Instant, String)>));
        let watched = Arc::downgrade(&now);
        std::thread::spawn(move || {
            while let Some(now) = watched.upgrade() {
                if let Some((since, name)) = &*now.lock().unwrap_or_else(PoisonError::into_inner)
                    && since.elapsed() > PATIENCE
                {
                    println!("it hangs: {name}");
                    std::process::abort();
                }
                drop(now);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self(now)
    }

    fn watch<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        let set = |value| *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
        set(Some((Instant::now(), name.to_owned())));
        let done = work();
        set(None);
        done
    }
}

#[derive(Debug, Default)]
struct Tally {
    judged: u32,
    compared: u32,
    undecided: u32,
    incomplete: u32,
    peak: usize,
}

/// Reads and judges one file; a deep reader would take over where it says `Undecided`.
fn answer(name: &str, mut file: Sparse, tally: &mut Tally, spec: &Spec) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let len = file.len;
    let decision = read_from(&mut file, len);
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak < MEMORY_LIMIT, "{name}: {peak} bytes at its peak");
    tally.peak = tally.peak.max(peak);
    match decision {
        Ok(Decision::Facts(info)) => {
            tally.judged += 1;
            let report = check(&info, spec);
            // A report that cannot be said is none.
            assert!(report.findings.iter().all(|finding| !finding.measured.is_empty()), "{name}: {report:?}");
            let Some(second) = whole_moov(&file).as_deref().and_then(second_reading) else { return };
            tally.compared += 1;
            assert_eq!(differences(&info, &second, false), Vec::<String>::new(), "{name}");
        }
        // The fence held; but each panic is one that the guard did not foresee.
        Ok(Decision::Undecided { why: Undecided::GaveUp(reason), .. }) => panic!("{name}: {reason}"),
        Ok(Decision::Undecided { .. }) => tally.undecided += 1,
        Err(Unreadable::Incomplete) => tally.incomplete += 1,
        Err(Unreadable::Io(error)) => panic!("{name}: {error}"),
    }
}

/// The first `moov` of a file that was decided, so its sizes hold.
fn whole_moov(file: &Sparse) -> Option<Vec<u8>> {
    let mut at = 0;
    loop {
        let mut from = file.clone();
        std::io::Seek::seek(&mut from, std::io::SeekFrom::Start(at)).ok()?;
        let mut header = [0; 16];
        from.read_exact(&mut header[..8]).ok()?;
        let size = match u32::from_be_bytes(header[..4].try_into().ok()?) {
            0 => file.len - at,
            1 => {
                from.read_exact(&mut header[8..]).ok()?;
                u64::from_be_bytes(header[8..].try_into().ok()?)
            }
            size => u64::from(size),
        };
        if &header[4..8] == b"moov" {
            std::io::Seek::seek(&mut from, std::io::SeekFrom::Start(at)).ok()?;
            let mut whole = Vec::new();
            from.take(size).read_to_end(&mut whole).ok()?;
            return Some(whole);
        }
        at = at.checked_add(size.max(8)).filter(|at| *at < file.len)?;
    }
}

#[test]
fn lying_files_end_in_an_answer() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::start();
    let spec = Spec::load("pinterest").expect("the built-in rules");
    let mut tally = Tally::default();
    let mut count = 0;
    for base in bases() {
        mutants::mutants(&base, 60, |name, file| {
            count += 1;
            let name = format!("{}: {name}", base.name);
            watchdog.watch(&name, || answer(&name, file, &mut tally, &spec));
        });
    }
    println!("{count} files: {tally:?}");
    assert!(count >= 5_000, "only {count} files");
    // Else the mutations are too coarse to reach what is behind the guard.
    assert!(tally.judged > 500 && tally.compared > 500 && tally.undecided > 500 && tally.incomplete > 100, "{tally:?}");
}

fn table(kind: &[u8; 4], count_at: usize, entry: &[u32], bytes: usize) -> Vec<u8> {
    let entries = bytes / (4 * entry.len());
    let count = u32::try_from(entries).expect("fits");
    let size = u32::try_from(8 + count_at + 4 + 4 * entry.len() * entries).expect("fits");
    let mut table = [&size.to_be_bytes()[..], kind].concat();
    table.resize(8 + count_at, 0);
    table.extend_from_slice(&count.to_be_bytes());
    let entry: Vec<u8> = entry.iter().flat_map(|word| word.to_be_bytes()).collect();
    table.extend(entry.repeat(entries));
    table
}

fn place<'base>(base: &'base Base, kind: &[u8; 4]) -> Option<&'base Place> {
    base.places.iter().find(|place| place.kind == *kind)
}

/// The box at `place` replaced by `new`; all boxes around it change their size with it.
fn replaced(base: &Base, place: &Place, new: &[u8]) -> Sparse {
    base.with(|moov| {
        for &at in &place.around {
            let old = u32::from_be_bytes(moov[at..at + 4].try_into().expect("four bytes")) as usize;
            let size = u32::try_from(old - place.whole.len() + new.len()).expect("fits");
            moov[at..at + 4].copy_from_slice(&size.to_be_bytes());
        }
        *moov = [&moov[..place.whole.start], new, &moov[place.whole.end..]].concat();
    })
}

fn conforming() -> Base {
    Base::open(&pinpress_fixtures::make("conforming-9x16.mp4").expect("a recipe that works")).expect("it has a moov")
}

#[test]
fn the_largest_index_fits_in_memory() {
    const BYTES: usize = 31 << 20;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::start();
    let spec = Spec::load("pinterest").expect("the built-in rules");
    let base = conforming();
    let mut tally = Tally::default();
    // The entry of each is the one that costs most: runs of nothing, chunks without samples, edits that are empty.
    let tables: [(&[u8; 4], usize, &[u32]); 8] = [
        (b"stts", 4, &[1, 1]),
        (b"ctts", 4, &[1, 0]),
        (b"stsc", 4, &[1, 0, 1]),
        (b"stsz", 8, &[1]),
        (b"stco", 4, &[48]),
        (b"co64", 4, &[0, 48]),
        (b"stss", 4, &[1]),
        (b"elst", 4, &[0, u32::MAX, 0x1_0000]),
    ];
    for (kind, count_at, entry) in tables {
        let name = kind.escape_ascii().to_string();
        let new = table(kind, count_at, entry, BYTES);
        let file = match place(&base, kind) {
            Some(place) => replaced(&base, place, &new),
            None => base.grown(place(&base, b"stbl").expect("a sample table"), &new),
        };
        watchdog.watch(&name, || answer(&name, file, &mut tally, &spec));
    }
    for kind in [b"moov", b"trak", b"stbl", b"stsd", b"avc1", b"udta", b"dref"] {
        let name = format!("{} full of empty boxes", kind.escape_ascii());
        let Some(place) = place(&base, kind) else { continue };
        let file = base.grown(place, &b"\0\0\0\x08free".repeat(BYTES / 8));
        watchdog.watch(&name, || answer(&name, file, &mut tally, &spec));
    }
    println!("{tally:?}");
    // It was really read: had the index been refused for its length, there would be nothing to see.
    assert!(tally.peak > 2 * BYTES, "{tally:?}");
}

#[test]
fn an_index_over_the_limit_is_left_to_the_deep_reader() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let base = conforming();
    let mut file = base.grown(place(&base, b"moov").expect("it is there"), &vec![0; 33 << 20]);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let len = file.len;
    let decision = read_from(&mut file, len).expect("it reads");
    assert!(
        matches!(&decision, Decision::Undecided { why: Undecided::Unsound(reason), .. } if reason.starts_with("moov of"))
    );
    assert!(MEMORY.peak_usage().saturating_sub(before) < 1 << 20, "it was read before it was refused");
}
