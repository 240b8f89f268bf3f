//! The service and its timer, by systemd's own tools.

use std::process::Command;

use crate::files::{changed, deployed, text, told};

const SERVICE: &str = "systemd/pinpress.service";
const TIMER: &str = "systemd/pinpress.timer";
const PROGRAM: &str = "/usr/local/bin/pinpress";

/// `systemd-analyze`; `None` where there is none, which it says.
pub(crate) fn analyze(arguments: &[&str]) -> Option<Command> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: no systemd here");
        return None;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(arguments);
    Some(command)
}

#[test]
fn systemd_takes_both_units() {
    let dir = tempfile::tempdir().unwrap();
    // It looks whether the program is there.
    let service = changed(dir.path(), SERVICE, PROGRAM, env!("CARGO_BIN_EXE_pinpress"));
    let timer = changed(dir.path(), TIMER, "02:00", "02:00");
    let Some(mut verify) = analyze(&["verify"]) else { return };
    let output = verify.arg(&service).arg(timer).output().unwrap();
    assert!(output.status.success() && told(&output).is_empty(), "{}", told(&output));
    let with_mistake = std::fs::read_to_string(&service).unwrap().replace("ProtectSystem=", "ProtectSystems=");
    std::fs::write(&service, with_mistake).unwrap();
    let output = analyze(&["verify"]).unwrap().arg(&service).output().unwrap();
    assert!(told(&output).contains("ProtectSystems"), "a mistake is told: {}", told(&output));
}

/// systemd reckons from 0 (locked in) to 10 (unsafe).
#[test]
fn systemd_takes_the_service_for_well_locked_in() {
    let Some(mut security) = analyze(&["security", "--offline=true", "--threshold=20", "--no-pager"]) else { return };
    let output = security.arg(deployed(SERVICE)).output().unwrap();
    let told = told(&output);
    if told.contains("unrecognized option") {
        println!("skipped: this systemd cannot do it offline");
        return;
    }
    assert!(output.status.success() && told.contains("Overall exposure level"), "{told}");
}

#[test]
fn the_service_says_what_a_run_takes() {
    let line = text(SERVICE);
    let line = line.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let dir = tempfile::tempdir().unwrap();
    let help = crate::ground::ran(dir.path(), &[&arguments[..], &["--help"]].concat());
    assert_eq!(help.code, 0, "{}", help.stderr);
    // As far as it can go here: it wants a token, and no option is unknown.
    let told = crate::ground::ran(dir.path(), &arguments);
    assert!(told.code == 2 && told.stderr.contains("no access token"), "{}", told.stderr);
}
