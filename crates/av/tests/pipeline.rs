//! Whole jobs, judged by ffprobe and ffmpeg.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

mod support;

use std::path::{Path, PathBuf};

use pinpress_av::{
    AudioEncode, AudioTrack, AvError, Cancel, Colour, Facts, Fraction, Job, Turn, VideoEncode, VideoTrack, decode_all,
    run,
};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, good_clips, mean_difference, mirror, text};

fn copy_job(input: &Path, output: &Path) -> Job {
    let facts = Facts::read(input, &Cancel::new()).unwrap();
    let stream = |kind| facts.streams.iter().find(|s| s.kind == kind && !s.attached_picture).map(|s| s.index as usize);
    Job {
        input: input.to_owned(),
        output: output.to_owned(),
        video: VideoTrack::Copy { stream: stream(pinpress_av::StreamKind::Video).unwrap() },
        audio: stream(pinpress_av::StreamKind::Audio).map(|stream| AudioTrack::Copy { stream }),
        part: None,
        retime: None,
        repeat: 1,
        period_us: None,
        end_us: None,
        metadata: Vec::new(),
        language: None,
        all_metadata: false,
        moov_room: None,
        salvage: None,
        threads: 2,
    }
}

fn encode(stream: usize, filter: &str, width: u32, height: u32, rate: Fraction, constant: bool) -> VideoTrack {
    VideoTrack::Encode(VideoEncode {
        stream,
        filter: filter.to_owned(),
        width,
        height,
        frame_rate: rate,
        constant,
        encoder: pinpress_av::H264Encoder::X264,
        crf: 18,
        preset: "veryfast".to_owned(),
        max_bit_rate: None,
        colour: Colour {
            primaries: Some("bt709".to_owned()),
            transfer: Some("bt709".to_owned()),
            matrix: Some("bt709".to_owned()),
            full_range: Some(false),
        },
    })
}

fn aac(stream: usize) -> AudioTrack {
    AudioTrack::Encode(AudioEncode {
        stream,
        filter: "anull".to_owned(),
        sample_rate: 48_000,
        channels: 2,
        bit_rate: 128_000,
    })
}

fn carried_out(job: &Job) -> pinpress_av::Done {
    run(job, &Cancel::new(), &mut |_| {}).unwrap()
}

/// Seconds.
fn times(path: &Path, stream: &str, entry: &str) -> Vec<f64> {
    ffprobe(path, &["-select_streams", stream, "-show_entries", entry])
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// The start of the sound less the start of the picture, in seconds.
fn sound_offset(path: &Path) -> f64 {
    times(path, "a:0", "stream=start_time")[0] - times(path, "V:0", "stream=start_time")[0]
}

/// A clip with H.264 and AAC, three seconds at 25 fps.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let source = ["-f", "lavfi", "-i", "testsrc2=s=160x120:d=3:r=25", "-f", "lavfi", "-i", "sine=f=440:d=3:r=48000"];
    let codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"];
    // Tagged, so that ffmpeg shows it by the same matrix as the encodes.
    let tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
    ffmpeg(&[&source[..], &codecs, &tags, options, &[text(&path)]].concat());
    path
}

/// A hash of each decoded picture.
fn picture_hashes(path: &Path) -> String {
    let hashes = ffmpeg_bytes(&[
        "-noautorotate",
        "-i",
        text(path),
        "-map",
        "0:V:0",
        "-vsync",
        "0",
        "-frames:v",
        "240",
        "-f",
        "framemd5",
        "-",
    ]);
    String::from_utf8(hashes)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit(',').next())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn copies_of_every_kind_of_container_show_the_same_pictures() {
    let folder = folder();
    for name in ["a.mkv", "a.mov", "a.ts", "a.flv", "a.mp4"] {
        let source = clip(folder.path(), name, &[]);
        let output = folder.path().join("out.mp4");
        let done = carried_out(&copy_job(&source, &output));
        assert_eq!((done.video_packets, done.damaged), (75, 0), "{name}");
        assert_eq!(picture_hashes(&source), picture_hashes(&output), "{name}");
        let shift = sound_offset(&source) - sound_offset(&output);
        assert!(shift.abs() < 0.022, "the sound moved by {shift} s: {name}");
        let start = ffprobe(&output, &["-show_entries", "format=start_time"])[0].parse::<f64>().unwrap();
        assert!(start.abs() < 0.001, "begins at {start}: {name}");
        let bytes = std::fs::read(&output).unwrap();
        let at = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
        assert!(at(b"moov") < at(b"mdat"), "moov goes first: {name}");
        assert_eq!(&bytes[8..12], b"mp42", "{name}");
        let rates =
            ffprobe(&output, &["-select_streams", "v:0", "-show_entries", "stream=avg_frame_rate,r_frame_rate"]);
        assert_eq!(rates, ["25/1", "25/1"], "{name}");
    }
}

#[test]
fn decode_times_of_copies_increase_and_sound_stays_on_its_grid() {
    let folder = folder();
    for name in ["a.mkv", "a.ts", "a.flv"] {
        let output = folder.path().join("out.mp4");
        carried_out(&copy_job(&clip(folder.path(), name, &[]), &output));
        for stream in ["v:0", "a:0"] {
            let dts = times(&output, stream, "packet=dts_time");
            assert!(dts.windows(2).all(|pair| pair[0] < pair[1]), "{stream} of {name}");
        }
        let steps = ffprobe(&output, &["-select_streams", "a:0", "-show_entries", "packet=duration"]);
        let odd = steps.iter().rev().skip(1).filter(|step| *step != "1024").count();
        assert!(odd <= 1, "{odd} packets of sound are not 1,024 samples: {name}");
    }
}

/// Long clips say no more than short ones: all of them are copied and compared by the tests of `transcode`.
const SMALL_BYTES: u64 = 500_000;

#[test]
fn real_clips_are_copied_with_their_sound_in_place() {
    for path in good_clips() {
        if path.metadata().unwrap().len() > SMALL_BYTES {
            continue;
        }
        let video = ffprobe(&path, &["-select_streams", "V:0", "-show_entries", "stream=codec_name"]);
        let audio = ffprobe(&path, &["-select_streams", "a:0", "-show_entries", "stream=codec_name"]);
        let fits = video.first().is_some_and(|codec| codec == "h264") && audio.iter().all(|codec| codec == "aac");
        if !fits {
            continue;
        }
        let folder = folder();
        let output = folder.path().join("out.mp4");
        carried_out(&copy_job(&path, &output));
        let (before, after) = (picture_hashes(&path), picture_hashes(&output));
        assert_eq!(before, after, "pictures differ: {}", path.display());
        if !audio.is_empty() {
            let shift = sound_offset(&path) - sound_offset(&output);
            assert!(shift.abs() < 0.0233, "the sound moved by {shift} s: {}", path.display());
        }
        let proof = decode_all(&output, 2, &Cancel::new(), &mut |_| {}).unwrap();
        assert!(proof.video().unwrap().decoded >= after.lines().count() as u64, "{}", path.display());
        let aspect = ["-select_streams", "V:0", "-show_entries", "stream=sample_aspect_ratio"];
        assert_eq!(ffprobe(&path, &aspect).first(), ffprobe(&output, &aspect).first(), "{}", path.display());
        let matrix = ["-select_streams", "V:0", "-show_entries", "stream_side_data=displaymatrix"];
        let told = |path: &Path| ffprobe(path, &matrix).join("\n");
        assert_eq!(told(&path), told(&output), "{}", path.display());
    }
}

#[test]
fn matrices_survive_copies_and_are_baked_into_encodes() {
    let folder = folder();
    let flat = clip(folder.path(), "flat.mp4", &[]);
    for degrees in ["0", "90", "180", "270", "mirror"] {
        let turned = folder.path().join("turned.mp4");
        ffmpeg(&[
            "-i",
            text(&flat),
            "-c",
            "copy",
            "-metadata:s:v:0",
            &format!("rotate={}", degrees.replace("mirror", "0")),
            text(&turned),
        ]);
        if degrees == "mirror" {
            mirror(&turned);
        }
        let shown = |path: &Path| {
            ffmpeg_bytes(&["-i", text(path), "-frames:v", "1", "-vf", "format=rgb24", "-f", "rawvideo", "-"])
        };
        let copied = folder.path().join("copied.mp4");
        carried_out(&copy_job(&turned, &copied));
        assert_eq!(shown(&turned), shown(&copied), "{degrees}");

        let encoded = folder.path().join("encoded.mp4");
        let facts = Facts::read(&turned, &Cancel::new()).unwrap();
        let matrix = facts.streams[0].video.as_ref().unwrap().display_matrix;
        let turn = matrix.map_or(Turn::NONE, |matrix| Turn::from_matrix(&matrix).unwrap());
        let (width, height) = if turn.swaps_sides() { (120, 160) } else { (160, 120) };
        let filter = [turn.filters(), vec!["setsar=1"]].concat().join(",");
        let video = encode(0, &filter, width, height, Fraction::new(25, 1), false);
        carried_out(&Job { video, ..copy_job(&turned, &encoded) });
        let matrix = ["-select_streams", "v:0", "-show_entries", "stream_side_data=displaymatrix"];
        assert!(ffprobe(&encoded, &matrix).is_empty(), "{degrees}");
        let difference = mean_difference(&shown(&turned), &shown(&encoded));
        assert!(difference < 6.0, "{degrees}: {difference}");
    }
}

#[test]
fn encodes_carry_times_and_tags_and_end_with_their_last_frame() {
    let folder = folder();
    let variable = folder.path().join("variable.mkv");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=3:r=30",
        "-f",
        "lavfi",
        "-i",
        "sine=d=3",
        "-vf",
        "select='lt(t,1)+not(mod(n,3))'",
        "-vsync",
        "vfr",
        "-c:v",
        "libx264",
        "-bf",
        "2",
        "-c:a",
        "pcm_s16le",
        text(&variable),
    ]);
    let output = folder.path().join("out.mp4");
    let job = Job {
        video: encode(0, "scale=96:96,setsar=1", 96, 96, Fraction::new(20, 1), false),
        audio: Some(aac(1)),
        ..copy_job(&variable, &output)
    };
    let done = carried_out(&job);
    assert_eq!(done.damaged, 0);
    let (before, after) = (times(&variable, "v:0", "frame=pts_time"), times(&output, "v:0", "frame=pts_time"));
    assert_eq!(before.len(), after.len());
    let drift = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(drift < 0.0015, "frames moved by {drift} s");
    let facts = ffprobe(
        &output,
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=codec_name,profile,pix_fmt,width,height,color_range,color_space,color_transfer,color_primaries",
        ],
    );
    assert_eq!(facts, ["h264", "High", "96", "96", "yuv420p", "tv", "bt709", "bt709", "bt709"]);
    let sound = ffprobe(&output, &["-select_streams", "a:0", "-show_entries", "stream=codec_name,profile,sample_rate"]);
    assert_eq!(sound, ["aac", "LC", "48000"]);
    let bytes = std::fs::read(&output).unwrap();
    let colr = bytes.windows(4).position(|four| four == b"colr").unwrap();
    assert_eq!(&bytes[colr + 4..colr + 14], b"nclx\0\x01\0\x01\0\x01", "BT.709 in all three");
}

#[test]
fn progress_is_that_of_the_picture_whatever_the_sound_does() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &["-bf", "2"]);
    let output = folder.path().join("out.mp4");
    let mut told = Vec::new();
    let video = encode(0, "scale=80:60", 80, 60, Fraction::new(25, 1), false);
    let job = Job { video, ..copy_job(&source, &output) };
    run(&job, &Cancel::new(), &mut |reached| told.push(reached.time_us)).unwrap();
    assert!(told.is_sorted() && told.last().is_some_and(|last| (2_900_000..=3_000_000).contains(last)), "{told:?}");
}

#[test]
fn a_constant_rate_repeats_frames_evenly() {
    let folder = folder();
    let slow = folder.path().join("slow.mp4");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=3:r=24",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        text(&slow),
    ]);
    let output = folder.path().join("out.mp4");
    let video = encode(0, "fps=48/1", 160, 120, Fraction::new(48, 1), true);
    let done = carried_out(&Job { video, ..copy_job(&slow, &output) });
    assert_eq!(done.video_packets, 144);
    let rates = ffprobe(&output, &["-select_streams", "v:0", "-show_entries", "stream=avg_frame_rate,duration"]);
    assert_eq!(rates[0], "48/1");
    assert!((rates[1].parse::<f64>().unwrap() - 3.0).abs() < 1e-3, "{rates:?}");
}

#[test]
fn loops_last_as_many_times_as_long_on_both_paths() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &[]);
    let output = folder.path().join("out.mp4");
    for encoded in [false, true] {
        let mut job = Job { repeat: 3, ..copy_job(&source, &output) };
        if encoded {
            job.video = encode(0, "null", 160, 120, Fraction::new(25, 1), false);
            job.audio = Some(aac(1));
        }
        let done = carried_out(&job);
        assert_eq!((done.video_packets, done.damaged), (225, 0), "encoded: {encoded}");
        let frames = times(&output, "v:0", "frame=pts_time");
        assert_eq!(frames.len(), 225);
        assert!(frames.windows(2).all(|pair| (pair[1] - pair[0] - 0.04).abs() < 1e-3), "encoded: {encoded}");
        let duration = ffprobe(&output, &["-show_entries", "format=duration"])[0].parse::<f64>().unwrap();
        assert!((duration - 9.0).abs() < 0.06, "{duration}; encoded: {encoded}");
        let sound = times(&output, "a:0", "stream=duration")[0];
        assert!((sound - 9.0).abs() < 0.09, "{sound} s of sound; encoded: {encoded}");
        if !encoded {
            let once = picture_hashes(&source);
            assert_eq!(picture_hashes(&output), [once.as_str(), &once, &once].join("\n"));
        }
    }
}

#[test]
fn nothing_goes_past_the_end() {
    let folder = folder();
    let source = clip(folder.path(), "a.mkv", &[]);
    let output = folder.path().join("out.mp4");
    for encoded in [false, true] {
        let mut job = Job { end_us: Some(1_500_000), ..copy_job(&source, &output) };
        if encoded {
            job.video = encode(0, "null", 160, 120, Fraction::new(25, 1), false);
            job.audio = Some(aac(1));
        }
        carried_out(&job);
        let duration = ffprobe(&output, &["-show_entries", "format=duration"])[0].parse::<f64>().unwrap();
        assert!((1.3..=1.5).contains(&duration), "{duration}; encoded: {encoded}");
        let proof = decode_all(&output, 1, &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(proof.faults(), 0, "encoded: {encoded}");
    }
}

#[test]
fn a_cancelled_job_stops_and_a_broken_filter_names_itself() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &[]);
    let output = folder.path().join("out.mp4");
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let job = Job { repeat: 1000, ..copy_job(&source, &output) };
    let stopped = run(&job, &cancel, &mut |_| stop.cancel());
    assert!(matches!(stopped, Err(AvError::Cancelled)), "{stopped:?}");

    let video = encode(0, "nosuchfilter=1", 160, 120, Fraction::new(25, 1), false);
    let failed = run(&Job { video, ..copy_job(&source, &output) }, &Cancel::new(), &mut |_| {});
    assert!(matches!(failed, Err(AvError::Filter { .. })), "{failed:?}");

    let video = encode(1, "null", 160, 120, Fraction::new(25, 1), false);
    let failed = run(&Job { video, ..copy_job(&source, &output) }, &Cancel::new(), &mut |_| {});
    assert!(matches!(failed, Err(AvError::NoStream { kind: "video", index: 1 })), "{failed:?}");

    let unwritable = folder.path().join("no").join("out.mp4");
    let failed = run(&copy_job(&source, &unwritable), &Cancel::new(), &mut |_| {});
    assert!(matches!(failed, Err(AvError::Io { .. })), "{failed:?}");
}

#[test]
fn an_encode_is_heard_before_its_first_packet_comes_out() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &["-an"]);
    // x264 looks 40 frames ahead and more: on a slow machine minutes go by until it gives the first packet.
    let mut job = copy_job(&source, &folder.path().join("out.mp4"));
    job.video = encode(0, "null", 160, 120, Fraction::new(25, 1), true);
    let beats = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&beats);
    let cancel = Cancel::with_beat(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let mut at_first_packet = None;
    let done = run(&job, &cancel, &mut |_| {
        at_first_packet.get_or_insert(beats.load(Ordering::SeqCst));
    })
    .unwrap();
    assert!(at_first_packet > Some(10), "{at_first_packet:?}");
    assert_eq!(beats.load(Ordering::SeqCst) as u64, done.video_packets, "one for each picture");
}

#[test]
fn a_full_disk_is_an_error_of_the_system() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &[]);
    let failed = run(&copy_job(&source, full), &Cancel::new(), &mut |_| {});
    assert!(matches!(failed, Err(AvError::Io { .. })), "{failed:?}");
}

#[test]
fn damage_is_counted_and_has_a_time() {
    let folder = folder();
    let source = clip(folder.path(), "a.mp4", &["-bf", "0"]);
    let mut bytes = std::fs::read(&source).unwrap();
    let positions = ffprobe(&source, &["-select_streams", "v:0", "-show_entries", "packet=pos"]);
    let at: usize = positions[30].parse().unwrap();
    // Inside a slice's data, behind its header.
    for byte in &mut bytes[at + 60..at + 160] {
        *byte ^= 0x5A;
    }
    let broken = folder.path().join("broken.mp4");
    std::fs::write(&broken, bytes).unwrap();
    let proof = decode_all(&broken, 1, &Cancel::new(), &mut |_| {}).unwrap();
    assert!(proof.faults() > 0);
    let first = proof.first_fault_us().unwrap();
    assert!((1_100_000..=1_400_000).contains(&first), "{first}");
    let output = folder.path().join("out.mp4");
    let video = encode(0, "null", 160, 120, Fraction::new(25, 1), false);
    let done = carried_out(&Job { video, ..copy_job(&broken, &output) });
    assert!(done.damaged > 0 && done.first_damage_us.is_some(), "{done:?}");
    let whole = decode_all(&source, 1, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!((whole.faults(), whole.video().unwrap().decoded), (0, 75));
}

#[test]
fn sound_that_begins_late_or_early_does_so_in_copies_and_encodes() {
    let folder = folder();
    for (name, late) in [("late.mkv", ["0", "0.5"]), ("early.mkv", ["0.4", "0"]), ("late.ts", ["0", "0.5"])] {
        let source = folder.path().join(name);
        ffmpeg(&[
            "-itsoffset",
            late[0],
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=160x120:d=2:r=25",
            "-itsoffset",
            late[1],
            "-f",
            "lavfi",
            "-i",
            "sine=d=2:r=48000",
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            text(&source),
        ]);
        let before = sound_offset(&source);
        assert!(before.abs() > 0.3, "{before} s in {name}");
        let output = folder.path().join("out.mp4");
        for encoded in [false, true] {
            let mut job = copy_job(&source, &output);
            if encoded {
                job.video = encode(0, "null", 160, 120, Fraction::new(25, 1), false);
                job.audio = Some(aac(1));
            }
            carried_out(&job);
            let shift = before - sound_offset(&output);
            // Matroska's start counts the encoder's priming, a packet of 1,024 samples, which an encode does not keep.
            assert!(shift.abs() < 0.0233, "the sound moved by {shift} s: {name}, encoded: {encoded}");
        }
    }
}
