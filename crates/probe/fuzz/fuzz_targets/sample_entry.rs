//! Any bytes as the sample entry of a video track, and of an audio track: the codecs' configurations (`avcC`, `hvcC`,
//! `av1C`, `vpcC`, `esds`, `dOps` and the rest), colours and apertures.
#![no_main]

#[path = "../src/around.rs"]
mod around;
#[path = "../src/gate.rs"]
mod gate;
#[path = "../src/movie.rs"]
#[expect(dead_code, reason = "the movie around a parameter set is for another target")]
mod movie;

use around::{boxed, file_around};
use gate::{decide, leave_caught_panics_alone};
use libfuzzer_sys::fuzz_target;
use movie::movie_with;
use pinpress_probe::sample_table::Decision;

fuzz_target!(init: leave_caught_panics_alone(), |bytes: &[u8]| {
    let Some((kind, payload)) = bytes.split_first_chunk::<4>() else { return };
    for handler in [b"vide", b"soun"] {
        let (file, _) = file_around(&movie_with(handler, &boxed(kind, payload)));
        let Ok(Decision::Facts(info)) = decide(&file) else { continue };
        for video in &info.video {
            assert!(video.coded.width > 0 && video.coded.height > 0, "a picture of no size");
            let shown = video.display();
            assert!(shown.width > 0 && shown.height > 0, "a display of no size: {video:?}");
        }
        for audio in &info.audio {
            assert!(audio.sample_rate != Some(0) && audio.channels != Some(0), "sound of nothing: {audio:?}");
        }
    }
});
