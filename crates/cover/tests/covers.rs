//! Covers of clips that the ffmpeg command line makes, judged by what it shows at the same time.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::{Path, PathBuf};

use pinpress_cover::cover;
use pinpress_media::{CoverOptions, Covers, Failure, FailureKind, Flaw, PictureFiles, PictureFormat};
use pinpress_probe::Seconds;
use support::{clip, ffmpeg};

/// Mean difference of a colour part, of 255, under which two pictures are the same frame: the command line is asked for
/// the scaler's exact ways.
const SAME_PICTURE: f64 = 1.0;

fn options(folder: &Path, count: usize) -> CoverOptions {
    let pictures = PictureFiles {
        folder: folder.into(),
        stem: Path::new("cover").into(),
        format: PictureFormat::Png,
        max_side: None,
    };
    CoverOptions { count, at: None, pictures: Some(pictures), contact_sheet: None, overwrite: true }
}

fn covers(source: &Path, options: &CoverOptions) -> Result<Covers, Failure> {
    cover(source, options, 2, &|_| ())
}

fn picture(path: &Path) -> image::RgbImage {
    image::open(path).unwrap().into_rgb8()
}

fn millis(time: Seconds) -> i64 {
    time.millis()
}

/// The frame that the command line decodes from the beginning as the one shown at `time`, upright.
fn shown_by_ffmpeg(source: &Path, time: Seconds, size: (u32, u32)) -> Vec<u8> {
    // Half a millisecond on: the time is rounded to microseconds.
    let until = time.micros() as f64 / 1e6 + 0.0005;
    let filter = format!(
        "setpts=PTS-STARTPTS,select='lte(t,{until})',scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24"
    );
    let source = source.to_str().unwrap();
    let all = ffmpeg(&["-i", source, "-an", "-vf", &filter, "-vsync", "passthrough", "-f", "rawvideo", "-"]);
    let frame = (size.0 * size.1 * 3) as usize;
    all.chunks_exact(frame).next_back().expect("ffmpeg shows nothing up to that time").to_vec()
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len(), "pictures of different sizes");
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn a_black_beginning_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "color=black:s=160x240:d=2:r=25[a];testsrc2=s=160x240:d=4:r=25[b];[a][b]concat=n=2";
    for (name, keys) in [("many.mp4", "12"), ("one.mp4", "1000")] {
        let source = clip(&folder, name, graph, &["-g", keys, "-sc_threshold", "0"]);
        let covers = covers(&source, &options(folder.path(), 3)).unwrap();
        for candidate in &covers.candidates {
            assert_eq!(candidate.flaw, None, "{name}");
            assert!(millis(candidate.time) >= 2_000, "{name}: {}", candidate.time);
        }
        assert!(covers.rejected.iter().any(|rejected| rejected.flaw == Flaw::TooDark), "{name}");
    }
}

#[test]
fn nothing_but_black_gives_a_cover_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "black.mp4", "color=black:s=160x240:d=3:r=25", &[]);
    let covers = covers(&source, &options(folder.path(), 3)).unwrap();
    assert_eq!(covers.candidates.len(), 1);
    assert_eq!(covers.candidates[0].flaw, Some(Flaw::TooDark));
    assert_eq!(picture(&folder.path().join("cover.1.png")).dimensions(), (160, 240));
}

#[test]
fn one_frame_and_a_still_picture_give_a_cover() {
    let folder = tempfile::tempdir().unwrap();
    let one = clip(&folder, "one.mp4", "testsrc2=s=160x240:d=1:r=25", &["-frames:v", "1"]);
    let covers_of_one = covers(&one, &options(folder.path(), 1)).unwrap();
    assert_eq!(covers_of_one.candidates.len(), 1);
    assert!(folder.path().join("cover.png").is_file());

    let still = clip(&folder, "still.mp4", "testsrc2=s=160x240:d=0.04:r=25,loop=loop=100:size=1", &[]);
    let covers_of_still = covers(&still, &options(folder.path(), 4)).unwrap();
    assert_eq!(covers_of_still.candidates.len(), 1, "copies of one picture are no choice");
    assert_eq!(covers_of_still.candidates[0].flaw, None);
}

#[test]
fn a_flat_slate_and_a_blurred_run_give_way_to_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "color=0x5080a0:s=320x240:d=2:r=25[a];testsrc2=s=320x240:d=6:r=25,gblur=sigma=20:enable='lt(t,2)'[b];\
                 [a][b]concat=n=2";
    let source = clip(&folder, "slate.mp4", graph, &["-g", "10", "-sc_threshold", "0"]);
    let covers = covers(&source, &options(folder.path(), 4)).unwrap();
    for candidate in &covers.candidates {
        assert!(candidate.flaw.is_none() && millis(candidate.time) >= 4_000, "{candidate:?}");
    }
    for flaw in [Flaw::Flat, Flaw::Blurred] {
        assert!(covers.rejected.iter().any(|rejected| rejected.flaw == flaw), "{flaw:?}");
    }
}

#[test]
fn a_turned_video_gives_an_upright_cover() {
    let folder = tempfile::tempdir().unwrap();
    let coded = clip(&folder, "coded.mp4", "testsrc2=s=320x240:d=2:r=25", &[]);
    for (turn, size) in [("90", (240, 320)), ("180", (320, 240)), ("270", (240, 320))] {
        let source = folder.path().join(format!("turned{turn}.mp4"));
        let rotate = format!("rotate={turn}");
        let (from, to) = (coded.to_str().unwrap(), source.to_str().unwrap());
        ffmpeg(&["-i", from, "-c", "copy", "-metadata:s:v:0", &rotate, to]);
        let covers = covers(&source, &options(folder.path(), 1)).unwrap();
        let cover = picture(&folder.path().join("cover.png"));
        assert_eq!(cover.dimensions(), size, "turned by {turn}");
        let expected = shown_by_ffmpeg(&source, covers.candidates[0].time, size);
        let difference = difference(cover.as_raw(), &expected);
        assert!(difference < SAME_PICTURE, "turned by {turn}: off by {difference}");
    }
}

#[test]
fn the_picture_is_the_frame_at_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "testsrc2=s=320x240:d=6:r=30000/1001";
    // B-frames and few sync samples; the transport stream has no index and is entered in the middle of a GOP.
    for (name, keys) in [("a.mp4", "30"), ("b.mp4", "1000"), ("c.ts", "45"), ("d.mkv", "30"), ("e.ts", "1000")] {
        let source = clip(&folder, name, graph, &["-g", keys, "-bf", "2", "-sc_threshold", "0"]);
        let covers = covers(&source, &options(folder.path(), 3)).unwrap();
        assert!(!covers.candidates.is_empty());
        for candidate in &covers.candidates {
            let file = PathBuf::from(candidate.file.as_ref().unwrap());
            let expected = shown_by_ffmpeg(&source, candidate.time, (320, 240));
            let difference = difference(picture(&file).as_raw(), &expected);
            assert!(difference < SAME_PICTURE, "{name} at {}: off by {difference}", candidate.time);
        }
    }
}

#[test]
fn a_time_that_is_asked_for_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", "testsrc2=s=320x240:d=3:r=25", &["-bf", "2"]);
    for (asked, shown) in [(0, 0), (1_000, 1_000), (1_039, 1_000), (1_040, 1_040), (99_000, 2_960)] {
        let options = CoverOptions { at: Some(Seconds::from_millis(asked)), ..options(folder.path(), 1) };
        let covers = covers(&source, &options).unwrap();
        assert_eq!(covers.candidates.iter().map(|c| millis(c.time)).collect::<Vec<_>>(), [shown], "asked for {asked}");
        let expected = shown_by_ffmpeg(&source, Seconds::from_millis(shown), (320, 240));
        let difference = difference(picture(&folder.path().join("cover.png")).as_raw(), &expected);
        assert!(difference < SAME_PICTURE, "asked for {asked}: off by {difference}");
    }
}

#[test]
fn a_picture_is_as_small_as_asked_and_never_larger_than_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", "testsrc2=s=320x240:d=1:r=25", &[]);
    for (max_side, size) in [(None, (320, 240)), (Some(160), (160, 120)), (Some(9_999), (320, 240))] {
        let mut options = CoverOptions { at: Some(Seconds::from_millis(0)), ..options(folder.path(), 1) };
        options.pictures.as_mut().unwrap().max_side = max_side;
        covers(&source, &options).unwrap();
        assert_eq!(picture(&folder.path().join("cover.png")).dimensions(), size, "{max_side:?}");
    }
}

#[test]
fn the_answer_is_the_same_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "testsrc2=s=320x240:d=8:r=25,hue=H=t/3";
    let source = clip(&folder, "a.mp4", graph, &["-g", "12", "-sc_threshold", "0"]);
    let options = CoverOptions { pictures: None, ..options(folder.path(), 6) };
    let one = cover(&source, &options, 1, &|_| ()).unwrap();
    for threads in [2, 5] {
        assert_eq!(cover(&source, &options, threads, &|_| ()).unwrap(), one);
    }
    assert!(one.candidates.windows(2).all(|pair| pair[0].score >= pair[1].score));
}

#[test]
fn a_picture_that_exists_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", "testsrc2=s=160x120:d=1:r=25", &[]);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("cover.2.png"), "mine").unwrap();
    let failure = covers(&source, &CoverOptions { overwrite: false, ..options(&out, 2) }).unwrap_err();
    assert_eq!(failure.kind, FailureKind::OutputExists);
    let names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["cover.2.png"]);
    assert_eq!(std::fs::read(out.join("cover.2.png")).unwrap(), b"mine");
}

#[test]
fn a_folder_that_is_not_there_is_an_error_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", "testsrc2=s=160x120:d=1:r=25", &[]);
    let failure = covers(&source, &options(&folder.path().join("gone"), 1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Io, "{failure:?}");
}

#[test]
fn a_contact_sheet_is_named_for_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", "testsrc2=s=320x240:d=4:r=25", &["-g", "10"]);
    let with = |name: &str| {
        let sheet = folder.path().join(name);
        let options = CoverOptions { contact_sheet: Some(sheet.as_path().into()), ..options(folder.path(), 4) };
        covers(&source, &options).map(|covers| (covers.candidates.len(), sheet))
    };
    for name in ["sheet.jpg", "sheet.png"] {
        let (count, sheet) = with(name).unwrap();
        let (width, height) = picture(&sheet).dimensions();
        assert!(count >= 1 && width > 320 && height > 240, "{name}: {count} in {width}×{height}");
    }
    assert!(with("sheet.gif").unwrap_err().message.contains(".png"));
}
