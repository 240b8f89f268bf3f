//! The same pictures at another rate.

use std::path::{Path, PathBuf};

use pinpress_media::{FixOptions, FpsMode, Plan, Retime, VideoStep};
use pinpress_probe::{FrameRate, MediaInfo, RuleId, Seconds, Spec};
use pinpress_transcode::plan::{Measured, plan};

use crate::ground::{edit, edited, encoded_sound, facts, fix, packets};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, folder, text};

/// A flash and a beep of 1 kHz each second, `seconds` long, the sound `late` by so many seconds.
fn flashes(folder: &Path, name: &str, rate: &str, seconds: u32, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let picture =
        format!("color=black:s=64x64:r={rate}:d={seconds},drawbox=c=white:t=fill:enable='lt(mod(t+0.001,1),0.03)'");
    let sound = format!("aevalsrc='if(lt(mod(t,1),0.05),0.8*sin(2*PI*1000*t),0)':s=48000:d={seconds}");
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-b_strategy", "0", "-c:a", "aac"];
    ffmpeg(
        &[&["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound][..], &codecs, options, &[text(&path)]].concat(),
    );
    path
}

fn retimed(info: &MediaInfo, from: FrameRate, to: FrameRate) -> Plan {
    let stretch = from.rational().checked_div(to.rational()).unwrap();
    Plan {
        audio: encoded_sound(info),
        retime: Some(Retime { from, to }),
        duration: info.duration.map(|time| Seconds(time.0.checked_mul(stretch).unwrap())),
        ..edited(info, edit(info, RuleId::FrameRate))
    }
}

/// When pictures turn white, in seconds.
fn flash_times(path: &Path) -> Vec<f64> {
    let times = ffprobe(path, &["-select_streams", "v:0", "-show_entries", "frame=pts_time"]);
    let times = times.iter().filter_map(|line| line.parse::<f64>().ok());
    let grey = ["-fps_mode", "passthrough", "-vf", "scale=1:1", "-pix_fmt", "gray", "-f", "rawvideo", "-"];
    let light = ffmpeg_bytes(&[&["-i", text(path)][..], &grey].concat());
    times.zip(light).filter(|(_, light)| *light > 128).map(|(time, _)| time).collect()
}

/// When silence ends, in seconds.
fn beep_times(path: &Path) -> Vec<f64> {
    let mut times = Vec::new();
    let mut quiet = 20_000;
    let start: f64 =
        ffprobe(path, &["-select_streams", "a:0", "-show_entries", "stream=start_time"])[0].parse().unwrap();
    for (at, sample) in samples(path).iter().enumerate() {
        if sample.abs() < 0.2 {
            quiet += 1;
        } else {
            if quiet > 10_000 {
                times.push(start + at as f64 / 48_000.0);
            }
            quiet = 0;
        }
    }
    times
}

fn samples(path: &Path) -> Vec<f32> {
    let decoded = ffmpeg_bytes(&["-i", text(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]);
    decoded.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

#[test]
fn pictures_are_the_same_packets_at_a_rate_that_is_exact() {
    let folder = folder();
    let pal = FrameRate::new(25, 1).unwrap();
    for (name, rate, from) in [
        ("film.mp4", "24", (24, 1)),
        ("ntsc.mp4", "24000/1001", (24_000, 1_001)),
        ("ntsc.mkv", "24000/1001", (24_000, 1_001)),
        ("film.ts", "24", (24, 1)),
    ] {
        let source = flashes(folder.path(), name, rate, 20, &[]);
        let info = facts(&source);
        let from = FrameRate::new(from.0, from.1).unwrap();
        assert_eq!(info.primary_video().unwrap().frame_rate, Some(from), "{name}");
        let output = folder.path().join("out.mp4");
        let fixed = fix(&source, retimed(&info, from, pal), &output);
        let video = fixed.info.primary_video().unwrap();
        assert_eq!((video.frame_rate, video.min_frame_rate), (Some(pal), Some(pal)), "{name}");
        assert_eq!(video.variable_frame_rate, Some(false), "{name}");
        let entries = ["-select_streams", "v:0", "-show_entries", "stream=r_frame_rate,avg_frame_rate"];
        assert_eq!(ffprobe(&output, &entries), ["25/1", "25/1"], "{name}");
        // What the parameter sets say, read where no container says anything.
        let bare = folder.path().join("bare.h264");
        ffmpeg(&["-i", text(&output), "-c:v", "copy", "-an", text(&bare)]);
        assert_eq!(ffprobe(&bare, &["-show_entries", "stream=r_frame_rate"]), ["25/1"], "{name}");
        if !name.ends_with("ts") {
            assert_eq!(packets(&source), packets(&output), "{name}");
        }
        let (flashes, beeps) = (flash_times(&output), beep_times(&output));
        assert_eq!((flashes.len(), beeps.len()), (20, 20), "{flashes:?} {beeps:?} {name}");
        let stretch = flashes[19] - flashes[0];
        let exact = 19.0 * from.rational().num() as f64 / from.rational().den() as f64 / 25.0;
        assert!((stretch - exact).abs() < 0.05, "{stretch} {exact} {name}");
        for (flash, beep) in flashes.iter().zip(&beeps) {
            assert!((flash - beep).abs() < 0.04, "{flash} {beep} {name}");
        }
        // Uneven by a frame at most at the end.
        let rate = from.rational();
        let exact = 20_000 * rate.num() / rate.den() / 25;
        assert!((fixed.info.duration.unwrap().millis() - exact).abs() < 60, "{name}");
    }
}

#[test]
fn the_pitch_stays() {
    let folder = folder();
    let source = folder.path().join("tone.mp4");
    let tone = "aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:d=10";
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    let inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x120:d=10:r=24", "-f", "lavfi", "-i", tone];
    ffmpeg(&[&inputs[..], &codecs, &[text(&source)]].concat());
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let plan = retimed(&info, FrameRate::new(24, 1).unwrap(), FrameRate::new(25, 1).unwrap());
    fix(&source, plan, &output);
    let heard = samples(&output);
    assert!(heard.len().abs_diff(48_000 * 96 / 10) < 2_400, "{}", heard.len());
    let middle = &heard[48_000..8 * 48_000];
    let crossings = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    let pitch = crossings as f64 / 7.0;
    assert!((pitch - 1_000.0).abs() < 5.0, "{pitch} Hz; 1,042 without its pitch kept");
}

#[test]
fn sound_that_begins_late_begins_late_in_proportion() {
    let folder = folder();
    let whole = flashes(folder.path(), "whole.mkv", "24", 12, &[]);
    let source = folder.path().join("late.mkv");
    let delayed = ["-i", text(&whole), "-itsoffset", "3", "-i", text(&whole), "-map", "0:v", "-map", "1:a"];
    ffmpeg(&[&delayed[..], &["-c", "copy", "-t", "12", text(&source)]].concat());
    let info = facts(&source);
    let output = folder.path().join("out.mp4");
    let plan = retimed(&info, FrameRate::new(24, 1).unwrap(), FrameRate::new(25, 1).unwrap());
    fix(&source, Plan { duration: None, ..plan }, &output);
    let (flashes, beeps) = (flash_times(&output), beep_times(&output));
    for (flash, beep) in flashes.iter().skip(3).zip(&beeps) {
        assert!((flash - beep).abs() < 0.04, "{flashes:?} {beeps:?}");
    }
}

#[test]
fn an_irregular_picture_ends_no_slower_than_it_was_to_be() {
    let folder = folder();
    let source = folder.path().join("irregular.mkv");
    let picture = "testsrc2=s=160x120:d=8:r=24,settb=1/1000,setpts='PTS+if(eq(mod(N,5),0),7,0)'";
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "2", "-fps_mode", "passthrough"];
    ffmpeg(&[&["-f", "lavfi", "-i", picture][..], &codecs, &["-enc_time_base", "1/1000", text(&source)]].concat());
    let info = facts(&source);
    let from = info.primary_video().unwrap().frame_rate.unwrap();
    let to = FrameRate::new(25, 1).unwrap();
    assert!(info.primary_video().unwrap().variable_frame_rate == Some(true) && from < to, "{from}");
    let output = folder.path().join("out.mp4");
    let fixed = fix(&source, retimed(&info, from, to), &output);
    assert!(fixed.info.primary_video().unwrap().frame_rate.unwrap() >= to, "{:?}", fixed.info.primary_video());
    assert_eq!(packets(&source), packets(&output));
}

/// Another shape has to be encoded, and the rate is changed along the way.
#[test]
fn an_encode_is_retimed_too() {
    let folder = folder();
    let source = flashes(folder.path(), "film.mkv", "24", 20, &["-vf", "scale=320:240,setsar=1"]);
    let info = facts(&source);
    let options =
        FixOptions { fps: FpsMode::Retime, preset: "ultrafast".to_owned(), threads: 2, ..FixOptions::default() };
    let planned = plan(&info, &Spec::load("pinterest").unwrap(), &options, &Measured::default());
    assert!(matches!(planned.video, Some(VideoStep::Encode(_))) && planned.retime.is_some(), "{planned:?}");
    let output = folder.path().join("out.mp4");
    fix(&source, planned, &output);
    // Matroska's milliseconds stay in a rate that is kept, so the average is a hair above.
    assert_eq!(ffprobe(&output, &["-select_streams", "v:0", "-show_entries", "stream=r_frame_rate"]), ["25/1"]);
    assert!(facts(&output).primary_video().unwrap().frame_rate >= FrameRate::new(25, 1));
    let frames =
        ffprobe(&output, &["-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets"]);
    assert_eq!(frames, ["480"], "no picture twice and none lost");
    let (flashes, beeps) = (flash_times(&output), beep_times(&output));
    assert_eq!((flashes.len(), beeps.len()), (20, 20));
    for (flash, beep) in flashes.iter().zip(&beeps) {
        assert!((flash - beep).abs() < 0.04, "{flash} {beep}");
    }
}
