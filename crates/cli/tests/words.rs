//! What every user reads first: help, version, rule sets, completions.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves several test programs")]

mod ground;

use ground::ran;

const COMMANDS: [&str; 21] = [
    "init",
    "check",
    "fix",
    "cover",
    "publish",
    "run",
    "rehearse",
    "enqueue",
    "work",
    "login",
    "logout",
    "whoami",
    "boards",
    "status",
    "retry",
    "reconcile",
    "spec",
    "doctor",
    "completions",
    "man",
    "help",
];

#[test]
fn help() {
    let dir = tempfile::tempdir().unwrap();
    let top = ran(dir.path(), &["--help"]);
    assert_eq!((top.code, top.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("help", top.stdout);
    for command in COMMANDS {
        let help = ran(dir.path(), &[command, "--help"]);
        assert_eq!(help.code, 0);
        insta::assert_snapshot!(format!("help-{command}"), help.stdout);
    }
    let listed: Vec<_> = top
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(listed.len(), COMMANDS.len(), "every command has its snapshot");
}

#[test]
fn help_is_also_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |args: &[&str]| ran(dir.path(), args);
    let top = asked(&["help"]);
    assert_eq!((top.code, top.stderr.as_str()), (0, ""));
    assert!(top.stdout.starts_with(&asked(&["--help"]).stdout) && top.stdout.contains("Topics of pinpress help:"));
    for command in COMMANDS {
        let help = asked(&["help", command]);
        assert_eq!((help.code, help.stdout), (0, asked(&[command, "--help"]).stdout), "{command}");
    }
    for topic in
        ["config", "formats", "manifest", "many-machines", "metrics", "publishing", "rule-sets", "rules", "runs"]
    {
        let text = asked(&["help", topic]);
        assert_eq!(text.code, 0);
        assert!(text.stdout.lines().count() > 30, "{topic}");
    }
    let unknown = asked(&["help", "nosuch"]);
    assert_eq!(unknown.code, 2);
    insta::assert_snapshot!(unknown.stderr, @r#"error: no command or topic "nosuch": see pinpress --help; topics are config, fixes, formats, machine, manifest, many-machines, metrics, publishing, rule-sets, rules, runs, storage"#);
}

#[test]
fn spec_prints_what_spec_takes() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["pinterest", "pinterest-official"] {
        let printed = ran(dir.path(), &["spec", name]);
        assert_eq!(printed.code, 0);
        let spec = pinpress_probe::Spec::parse(&printed.stdout, name).unwrap();
        assert_eq!(spec.name, name);
    }
    let unknown = ran(dir.path(), &["spec", "nosuch"]);
    assert_eq!(unknown.code, 2);
    insta::assert_snapshot!(unknown.stderr, @r#"error: no rule set "nosuch" is built in: ask for pinterest or pinterest-official"#);
}

#[test]
fn a_mistake_is_two_and_help_is_near() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(dir.path(), &["chekc", "x"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.stderr);
}

#[test]
fn completions_and_manual() {
    let dir = tempfile::tempdir().unwrap();
    let bash = ran(dir.path(), &["completions", "bash"]).stdout;
    assert!(bash.contains("_pinpress()") && bash.contains("rehearse"));
    let man = ran(dir.path(), &["man"]).stdout;
    assert!(man.contains(".TH pinpress 1") && man.contains("PINPRESS") || man.contains("rehearse"));
    assert_eq!(ran(dir.path(), &["man", "--output", "man1"]).code, 0);
    let pages = std::fs::read_dir(dir.path().join("man1")).unwrap().count();
    assert_eq!(pages, COMMANDS.len() + 1);
}

#[test]
fn without_a_token_nothing_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("raw")).unwrap();
    std::fs::write(dir.path().join("raw/a.mp4"), b"x").unwrap();
    for args in [
        &["run", "raw", "-o", "out", "--board", "B"] as &[&str],
        &["publish", "raw", "--board", "B"],
        &["boards"],
        &["whoami"],
    ] {
        let ran = ran(dir.path(), args);
        assert_eq!(ran.code, 2);
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.stderr, @"error: no access token: log in with `pinpress login`, put one into PINPRESS_ACCESS_TOKEN, or try it without an account with `pinpress rehearse DIR -o OUT`: looked in no-login.json");
        }
    }
    assert!(!dir.path().join("out").exists() && !dir.path().join("raw/.pinpress").exists());
}

#[test]
fn a_token_goes_over_https_or_stays_here() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.mp4"), b"x").unwrap();
    let mut command = ground::pinpress();
    command.env("PINPRESS_ACCESS_TOKEN", "pina_planted_secret").current_dir(dir.path());
    command.args(["publish", "a.mp4", "--board", "B", "--api-base", "http://pinterest.example/v5"]);
    let ran = ground::output_of(&mut command, dir.path());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("https") && !ran.stderr.contains("planted"), "{}", ran.stderr);
}

#[test]
fn status_needs_a_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(dir.path(), &["status", "."]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.stderr, @"error: no ledger: nothing was run with this output folder: .");
    assert!(!dir.path().join(".pinpress").exists(), "looking makes nothing");
}
