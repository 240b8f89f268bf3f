//! Options from files: which of them wins, what is wrong with them, and what `pinpress init` writes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use std::fs;

use assert_cmd::Command;
use ground::{Ran, output_of, pinpress, ran};

/// A working folder two below that of the project, and a folder of the user's own.
struct Stage {
    dir: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("project/deep/here")).unwrap();
        fs::create_dir_all(dir.path().join("home/pinpress")).unwrap();
        Self { dir }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = pinpress();
        command.env("XDG_CONFIG_HOME", self.dir.path().join("home"));
        command.current_dir(self.dir.path().join("project/deep/here")).args(args);
        command
    }

    fn ran(&self, args: &[&str]) -> Ran {
        output_of(&mut self.command(args), self.dir.path())
    }
}

const USER: &str = "home/pinpress/config.toml";
const PROJECT: &str = "project/pinpress.toml";

/// Each layer names a rule set that there is not, and the error names the one that was asked for.
#[test]
fn arguments_win_over_variables_over_the_project_over_the_user_over_defaults() {
    for layers in 0..16_u8 {
        let has = |layer: u8| layers & (1 << layer) != 0;
        let stage = Stage::new();
        if has(0) {
            stage.write(USER, "spec = 'of-user'");
        }
        if has(1) {
            stage.write(PROJECT, "spec = 'of-project'");
        }
        let mut command = stage.command(&["check", "gone.mp4"]);
        if has(2) {
            command.env("PINPRESS_SPEC", "of-variable");
        }
        if has(3) {
            command.args(["--spec", "of-argument"]);
        }
        let ran = output_of(&mut command, stage.dir.path());
        assert_eq!(ran.code, 2);
        let wanted = ["home/pinpress/of-user", "project/of-project", "of-variable", "of-argument"];
        match (0..4).rev().find(|layer| has(*layer)) {
            Some(layer) => {
                let wanted = wanted[usize::from(layer)];
                assert!(
                    ran.stderr.contains("cannot use --spec") && ran.stderr.contains(wanted),
                    "{wanted}: {}",
                    ran.stderr
                );
            }
            None => assert!(ran.stderr.contains("gone.mp4") && !ran.stderr.contains("--spec"), "{}", ran.stderr),
        }
    }
}

#[test]
fn a_file_that_is_named_takes_the_place_of_the_projects() {
    let stage = Stage::new();
    stage.write(USER, "spec = 'of-user'");
    stage.write(PROJECT, "spec = 'of-project'");
    stage.write("project/ci.toml", "spec = 'of-ci'");
    let named = stage.ran(&["check", "gone.mp4", "--config", "../../ci.toml"]).stderr;
    assert!(named.contains("of-ci"), "{named}");
    let first = stage.ran(&["--config=../../ci.toml", "check", "gone.mp4"]).stderr;
    assert_eq!(first, named);
    let mut by_variable = stage.command(&["check", "gone.mp4"]);
    assert_eq!(output_of(by_variable.env("PINPRESS_CONFIG", "../../ci.toml"), stage.dir.path()).stderr, named);
    stage.write("project/ci.toml", "");
    let below = stage.ran(&["check", "gone.mp4", "--config", "../../ci.toml"]).stderr;
    assert!(below.contains("of-user"), "the user's own is still there: {below}");
    let gone = stage.ran(&["check", "gone.mp4", "--config", "gone.toml"]);
    assert_eq!(gone.code, 2);
    insta::assert_snapshot!(gone.stderr, @r"
error: the configuration has a mistake:
    cannot be read: No such file or directory (os error 2): gone.toml
");
}

#[test]
fn everything_wrong_in_all_files_is_told_at_once() {
    let stage = Stage::new();
    stage.write(USER, "[fix]\nqualty = 20\nquality = 99\naspect = 'blurr'\n[fxi]\n");
    stage.write(
        PROJECT,
        "board = 'B'\nquiet = 1\njobs = 0\napi = 'https://elsewhere.example/v5'\n[publish]\n  every = 'often'\n  title = '{stm}'\n  \
         uploads = [2]\n  nothing-like-it = 1\n[check]\nfail-on = 'advice'\n",
    );
    let ran = stage.ran(&["check", "gone.mp4"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr, @r#"
error: the configuration has 13 mistakes:
    line 1, column 1: unknown key "board": is it board in [publish]?: [DIR]/project/pinpress.toml
    line 2, column 9: quiet is neither true nor false, without quotes: [DIR]/project/pinpress.toml
    line 3, column 8: jobs is "0": write auto, or a number from 1 to 1024: [DIR]/project/pinpress.toml
    line 4, column 1: unknown key "api": `pinpress help config` lists them all: [DIR]/project/pinpress.toml
    line 6, column 11: publish.every is "often": write a time in whole seconds, such as 90s, 30m or 1h30m: [DIR]/project/pinpress.toml
    line 7, column 11: publish.title is "{stm}": unknown name {stm}: there are {stem}, {words}, {parent}, {n}, and {{ for a brace, at character 1: [DIR]/project/pinpress.toml
    line 8, column 13: publish.uploads is no text in quotes, and no whole number: [DIR]/project/pinpress.toml
    line 9, column 3: unknown key publish.nothing-like-it: `pinpress help config` lists them all: [DIR]/project/pinpress.toml
    line 11, column 1: unknown key check.fail-on: is it fail_on?: [DIR]/project/pinpress.toml
    line 2, column 1: unknown key fix.qualty: is it quality?: [DIR]/home/pinpress/config.toml
    line 3, column 11: fix.quality is "99": 99 is not in 1..=51: [DIR]/home/pinpress/config.toml
    line 4, column 10: fix.aspect is "blurr": use blur, pad, crop or reject: [DIR]/home/pinpress/config.toml
    line 5, column 2: unknown section [fxi]: is it [fix]?: [DIR]/home/pinpress/config.toml
"#);
    stage.write(PROJECT, "spec = 'open\n[fix\n");
    stage.write(USER, "");
    insta::assert_snapshot!(stage.ran(&["spec"]).stderr, @r"
error: the configuration has 2 mistakes:
    line 1, column 13: not TOML: invalid literal string, expected `'`: [DIR]/project/pinpress.toml
    line 2, column 5: not TOML: unclosed table, expected `]`: [DIR]/project/pinpress.toml
");
}

#[test]
fn what_helps_reads_no_file() {
    let stage = Stage::new();
    stage.write(PROJECT, "nosuch = 1");
    for args in [&["--help"] as &[&str], &["check", "--help"], &["help", "config"], &["--version"], &["man"]] {
        let ran = stage.ran(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    }
    assert_eq!(stage.ran(&["spec"]).code, 2, "it is broken indeed");
    let doctor = stage.ran(&["doctor"]);
    let line = doctor.stdout.lines().find(|line| line.contains("config")).unwrap().to_owned();
    assert_eq!(doctor.code, 1);
    insta::assert_snapshot!(line, @r#"problem  config    line 1, column 1: unknown key "nosuch": `pinpress help config` lists them all: [DIR]/project/pinpress.toml"#);
    assert_eq!(stage.ran(&["init"]).code, 0);
}

#[test]
fn doctor_and_verbose_say_which_files_are_in_force() {
    let stage = Stage::new();
    let told = |ran: &Ran| ran.stdout.lines().filter(|line| line.contains("  config ")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(told(&stage.ran(&["doctor"])), @"ok       config    no file: pinpress init writes one; pinpress help config explains it");
    stage.write(USER, "");
    stage.write(PROJECT, "");
    insta::assert_snapshot!(told(&stage.ran(&["doctor"])), @r"
ok       config    [DIR]/project/pinpress.toml
ok       config    [DIR]/home/pinpress/config.toml
");
    let verbose = stage.ran(&["-v", "check", "gone.mp4"]).stderr;
    assert!(verbose.contains("options come from [DIR]/project/pinpress.toml"), "{verbose}");
}

/// A switch that a file turns on is turned off by what is nearer.
#[test]
fn switches_are_taken_back() {
    let Some(dir) = ground::folder(&[("conforming-9x16.mp4", "a.mp4")]) else { return };
    let told = |args: &[&str]| ran(dir.path(), args).stdout;
    let spoken = told(&["check", "a.mp4"]);
    fs::write(dir.path().join("pinpress.toml"), "quiet = true").unwrap();
    let silent = told(&["check", "a.mp4"]);
    assert_ne!(spoken, silent);
    assert_eq!(told(&["check", "a.mp4", "--quiet=false"]), spoken);
    let mut by_variable = pinpress();
    let by_variable = by_variable.env("PINPRESS_QUIET", "no").current_dir(dir.path()).args(["check", "a.mp4"]);
    assert_eq!(output_of(by_variable, dir.path()).stdout, spoken);
}

#[cfg(unix)]
#[test]
fn a_secret_stands_where_nobody_else_can_read_it_and_is_never_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let mode = |mode| fs::set_permissions(stage.dir.path().join(PROJECT), fs::Permissions::from_mode(mode)).unwrap();
    let mut everything = String::new();
    let mut told = |args: &[&str], variable: Option<(&str, &str)>| {
        let mut command = stage.command(args);
        command.env("PINPRESS_LOG", "trace").envs(variable);
        let ran = output_of(&mut command, stage.dir.path());
        everything += &(ran.stdout.clone() + &ran.stderr);
        ran
    };
    stage.write(PROJECT, "[account]\napp_secret = 'PLANTED'\n");
    mode(0o644);
    let open = stage.ran(&["check", "gone.mp4"]);
    assert_eq!(open.code, 2);
    insta::assert_snapshot!(open.stderr, @r"
error: the configuration has a mistake:
    line 2, column 14: account.app_secret stands where others can read it (mode 644): close the file to them with chmod 600, or put it into PINPRESS_APP_SECRET; if this machine has other users, let Pinterest make a new one: [DIR]/project/pinpress.toml
");
    mode(0o600);
    let half = told(&["doctor"], None).stdout;
    assert!(half.contains("account.app_secret is set and PINPRESS_APP_ID is not"), "{half}");
    let both = told(&["login", "--no-browser"], Some(("PINPRESS_APP_ID", "1490"))).stderr;
    assert!(both.contains("client_id=1490"), "the app of both is asked for: {both}");
    for broken in [
        "app_secret = 'PLANTED",
        "app_secret = PLANTED",
        "app_secret = ['PLANTED']",
        "app_secret = 'a'\napp_secret = 'PLANTED'",
    ] {
        stage.write(PROJECT, &format!("[account]\n{broken}\n"));
        assert_eq!(told(&["doctor"], None).code, 1, "{broken}");
        assert_eq!(told(&["check", "gone.mp4"], None).code, 2, "{broken}");
    }
    assert!(!everything.contains("PLANTED"), "{everything}");
}

/// What is nearer wins where two options contradict each other, too.
#[test]
fn the_nearer_of_two_that_contradict_each_other_wins() {
    let stage = Stage::new();
    let told = |project: &str, args: &[&str]| {
        stage.write(PROJECT, &format!("[publish]\nboard = 'B'\n{project}"));
        let mut command = stage.command(&["publish", "gone.mp4", "--dry-run"]);
        // Nobody listens there; whatever is wrong with the options is told before.
        command.args(args).env("PINPRESS_ACCESS_TOKEN", "pina_x").env("PINPRESS_API", "http://127.0.0.1:9/v5");
        output_of(&mut command, stage.dir.path()).stderr
    };
    let url = "cover_url = 'https://example.com/{stem}.jpg'";
    let contradiction = "leave one of the two out";
    assert!(!told(url, &["--cover-as", "image"]).contains(contradiction));
    assert!(!told("cover_as = 'image'", &["--cover-url", "https://example.com/a.jpg"]).contains(contradiction));
    let both = ["--cover-as", "image", "--cover-url", "https://example.com/a.jpg"];
    assert!(told("", &both).contains(contradiction));
}

#[test]
fn init_writes_files_to_start_from_and_replaces_none() {
    let stage = Stage::new();
    let here = |name: &str| format!("project/deep/here/{name}");
    fs::create_dir_all(stage.dir.path().join(here("raw/more/out/.pinpress"))).unwrap();
    for name in ["raw/my_first-clip.mov", "raw/more/b {2}, \"x\".mp4", "raw/more/out/done.mp4", "raw/notes.txt"] {
        stage.write(&here(name), "x");
    }
    let written = stage.ran(&["init", "raw"]);
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(written.stdout, @r"
written: raw/pinpress.toml  every option, commented out
written: raw/pins.csv  2 videos
next: fill in the boards and texts, then try it out, which needs no account:
  cd raw
  pinpress rehearse . -o out --manifest pins.csv
");
    let read = |name: &str| fs::read_to_string(stage.dir.path().join(here(name))).unwrap();
    insta::assert_snapshot!(read("raw/pins.csv"), @r#"
file,board,title,description,link,alt_text,publish_at
"more/b {2}, ""x"".mp4",,"b {{2}}, ""x""",,,,
my_first-clip.mov,,my first clip,,,,
"#);
    insta::assert_snapshot!("init", read("raw/pinpress.toml"));
    let before = (read("raw/pins.csv"), read("raw/pinpress.toml"));
    stage.write(&here("raw/late.mov"), "x");
    let refused = stage.ran(&["init", "raw"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(refused.stderr, @"error: there already, and nothing was written: --force replaces it: raw/pinpress.toml, raw/pins.csv");
    assert_eq!((read("raw/pins.csv"), read("raw/pinpress.toml")), before);
    assert_eq!(stage.ran(&["init", "raw", "--force"]).code, 0);
    assert_ne!(read("raw/pins.csv"), before.0);
    // Both serve as they are: the next step finds only the boards missing.
    let mut publish = stage.command(&["publish", ".", "--manifest", "pins.csv"]);
    publish.current_dir(stage.dir.path().join(here("raw"))).env("PINPRESS_ACCESS_TOKEN", "pina_x");
    let missing = output_of(&mut publish, stage.dir.path()).stderr;
    assert!(missing.contains("row 2, board: is missing"), "{missing}");
}

#[test]
fn init_needs_a_folder_and_may_find_no_video() {
    let stage = Stage::new();
    let gone = stage.ran(&["init", "gone"]);
    assert_eq!(gone.code, 2);
    insta::assert_snapshot!(gone.stderr, @"error: no folder to begin in: make it first: gone");
    let empty = stage.ran(&["init"]);
    assert_eq!(empty.code, 0);
    insta::assert_snapshot!(empty.stdout + &empty.stderr, @r"
written: pinpress.toml  every option, commented out
note: no manifest was written, there is no video for it: .
");
}

#[cfg(unix)]
#[test]
fn the_password_of_a_ledger_stands_in_no_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let mode = |mode| fs::set_permissions(stage.dir.path().join(PROJECT), fs::Permissions::from_mode(mode)).unwrap();
    let told = |user: &str, open: u32| {
        stage.write(PROJECT, &format!("ledger = 'postgres://{user}@127.0.0.1:1/pins?sslmode=disable'\n"));
        mode(open);
        let ran = stage.ran(&["status"]);
        assert_eq!(ran.code, 2);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("PLANTED"), "{}", ran.stderr);
        ran.stderr
    };
    let refused = told("team:PLANTED", 0o644);
    assert!(refused.contains("ledger has a password") && refused.contains("chmod 600"), "{refused}");
    // An address is no secret without one, and no path that is relative to the file.
    for (user, open) in [("team:PLANTED", 0o600), ("team", 0o644)] {
        let gone = told(user, open);
        assert!(gone.contains("cannot be reached") && gone.contains("postgres://team@127.0.0.1:1/pins"), "{gone}");
    }
}
