//! Files that are decoded from end to end: whole ones, and ones that were broken at a known place.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stderr, reason = "a test that has nothing to run on says so")]
#![expect(clippy::cast_possible_truncation, reason = "seconds of ffprobe's decimals, in whole microseconds")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use pinpress_av::{Cancel, DecodeProof, StreamKind, decode_all, decode_seam};
use support::{ffmpeg, folder, good_clips, text};

/// Four seconds; the groups of pictures last one, so that damage ends within it.
const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=4"];
const SOUND: [&str; 4] = ["-f", "lavfi", "-i", "sine=d=4:r=48000"];

fn decoded(path: &Path, threads: usize) -> DecodeProof {
    decode_all(path, threads, &Cancel::new(), &mut |_| {}).unwrap()
}

fn clip(folder: &Path, name: &str, codec: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let coding = ["-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k"];
    ffmpeg(&[&PICTURE[..], &SOUND, codec, &coding, &[text(&path)]].concat());
    path
}

/// A packet by ffprobe.
#[derive(Debug, Clone, Copy)]
struct Packet {
    time_us: i64,
    at: usize,
    size: usize,
    key: bool,
}

/// The packets of a stream in file order, with their times in whole microseconds.
fn packets(path: &Path, stream: &str) -> Vec<Packet> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,pos,size,flags"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let micros = |text: &str| (text.parse::<f64>().unwrap() * 1e6).round() as i64;
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| {
            // Side data follows in cells and lines of its own.
            let mut cells = line.split(',');
            let (time, size, at, flags) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
            Some(Packet {
                time_us: micros(time),
                at: at.parse().unwrap(),
                size: size.parse().unwrap(),
                key: flags.starts_with('K'),
            })
        })
        .collect()
}

/// Overwrites a packet behind its length or start code with noise of one seed.
fn spoil(path: &Path, packet: Packet) {
    let mut bytes = std::fs::read(path).unwrap();
    let mut noise = 0x2545_F491_u32;
    for byte in &mut bytes[packet.at + 4..packet.at + packet.size] {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        *byte = noise.to_be_bytes()[0];
    }
    std::fs::write(path, bytes).unwrap();
}

/// The faults of each stream, and the time of the first.
fn faults(proof: &DecodeProof) -> Vec<(u64, Option<i64>)> {
    proof.streams.iter().map(|stream| (stream.faults, stream.first_fault_us)).collect()
}

/// What the outside judge prints at level error, without what it says of the timestamps that it gave out itself.
fn judged(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-v", "repeat+error", "-nostdin", "-i", text(path)])
        .args(["-map", "0:V", "-map", "0:a?", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().filter(|line| !line.starts_with("[null @")).collect::<Vec<_>>().join("\n")
}

/// Pictures that ffprobe gets by decoding.
fn pictures(path: &Path) -> u64 {
    let count = ["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"];
    support::ffprobe(path, &count)[0].parse().unwrap()
}

#[test]
fn a_spoiled_picture_is_named_by_its_own_time_at_any_number_of_threads() {
    let folder = folder();
    let x264 = ["-c:v", "libx264", "-preset", "veryfast"];
    let x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"];
    let mpeg4 = ["-c:v", "mpeg4", "-q:v", "4"];
    for (name, codec) in [("a.mp4", &x264[..]), ("b.mkv", &x264), ("c.mp4", &x265), ("d.mp4", &mpeg4)] {
        let source = clip(folder.path(), name, codec);
        let whole = decoded(&source, 2);
        assert_eq!((whole.faults(), whole.video().unwrap().decoded), (0, 100), "{name}");
        let all = packets(&source, "v:0");
        for number in [0, 37, 99] {
            let spoiled = folder.path().join(format!("spoiled-{name}"));
            std::fs::copy(&source, &spoiled).unwrap();
            spoil(&spoiled, all[number]);
            // ffmpeg passes over what it does not know in silence; then a picture is missing.
            assert!(
                !judged(&spoiled).is_empty() || pictures(&spoiled) < 100,
                "the judge sees nothing: {name}, packet {number}"
            );
            for threads in [1, 2, 5] {
                let proof = decoded(&spoiled, threads);
                let video = proof.video().unwrap();
                assert!(video.faults >= 1, "{name}, packet {number}, {threads} threads");
                assert_eq!(
                    video.first_fault_us.map(|time| time / 1000),
                    Some(all[number].time_us / 1000),
                    "{name}, packet {number}, {threads} threads"
                );
                assert_eq!(proof.audio().unwrap().faults, 0, "{name}");
            }
        }
    }
}

#[test]
fn a_seam_is_decoded_from_the_sync_sample_before_it_to_a_little_behind_it() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &["-c:v", "libx264", "-preset", "veryfast"]);
    let all = packets(&source, "v:0");
    // Groups begin with packets 0, 25, 50 and 75; a seam at 60 is decoded from 50 on.
    let seam = |path: &Path| decode_seam(path, 0, 60, 2, &Cancel::new(), &mut |_| {}).unwrap();
    let whole = seam(&source);
    assert_eq!((whole.faults(), whole.video().unwrap().decoded), (0, 10 + 17));
    assert_eq!(whole.start_us.map(|time| time / 1000), Some(all[50].time_us / 1000));
    for (number, is_found) in [(49, false), (50, true), (59, true), (60, true), (76, true), (77, false)] {
        let spoiled = folder.path().join("spoiled.mp4");
        std::fs::copy(&source, &spoiled).unwrap();
        spoil(&spoiled, all[number]);
        assert_eq!(seam(&spoiled).faults() > 0, is_found, "packet {number}");
    }
}

#[test]
fn spoiled_sound_is_told_of_its_own_stream() {
    let folder = folder();
    let source = folder.path().join("two.mp4");
    let second = ["-f", "lavfi", "-i", "sine=f=300:d=4:r=44100"];
    let coding = ["-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    ffmpeg(&[&PICTURE[..], &SOUND, &second, &coding, &[text(&source)]].concat());
    let all = packets(&source, "a:1");
    spoil(&source, all[60]);
    assert!(judged(&source).contains("[aac @"), "the judge sees nothing");
    let proof = decoded(&source, 2);
    let [(0, None), (0, None), (count, Some(first))] = faults(&proof)[..] else { panic!("{proof:?}") };
    assert!(count >= 1);
    assert_eq!((first / 1000, proof.streams[2].kind), (all[60].time_us / 1000, StreamKind::Audio));
}

#[test]
fn what_the_index_promises_and_the_file_has_not_is_counted_for_each_stream() {
    let folder = folder();
    let source = clip(folder.path(), "whole.mp4", &["-c:v", "libx264", "-movflags", "+faststart"]);
    let (video, audio) = (packets(&source, "v:0"), packets(&source, "a:0"));
    let cut = video[60].at + video[60].size / 2;
    let bytes = std::fs::read(&source).unwrap();
    let short = folder.path().join("short.mp4");
    std::fs::write(&short, &bytes[..cut]).unwrap();
    let whole = |packets: &[Packet]| packets.iter().filter(|packet| packet.at + packet.size <= cut).count();
    let proof = decoded(&short, 2);
    let lost = |packets: &[Packet]| (packets.len() - whole(packets)) as u64;
    let [(pictures, Some(first)), (sounds, Some(first_sound))] = faults(&proof)[..] else { panic!("{proof:?}") };
    assert_eq!((pictures, sounds), (lost(&video), lost(&audio)));
    assert_eq!(proof.video().unwrap().decoded, whole(&video) as u64);
    // In the order of decoding the cut picture is the first; pictures that are shown before it may be lost with it.
    let earliest = video[60..].iter().map(|packet| packet.time_us).min().unwrap();
    assert!((earliest / 1000..=video[60].time_us / 1000).contains(&(first / 1000)), "{first}");
    let silent = audio.iter().find(|packet| packet.at + packet.size > cut).unwrap();
    assert_eq!(first_sound / 1000, silent.time_us / 1000);
}

#[test]
fn transport_packets_that_are_lost_are_faults_and_a_start_between_two_sync_samples_is_none() {
    let folder = folder();
    let open = ["-c:v", "libx264", "-preset", "veryfast", "-x264-params", "open-gop=1:keyint=25:bframes=3"];
    let source = clip(folder.path(), "a.ts", &open);
    let bytes = std::fs::read(&source).unwrap();
    let packet = |at: usize| at - at % 188;
    let all = packets(&source, "v:0");
    assert_eq!(decoded(&source, 2).faults(), 0);

    // Three packets out of the middle of a picture.
    let (lossy, hit) = (folder.path().join("lossy.ts"), all[60]);
    let gap = packet(hit.at + 188 * 2);
    std::fs::write(&lossy, [&bytes[..gap], &bytes[gap + 188 * 3..]].concat()).unwrap();
    let proof = decoded(&lossy, 2);
    let (count, first) = (proof.faults(), proof.first_fault_us().unwrap());
    assert!(count >= 1 && !judged(&lossy).is_empty(), "{proof:?}");
    let group = |time: i64| (time - all[0].time_us) / 1_000_000;
    assert_eq!(group(first), group(hit.time_us), "in another group of pictures: {first} for {hit:?}");

    // Begun in the middle of the first group, as a recording of a broadcast is.
    let late = folder.path().join("late.ts");
    let tables = &bytes[..188 * 3];
    std::fs::write(&late, [tables, &bytes[packet(all[10].at)..]].concat()).unwrap();
    assert!(!packets(&late, "v:0")[0].key, "it should begin between two sync samples");
    let proof = decoded(&late, 2);
    assert_eq!(proof.video().unwrap().faults, 0, "{proof:?}");
}

#[test]
fn what_holds_nothing_that_decodes_says_so() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &["-c:v", "libx264", "-preset", "veryfast"]);
    for packet in packets(&source, "v:0") {
        spoil(&source, packet);
    }
    let proof = decoded(&source, 2);
    let video = proof.video().unwrap();
    assert_eq!(video.decoded, 0);
    assert!(video.faults >= 1 && video.first_fault_us.unwrap().abs() < 100_000, "{proof:?}");
    assert_eq!(proof.audio().unwrap().faults, 0);
}

#[test]
fn clips_in_which_ffmpeg_finds_no_fault_have_none_and_the_malformed_are_named() {
    let mut clean = 0;
    for path in good_clips() {
        let judged = judged(&path);
        let proof = decoded(&path, 2);
        // Both ways: what the one finds the other finds.
        assert_eq!(proof.faults() == 0, judged.is_empty(), "{}: {judged}: {proof:?}", path.display());
        clean += u32::from(judged.is_empty());
    }
    let Some(folder) = support::media() else { return };
    assert!(clean > 40, "only {clean} clips were judged");
    for entry in std::fs::read_dir(folder.join("malformed")).unwrap() {
        let path = entry.unwrap().path();
        let told = decode_all(&path, 2, &Cancel::new(), &mut |_| {});
        assert!(told.is_err() || told.unwrap().faults() > 0, "{}", path.display());
    }
}
