//! A cover is one of the published video's frames, where it was made shorter, longer or faster.

use serde_json::Value;

use crate::ground::ran;
use crate::stage::{Cover, Shown, Stage, is_shown, waves};

/// Videos that are too short, too slow and too long, and rules under which six seconds are long.
fn raw(stage: &Stage) {
    std::fs::create_dir(stage.path().join("raw")).unwrap();
    for (name, rate, seconds) in [("short.mp4", "25", "2.4"), ("slow.mp4", "24", "4.8"), ("long.mp4", "25", "7.2")] {
        stage.drawn(&format!("raw/{name}"), &waves("240x360", rate, seconds), &["-g", "12", "-movflags", "+faststart"]);
    }
    let rules = ran(stage.path(), &["spec"]).stdout;
    assert!(rules.contains("max = \"900\""), "{rules}");
    std::fs::write(stage.path().join("rules.toml"), rules.replace("max = \"900\"", "max = \"6\"")).unwrap();
}

/// The cover at some time of a fixed video is that frame, and this one of the source. Answers its time.
fn is_of_both(stage: &Stage, name: &str, at: &str, source_ms: fn(f64) -> f64) -> i64 {
    let (source, fixed) = (stage.path().join("raw").join(name), stage.path().join("out").join(name));
    let cover = &stage.covers(&fixed, &["--at", at, "--format", "png"])[0];
    let time = cover.time_ms as f64;
    is_shown(cover, Shown::at(&fixed, time));
    is_shown(cover, Shown::at(&source, source_ms(time)));
    cover.time_ms
}

#[test]
fn covers_of_trimmed_looped_and_retimed_videos_are_frames_of_the_fixed_file() {
    let stage = Stage::new();
    raw(&stage);
    let job = ["rehearse", "raw", "-o", "out", "--spec", "rules.toml", "--fps", "retime", "--preset", "ultrafast"];
    let done = ran(stage.path(), &[&job[..], &["--board", "Rehearsal"]].concat());
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);

    for (name, within) in [("short", 4_800), ("slow", 4_608), ("long", 6_000)] {
        let out = stage.path().join("out");
        let receipt = std::fs::read(out.join(name).with_extension("pin.json")).unwrap();
        let receipt: Value = serde_json::from_slice(&receipt).unwrap();
        let time_ms = receipt["cover"]["time_ms"].as_i64().unwrap();
        assert!((0..within).contains(&time_ms), "{name}: {time_ms}");
        let cover = Cover { time_ms, file: out.join(receipt["cover"]["file"].as_str().unwrap()) };
        is_shown(&cover, Shown::at(&out.join(name).with_extension("mp4"), time_ms as f64));
    }

    // In the second showing, a 25th faster, and the last frame that was kept.
    assert_eq!(is_of_both(&stage, "short.mp4", "3400", |time| time - 2400.0), 3400);
    assert_eq!(is_of_both(&stage, "slow.mp4", "3000", |time| time * 25.0 / 24.0), 3000);
    let last = is_of_both(&stage, "long.mp4", "99000", |time| time);
    assert!((5_700..6_000).contains(&last), "{last}");
}
