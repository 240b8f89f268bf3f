//! `--shard`: the parts of a folder, done by processes that know nothing of each other, are what one run makes of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ground::{Ran, folder, output_of, pinpress, ran};
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use serde_json::Value;

/// Two of one name among them, whose outputs must not have one name, and one that is no video.
const RAW: [(&str, &str); 7] = [
    ("conforming-9x16.mp4", "raw/ready.mp4"),
    ("pcm-sound.mov", "raw/clip.mov"),
    ("matroska-fit.mkv", "raw/clip.mkv"),
    ("film-24fps.mp4", "raw/edit/film.mp4"),
    ("upright-16x9.mp4", "raw/edit/wide.mp4"),
    ("black-head.mp4", "raw/edit/deep/dark.mp4"),
    ("not-a-video.mp4", "raw/broken.mp4"),
];
const PARTS: [&str; 3] = ["1/3", "2/3", "3/3"];

fn raw() -> Option<tempfile::TempDir> {
    let dir = folder(&RAW)?;
    let doctor = ran(dir.path(), &["doctor"]);
    if doctor.code != 0 {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`\n{}", doctor.stdout);
        return None;
    }
    Some(dir)
}

/// All three parts at once, each in a process of its own.
fn at_once(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Vec<Ran> {
    std::thread::scope(|scope| {
        let part = |part| {
            let mut command = pinpress();
            command.args(args).args(["--shard", part]).envs(variables.iter().copied()).current_dir(dir);
            scope.spawn(move || output_of(&mut command, dir))
        };
        let running: Vec<_> = PARTS.map(part).into();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    })
}

/// What lies below a folder, our own apart.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".pinpress") {
                folders.push(path);
            } else if !path.is_dir() {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// The same with its content.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    names(folder).into_iter().map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
}

fn assert_same(parts: &Path, whole: &Path) {
    let (parts, whole) = (tree(parts), tree(whole));
    assert_eq!(parts.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (name, bytes) in &whole {
        assert!(parts[name] == *bytes, "another content: {name}");
    }
}

fn codes(parts: &[Ran]) -> BTreeSet<i32> {
    parts.iter().map(|ran| ran.code).collect()
}

/// The paths in the lines of `check --format ndjson`.
fn checked(told: &Ran) -> Vec<String> {
    let paths = told.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    paths.filter_map(|line| Some(line["path"].as_str()?.to_owned())).collect()
}

#[test]
fn parts_of_a_run_at_once_make_what_one_run_makes() {
    let Some(dir) = raw() else { return };
    let run = ["run", "raw", "--no-publish", "--preset", "ultrafast", "--jobs", "1", "-o"];
    let whole = ran(dir.path(), &[&run[..], &["whole"]].concat());
    assert_eq!(whole.code, 1, "one is no video: {}{}", whole.stdout, whole.stderr);
    let parts = at_once(dir.path(), &[&run[..], &["parts"]].concat(), &[]);
    for part in &parts {
        assert!(part.code < 2, "{}{}", part.stdout, part.stderr);
    }
    assert!(codes(&parts).contains(&1), "one is no video");
    assert_same(&dir.path().join("parts"), &dir.path().join("whole"));
    for shard in ["1-of-3", "2-of-3", "3-of-3"] {
        let own = dir.path().join(format!("parts/.pinpress/shard-{shard}"));
        assert!(own.join("ledger.db").is_file() && own.join("report.html").is_file(), "{shard}");
        assert_eq!(std::fs::read_dir(own.join("log")).unwrap().count(), 1, "{shard}");
    }
    assert!(!dir.path().join("parts/.pinpress/ledger.db").exists());

    let told = |folder: &str| -> Value {
        serde_json::from_str(&ran(dir.path(), &["status", folder, "--format", "json"]).stdout).unwrap()
    };
    let (of_parts, of_whole) = (told("parts"), told("whole"));
    assert_eq!(of_parts["totals"], of_whole["totals"]);
    let shards: BTreeSet<_> = of_parts["videos"].as_array().unwrap().iter().map(|v| v["shard"].as_str()).collect();
    assert!(shards.iter().all(|shard| shard.is_some_and(|shard| PARTS.contains(&shard))), "{shards:?}");
    let people = ran(dir.path(), &["status", "parts"]);
    assert!(people.code == 1 && people.stdout.contains("shard-"), "retry names its ledger: {}", people.stdout);
    let retried = ran(dir.path(), &["retry", "-o", "parts"]);
    assert!(retried.code == 0 && retried.stdout.contains("broken.mp4"), "{}{}", retried.stdout, retried.stderr);

    let before = tree(&dir.path().join("parts"));
    let again = at_once(dir.path(), &[&run[..], &["parts"]].concat(), &[]);
    assert!(again.iter().all(|part| !part.stdout.contains(" 1 done") && part.code < 2), "nothing is done twice");
    assert_eq!(tree(&dir.path().join("parts")), before);
}

#[test]
fn parts_that_are_killed_go_on_and_leave_nothing_half() {
    let Some(dir) = raw() else { return };
    let run = ["run", "raw", "--no-publish", "--preset", "ultrafast", "--jobs", "1", "-o"];
    assert_eq!(ran(dir.path(), &[&run[..], &["whole"]].concat()).code, 1);
    let out = dir.path().join("parts");
    let done = || names(&out).iter().filter(|name| name.ends_with(".mp4")).count();
    // Killed when so many outputs are there: each time in the middle of something else.
    for outputs in 0..RAW.len() - 1 {
        let mut parts = PARTS.map(|part| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pinpress"));
            command.args(run).args(["parts", "--shard", part]).current_dir(dir.path());
            command.env("PINPRESS_SETTLE", "0").env("XDG_CONFIG_HOME", "/nowhere");
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
        });
        while done() <= outputs && parts.iter_mut().any(|part| part.try_wait().unwrap().is_none()) {
            std::thread::yield_now();
        }
        for mut part in parts {
            part.kill().unwrap();
            part.wait().unwrap();
        }
    }
    let last = at_once(dir.path(), &[&run[..], &["parts"]].concat(), &[]);
    for part in &last {
        assert!(part.code < 2, "{}{}", part.stdout, part.stderr);
    }
    assert_same(&out, &dir.path().join("whole"));
}

#[test]
fn parts_of_fixes_covers_and_checks_are_the_whole() {
    let Some(dir) = raw() else { return };
    let fix = ["fix", "raw", "--preset", "ultrafast", "--threads", "1", "-o"];
    assert_eq!(ran(dir.path(), &[&fix[..], &["whole"]].concat()).code, 1);
    at_once(dir.path(), &[&fix[..], &["parts"]].concat(), &[]);
    assert_same(&dir.path().join("parts"), &dir.path().join("whole"));

    assert_eq!(ran(dir.path(), &["cover", "whole", "-o", "covers", "-n", "1"]).code, 0);
    let covered = at_once(dir.path(), &["cover", "whole", "-o", "covers-of-parts", "-n", "1"], &[]);
    assert_eq!(codes(&covered), [0].into());
    assert_same(&dir.path().join("covers-of-parts"), &dir.path().join("covers"));

    let whole = checked(&ran(dir.path(), &["check", "raw", "--format", "ndjson"]));
    assert_eq!(whole.len(), RAW.len());
    let mut parts: Vec<_> =
        at_once(dir.path(), &["check", "raw", "--format", "ndjson"], &[]).iter().flat_map(checked).collect();
    parts.sort();
    assert_eq!(parts, {
        let mut whole = whole;
        whole.sort();
        whole
    });
}

#[test]
fn each_pin_is_made_once_and_rows_are_judged_on_the_whole() {
    let Some(dir) = raw() else { return };
    std::fs::remove_file(dir.path().join("raw/broken.mp4")).unwrap();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let variables = [("PINPRESS_ACCESS_TOKEN", pinterest.token()), ("PINPRESS_API", &pinterest.api_base())];
    let manifest = |rows: &[&str]| {
        let rows: String = rows.iter().map(|file| format!("{file},rehearsal,Pin of {file}\n")).collect();
        std::fs::write(dir.path().join("pins.csv"), format!("file,board,title\n{rows}")).unwrap();
    };
    let run = ["run", "raw", "-o", "out", "--manifest", "pins.csv", "--preset", "ultrafast"];
    let files: Vec<&str> = RAW.iter().filter_map(|(_, name)| name.strip_prefix("raw/")).collect();
    manifest(&files);
    let refused = at_once(dir.path(), &run, &variables);
    assert_eq!(codes(&refused), [2].into(), "a row names no file of the whole folder");
    assert!(refused.iter().all(|part| part.stderr.contains("broken.mp4")) && pinterest.pins().is_empty());

    let files: Vec<&str> = files.into_iter().filter(|file| *file != "broken.mp4").collect();
    manifest(&files);
    let parts = at_once(dir.path(), &run, &variables);
    for part in &parts {
        assert_eq!(part.code, 0, "{}{}", part.stdout, part.stderr);
    }
    let mut titles: Vec<String> = pinterest.pins().into_iter().map(|pin| pin.title.unwrap()).collect();
    titles.sort();
    let mut wanted: Vec<String> = files.iter().map(|file| format!("Pin of {file}")).collect();
    wanted.sort();
    assert_eq!(titles, wanted);
}

#[test]
fn an_array_job_says_which_part() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("raw")).unwrap();
    for number in 0..40 {
        std::fs::write(dir.path().join(format!("raw/clip{number}.mp4")), b"no video").unwrap();
    }
    let check = |shard: &str, variables: &[(&str, &str)]| {
        let mut command = pinpress();
        for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "CLOUD_RUN_TASK_INDEX"]
        {
            command.env_remove(name);
        }
        command.args(["check", "raw", "--format", "ndjson", "--shard", shard]).envs(variables.iter().copied());
        output_of(command.current_dir(dir.path()), dir.path())
    };
    let third = checked(&check("3/4", &[]));
    assert!(!third.is_empty() && third.len() < 40);
    let slurm = [
        ("SLURM_ARRAY_TASK_ID", "14"),
        ("SLURM_ARRAY_TASK_COUNT", "4"),
        ("SLURM_ARRAY_TASK_MIN", "10"),
        ("SLURM_ARRAY_TASK_MAX", "16"),
    ];
    for variables in [
        &slurm as &[(&str, &str)],
        &[("JOB_COMPLETION_INDEX", "2"), ("PINPRESS_SHARDS", "4")],
        &[("AWS_BATCH_JOB_ARRAY_INDEX", "2"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")],
        &[("CLOUD_RUN_TASK_INDEX", "2"), ("CLOUD_RUN_TASK_COUNT", "4")],
    ] {
        assert_eq!(checked(&check("auto", variables)), third, "{variables:?}");
    }
    let mut unasked = pinpress();
    unasked.args(["check", "raw", "--format", "ndjson"]).envs(slurm);
    let unasked = output_of(unasked.current_dir(dir.path()), dir.path());
    assert_eq!(checked(&unasked).len(), 40, "no part without the option");
    let nowhere = check("auto", &[]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("cannot use --shard auto: this is no array job"), "{}", nowhere.stderr);
    let wrong = check("5/4", &[]);
    assert!(wrong.code == 2 && wrong.stderr.contains("write I/N with I from 1 to N"), "{}", wrong.stderr);
}

#[test]
fn a_part_without_a_video_is_no_mistake() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/ready.mp4")]) else { return };
    let mut done = 0;
    for part in ["1/2", "2/2"] {
        for args in [
            &["check", "raw", "--shard", part] as &[&str],
            &["fix", "raw", "--plan", "--shard", part],
            &["run", "raw", "-o", part, "--no-publish", "--shard", part],
        ] {
            let ran = ran(dir.path(), args);
            assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.stdout, ran.stderr);
            done += usize::from(!ran.stderr.contains(&format!("no video belongs to shard {part}")));
        }
    }
    assert_eq!(done, 3, "one part has the video");
    std::fs::remove_file(dir.path().join("raw/ready.mp4")).unwrap();
    let empty = ran(dir.path(), &["check", "raw", "--shard", "1/2"]);
    assert_eq!(empty.code, 2, "a folder without a video is one still");
}

#[test]
fn pins_that_keep_a_distance_are_not_for_parts() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("raw")).unwrap();
    let told = ran(dir.path(), &["run", "raw", "-o", "out", "--board", "B", "--every", "30m", "--shard", "1/2"]);
    assert_eq!(told.code, 2);
    assert!(told.stderr.contains("--every and --shard do not go together"), "{}", told.stderr);
}
