//! Logging in and out by the real program, against a Pinterest on loopback; the test plays the browser.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves several test programs")]

mod ground;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ground::{Ran, output_of, pinpress};
use pinpress_rehearsal::{BoardOptions, Grant, Rehearsal, RehearsalOptions};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "PLANTsecret";

struct Stage {
    dir: TempDir,
    pinterest: Rehearsal,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = RehearsalOptions::new(dir.path().join("pinterest"));
        options.oauth.app_secret = SECRET.to_owned();
        options.boards = vec![
            BoardOptions { name: "Summer recipes".to_owned(), sections: vec!["Soups".to_owned(), "Salads".to_owned()] },
            BoardOptions::named("Winter"),
        ];
        Self { pinterest: Rehearsal::start(options).unwrap(), dir }
    }

    fn logged_in() -> Self {
        let stage = Self::new();
        let (child, address) = stage.start_login(&["--no-browser"]);
        let back = consent(&address, "/oauth/allow?");
        let ran = finish(child, Some(&back));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        stage
    }

    /// The variables of a user who has an app.
    fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("PINPRESS_API", self.pinterest.api_base()),
            ("PINPRESS_TOKEN_FILE", self.tokens().display().to_string()),
            ("PINPRESS_APP_ID", "rehearsal".to_owned()),
            ("PINPRESS_APP_SECRET", SECRET.to_owned()),
        ]
    }

    fn tokens(&self) -> std::path::PathBuf {
        self.dir.path().join("config/tokens.json")
    }

    fn ran(&self, args: &[&str]) -> Ran {
        let mut command = pinpress();
        command.args(args).envs(self.environment()).current_dir(self.dir.path());
        let ran = output_of(&mut command, self.dir.path());
        let place = |text: &str| text.replace(&self.pinterest.address().to_string(), "[PINTEREST]");
        Ran { code: ran.code, stdout: place(&ran.stdout), stderr: place(&ran.stderr) }
    }

    /// Starts `pinpress login` and reads on to the address that it asks to open.
    fn start_login(&self, args: &[&str]) -> (Login, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
        // Only the program that plays the browser is found.
        command.env("PATH", self.dir.path().join("bin")).env_remove("PINPRESS_ACCESS_TOKEN").envs(self.environment());
        command.args(["login", "--port", "0"]).args(args).current_dir(self.dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut read, mut line) = (String::new(), String::new());
        while !line.trim().starts_with("http://127.0.0.1") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended without an address: {read}");
            read.push_str(&line);
        }
        (Login { child, stderr, read }, line.trim().to_owned())
    }

    fn refreshes(&self) -> usize {
        self.pinterest.grants().iter().filter(|grant| **grant == Grant::Refresh).count()
    }

    /// Lets the access token be past its end, by what the file says and by what Pinterest says.
    fn let_the_token_end(&self) {
        let mut file: Value = serde_json::from_slice(&std::fs::read(self.tokens()).unwrap()).unwrap();
        file["logins"][self.pinterest.api_base()]["expires_at"] = Value::from("2026-01-23T00:00:00Z");
        std::fs::write(self.tokens(), file.to_string()).unwrap();
        self.pinterest.expire_access_tokens();
    }
}

/// A login that waits for its answer.
struct Login {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    read: String,
}

/// Pastes what there is to paste and waits for the end.
fn finish(mut login: Login, pasted: Option<&str>) -> Ran {
    let mut stdin = login.child.stdin.take().unwrap();
    if let Some(text) = pasted {
        writeln!(stdin, "\n{text}").unwrap();
    }
    drop(stdin);
    login.stderr.read_to_string(&mut login.read).unwrap();
    let mut stdout = String::new();
    login.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    Ran { code: login.child.wait().unwrap().code().unwrap_or(-1), stdout, stderr: login.read }
}

/// The head and the body that a plain browser gets for an address.
fn visit(address: &str) -> String {
    let (host, target) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Clicks on the page, and answers the address that the browser is sent to.
fn consent(address: &str, click: &str) -> String {
    let answer = visit(&address.replace("/oauth/?", click));
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("location:"));
    assert!(line.is_some(), "{answer}");
    line.unwrap()["location:".len()..].trim().to_owned()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn the_browser_is_opened_and_its_answer_logs_in() {
    let stage = Stage::new();
    let bin = stage.dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script =
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > opened.part\n/usr/bin/env > environment\n/bin/mv opened.part opened\n";
    std::fs::write(bin.join("xdg-open"), script).unwrap();
    std::fs::set_permissions(bin.join("xdg-open"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (login, address) = stage.start_login(&[]);
    let opened = stage.dir.path().join("opened");
    while !opened.exists() {
        std::thread::yield_now();
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap().trim(), address);
    let environment = std::fs::read_to_string(stage.dir.path().join("environment")).unwrap();
    assert!(environment.contains("PINPRESS_APP_ID") && !environment.contains(SECRET), "{environment}");
    let back = consent(&address, "/oauth/allow?");
    let page = visit(&back);
    assert!(page.contains("You can close this page"), "{page}");
    let ran = finish(login, None);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("tokens.json\ngood for 59 days (until ") && ran.stdout.ends_with("account: rehearsal\n")
    );
    assert_eq!((mode(&stage.tokens()), mode(stage.tokens().parent().unwrap())), (0o600, 0o700));
    let text = std::fs::read_to_string(stage.tokens()).unwrap();
    assert!(text.contains("pina_rehearsal") && text.contains("pinr_rehearsal"));
    assert_eq!(stage.ran(&["boards"]).code, 0);
}

#[test]
fn without_a_browser_at_hand_the_address_is_carried_by_hand() {
    let stage = Stage::logged_in();
    let text = std::fs::read_to_string(stage.tokens()).unwrap();
    assert!(text.contains(&format!("\"{}\"", stage.pinterest.api_base())), "under its address");
    // What was pasted belongs to another login, is nothing, or brings no code.
    for (paste, words) in [
        (Some("http://localhost:8085/?code=PLANT&state=PLANT"), "belongs to another login"),
        (Some("two words"), "there is no code"),
        (None, "nothing was pasted"),
    ] {
        let (login, _) = stage.start_login(&["--no-browser"]);
        let ran = finish(login, paste);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(words) && !ran.stderr.contains("PLANT"), "{}", ran.stderr);
    }
    let (login, address) = stage.start_login(&["--no-browser"]);
    let ran = finish(login, Some(&consent(&address, "/oauth/deny?")));
    assert!(ran.code == 2 && ran.stderr.contains("access_denied"), "{}", ran.stderr);
    // The code alone will do too.
    let (login, address) = stage.start_login(&["--no-browser", "--scopes", "pins:read pins:write"]);
    assert!(address.contains("scope=pins%3Aread%2Cpins%3Awrite&"), "{address}");
    let back = consent(&address, "/oauth/allow?");
    let code = back.split_once("code=").unwrap().1.split('&').next().unwrap();
    assert_eq!(finish(login, Some(code)).code, 0);
}

#[test]
fn an_answer_with_another_state_is_passed_over() {
    let stage = Stage::new();
    let (login, address) = stage.start_login(&[]);
    assert!(login.read.contains("No browser could be opened"), "{}", login.read);
    let back = consent(&address, "/oauth/allow?");
    let forged = visit(&back.replace("state=", "state=x"));
    assert!(forged.starts_with("HTTP/1.1 400 ") && !stage.tokens().exists(), "{forged}");
    assert!(visit(&back).starts_with("HTTP/1.1 200 "));
    assert_eq!(finish(login, None).code, 0);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anybody_is_asked() {
    let stage = Stage::new();
    std::fs::write(stage.dir.path().join("config"), "a file where the folder should be").unwrap();
    let ran = stage.ran(&["login", "--no-browser"]);
    assert_eq!((ran.code, ran.stderr.contains("[DIR]/config/tokens.json")), (2, true), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Open this address") && stage.pinterest.grants().is_empty(), "{}", ran.stderr);
}

#[test]
fn a_login_needs_an_app_and_remembers_it() {
    let stage = Stage::logged_in();
    let without = |name: &str, args: &[&str]| {
        let mut command = pinpress();
        command.envs(stage.environment()).env_remove(name).args(args).current_dir(stage.dir.path());
        output_of(&mut command, stage.dir.path())
    };
    let half = without("PINPRESS_APP_SECRET", &["login", "--no-browser"]);
    assert_eq!(half.code, 2);
    insta::assert_snapshot!(half.stderr, @"error: PINPRESS_APP_ID is set and PINPRESS_APP_SECRET is not: set both or none");
    assert!(without("PINPRESS_APP_ID", &["doctor"]).stdout.contains("PINPRESS_APP_ID is not: set both or none"));
    let mut command = pinpress();
    command.current_dir(stage.dir.path()).args(["login", "--no-browser"]);
    let none = output_of(&mut command, stage.dir.path());
    assert_eq!(none.code, 2);
    insta::assert_snapshot!(none.stderr);
    // Whoever is logged in is refreshed without the variables.
    stage.let_the_token_end();
    let mut command = pinpress();
    command.envs(stage.environment()).env_remove("PINPRESS_APP_ID").env_remove("PINPRESS_APP_SECRET");
    let boards = output_of(command.arg("boards").current_dir(stage.dir.path()), stage.dir.path());
    assert_eq!((boards.code, stage.refreshes()), (0, 1), "{}", boards.stderr);
}

#[test]
fn whoami_tells_people_and_programs() {
    let stage = Stage::logged_in();
    let human = stage.ran(&["whoami"]);
    assert_eq!((human.code, human.stderr.as_str()), (0, ""));
    insta::with_settings!({filters => [(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[TIME]")]}, {
        insta::assert_snapshot!(human.stdout);
    });
    let json: Value = serde_json::from_str(&stage.ran(&["whoami", "--json"]).stdout).unwrap();
    assert_eq!(json["schema"], "pinpress.whoami/1");
    assert_eq!(
        (&json["account"]["username"], &json["account"]["account_type"]),
        (&"rehearsal".into(), &"BUSINESS".into())
    );
    assert_eq!(json["token"]["scopes"].as_array().unwrap().len(), 5);
    assert!(json["token"]["expires_at"].as_str().unwrap().ends_with('Z'), "{json:#}");

    let mut command = pinpress();
    command.envs(stage.environment()).env("PINPRESS_ACCESS_TOKEN", stage.pinterest.token());
    let fixed = output_of(command.args(["whoami", "--json"]).current_dir(stage.dir.path()), stage.dir.path());
    let json: Value = serde_json::from_str(&fixed.stdout).unwrap();
    assert_eq!(
        (&json["token"]["kept_in"], &json["token"]["expires_at"]),
        (&"PINPRESS_ACCESS_TOKEN".into(), &Value::Null)
    );
    command.env("PINPRESS_ACCESS_TOKEN", "pina_PLANT");
    let wrong = output_of(&mut command, stage.dir.path());
    assert_eq!((wrong.code, stage.refreshes()), (2, 0), "the environment wins, for better or worse");
    assert!(wrong.stderr.contains("pinpress login") && !wrong.stderr.contains("PLANT"), "{}", wrong.stderr);
}

#[test]
fn boards_have_sections() {
    let stage = Stage::logged_in();
    let ids = |name: &str| stage.pinterest.board_id(name).unwrap();
    let plain = stage.ran(&["boards"]).stdout;
    assert_eq!(
        plain,
        format!(
            "{}  Summer recipes  public, 0 Pins\n{}  Winter  public, 0 Pins\n",
            ids("Summer recipes"),
            ids("Winter")
        )
    );
    let json = |args: &[&str]| serde_json::from_str::<Value>(&stage.ran(args).stdout).unwrap()["boards"].clone();
    assert!(json(&["boards", "--json"])[0].get("sections").is_none(), "nobody asked");
    let boards = json(&["boards", "--json", "--sections"]);
    assert_eq!(boards[0]["sections"][1]["name"], "Salads");
    assert_eq!(boards[1]["sections"], serde_json::json!([]));
    let human = stage.ran(&["boards", "--sections"]).stdout;
    assert!(human.contains(&format!("\n  {}  Soups\n", boards[0]["sections"][0]["id"].as_str().unwrap())), "{human}");
}

#[test]
fn processes_at_the_same_time_refresh_once() {
    let stage = Stage::logged_in();
    stage.let_the_token_end();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
            command.env_remove("PINPRESS_ACCESS_TOKEN").envs(stage.environment()).arg("boards");
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(stage.refreshes(), 1);
}

#[test]
fn a_file_that_others_can_read_is_closed_and_that_is_said() {
    let stage = Stage::logged_in();
    let open = || std::fs::set_permissions(stage.tokens(), std::fs::Permissions::from_mode(0o644)).unwrap();
    open();
    let boards = stage.ran(&["boards"]);
    assert_eq!((boards.code, mode(&stage.tokens())), (0, 0o600));
    insta::assert_snapshot!(boards.stderr, @"note: others could read the token file (mode 644); it is closed now: if this machine has other users, log in again: [DIR]/config/tokens.json");
    assert_eq!(stage.ran(&["boards"]).stderr, "");
    let token = |stage: &Stage| {
        let doctor = stage.ran(&["doctor"]).stdout;
        doctor.lines().find(|line| line.contains("  token  ")).unwrap().to_owned()
    };
    assert!(token(&stage).starts_with("ok") && token(&stage).contains("good for 29 days"), "{}", token(&stage));
    open();
    let doctor = token(&stage);
    assert!(
        doctor.starts_with("problem") && doctor.contains("others could read the token file (mode 644)"),
        "{doctor}"
    );
    std::fs::write(stage.tokens(), "PLANT").unwrap();
    let doctor = token(&stage);
    assert!(doctor.starts_with("problem") && doctor.contains("log in again") && !doctor.contains("PLANT"), "{doctor}");
}

#[test]
fn logout_forgets_and_says_what_it_cannot_do() {
    let stage = Stage::logged_in();
    let out = stage.ran(&["logout"]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "forgotten: [DIR]/config/tokens.json\n"));
    assert!(out.stderr.contains("Pinterest cannot be told to end the access token"), "{}", out.stderr);
    assert!(!stage.tokens().exists());
    let again = stage.ran(&["logout"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "there is no login for http://[PINTEREST]/v5\n"));
    assert_eq!(stage.ran(&["boards"]).code, 2);
}

#[test]
fn a_login_whose_time_has_come_says_what_to_do() {
    let stage = Stage::logged_in();
    let mut file: Value = serde_json::from_slice(&std::fs::read(stage.tokens()).unwrap()).unwrap();
    let login = &mut file["logins"][stage.pinterest.api_base()];
    login["expires_at"] = Value::from("2026-01-23T00:00:00Z");
    login["refresh_expires_at"] = Value::from("2026-02-23T00:00:00Z");
    std::fs::write(stage.tokens(), file.to_string()).unwrap();
    let boards = stage.ran(&["boards"]);
    assert_eq!(boards.code, 2);
    insta::assert_snapshot!(boards.stderr, @"error: the login ended at 2026-02-23T00:00:00Z: log in again with `pinpress login`");
    assert_eq!(stage.refreshes(), 0, "nobody is asked in vain");
}

#[test]
fn nothing_shows_a_secret_of_the_login() {
    let stage = Stage::logged_in();
    let first = std::fs::read_to_string(stage.tokens()).unwrap();
    stage.let_the_token_end();
    let mut shown = String::new();
    for args in [&["boards", "-vv"] as &[&str], &["whoami", "-vv"], &["doctor", "-vv"], &["logout", "-vv"]] {
        let mut command = pinpress();
        command.args(args).envs(stage.environment()).env("PINPRESS_LOG", "trace").current_dir(stage.dir.path());
        let ran = output_of(&mut command, stage.dir.path());
        shown.push_str(&ran.stdout);
        shown.push_str(&ran.stderr);
    }
    assert!(shown.contains("TRACE") && shown.contains("was refreshed"), "{shown}");
    assert_eq!(stage.refreshes(), 1);
    for secret in [SECRET, "pina_rehearsal0", "pinr_rehearsal0"] {
        assert!(first.contains(secret), "{secret} is kept");
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}
