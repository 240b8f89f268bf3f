//! What must not change the choice.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, which the lints' exception for tests does not see")]

mod support;

use pinpress_media::Covers;
use support::{clip, ranked, times};

/// A fractal, in other colours and turned about, and as at first: 1, 2 and 2 seconds that drift. Drawn large and scaled,
/// so that every size is of the same picture.
fn scenes(filter: &str) -> String {
    format!(
        "mandelbrot=s=640x360:r=10:start_scale=0.6:end_pts=400:maxiter=100,format=yuv420p,\
         hue=H='if(lt(t,1),0,if(lt(t,3),1.5,3))':s=1.2,hflip=enable='between(t,1,3)',{filter},trim=duration=5"
    )
}

/// Sync samples where the scenes are and between, with little lost.
const KEYS: [&str; 6] = ["-g", "4", "-sc_threshold", "0", "-qp", "8"];

#[test]
fn the_choice_is_the_same_at_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let of = |size: &str| ranked(&clip(&folder, "a.mp4", &scenes(&format!("scale={size}")), &KEYS), 4, 2);
    let whole = of("640:360");
    assert!(whole.candidates.len() >= 2);
    for size in ["480:270", "320:180"] {
        let scaled = of(size);
        assert_eq!(times(&scaled)[0], times(&whole)[0], "{size}");
        for (a, b) in scaled.candidates.iter().zip(&whole.candidates) {
            assert!((a.score - b.score).abs() < 0.03, "{size}: {a:?} and {b:?}");
        }
    }
}

#[test]
fn a_little_more_or_less_light_does_not_change_the_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let of = |light: &str| {
        let filter = format!("scale=320:180,eq=brightness={light}");
        times(&ranked(&clip(&folder, "a.mp4", &scenes(&filter), &KEYS), 3, 2))
    };
    let as_it_is = of("0");
    assert!(as_it_is.len() >= 2);
    for light in ["-0.02", "0.02"] {
        assert_eq!(of(light), as_it_is, "{light}");
    }
}

#[test]
fn the_best_are_the_same_whatever_number_is_asked_for_and_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    // Many sync samples, two, and one.
    for keys in ["4", "25", "1000"] {
        let source = clip(&folder, "a.mp4", &scenes("scale=320:180"), &["-g", keys, "-sc_threshold", "0"]);
        let all: Covers = ranked(&source, 20, 1);
        for (count, threads) in [(1, 1), (3, 2), (6, 3), (20, 2)] {
            let some = ranked(&source, count, threads);
            let first = &all.candidates[..some.candidates.len()];
            assert_eq!(some.candidates, first, "{count} of {keys}");
            assert!(some.candidates.len() == count.min(all.candidates.len()), "{count} of {keys}");
        }
    }
}
