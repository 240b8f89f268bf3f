//! What the service forbids is nothing that a run does: its system calls are traced, and looked up in systemd's lists.
//! The worker's own sandbox is among them, which the service must not take away.

use std::collections::BTreeSet;
use std::process::Command;

use crate::files::{raw, text};
use crate::systemd::analyze;

const SERVICE: &str = "systemd/pinpress.service";

fn setting(name: &str) -> Vec<String> {
    let service = text(SERVICE);
    let value = service.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned();
    value.split_whitespace().map(str::to_owned).collect()
}

/// The calls in a list of systemd and in those that it has.
fn calls_of(list: &str, into: &mut BTreeSet<String>) {
    let output = analyze(&["syscall-filter", "--no-pager", list]).unwrap().output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    for name in told.lines().skip(1).map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('#')) {
        if name.starts_with('@') {
            calls_of(name, into);
        } else {
            into.insert(name.to_owned());
        }
    }
}

/// `name(arguments`, of a line that may begin with the number of a process.
fn call(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let (name, arguments) = line.split_once('(')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some((name, arguments))
}

#[test]
fn nothing_that_a_run_does_is_forbidden() {
    if analyze(&[]).is_none() {
        return;
    }
    if !Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is missing or may not trace");
        return;
    }
    let Some(dir) = raw() else { return };
    let trace = dir.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_pinpress"));
    command.args(["run", "raw", "-o", "out", "--no-publish", "--preset", "ultrafast"]);
    let ran = command.current_dir(dir.path()).env("XDG_CONFIG_HOME", "/nowhere").output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "one is no video: {}", String::from_utf8_lossy(&ran.stderr));

    let mut allowed = BTreeSet::new();
    calls_of("@default", &mut allowed);
    for name in setting("SystemCallFilter") {
        if name.starts_with('@') {
            calls_of(&name, &mut allowed);
        } else {
            allowed.insert(name);
        }
    }
    let families = setting("RestrictAddressFamilies");
    let trace = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let mut called = BTreeSet::new();
    for (name, arguments) in trace.lines().filter_map(call) {
        called.insert(name.to_owned());
        match name {
            "socket" => {
                assert!(families.iter().any(|family| arguments.starts_with(family.as_str())), "{name}({arguments}");
            }
            // MemoryDenyWriteExecute.
            "mmap" => assert!(!arguments.contains("PROT_WRITE|PROT_EXEC"), "{name}({arguments}"),
            "mprotect" => assert!(!arguments.contains("PROT_EXEC"), "{name}({arguments}"),
            // RestrictNamespaces.
            "clone" | "clone3" | "unshare" => assert!(!arguments.contains("CLONE_NEW"), "{name}({arguments}"),
            _ => {}
        }
    }
    // strace has once told of call 0x8000, of a process that ended in that moment: no kernel has one of such a number.
    let is_none = |name: &str| {
        let number = name.strip_prefix("syscall_0x").and_then(|number| u32::from_str_radix(number, 16).ok());
        number.is_some_and(|number| number > 0xfff)
    };
    let is_forbidden = |line: &&str| call(line).is_some_and(|(name, _)| !allowed.contains(name) && !is_none(name));
    let forbidden: Vec<_> = trace.lines().filter(is_forbidden).collect();
    assert!(forbidden.is_empty(), "the service forbids\n{}", forbidden.join("\n"));
    assert!(called.len() > 40 && called.contains("seccomp"), "all was traced, the worker too: {called:?}");
}
