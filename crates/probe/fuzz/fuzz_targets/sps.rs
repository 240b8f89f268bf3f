//! Any bytes as a sequence parameter set of H.264.
#![no_main]

#[path = "../src/around.rs"]
mod around;
#[path = "../src/gate.rs"]
mod gate;
#[path = "../src/movie.rs"]
mod movie;

use around::file_around;
use gate::{decide, leave_caught_panics_alone};
use libfuzzer_sys::fuzz_target;
use movie::movie_of;
use pinpress_probe::sample_table::Decision;

fuzz_target!(init: leave_caught_panics_alone(), |nal: &[u8]| {
    let (file, _) = file_around(&movie_of(nal));
    let Ok(Decision::Facts(info)) = decide(&file) else { return };
    for video in &info.video {
        assert!(video.coded.width > 0 && video.coded.height > 0, "a picture of no size");
        let shown = video.display();
        assert!(shown.width > 0 && shown.height > 0, "a display of no size: {video:?}");
        // Table A-1 and clause 7.4.2.1.1: 8 to 14 bits.
        let depth = video.pixel_format.as_ref().map(|format| format.bit_depth);
        assert!(depth.is_some_and(|depth| (8..=14).contains(&depth)), "{depth:?} bits");
    }
});
