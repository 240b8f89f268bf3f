//! Stills against what ffprobe and ffmpeg say of the same times.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use pinpress_av::{Still, StillOptions, Stills};
use support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, good_clips, mean_difference, mirror, text};

/// Rounding of a timestamp to microseconds here, to six decimals there.
const TIME_TOLERANCE_US: i64 = 2;

/// Another scaler, other rounding: steps of 255 on average.
const PIXEL_TOLERANCE: f64 = 2.0;

/// What ffprobe says of each clip, asked once: its start takes longer than most of its answers.
static TOLD: LazyLock<Mutex<HashMap<PathBuf, Told>>> = LazyLock::new(Mutex::default);

/// What ffprobe says of a clip.
#[derive(Clone)]
struct Told {
    /// When the file starts, in seconds.
    start: f64,
    size: (u32, u32),
    /// Values of the first moving picture's stream by their names.
    stream: HashMap<String, String>,
}

fn told(path: &Path) -> Told {
    let mut all = TOLD.lock().unwrap();
    let told = all.entry(path.to_owned()).or_insert_with(|| {
        let entries = "format=start_time:stream=width,height,color_space,color_transfer,field_order";
        let lines = ffprobe(path, &["-select_streams", "V:0", "-show_entries", entries, "-of", "default=nw=1"]);
        let values = lines.iter().filter_map(|line| line.split_once('='));
        let stream: HashMap<String, String> = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let side = |name: &str| stream[name].parse().unwrap();
        let start = stream.get("start_time").and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Told { start, size: (side("width"), side("height")), stream }
    });
    told.clone()
}

impl Told {
    fn is_hdr(&self) -> bool {
        self.stream.get("color_transfer").is_some_and(|name| name == "smpte2084" || name == "arib-std-b67")
    }
}

/// Presentation times of the first video stream's frames, in microseconds from the start of the file, in order.
fn frame_times(path: &Path) -> Vec<i64> {
    let start = told(path).start;
    let mut times: Vec<i64> =
        ffprobe(path, &["-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"])
            .iter()
            .filter_map(|text| text.parse::<f64>().ok())
            .map(|seconds| ((seconds - start) * 1e6).round() as i64)
            .collect();
    times.sort_unstable();
    times.dedup();
    times
}

fn near(left: i64, right: i64) -> bool {
    (left - right).abs() <= TIME_TOLERANCE_US
}

/// AVI has no presentation times: libav guesses them from the packets, and after a seek by a frame otherwise.
fn has_presentation_times(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension != "avi")
}

#[test]
fn the_frame_shown_at_a_time_is_the_one_that_ffprobe_lists() {
    for path in good_clips().into_iter().filter(|path| has_presentation_times(path)).step_by(2) {
        let times = frame_times(&path);
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
        assert!(!times.is_empty(), "ffprobe lists no frame: {}", path.display());
        for part in [0, 1, 3, 7, 10] {
            let index = (times.len() - 1) * part / 10;
            // Asked between two frames: the earlier one is shown.
            let next = times.get(index + 1).copied().unwrap_or(times[index] + 20_000);
            let asked = times[index] + (next - times[index]) / 2;
            let still = stills.at_us(asked).unwrap().unwrap();
            assert!(
                near(still.time_us, times[index]),
                "at {asked}: {} and not {}: {}",
                still.time_us,
                times[index],
                path.display()
            );
        }
    }
}

#[test]
fn times_before_the_first_and_after_the_last_frame_give_these() {
    for path in good_clips().into_iter().filter(|path| has_presentation_times(path)).step_by(4) {
        let times = frame_times(&path);
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
        assert!(near(stills.at_us(-5_000_000).unwrap().unwrap().time_us, times[0].max(0)), "{}", path.display());
        let last = stills.at_us(3_600_000_000).unwrap().unwrap().time_us;
        assert!(near(last, times[times.len() - 1]), "{last}: {}", path.display());
    }
}

#[test]
fn sync_times_are_those_of_ffprobes_key_packets_and_each_gives_its_frame() {
    for path in good_clips() {
        if !has_presentation_times(&path) {
            continue;
        }
        let start = told(&path).start;
        let mut judge: Vec<i64> = std::process::Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"])
            .arg(&path)
            .output()
            .map(|output| String::from_utf8(output.stdout).unwrap())
            .unwrap()
            .lines()
            // `K_` is a sync sample, `KD` one that an edit list drops.
            .filter_map(|line| line.split_once(",K_"))
            .filter_map(|(time, _)| time.parse::<f64>().ok())
            .map(|seconds| (((seconds - start) * 1e6).round() as i64).max(0))
            .collect();
        judge.sort_unstable();
        judge.dedup();
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
        let ours = stills.sync_times_us().unwrap();
        assert!(
            ours.len() == judge.len() && ours.iter().zip(&judge).all(|(a, b)| near(*a, *b)),
            "{ours:?} and not {judge:?}: {}",
            path.display()
        );
        for index in [0, ours.len() / 2, ours.len().saturating_sub(1)] {
            let Some(time) = ours.get(index) else { continue };
            let still = stills.sync_at_us(*time).unwrap();
            let got = still.as_ref().map(|still| still.time_us);
            assert!(got.is_some_and(|got| near(got, *time)), "{got:?} and not {time}: {}", path.display());
        }
    }
}

#[test]
fn rough_frames_are_found_at_the_same_times_with_others_left_out() {
    for path in good_clips().into_iter().filter(|path| has_presentation_times(path)).skip(1).step_by(2) {
        let times = frame_times(&path);
        let shown_at = |asked: i64| times.iter().rev().find(|time| **time <= asked + TIME_TOLERANCE_US).copied();
        let options = StillOptions { max_side: Some(64), rough: true, ..Default::default() };
        let mut stills = Stills::open(&path, &options).unwrap();
        let sync_times = stills.sync_times_us().unwrap();
        for index in [0, sync_times.len() / 2, sync_times.len().saturating_sub(1)] {
            let Some(from) = sync_times.get(index) else { continue };
            let asked = [from + 66_700, from + 133_400];
            let mut listed: Vec<i64> = asked.iter().filter_map(|asked| shown_at(*asked)).collect();
            listed.dedup();
            let ours: Vec<i64> = stills.shortly_us(&asked).unwrap().iter().map(|still| still.time_us).collect();
            assert!(
                ours.len() == listed.len() && ours.iter().zip(&listed).all(|(a, b)| near(*a, *b)),
                "{ours:?} and not {listed:?}: {}",
                path.display()
            );
        }
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        for part in [2, 5, 9] {
            let asked = times[(times.len() - 1) * part / 10];
            let ours = stills.at_us(asked + TIME_TOLERANCE_US).unwrap().unwrap().time_us;
            // Of pictures that stand for long the one before may be given.
            assert!(
                near(ours, asked) || (longest > 250_000 && ours < asked),
                "{ours}, not {asked}: {}",
                path.display()
            );
        }
    }
}

/// What ffmpeg shows first, turned and scaled to `still`'s size, by this matrix.
fn judged(path: &Path, still: &Still, matrix: &str) -> Vec<u8> {
    let size = format!(
        "scale={}:{}:in_color_matrix={matrix}:flags=bicubic+accurate_rnd+full_chroma_int,format=rgb24",
        still.width, still.height
    );
    ffmpeg_bytes(&["-i", text(path), "-frames:v", "1", "-map", "0:V:0", "-vf", &size, "-f", "rawvideo", "-"])
}

#[test]
fn pictures_are_upright_and_square_in_every_turn() {
    let folder = folder();
    let flat = folder.path().join("flat.mp4");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=1:r=25",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-crf",
        "10",
        "-vf",
        "setsar=4/3",
        "-colorspace",
        "bt709",
        text(&flat),
    ]);
    for (degrees, size) in
        [("0", (213, 120)), ("90", (120, 213)), ("180", (213, 120)), ("270", (120, 213)), ("mirror", (213, 120))]
    {
        let turned = folder.path().join(format!("turned{degrees}.mp4"));
        let tag = format!("rotate={}", degrees.replace("mirror", "0"));
        ffmpeg(&["-i", text(&flat), "-c", "copy", "-metadata:s:v:0", &tag, text(&turned)]);
        if degrees == "mirror" {
            mirror(&turned);
        }
        let mut stills = Stills::open(&turned, &StillOptions::default()).unwrap();
        let still = stills.at_us(0).unwrap().unwrap();
        assert_eq!((still.width, still.height), size, "{degrees}");
        // ffmpeg turns by the matrix as well, before our filter sees the frame.
        let difference = mean_difference(&still.rgb, &judged(&turned, &still, "bt709"));
        assert!(difference < PIXEL_TOLERANCE, "{degrees}: {difference}");
    }
}

#[test]
fn stills_of_real_clips_look_as_ffmpeg_shows_them() {
    for path in good_clips() {
        let told = told(&path);
        let order = told.stream.get("field_order");
        let progressive = order.is_none_or(|order| order == "progressive" || order == "unknown");
        if told.is_hdr() || !progressive {
            continue; // other tests, as ffmpeg shows those untouched
        }
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(160), ..Default::default() }).unwrap();
        let still = stills.at_us(0).unwrap().unwrap();
        let untagged = told.stream.get("color_space").is_none_or(|name| name == "unknown");
        let hd = told.size.0 >= 1280 || told.size.1 >= 720;
        let judge = if untagged && hd { "bt709" } else { "auto" };
        let difference = mean_difference(&still.rgb, &judged(&path, &still, judge));
        assert!(difference < PIXEL_TOLERANCE, "{difference}: {}", path.display());
    }
}

#[test]
fn edges_of_blocks_are_smoothed_as_a_player_does() {
    let folder = folder();
    let path = folder.path().join("coarse.mp4");
    let source = ["-f", "lavfi", "-i", "mandelbrot=s=320x240:r=25:end_pts=25", "-t", "1"];
    let coarse = ["-c:v", "libx264", "-qp", "46", "-pix_fmt", "yuv420p", text(&path)];
    ffmpeg(&[&source[..], &coarse].concat());
    let still = Stills::open(&path, &StillOptions::default()).unwrap().at_us(0).unwrap().unwrap();
    let shown = judged(&path, &still, "auto");
    let blocks = ffmpeg_bytes(&[
        "-skip_loop_filter",
        "all",
        "-i",
        text(&path),
        "-frames:v",
        "1",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "-",
    ]);
    let (to_shown, to_blocks) = (mean_difference(&still.rgb, &shown), mean_difference(&still.rgb, &blocks));
    assert!(to_shown * 4.0 < to_blocks, "{to_shown} and {to_blocks}");
}

#[test]
fn hdr_is_tone_mapped_to_a_picture_that_is_neither_grey_nor_black() {
    let mut mapped = 0;
    for path in good_clips() {
        if !told(&path).is_hdr() {
            continue;
        }
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(160), ..Default::default() }).unwrap();
        let still = stills.at_us(stills.duration_us().unwrap_or(0) / 2).unwrap().unwrap();
        // A clip that is dark is dark in the coded picture too.
        let coded = ffmpeg_bytes(&["-i", text(&path), "-vf", "signalstats,metadata=print:file=-", "-f", "null", "-"]);
        let brightest = String::from_utf8(coded)
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("lavfi.signalstats.YHIGH="))
            .filter_map(|value| value.parse::<f64>().ok())
            .fold(0.0, f64::max);
        if brightest < 300.0 {
            continue;
        }
        mapped += 1;
        let luma = |rgb: &[u8]| (u32::from(rgb[0]) * 2 + u32::from(rgb[1]) * 5 + u32::from(rgb[2])) / 8;
        let mut lumas: Vec<u32> = still.rgb.chunks_exact(3).map(luma).collect();
        lumas.sort_unstable();
        let (low, high) = (lumas[lumas.len() / 50], lumas[lumas.len() * 49 / 50]);
        assert!(high - low > 60, "contrast {low}..{high}: {}", path.display());
    }
    assert!(mapped >= 2 || support::media().is_none(), "only {mapped} bright HDR clips");
}

#[test]
fn fields_do_not_comb() {
    let folder = folder();
    let clip = folder.path().join("fields.mp4");
    // A bar that moves fast, two fields a frame.
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x240:d=1:r=50",
        "-vf",
        "scroll=h=0.05,interlace",
        "-c:v",
        "libx264",
        "-flags",
        "+ilme+ildct",
        "-pix_fmt",
        "yuv420p",
        "-x264-params",
        "tff=1",
        text(&clip),
    ]);
    let comb = |rgb: &[u8], width: usize| -> u64 {
        // Rows that differ from both neighbours in the same direction.
        let row = |y: usize, x: usize| i64::from(rgb[(y * width + x) * 3 + 1]);
        let height = rgb.len() / 3 / width;
        (1..height - 1)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .map(|(y, x)| ((row(y, x) - row(y - 1, x)) * (row(y, x) - row(y + 1, x))).max(0).unsigned_abs())
            .sum()
    };
    let mut stills = Stills::open(&clip, &StillOptions::default()).unwrap();
    let still = stills.at_us(500_000).unwrap().unwrap();
    let woven = ffmpeg_bytes(&[
        "-ss",
        "0.5",
        "-i",
        text(&clip),
        "-frames:v",
        "1",
        "-vf",
        "format=rgb24",
        "-f",
        "rawvideo",
        "-",
    ]);
    let (ours, theirs) = (comb(&still.rgb, 320), comb(&woven, 320));
    assert!(ours * 3 < theirs, "combing {ours} against {theirs} of the woven frame");
}

#[test]
fn a_file_with_one_sync_frame_and_one_with_a_single_frame_give_stills() {
    let folder = folder();
    let one = folder.path().join("one.mp4");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x120:d=2:r=25",
        "-c:v",
        "libx264",
        "-g",
        "1000",
        "-pix_fmt",
        "yuv420p",
        text(&one),
    ]);
    let mut stills = Stills::open(&one, &StillOptions::default()).unwrap();
    assert_eq!(stills.sync_times_us().unwrap(), [0]);
    assert_eq!(stills.sync_at_us(1_900_000).unwrap().unwrap().time_us, 0);
    assert_eq!(stills.at_us(1_900_000).unwrap().unwrap().time_us, 1_880_000);
    let single = folder.path().join("single.mkv");
    ffmpeg(&["-i", text(&one), "-frames:v", "1", "-c", "copy", text(&single)]);
    let mut stills = Stills::open(&single, &StillOptions::default()).unwrap();
    assert_eq!(stills.at_us(700_000).unwrap().unwrap().time_us, 0);
}

/// All sync frames of a clip.
fn sync_stills(path: &Path) -> Vec<Still> {
    let mut stills = Stills::open(path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
    let times = stills.sync_times_us().unwrap();
    times.into_iter().filter_map(|time| stills.sync_at_us(time).unwrap()).collect()
}

#[test]
fn combing_is_seen_where_fields_of_two_moments_are_woven_and_nothing_says_so() {
    let folder = folder();
    for (name, weave, flags, combed) in [
        ("woven.mp4", "interlace=scan=tff:lowpass=off,setfield=prog", "", true),
        ("flagged.mp4", "interlace=scan=tff:lowpass=off", "+ilme+ildct", false),
        ("whole.mp4", "fps=25", "", false),
    ] {
        let path = folder.path().join(name);
        let graph = format!("testsrc2=s=640x480:r=50:d=2,scroll=h=0.02,gblur=sigma=1,{weave}");
        let flags = if flags.is_empty() { "+cgop" } else { flags };
        ffmpeg(
            &["-f", "lavfi", "-i", &graph, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "16", "-g", "10"]
                .into_iter()
                .chain(["-flags", flags, text(&path)])
                .collect::<Vec<_>>(),
        );
        let stills = sync_stills(&path);
        assert!(stills.len() == 5 && stills.iter().all(|still| still.combed == combed), "{name}");
    }
}

#[test]
fn a_frame_that_is_broken_and_those_made_from_it_are_damaged() {
    let folder = folder();
    let path = folder.path().join("a.mp4");
    let graph = "testsrc2=s=320x240:r=25:d=4";
    ffmpeg(&["-f", "lavfi", "-i", graph, "-c:v", "libx264", "-g", "25", "-bf", "0", "-sc_threshold", "0", text(&path)]);
    let key_packets: Vec<usize> =
        ffprobe(&path, &["-skip_frame", "nokey", "-select_streams", "v:0", "-show_entries", "frame=pkt_pos"])
            .iter()
            .map(|position| position.parse().unwrap())
            .collect();
    assert_eq!(key_packets.len(), 4);
    let mut bytes = std::fs::read(&path).unwrap();
    // The inside of the second one's slice.
    for at in (key_packets[1] + 400..key_packets[1] + 4_000).step_by(50) {
        bytes[at] ^= 0x55;
    }
    std::fs::write(&path, bytes).unwrap();
    let damaged: Vec<bool> = sync_stills(&path).iter().map(|still| still.damaged).collect();
    assert_eq!(damaged, [false, true, false, false]);

    let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
    for (time, damaged) in [(500_000, false), (1_500_000, true), (2_500_000, false)] {
        assert_eq!(stills.at_us(time).unwrap().unwrap().damaged, damaged, "at {time}");
    }
}

#[test]
fn real_clips_that_are_whole_are_neither_combed_nor_damaged() {
    // A third of the clips; `MOV00006` calls pictures sync samples that are none.
    for path in good_clips().into_iter().step_by(3).filter(|path| !path.ends_with("mp4parser__MOV00006.3gp")) {
        for still in sync_stills(&path) {
            assert!(!still.damaged && !still.combed, "{still:?} {}: {}", still.combed, path.display());
        }
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
        let end = stills.duration_us().unwrap_or(1_000_000);
        for part in [6, 3, 8] {
            let still = stills.at_us(end * part / 10).unwrap().unwrap();
            assert!(!still.damaged && !still.combed, "{still:?} {}: {}", still.combed, path.display());
        }
    }
}

#[test]
fn a_sync_sample_that_is_none_is_damaged_and_frames_after_it_are_decoded_from_a_real_one() {
    let Some(path) = good_clips().into_iter().find(|path| path.ends_with("mp4parser__MOV00006.3gp")) else { return };
    let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
    assert!(!stills.sync_at_us(0).unwrap().unwrap().damaged);
    let pretended = stills.sync_at_us(13_572_000).unwrap().unwrap();
    assert!(pretended.damaged, "its sync sample at {} µs is a P picture", pretended.time_us);
    assert!(!stills.at_us(8_160_000).unwrap().unwrap().damaged);
}

#[test]
fn frames_that_are_missing_damage_what_is_made_from_them() {
    let folder = folder();
    let graph = "testsrc2=s=320x240:r=25:d=4";
    for (name, filter, damaged) in [("whole.mp4", "null", false), ("holes.mp4", "noise=drop='between(n,60,63)'", true)]
    {
        let path = folder.path().join(name);
        ffmpeg(
            &["-f", "lavfi", "-i", graph, "-c:v", "libx264", "-g", "50", "-bf", "2", "-sc_threshold", "0"]
                .into_iter()
                .chain(["-bsf:v", filter, text(&path)])
                .collect::<Vec<_>>(),
        );
        let mut stills = Stills::open(&path, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
        for (time, damaged) in [(1_500_000, false), (2_200_000, false), (3_500_000, damaged)] {
            assert_eq!(stills.at_us(time).unwrap().unwrap().damaged, damaged, "{name} at {time}");
        }
    }
}

/// A cut without encoding keeps the sync sample before it, and an edit list leaves its picture out.
#[test]
fn frames_after_a_sync_sample_that_is_not_shown_are_whole() {
    let folder = folder();
    let (source, cut) = (folder.path().join("source.mp4"), folder.path().join("cut.mp4"));
    let encode = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=6", "-c:v", "libx264", "-g", "50", "-bf", "2"];
    ffmpeg(&[&encode[..], &[text(&source)]].concat());
    ffmpeg(&["-ss", "0.5", "-i", text(&source), "-c", "copy", text(&cut)]);
    let flags = ffprobe(&cut, &["-select_streams", "v", "-show_entries", "packet=flags"]);
    assert!(flags[0].starts_with("KD"), "the first sync sample is shown: {flags:?}");
    let mut stills = Stills::open(&cut, &StillOptions { max_side: Some(64), ..Default::default() }).unwrap();
    for time in [0, 400_000, 1_000_000, 3_000_000] {
        let still = stills.at_us(time).unwrap().unwrap();
        assert!(!still.damaged, "{still:?}");
    }
}
