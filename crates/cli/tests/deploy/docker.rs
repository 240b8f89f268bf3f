//! The Dockerfile, by hadolint. Nobody builds it here: there is no engine.

use std::collections::BTreeSet;

use crate::files::{changed, deployed, judge, text, told};

const FILE: &str = "docker/Dockerfile";

#[test]
fn hadolint_finds_nothing() {
    let Some(mut hadolint) = judge("hadolint") else { return };
    let output = hadolint.arg(deployed(FILE)).output().unwrap();
    assert!(output.status.success() && told(&output).is_empty(), "{}", told(&output));
    let dir = tempfile::tempdir().unwrap();
    let worse = changed(dir.path(), FILE, "USER 10001:10001", "USER root");
    let output = judge("hadolint").unwrap().arg(worse).output().unwrap();
    assert!(!output.status.success() && told(&output).contains("DL3002"), "{}", told(&output));
}

/// What the worker is linked to here is what the image has, where this is the system that the image is of.
#[test]
fn the_image_has_the_libraries_of_the_worker() {
    let worker = std::path::Path::new(env!("CARGO_BIN_EXE_pinpress")).with_file_name("pinpress-media");
    let Ok(program) = std::fs::read(&worker) else {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`");
        return;
    };
    let needed: BTreeSet<String> = program
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok()?.strip_prefix("lib")?.split_once(".so."))
        .filter(|(name, _)| name.starts_with("av") || name.starts_with("sw"))
        .map(|(name, version)| format!("lib{name}{version}"))
        .collect();
    if !needed.contains("libavcodec59") {
        println!("skipped: this is not Debian 12, which the image is of: {needed:?}");
        return;
    }
    let file = text(FILE);
    let image = file.rsplit_once("\nFROM ").unwrap().1;
    let missing: Vec<_> =
        needed.iter().filter(|package| !image.split_whitespace().any(|word| word == *package)).collect();
    assert!(missing.is_empty(), "not in the image: {missing:?}");
}
