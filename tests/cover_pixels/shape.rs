//! Turned, mirrored, and with pixels that are not square.

use std::path::Path;

use crate::stage::{SAME, Shown, Stage, is_shown, size, waves};

/// How a picture may lie in its file: the display matrix `a b c d` (ISO/IEC 14496-12 §8.3.2), what makes the coded
/// picture of the upright one, and what makes the upright one of the coded picture.
const ORIENTATIONS: [(&str, [i32; 4], &str, &str); 8] = [
    ("0", [1, 0, 0, 1], "null", "null"),
    ("90", [0, 1, -1, 0], "transpose=cclock", "transpose=clock"),
    ("180", [-1, 0, 0, -1], "hflip,vflip", "hflip,vflip"),
    ("270", [0, -1, 1, 0], "transpose=clock", "transpose=cclock"),
    ("mirrored", [-1, 0, 0, 1], "hflip", "hflip"),
    ("mirrored-180", [1, 0, 0, -1], "vflip", "vflip"),
    ("mirrored-90", [0, 1, 1, 0], "transpose=cclock_flip", "transpose=cclock_flip"),
    ("mirrored-270", [0, -1, -1, 0], "transpose=clock_flip", "transpose=clock_flip"),
];

/// Writes the display matrix of the first track (version 0 of its header), which ffmpeg's command line cannot mirror.
fn turn(path: &Path, [a, b, c, d]: [i32; 4]) {
    let mut bytes = std::fs::read(path).unwrap();
    let matrix = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4 + 40;
    assert_eq!(bytes[matrix..matrix + 4], [0, 1, 0, 0], "not where the matrix is");
    for (at, value) in [(0, a), (4, b), (12, c), (16, d)] {
        bytes[matrix + at..matrix + at + 4].copy_from_slice(&(value * 0x1_0000).to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn every_turn_and_mirror_gives_an_upright_cover() {
    let stage = Stage::new();
    for (at, (name, matrix, coded, upright)) in ORIENTATIONS.into_iter().enumerate() {
        let video = stage.drawn(&format!("{name}.mp4"), &format!("{},{coded}", waves("320x180", "25", "1.6")), &[]);
        turn(&video, matrix);
        let format = if at % 2 == 0 { "png" } else { "jpeg" };
        let covers = stage.covers(&video, &["-n", "1", "--format", format]);
        assert_eq!(size(&covers[0].file), (320, 180), "{name}");
        let turned =
            |filters| Shown { reading: &["-noautorotate"], filters, ..Shown::at(&video, covers[0].time_ms as f64) };
        is_shown(&covers[0], turned(upright));
        // That the judge sees a difference, were it turned otherwise.
        let otherwise = format!("{upright},hflip,vflip");
        assert!(turned(&otherwise).likeness(&covers[0].file)[0] < SAME, "{name}");
    }
}

#[test]
fn pixels_that_are_not_square_are_made_square() {
    let stage = Stage::new();
    for (name, aspect, shown) in
        [("wide", "4/3", (427, 240)), ("narrow", "1/2", (160, 240)), ("pal", "16/15", (341, 240))]
    {
        let graph = format!("{},setsar={aspect}", waves("320x240", "25", "1.6"));
        let video = stage.drawn(&format!("{name}.mp4"), &graph, &[]);
        for format in ["png", "jpeg"] {
            let covers = stage.covers(&video, &["-n", "1", "--format", format]);
            assert_eq!(size(&covers[0].file), shown, "{name}");
            let filters = format!("scale={}:{}:flags=bicubic", shown.0, shown.1);
            is_shown(&covers[0], Shown { filters: &filters, ..Shown::at(&video, covers[0].time_ms as f64) });
        }
    }
}
