//! Files that end too soon: before their index does, or before their samples do.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::{Path, PathBuf};
use std::process::Command;

use pinpress_fixtures::{Recipe, make, make_recipe};
use pinpress_probe::{Anomaly, DeepReader, MediaInfo, ProbeError, Rational, Seconds, Source, Spec, check};
use serde_json::Value;

#[path = "sample_table/edit.rs"]
mod edit;
use edit::{edited, find, insert, size_of};

struct Nobody;

impl DeepReader for Nobody {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        Err(ProbeError::NotAVideo { reason: "nobody looked".to_owned(), path: path.to_owned() })
    }
}

fn read_bytes(bytes: &[u8]) -> Result<MediaInfo, ProbeError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mp4");
    std::fs::write(&path, bytes).expect("it writes");
    pinpress_probe::read(&Source::open(&path).expect("it opens"), &Nobody)
}

fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len() + 8).expect("it fits").to_be_bytes()[..], kind, payload].concat()
}

/// `moov` first and `moov` last, with picture and sound of these lengths.
fn made(name: &str, picture: u32, sound: u32, flags: &str) -> PathBuf {
    let args = format!(
        "-f lavfi -i testsrc2=size=270x480:rate=25:duration={picture} \
         -f lavfi -i sine=frequency=440:sample_rate=48000:duration={sound} \
         -pix_fmt yuv420p -c:v libx264 -preset veryfast -c:a aac {flags}"
    );
    let recipe = Recipe {
        name: name.to_owned(),
        args: args.split_whitespace().map(str::to_owned).collect(),
        ..Recipe::default()
    };
    make_recipe(&recipe).expect("ffmpeg makes it")
}

#[test]
fn without_an_index_it_is_incomplete() {
    let ftyp = boxed(b"ftyp", b"isom\0\0\x02\0isom");
    let samples = [7; 1000];
    let endless = [&[0, 0, 0, 0][..], b"mdat", &samples].concat();
    let announced = [&[0, 0x10, 0, 0][..], b"mdat", &samples].concat();
    let moov_last = std::fs::read(made("moov-last.mp4", 4, 4, "")).expect("it reads");
    let moov_first = std::fs::read(made("moov-first.mp4", 4, 4, "-movflags +faststart")).expect("it reads");
    let index = find(&moov_last, b"moov", 0);
    for (what, bytes) in [
        ("ftyp alone", ftyp.clone()),
        ("half of ftyp", ftyp[..14].to_vec()),
        ("ftyp and free", [ftyp.clone(), boxed(b"free", &[0; 100])].concat()),
        ("mdat of size zero", [ftyp.clone(), endless].concat()),
        ("mdat that is announced longer", [ftyp.clone(), announced].concat()),
        ("mdat that is whole", [ftyp.clone(), boxed(b"free", b""), boxed(b"mdat", &samples)].concat()),
        ("half a header behind mdat", [ftyp.clone(), boxed(b"mdat", &samples), vec![0, 0, 1]].concat()),
        ("QuickTime without ftyp", [boxed(b"wide", b""), boxed(b"mdat", &samples)].concat()),
        ("moov last, cut in mdat", moov_last[..moov_last.len() / 2].to_vec()),
        ("moov last, cut before moov", moov_last[..index].to_vec()),
        ("moov last, cut in its header", moov_last[..index + 5].to_vec()),
        ("moov last, cut in moov", moov_last[..moov_last.len() - 1].to_vec()),
        ("moov first, cut in moov", moov_first[..find(&moov_first, b"stbl", 0)].to_vec()),
    ] {
        let read = read_bytes(&bytes);
        assert!(matches!(read, Err(ProbeError::Incomplete { .. })), "{what}: {read:?}");
    }
}

#[test]
fn what_never_was_a_video_is_not_incomplete() {
    let still = [boxed(b"ftyp", b"avif\0\0\0\0avifmif1"), boxed(b"meta", &[0; 40]), boxed(b"mdat", &[7; 100])].concat();
    for (what, bytes) in [("a still", still), ("zeros", vec![0; 4096]), ("text", b"free beer for all".to_vec())] {
        let read = read_bytes(&bytes);
        assert!(matches!(read, Err(ProbeError::NotAVideo { .. })), "{what}: {read:?}");
    }
}

/// By the places of the packets of the whole file: when the first one that a file of `len` bytes does not hold whole
/// is decoded, the earliest of all streams.
fn whole_by_ffprobe(path: &Path, len: u64) -> Option<Rational> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries", "packet=stream_index,dts_time,pos,size"])
        .arg(path)
        .output()
        .expect("ffprobe starts");
    let packets: Value = serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON");
    let number = |packet: &Value, key: &str| packet[key].as_str().and_then(|text| text.parse::<u64>().ok());
    let lost = packets["packets"].as_array().expect("packets").iter().filter(|packet| {
        number(packet, "pos").zip(number(packet, "size")).is_some_and(|(place, size)| place + size > len)
    });
    lost.filter_map(|packet| packet["dts_time"].as_str()?.parse().ok()).min()
}

fn whole(bytes: &[u8]) -> Option<Seconds> {
    let info = read_bytes(bytes).expect("its index is there");
    let report = check(&info, &Spec::load("pinterest").expect("it is ours"));
    let whole = info.anomalies.iter().find_map(|anomaly| match anomaly {
        Anomaly::Truncated { whole } => Some(whole.expect("how far it is whole")),
        _ => None,
    })?;
    let told = format!("cut off, whole up to {whole}");
    assert!(report.errors().any(|finding| finding.measured == told), "{report:?}");
    Some(whole)
}

/// Pictures are decoded before they are shown, and a packet of sound lasts 21 ms.
const WITHIN_MILLIS: i64 = 130;

#[test]
fn a_cut_names_the_seconds_that_are_whole() {
    let flags = "-movflags +faststart";
    for (name, path) in [
        ("both", made("both.mp4", 4, 4, flags)),
        ("longer picture", made("longer-picture.mp4", 6, 2, flags)),
        ("longer sound", made("longer-sound.mp4", 4, 8, flags)),
        ("no edit list", made("no-edit-list.mp4", 4, 4, "-movflags +faststart -use_editlist 0")),
        ("trimmed", {
            let from = made("to-trim.mp4", 8, 8, "");
            let recipe = Recipe {
                name: "trimmed.mp4".to_owned(),
                args: ["-ss", "3.1", "-i", &from.to_string_lossy(), "-c", "copy", "-movflags", "+faststart"]
                    .map(str::to_owned)
                    .to_vec(),
                ..Recipe::default()
            };
            make_recipe(&recipe).expect("ffmpeg trims it")
        }),
    ] {
        let original = std::fs::read(&path).expect("it reads");
        let index = find(&original, b"mdat", 0) + 8;
        for tenths in [1, 4, 7, 9] {
            let len = index + (original.len() - index) * tenths / 10;
            let theirs = whole_by_ffprobe(&path, len as u64).expect("something is lost");
            let ours = whole(&original[..len]).expect("it is told to be cut off");
            let off = (ours.millis() - Seconds(theirs).millis().max(0)).abs();
            assert!(off <= WITHIN_MILLIS, "{name} at {tenths} tenths: ours {ours}, ffprobe {theirs}");
        }
        assert_eq!(whole(&original), None, "{name}");
        assert!(whole(&original[..original.len() - 1]).is_some(), "{name}: one byte is missing");
    }
}

/// `stco` made `co64`, in a file with `moov` first: its chunks move by what the tables grow.
fn with_long_offsets(bytes: &mut Vec<u8>) {
    let moov = find(bytes, b"moov", 0);
    let mut tables = Vec::new();
    let mut from = moov;
    while from < moov + size_of(bytes, moov) && bytes[from..].windows(4).any(|window| window == b"stco") {
        let at = find(bytes, b"stco", from);
        tables.push(at);
        from = at + 8;
    }
    let count = |bytes: &[u8], at: usize| size_of(bytes, at + 12);
    let growth = tables.iter().map(|at| count(bytes, *at) * 4).sum::<usize>();
    for at in tables.into_iter().rev() {
        let chunks = count(bytes, at);
        let offsets: Vec<u8> = bytes[at + 16..at + 16 + chunks * 4]
            .chunks_exact(4)
            .flat_map(|offset| {
                let offset = u32::from_be_bytes(offset.try_into().expect("four bytes"));
                (u64::from(offset) + growth as u64).to_be_bytes()
            })
            .collect();
        bytes[at + 4..at + 8].copy_from_slice(b"co64");
        bytes[at + 16..at + 16 + chunks * 4].copy_from_slice(&offsets[..chunks * 4]);
        // The boxes of the track that holds the table: the last ones that begin before it.
        let mut track = moov;
        while let Some(next) = bytes[track + 8..at].windows(4).position(|window| window == b"trak") {
            track = track + 8 + next - 4;
        }
        let parents = [b"co64", b"stbl", b"minf", b"mdia", b"trak"];
        insert(bytes, at + 16 + chunks * 4, &offsets[chunks * 4..], track, &parents);
        let size = u32::try_from(size_of(bytes, moov) + chunks * 4).expect("it fits");
        bytes[moov..moov + 4].copy_from_slice(&size.to_be_bytes());
    }
}

#[test]
fn long_chunk_offsets_are_followed() {
    let original = made("both.mp4", 4, 4, "-movflags +faststart");
    let (_folder, path) = edited(&original, "long.mp4", with_long_offsets);
    let long = std::fs::read(&path).expect("it reads");
    assert_eq!(whole(&long), None, "whole");
    let len = long.len() * 2 / 3;
    let theirs = whole_by_ffprobe(&path, len as u64).expect("something is lost");
    let ours = whole(&long[..len]).expect("it is told to be cut off");
    assert!((ours.millis() - Seconds(theirs).millis()).abs() <= WITHIN_MILLIS, "ours {ours}, ffprobe {theirs}");
}

#[test]
fn a_cut_recipe_fails_by_integrity() {
    let original = std::fs::read(make("just-long-enough.mp4").expect("it is made")).expect("it reads");
    let info = read_bytes(&original[..original.len() * 3 / 4]).expect("its index is there");
    let report = check(&info, &Spec::load("pinterest").expect("it is ours"));
    let rules: Vec<_> = report.errors().map(|finding| finding.rule.name()).collect();
    assert_eq!(rules, ["integrity"]);
}
