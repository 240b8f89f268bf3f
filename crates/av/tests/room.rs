//! Room for the index before the samples: enough of it, and too little.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

mod support;

use std::path::Path;

use pinpress_av::{AudioTrack, Cancel, Facts, Job, StreamKind, VideoTrack, run};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, good_clips, text};

/// Copies H.264 or HEVC, and AAC; `None` for other pictures.
fn job(input: &Path, output: &Path, moov_room: Option<u32>) -> Option<Job> {
    let facts = Facts::read(input, &Cancel::new()).unwrap();
    let stream = |kind, codecs: &[&str]| {
        let known = |codec: &String| codecs.contains(&codec.as_str());
        let stream = facts.streams.iter().find(|s| s.kind == kind && !s.attached_picture)?;
        known(&stream.codec).then_some(stream.index as usize)
    };
    Some(Job {
        input: input.to_owned(),
        output: output.to_owned(),
        video: VideoTrack::Copy { stream: stream(StreamKind::Video, &["h264", "hevc"])? },
        audio: stream(StreamKind::Audio, &["aac"]).map(|stream| AudioTrack::Copy { stream }),
        part: None,
        retime: None,
        repeat: 1,
        period_us: None,
        end_us: None,
        metadata: Vec::new(),
        language: None,
        all_metadata: false,
        salvage: None,
        moov_room,
        threads: 1,
    })
}

/// The boxes of the top level, and how long each is.
fn boxes(path: &Path) -> Vec<(String, usize)> {
    let bytes = std::fs::read(path).unwrap();
    let (mut at, mut found) = (0, Vec::new());
    while at + 8 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        found.push((String::from_utf8(bytes[at + 4..at + 8].to_vec()).unwrap(), size));
        assert!(size >= 8 && at + size <= bytes.len(), "{found:?}");
        at += size;
    }
    assert_eq!(at, bytes.len());
    found
}

fn kinds(path: &Path) -> Vec<String> {
    boxes(path).into_iter().map(|(kind, _)| kind).collect()
}

/// A hash of each decoded picture and sound, and its time.
fn frames(path: &Path) -> Vec<u8> {
    ffmpeg_bytes(&["-i", text(path), "-f", "framemd5", "-"])
}

#[test]
fn an_index_in_its_room_is_first_and_one_that_does_not_fit_is_too() {
    let folder = folder();
    let source = folder.path().join("a.mkv");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=4:r=30",
        "-f",
        "lavfi",
        "-i",
        "sine=d=4:r=48000",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        text(&source),
    ]);
    let at = |name: &str| folder.path().join(name);
    let written = |name: &str, room| {
        let output = at(name);
        let done = run(&job(&source, &output, room).unwrap(), &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(done.video_packets, 120, "{name}");
        assert_eq!(done.video_digest.unwrap().packets, 120, "{name}");
        output
    };
    let moved = written("moved.mp4", None);
    assert_eq!(kinds(&moved), ["ftyp", "moov", "free", "mdat"]);
    let moov = boxes(&moved)[1].1;

    let roomy = written("roomy.mp4", Some(20_000));
    assert_eq!(kinds(&roomy), ["ftyp", "moov", "free", "free", "mdat"]);
    assert_eq!(boxes(&roomy)[1].1 + boxes(&roomy)[2].1, 20_000);
    // From one that is far too small to the last size at which no `free` box of 8 bytes fits behind it.
    for room in [1, 8, 500, moov - 1, moov, moov + 7] {
        let tight = written("tight.mp4", Some(u32::try_from(room).unwrap()));
        assert_eq!(std::fs::read(&tight).unwrap(), std::fs::read(&moved).unwrap(), "{room} bytes");
    }
    let exact = written("exact.mp4", Some(u32::try_from(moov + 8).unwrap()));
    for output in [&roomy, &exact] {
        assert_eq!(frames(output), frames(&moved));
        assert_eq!(
            ffprobe(output, &["-show_entries", "format=duration"]),
            ffprobe(&moved, &["-show_entries", "format=duration"])
        );
    }
}

/// What `transcode` sets aside for a sample, with its fixed part, is enough for real clips.
#[test]
fn twenty_four_bytes_a_sample_are_enough() {
    for source in good_clips() {
        let folder = folder();
        let output = folder.path().join("out.mp4");
        let Some(mut job) = job(&source, &output, None) else { continue };
        let done = run(&job, &Cancel::new(), &mut |_| {}).unwrap();
        let moov = boxes(&output).iter().find(|(kind, _)| kind == "moov").unwrap().1;
        let samples = usize::try_from(done.video_packets + done.audio_packets).unwrap();
        assert!(moov < 24 * samples + 4_096, "{moov} bytes for {samples}: {}", source.display());
        job.moov_room = Some(u32::try_from(24 * samples + 4_096).unwrap());
        run(&job, &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(kinds(&output)[..4], ["ftyp", "moov", "free", "free"], "{}", source.display());
    }
}
