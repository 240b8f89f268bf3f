//! What the boxes say is kept when another reader decides.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::Path;

use pinpress_fixtures::make;
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{Anomaly, CodedSize, DeepReader, MediaInfo, ProbeError, Reader, Seconds, Source};

#[path = "sample_table/edit.rs"]
mod edit;
use edit::{edited, find, insert};

/// Answers the same facts whatever it is asked.
struct Told(MediaInfo);

impl DeepReader for Told {
    fn read(&self, _: &Path) -> Result<MediaInfo, ProbeError> {
        Ok(self.0.clone())
    }
}

/// Facts as libav tells them of a picture of this size.
fn libav(width: u32, height: u32) -> Told {
    let source = Source::open(&make("just-long-enough.mp4").expect("it is made")).expect("it opens");
    let decided = match sample_table::read(&source).expect("it reads") {
        Decision::Facts(info) => Some(*info),
        Decision::Undecided { .. } => None,
    };
    let mut info = MediaInfo { reader: Reader::Libav, ..decided.expect("it is decided") };
    info.video[0].coded = CodedSize { width, height };
    Told(info)
}

/// A clean aperture of 200 by 400, put behind the first box of the picture's sample entry.
fn with_aperture(bytes: &mut Vec<u8>) {
    let moov = find(bytes, b"moov", 0);
    let config = find(bytes, b"avcC", moov);
    let fields = [200_u32, 1, 400, 1, 0, 1, 0, 1];
    let aperture: Vec<u8> =
        [40, u32::from_be_bytes(*b"clap")].into_iter().chain(fields).flat_map(u32::to_be_bytes).collect();
    insert(bytes, config, &aperture, moov, &[b"avc1", b"stsd", b"stbl", b"minf", b"mdia", b"trak", b"moov"]);
}

fn moov_last(name: &str) -> std::path::PathBuf {
    let recipe = pinpress_fixtures::Recipe {
        name: format!("moov-last-{name}"),
        from: Some(name.to_owned()),
        args: ["-i", "{from}", "-c", "copy"].map(str::to_owned).to_vec(),
        ..pinpress_fixtures::Recipe::default()
    };
    pinpress_fixtures::make_recipe(&recipe).expect("it is copied")
}

#[test]
fn a_clean_aperture_outlives_the_other_reader() {
    let clean = Some(CodedSize { width: 200, height: 400 });
    let (_folder, path) = edited(&moov_last("interlaced.mp4"), "aperture.mp4", with_aperture);
    let source = Source::open(&path).expect("it opens");
    let read = |deep: &Told| pinpress_probe::read(&source, deep).expect("it reads").video[0].clean_aperture;
    assert_eq!(read(&libav(272, 480)), clean);
    assert_eq!(read(&libav(270, 480)), None, "of another size, it is another stream");
}

#[test]
fn a_clean_aperture_of_a_fragmented_file_is_kept() {
    let clean = Some(CodedSize { width: 200, height: 400 });
    let (_folder, path) = edited(&make("fragmented.mp4").expect("it is made"), "fragmented.mp4", with_aperture);
    let info = pinpress_probe::read(&Source::open(&path).expect("it opens"), &libav(270, 480)).expect("it reads");
    assert_eq!(info.video[0].clean_aperture, clean);
}

#[test]
fn what_is_whole_is_known_before_the_codec_is() {
    let original = make("interlaced.mp4").expect("it is made");
    let (_folder, path) = edited(&original, "cut.mp4", |bytes| bytes.truncate(bytes.len() / 2));
    let info = pinpress_probe::read(&Source::open(&path).expect("it opens"), &libav(272, 480)).expect("it reads");
    let whole = match info.anomalies[..] {
        [Anomaly::Truncated { whole }] => whole,
        _ => None,
    };
    let whole = whole.expect("it is cut off");
    assert!(whole > Seconds::ZERO && whole < Seconds::from_millis(4_000), "{whole}");
    // A reader that has found it out by itself is believed.
    let mut told = libav(272, 480);
    told.0.anomalies = vec![Anomaly::Truncated { whole: None }];
    let info = pinpress_probe::read(&Source::open(&path).expect("it opens"), &told).expect("it reads");
    assert_eq!(info.anomalies, told.0.anomalies);
}
