//! Rule sets as users write them: the reference, and a file of one's own.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use ground::{folder, output_of, pinpress, ran};
use pinpress_probe::Spec;
use serde_json::Value;

const REFERENCE: &str = include_str!("../src/help/rule-sets.md");

/// A rule set with every section, and every key in it.
fn full() -> Spec {
    let mut spec = Spec::load("pinterest").unwrap();
    let range = Spec::load("pinterest-official").unwrap().aspect_ratio.unwrap();
    let shape = spec.aspect_ratio.as_mut().unwrap();
    (shape.min, shape.max) = (range.min, range.max);
    spec
}

#[test]
fn the_reference_names_every_key() {
    let full = serde_json::to_value(full()).unwrap();
    let keys_part = REFERENCE.split_once("\nKeys\n").unwrap().1.split_once("\nAn example\n").unwrap().0;
    let rows: Vec<&str> = keys_part
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.trim_start().split("  ").next())
        .collect();
    let mut keys = 0;
    for (section, value) in full.as_object().unwrap() {
        let inside = match value {
            Value::Object(inside) => inside.iter().map(|(key, value)| (format!("[{section}] {key}"), value)).collect(),
            value => vec![(section.clone(), value)],
        };
        assert!(!value.is_null(), "{section} is not in the full rule set of this test");
        for (name, value) in inside {
            assert!(!value.is_null(), "{name} is not in the full rule set of this test");
            assert!(rows.contains(&name.as_str()), "the reference does not name {name}");
            keys += 1;
        }
    }
    assert_eq!(rows.len(), keys, "the reference names a key that there is not");
}

#[test]
fn the_examples_of_the_reference_are_true() {
    let part = |from: &str, to: &str| {
        let part = REFERENCE.split_once(from).unwrap().1.split_once(to).unwrap().0;
        part.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect::<String>()
    };
    let example = part("\nAn example\n", "\nWhen something");
    assert_eq!(Spec::parse(&example, "the reference").unwrap().name, "stories");
    let head = "name = \"x\"\nversion = \"1\"\nsource = \"me\"\n\n\n\n[duration]\n";
    let error = Spec::parse(&format!("{head}min = \"5\"\nmax = \"4\"\n"), "x").unwrap_err().to_string();
    let shown = part("told at once:\n", "\nThe file has");
    let shown = shown.trim();
    assert!(error.contains(shown), "{error}\n{shown}");
}

#[test]
fn a_copy_of_a_built_in_set_is_the_start_of_ones_own() {
    let Some(dir) = folder(&[("film-24fps.mp4", "film.mp4")]) else { return };
    let mine = dir.path().join("mine.toml");
    let printed = ran(dir.path(), &["spec", "pinterest"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    std::fs::write(&mine, &printed.stdout).unwrap();
    let check = |args: &[&str]| ran(dir.path(), &[&["check", "--format", "json"], args, &["film.mp4"]].concat());
    let same = check(&["--spec", "mine.toml"]);
    assert_eq!((same.code, &same.stdout), (1, &check(&[]).stdout), "the copy judges as the original");

    let changed = printed.stdout.replace("min = \"25/1\"", "min = \"24000/1001\"").replace("\"pinterest\"", "\"mine\"");
    assert_ne!(changed, printed.stdout);
    std::fs::write(&mine, changed).unwrap();
    let changed = check(&["--spec", "mine.toml"]);
    let report: Value = serde_json::from_str(&changed.stdout).unwrap();
    assert_eq!((changed.code, &report["spec"]["name"]), (0, &Value::from("mine")));
    let mut by_variable = pinpress();
    by_variable.env("PINPRESS_SPEC", "mine.toml").args(["check", "film.mp4"]).current_dir(dir.path());
    assert_eq!(output_of(&mut by_variable, dir.path()).code, 0);
}

#[test]
fn a_rule_set_that_cannot_be_used_is_two_and_says_where() {
    let Some(dir) = folder(&[("film-24fps.mp4", "film.mp4")]) else { return };
    let mine = dir.path().join("mine.toml");
    let refused = |spec: &str| {
        let ran = ran(dir.path(), &["check", "--spec", spec, "film.mp4"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(spec), "{} does not name {spec}", ran.stderr);
        ran.stderr
    };
    let text = ran(dir.path(), &["spec"]).stdout;
    std::fs::write(&mine, text.replace("min = \"4\"", "min = \"901\"").replace("chroma = [\"4:2:0\"]", "chroma = []"))
        .unwrap();
    let error = refused("mine.toml");
    assert!(
        error.contains("line 18, column 7\n") && error.contains("[duration] min: 15 min 1 s is over max"),
        "{error}"
    );
    assert!(error.contains("[pixel-format] chroma: an empty list"), "{error}");
    std::fs::write(&mine, text.replace("[duration]", "[duratoin]")).unwrap();
    assert!(refused("mine.toml").contains("line 17"));
    std::fs::write(&mine, text.replace("format = 1", "format = 7")).unwrap();
    assert!(refused("mine.toml").contains("format 7"));
    std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
    assert!(refused("folder.toml").contains("a folder"));
    assert!(refused("/dev/zero").contains("device"));
    std::fs::write(dir.path().join("latin.toml"), b"name = \"caf\xe9\"").unwrap();
    assert!(refused("latin.toml").contains("UTF-8"));
    refused("nosuch.toml");
}

#[cfg(unix)]
#[test]
fn a_pipe_as_a_rule_set_is_not_waited_for() {
    let Some(dir) = folder(&[("film-24fps.mp4", "film.mp4")]) else { return };
    assert!(std::process::Command::new("mkfifo").arg(dir.path().join("pipe.toml")).status().unwrap().success());
    let mut command = pinpress();
    command.args(["check", "--spec", "pipe.toml", "film.mp4"]).current_dir(dir.path());
    command.timeout(std::time::Duration::from_secs(20));
    let ran = output_of(&mut command, dir.path());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("a pipe") && ran.stderr.contains("pipe.toml"), "{}", ran.stderr);
}
