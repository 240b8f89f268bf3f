//! The live line of one video: its share, its name, its figures. A name that is too long for the terminal loses its
//! beginning, as the folders stand there, so that the figures are seen. Pure.

use std::path::Path;

use super::step::Step;
use crate::output::shown;

/// What stands before the name: a spinner, the stage, the share.
const BEFORE: usize = 19;

/// Figures of an upload, the longest.
const FIGURES: usize = 56;

/// Nobody knows a video by less of its name.
const LEAST: usize = 14;

/// Of a stage that told nothing yet.
pub(super) fn begun(video: &Path, width: usize) -> String {
    format!("{:>5}  {}", "", name(video, width))
}

/// Of a step.
pub(super) fn moved(video: &Path, step: &Step, width: usize) -> String {
    let share = step.percent().map_or_else(String::new, |percent| format!("{percent} %"));
    format!("{share:>5}  {}  {}", name(video, width), step.figures())
}

/// Of what waits.
pub(super) fn waits(video: &Path, reason: &str, width: usize) -> String {
    format!("{:>5}  {}  {reason}", "", name(video, width))
}

/// As much of the end of the path as there is room for.
fn name(video: &Path, width: usize) -> String {
    let name = shown(video);
    let room = width.saturating_sub(BEFORE + FIGURES).max(LEAST);
    let count = name.chars().count();
    if count <= room {
        return name;
    }
    let end: String = name.chars().skip(count + 1 - room).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::step::Unit;
    use super::*;

    #[test]
    fn figures_are_seen_at_every_width() {
        let video = Path::new("raw/a folder of some length/one/clip with a long name.mp4");
        let (total, left) = (Some(60_000), Some(Duration::from_secs(65)));
        let step = Step { word: "encoding", unit: Unit::MediaMillis, done: 25_200, total, rate: Some(3_210), left };
        assert_eq!(
            moved(video, &step, 160),
            " 42 %  raw/a folder of some length/one/clip with a long name.mp4  encoding, 3.2×, 1 min 5 s left"
        );
        assert_eq!(moved(video, &step, 100), " 42 %  …lip with a long name.mp4  encoding, 3.2×, 1 min 5 s left");
        for width in [0, 40, 80] {
            assert_eq!(moved(video, &step, width), " 42 %  …long name.mp4  encoding, 3.2×, 1 min 5 s left", "{width}");
        }
        assert_eq!(begun(Path::new("a.mp4"), 80), "       a.mp4");
        assert_eq!(waits(Path::new("a.mp4"), "again in 3 s", 80), "       a.mp4  again in 3 s");
    }
}
