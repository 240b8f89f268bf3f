//! A login in the keyring of the desktop: a real Secret Service on a bus of its own. Needs GNOME's keyring
//! (`cargo xtask setup --tests` installs it); where it is not there, the test skips and says so.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

/// Unlocks a new keyring, then runs the commands, of which the first waits for an answer in a pipe.
const SCRIPT: &str = r#"
printf password | gnome-keyring-daemon --unlock --components=secrets > /dev/null 2>&1
for ARGS in "login --no-browser" "whoami" "boards" "logout" "whoami"; do
    echo "$ $ARGS"
    if [ "$ARGS" = "login --no-browser" ]; then "$0" $ARGS < answer; else "$0" $ARGS; fi
    echo "= $?"
done
"#;

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Where the browser is sent after the consent.
fn consent(address: &str) -> String {
    let (host, target) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{target}&auto HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("location:"));
    line.unwrap()["location:".len()..].trim().to_owned()
}

fn session(home: &Path, pinterest: &Rehearsal) -> Command {
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", SCRIPT, env!("CARGO_BIN_EXE_pinpress")]).current_dir(home).env_clear();
    for (name, value) in [("PATH", std::env::var("PATH").unwrap()), ("HOME", home.display().to_string())] {
        command.env(name, value);
    }
    command.env("PINPRESS_API", pinterest.api_base());
    command.envs([("PINPRESS_APP_ID", "rehearsal"), ("PINPRESS_APP_SECRET", "rehearsal-secret")]);
    command
}

#[test]
fn the_keyring_keeps_the_login_and_the_disk_does_not() {
    if !has("dbus-run-session") || !has("gnome-keyring-daemon") {
        println!("skipped: no dbus-run-session or no gnome-keyring-daemon");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir(&home).unwrap();
    assert!(Command::new("mkfifo").arg(home.join("answer")).status().unwrap().success());
    let mut command = session(&home, &pinterest);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opened first: the program begins once there is somebody who could answer.
    let mut answer = std::fs::File::options().write(true).open(home.join("answer")).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.trim().starts_with("http://") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended without an address");
    }
    writeln!(answer, "{}", consent(line.trim())).unwrap();
    drop(answer);
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    child.wait().unwrap();
    let codes: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("= ")).collect();
    assert_eq!(codes, ["0", "0", "0", "0", "2"], "{told}");
    let place = format!("the system keyring, entry pinpress {}", pinterest.api_base());
    assert!(told.contains(&format!("logged in: kept in {place}\n")), "{told}");
    assert!(told.contains(&format!("forgotten: {place}\n")), "{told}");
    let folder = home.join(".config/pinpress");
    let names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["tokens.json.lock"]);
}
