//! The frame of the time that is told, and of the time that is asked for.

use std::path::Path;

use crate::stage::{Shown, Stage, is_shown, waves};
use crate::support::ffprobe;

/// When the frames of a video are shown, in milliseconds from its start, by ffprobe.
fn times(video: &Path) -> Vec<f64> {
    let start: f64 = ffprobe(video, &["-show_entries", "format=start_time"])[0].parse().unwrap();
    let frames = ffprobe(video, &["-select_streams", "V:0", "-show_entries", "frame=best_effort_timestamp_time"]);
    frames.iter().map(|time| (time.parse::<f64>().unwrap() - start) * 1000.0).collect()
}

/// Asks for times at, before and between frames, and behind the last.
fn asked(stage: &Stage, video: &Path, format: &str) {
    let frames = times(video);
    assert!(frames.len() > 20, "{frames:?}");
    for part in [0, 7, 19] {
        let (frame, next) = (frames[part], frames[part + 1]);
        for time in [frame.ceil(), (next - 1.0).floor()] {
            let covers = stage.covers(video, &["--at", &time.to_string(), "--format", format]);
            assert_eq!(covers.len(), 1);
            assert!((covers[0].time_ms as f64 - frame).abs() < 1.0, "{} for {time}, not {frame}", covers[0].time_ms);
            is_shown(&covers[0], Shown::at(video, frame));
        }
    }
    let last = frames[frames.len() - 1];
    let covers = stage.covers(video, &["--at", "99000", "--format", format]);
    assert!((covers[0].time_ms as f64 - last).abs() < 1.0, "{} for the last, not {last}", covers[0].time_ms);
    is_shown(&covers[0], Shown::at(video, last));
}

#[test]
fn the_frame_that_is_asked_for_is_the_one_shown_then() {
    let stage = Stage::new();
    asked(&stage, &stage.drawn("even.mp4", &waves("240x320", "25", "1.6"), &[]), "jpeg");
}

#[test]
fn frames_that_are_shown_for_different_times_are_found_by_their_times() {
    let stage = Stage::new();
    // Four of twelve frames are gone, and the rest begins a little late or early.
    let graph = format!("{},select='gt(mod(n,12),3)',setpts='PTS+mod(N*7,5)*0.004/TB'", waves("240x320", "30", "2.4"));
    for (name, arguments) in
        [("uneven.mp4", &["-vsync", "vfr", "-video_track_timescale", "90000"][..]), ("uneven.mkv", &["-vsync", "vfr"])]
    {
        let video = stage.drawn(name, &graph, arguments);
        let frames = times(&video);
        let gaps: Vec<f64> = frames.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().any(|gap| *gap > 100.0) && gaps.iter().any(|gap| *gap < 50.0), "{gaps:?}");
        for cover in stage.covers(&video, &["-n", "3", "--format", "png"]) {
            is_shown(&cover, Shown::at(&video, cover.time_ms as f64));
        }
        if name.ends_with("mp4") {
            asked(&stage, &video, "png");
        }
    }
}

/// No index, an origin that is not zero, and sync samples that a picker has to find.
#[test]
fn each_of_several_is_the_frame_of_its_time() {
    let stage = Stage::new();
    for name in ["several.ts", "several.mkv"] {
        let video = stage.drawn(name, &waves("240x320", "25", "2.4"), &[]);
        for cover in stage.covers(&video, &["-n", "4"]) {
            is_shown(&cover, Shown::at(&video, cover.time_ms as f64));
        }
    }
}
