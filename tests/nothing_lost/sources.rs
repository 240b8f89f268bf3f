//! Sources that change or go while they are fixed.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::ground::{Ground, Ran, ended};

/// Fixes a clip and does `then` to it once its output has begun.
fn meanwhile(ground: &Ground, then: impl FnOnce()) -> Ran {
    let out = ground.at("out");
    let child = ground.fix(&out, &[]).spawn().unwrap();
    let begun = Instant::now();
    while !Ground::is_written_to(&out) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(1));
    }
    then();
    let said = ended(child);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(Ground::names(&out).is_empty(), "{said:?}");
    said
}

#[test]
fn a_source_that_changes_or_goes_is_named_and_has_no_output() {
    let Some(ground) = Ground::new() else { return };
    let source = ground.clip("a.mkv", "1280x720", 6, 25);
    let whole = std::fs::read(&source).unwrap();
    let open = || std::fs::File::options().write(true).open(&source).unwrap();

    let said = meanwhile(&ground, || std::fs::remove_file(&source).unwrap());
    assert!(said.stdout.contains("a.mkv") && said.stdout.contains("it was removed or renamed"), "{said:?}");

    std::fs::write(&source, &whole).unwrap();
    let said = meanwhile(&ground, || open().set_len(whole.len() as u64 / 2).unwrap());
    assert!(said.stdout.contains("a.mkv") && said.stdout.contains("it changed while"), "{said:?}");

    std::fs::write(&source, &whole).unwrap();
    let said = meanwhile(&ground, || open().write_all(&whole[..100]).unwrap());
    assert!(said.stdout.contains("it changed while"), "the same length: {said:?}");

    std::fs::write(&source, &whole).unwrap();
    let other = ground.at("other.mkv");
    std::fs::copy(&source, &other).unwrap();
    let said = meanwhile(&ground, || std::fs::rename(&other, &source).unwrap());
    assert!(said.stdout.contains("it changed while"), "another file: {said:?}");
}
