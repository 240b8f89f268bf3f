//! What a sample of decoded pictures tells, over clips whose fields and subject are known, and over real ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../../av/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use pinpress_av::Cancel;
use pinpress_probe::{AspectRatio, MediaInfo, Scan};
use pinpress_transcode::measure::{What, measure};
use pinpress_transcode::plan::{Focus, Measured};
use support::{ffmpeg, folder, good_clips, media, text};

fn facts(path: &Path) -> MediaInfo {
    pinpress_transcode::read(path, &Cancel::new(), &mut |_| {}).unwrap()
}

fn measured(path: &Path, crop: Option<(u32, u32)>) -> Measured {
    let crop = crop.and_then(|(width, height)| AspectRatio::new(width, height));
    let what = What { scan: true, crop, threads: 2 };
    measure(path, &facts(path), what, &Cancel::new()).unwrap()
}

fn scan(path: &Path) -> Option<Scan> {
    measured(path, None).scan
}

fn flagged(path: &Path) -> Option<Scan> {
    facts(path).primary_video().unwrap().scan
}

/// A clip of this lavfi source through these filters, with these options of the encoder.
fn clip(folder: &Path, name: &str, graph: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let codec = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"];
    ffmpeg(&[&["-f", "lavfi", "-i", graph][..], &codec, options, &[text(&path)]].concat());
    path
}

/// A detailed picture that moves across at so many moments a second. (`idet` takes the jumps of `testsrc2` for combs.)
fn moving(rate: &str, seconds: u32) -> String {
    format!(
        "mandelbrot=s=1280x480,trim=end_frame=1,loop=-1:1:0,setpts=N/({rate})/TB,fps={rate},scroll=h=0.004,\
         crop=640:480,trim=end={seconds}"
    )
}

#[test]
fn fields_are_seen_whatever_the_flag_says() {
    let folder = folder();
    let fields = ["-flags", "+ilme+ildct"];
    let upper = clip(folder.path(), "tff.mp4", &format!("{},interlace=scan=tff", moving("50", 8)), &fields);
    assert_eq!((flagged(&upper), scan(&upper)), (Some(Scan::Interlaced), Some(Scan::Interlaced)));
    let lower = clip(
        folder.path(),
        "bff.mp4",
        &format!("{},tinterlace=interleave_bottom,setfield=bff", moving("50", 8)),
        &fields,
    );
    assert_eq!((flagged(&lower), scan(&lower)), (Some(Scan::Interlaced), Some(Scan::Interlaced)));
    let silent = format!("{},tinterlace=interleave_top,setfield=prog", moving("50", 8));
    let unflagged = clip(folder.path(), "unflagged.mp4", &silent, &[]);
    assert_eq!((flagged(&unflagged), scan(&unflagged)), (Some(Scan::Progressive), Some(Scan::Interlaced)));
}

#[test]
fn whole_pictures_are_seen_whatever_the_flag_says() {
    let folder = folder();
    let whole = clip(folder.path(), "whole.mp4", &moving("25", 8), &[]);
    assert_eq!(scan(&whole), Some(Scan::Progressive));
    let fields = ["-flags", "+ilme+ildct", "-top", "1"];
    let flagged_wrong = clip(folder.path(), "flagged.mp4", &format!("{},setfield=tff", moving("25", 8)), &fields);
    assert_eq!((flagged(&flagged_wrong), scan(&flagged_wrong)), (Some(Scan::Interlaced), Some(Scan::Progressive)));
}

#[test]
fn what_does_not_move_is_left_open() {
    let folder = folder();
    for (name, options) in [("still.mp4", &[][..]), ("fields.mp4", &["-flags", "+ilme+ildct"][..])] {
        let still = clip(folder.path(), name, "smptebars=s=640x480:r=25:d=8", options);
        assert_eq!(scan(&still), None, "{name}");
    }
}

#[test]
fn telecined_film_is_made_of_fields() {
    let folder = folder();
    let film = format!("{},telecine=first_field=top:pattern=23", moving("24000/1001", 8));
    let telecined = clip(folder.path(), "telecine.mp4", &film, &["-flags", "+ilme+ildct"]);
    assert_eq!(scan(&telecined), Some(Scan::Interlaced));
}

#[test]
fn fields_of_a_third_are_seen_wherever_it_is() {
    let folder = folder();
    let whole = moving("25", 4);
    let fields = format!("{},tinterlace=interleave_top,setfield=prog", moving("50", 4));
    for (name, thirds) in [("middle.mp4", [&whole, &fields, &whole]), ("end.mp4", [&whole, &whole, &fields])] {
        let [first, second, third] = thirds;
        let graph = format!("{first}[a];{second}[b];{third}[c];[a][b][c]concat=n=3,scale=320:480");
        let part = clip(folder.path(), name, &graph, &["-g", "25"]);
        assert_eq!((flagged(&part), scan(&part)), (Some(Scan::Progressive), Some(Scan::Interlaced)), "{name}");
    }
}

#[test]
fn a_short_clip_is_looked_at_whole() {
    let folder = folder();
    let short = clip(
        folder.path(),
        "short.mp4",
        &format!("{},interlace=scan=tff", moving("50", 1)),
        &["-flags", "+ilme+ildct"],
    );
    assert_eq!(scan(&short), Some(Scan::Interlaced));
    let stream = folder.path().join("short.ts");
    ffmpeg(&["-i", text(&short), "-c", "copy", text(&stream)]);
    assert_eq!(scan(&stream), Some(Scan::Interlaced));
}

#[test]
fn real_clips_are_what_their_cameras_made() {
    let Some(folder) = media() else { return };
    // AVCHD says 1080i of what the camera took as whole pictures; ffmpeg's own `idet` finds no comb in it.
    let avchd = folder.join("file-type__fixture-raw.mts");
    assert_eq!((flagged(&avchd), scan(&avchd)), (Some(Scan::Interlaced), Some(Scan::Progressive)));
    for path in good_clips() {
        let (told, seen) = (flagged(&path), scan(&path));
        eprintln!("{} {told:?} {seen:?}", path.display());
        // This one is `testsrc2` of a 30th of a second, whose one jump after the other `idet` takes for combs.
        let drawn = path.ends_with("torchcodec__h264_10bits.mp4");
        if told != Some(Scan::Interlaced) && !drawn {
            assert_ne!(seen, Some(Scan::Interlaced), "{}", path.display());
        }
    }
}

/// A checked patch of 64 pixels that jumps by itself, this far from the left of a grey picture of 640×360.
fn patch(left: u32) -> String {
    format!("color=c=gray:s=640x360:r=25:d=8[b];testsrc2=s=64x64:r=25:d=8[p];[b][p]overlay={left}:150,format=yuv420p")
}

#[test]
fn a_crop_follows_the_one_thing_that_is_there() {
    let folder = folder();
    let path = folder.path().join("patch.mp4");
    for (left, turn) in [(150, ""), (500, ""), (288, ""), (150, ",hflip")] {
        ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            &format!("{}{turn}", patch(left)),
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            text(&path),
        ]);
        let found = measured(&path, Some((9, 16))).busiest.unwrap();
        let centre = left + 32;
        let centre = if turn.is_empty() { centre } else { 640 - centre };
        // 9:16 keeps 202 of 640 columns; all of the patch has to be among them.
        let window = i64::from(found.across) * 640 / 1000 - 101..=i64::from(found.across) * 640 / 1000 + 101;
        let (begin, end) = (i64::from(centre) - 32, i64::from(centre) + 32);
        assert!(window.contains(&begin) && window.contains(&end), "{left}{turn}: {found:?}");
        assert_eq!(found.down, 500);
    }
}

#[test]
fn a_crop_of_a_turned_picture_goes_by_what_is_shown() {
    let folder = folder();
    let (path, turned) = (folder.path().join("patch.mp4"), folder.path().join("turned.mp4"));
    ffmpeg(&["-f", "lavfi", "-i", &patch(20), "-c:v", "libx264", "-preset", "veryfast", text(&path)]);
    ffmpeg(&["-i", text(&path), "-c", "copy", "-metadata:s:v", "rotate=90", text(&turned)]);
    let shown = facts(&turned).primary_video().unwrap().display();
    assert!(shown.width < shown.height);
    let found = measured(&turned, Some((1, 1))).busiest.unwrap();
    assert_eq!(found.across, 500);
    // Turned by ffmpeg itself, the patch lies there.
    let upright = folder.path().join("upright.mp4");
    ffmpeg(&["-i", text(&turned), "-c:v", "libx264", "-preset", "veryfast", text(&upright)]);
    let judged = measured(&upright, Some((1, 1))).busiest.unwrap();
    assert!(found.down.abs_diff(judged.down) <= 10 && found.down != 500, "{found:?}, upright {judged:?}");
}

#[test]
fn what_is_the_same_on_both_sides_is_cropped_in_the_middle() {
    let folder = folder();
    let graph = "testsrc2=s=320x360:r=25:d=4,split[a][b];[b]hflip[c];[a][c]hstack";
    let path = clip(folder.path(), "both.mp4", graph, &[]);
    assert_eq!(measured(&path, Some((9, 16))).busiest, Some(Focus::CENTRE));
    let flat = clip(folder.path(), "flat.mp4", "color=c=gray:s=640x360:r=25:d=4", &[]);
    assert_eq!(measured(&flat, Some((9, 16))).busiest, Some(Focus::CENTRE));
}

#[test]
fn the_same_file_gives_the_same_answer() {
    for path in good_clips() {
        let first = measured(&path, Some((1, 2)));
        assert!(first.busiest.is_some(), "{}", path.display());
        let what = What { scan: false, crop: AspectRatio::new(1, 2), threads: 1 };
        let again = measure(&path, &facts(&path), what, &Cancel::new()).unwrap();
        assert_eq!(again, Measured { scan: None, ..first }, "threads make no difference: {}", path.display());
    }
}
