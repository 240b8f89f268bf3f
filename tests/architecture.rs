//! The plan of the house, held: who may import whom, and what the front is linked to.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};
use object::{Object as _, ObjectSymbol as _};

/// Each of our packages, and which of ours it may import (dev-dependencies apart).
const MAY_IMPORT: [(&str, &[&str]); 14] = [
    ("pinpress-probe", &[]),
    ("pinpress-av", &[]),
    // Bytes alone: what is in them is read by who asked for them.
    ("pinpress-store", &[]),
    ("pinpress-media", &["pinpress-probe"]),
    ("pinpress-publish", &["pinpress-media"]),
    ("pinpress-rehearsal", &["pinpress-probe"]),
    // It hears the events of a run and the counts of workers and calls; nothing that does the work knows that it is
    // watched.
    ("pinpress-telemetry", &["pinpress-pipeline", "pinpress-probe", "pinpress-media", "pinpress-publish"]),
    // Finds videos in buckets as it does in folders.
    ("pinpress-pipeline", &["pinpress-probe", "pinpress-media", "pinpress-publish", "pinpress-store"]),
    // Opens the buckets that are named, for the commands that do a part.
    (
        "pinpress",
        &[
            "pinpress-pipeline",
            "pinpress-probe",
            "pinpress-media",
            "pinpress-publish",
            "pinpress-rehearsal",
            "pinpress-telemetry",
            "pinpress-store",
        ],
    ),
    ("pinpress-transcode", &["pinpress-av", "pinpress-media", "pinpress-probe"]),
    ("pinpress-cover", &["pinpress-av", "pinpress-media", "pinpress-probe"]),
    ("pinpress-worker", &["pinpress-transcode", "pinpress-cover", "pinpress-av", "pinpress-media", "pinpress-probe"]),
    ("pinpress-fixtures", &[]),
    ("xtask", &["pinpress-fixtures"]),
];

/// Libraries that live in one room, and the room.
const ONE_ROOM: [(&str, &[&str]); 9] = [
    ("ffmpeg-next", &["pinpress-av"]),
    ("reqwest", &["pinpress-publish"]),
    ("object_store", &["pinpress-store"]),
    ("mp4", &["pinpress-probe"]),
    ("rusqlite", &["pinpress-pipeline"]),
    // The two that serve.
    ("axum", &["pinpress-rehearsal", "pinpress-telemetry"]),
    ("prometheus-client", &["pinpress-telemetry"]),
    ("opentelemetry_sdk", &["pinpress-telemetry"]),
    ("clap", &["pinpress", "pinpress-worker", "xtask"]),
];

fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let normal = |package: &cargo_metadata::Package| {
        let dependencies =
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        dependencies.map(|dependency| dependency.name.clone()).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn rooms_import_what_the_plan_allows() {
    let imports = imports();
    assert_eq!(
        imports.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        MAY_IMPORT.iter().map(|(package, _)| *package).collect(),
        "every package has its line in the plan"
    );
    for (package, allowed) in MAY_IMPORT {
        let ours = imports[package].iter().filter(|name| imports.contains_key(*name)).map(String::as_str);
        let foreign: Vec<_> = ours.filter(|name| !allowed.contains(name)).collect();
        assert!(foreign.is_empty(), "{package} imports {foreign:?}");
    }
}

#[test]
fn some_libraries_live_in_one_room() {
    let imports = imports();
    for (library, rooms) in ONE_ROOM {
        for (package, names) in &imports {
            assert!(!names.contains(library) || rooms.contains(&package.as_str()), "{package} imports {library}");
        }
        assert!(imports.values().any(|names| names.contains(library)), "nobody imports {library} any more");
    }
}

/// A front that is linked to libav takes 50 ms to start, and would meet hostile files in the process that holds the
/// token.
#[test]
fn the_front_is_not_linked_to_libav() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_pinpress")).expect("the binary is built");
    let file = object::File::parse(&*binary).expect("the binary is an object file");
    let is_libav = |name: &str| {
        ["av", "sws", "swr"].iter().any(|prefix| name.starts_with(&format!("{prefix}_")))
            || name.starts_with("avcodec_")
            || name.starts_with("avformat_")
    };
    let imported: Vec<_> = file
        .dynamic_symbols()
        .filter(object::ObjectSymbol::is_undefined)
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect();
    assert!(imported.len() > 10, "no dynamic symbols were read");
    assert!(!imported.iter().any(|name| is_libav(name)), "{imported:?}");
    let needed = needed_libraries(&binary);
    assert!(needed.iter().any(|name| name.starts_with("libc.")), "no needed libraries were read: {needed:?}");
    // libdbus is linked in: where there is no keyring there need not be a library for it either.
    let foreign = ["libav", "libsw", "libx264", "libpostproc", "libdbus", "libssl"];
    assert!(!needed.iter().any(|name| foreign.iter().any(|start| name.starts_with(start))), "{needed:?}");
}

/// `DT_NEEDED` of the dynamic section.
fn needed_libraries(binary: &[u8]) -> Vec<String> {
    use object::elf;
    use object::read::elf::{Dyn as _, ElfFile64, SectionHeader as _};
    let file: ElfFile64<'_> = ElfFile64::parse(binary).expect("a 64-bit ELF file");
    let (endian, table) = (file.endian(), file.elf_section_table());
    let mut names = Vec::new();
    for section in table.iter() {
        let Some((entries, link)) = section.dynamic(endian, binary).expect("a dynamic section that reads") else {
            continue;
        };
        let strings = table.strings(endian, binary, link).expect("its strings");
        for entry in entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED) {
            let name = entry.string(endian, strings).expect("a name");
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    names
}
