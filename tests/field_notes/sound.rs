//! Sound beside the picture, and how loud it is.

use std::path::Path;

use crate::stage::{H264, Stage, payload, stream};
use crate::support::{ffmpeg, ffmpeg_bytes, ffprobe, text};

/// A flash and a beep of 1 kHz at each full second.
fn flashes(size: &str, rate: u32, seconds: u32, then: &str) -> Vec<String> {
    let picture = format!(
        "color=black:s={size}:r={rate}:d={seconds},drawbox=c=white:t=fill:enable='lt(mod(t+0.001,1),0.02)'{then}"
    );
    let sound = format!("aevalsrc='if(lt(mod(t,1),0.05),0.8*sin(2*PI*1000*t),0)':s=48000:d={seconds}");
    ["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound].map(str::to_owned).to_vec()
}

fn flashing(stage: &Stage, name: &str, inputs: &[String], options: &[&str]) {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let codecs = ["-fps_mode", "passthrough", "-bf", "2", "-g", "48", "-c:a", "aac"];
    stage.clip(name, &[&inputs[..], &H264, &codecs, options].concat());
}

/// When the picture turns white, in seconds.
fn flash_times(path: &Path) -> Vec<f64> {
    let times = ffprobe(path, &["-select_streams", "v:0", "-show_entries", "frame=pts_time"]);
    let times = times.iter().filter_map(|line| line.parse::<f64>().ok());
    let grey = ["-map", "0:v:0", "-fps_mode", "passthrough", "-vf", "crop=iw/8:ih/8,scale=1:1:flags=area"];
    let raw = ["-pix_fmt", "gray", "-f", "rawvideo", "-"];
    let light = ffmpeg_bytes(&[&["-i", text(path)][..], &grey, &raw].concat());
    let mut dark = true;
    let turned = |(_, light): &(f64, u8)| std::mem::replace(&mut dark, *light <= 128) && *light > 128;
    times.zip(light).filter(turned).map(|(time, _)| time).collect()
}

fn samples(path: &Path) -> Vec<f32> {
    let decoded = ffmpeg_bytes(&["-i", text(path), "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]);
    decoded.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// When silence ends, in seconds.
fn beep_times(path: &Path) -> Vec<f64> {
    let mut times = Vec::new();
    let mut quiet = 20_000;
    let start: f64 = stream(path, "a:0", "start_time")[0].parse().unwrap();
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

/// Drift: flashes and beeps stay together to the end, whatever is done with a variable rate.
#[test]
fn row_08_flashes_and_beeps_stay_together_to_the_end() {
    const FRAME: f64 = 1.0 / 30.0;
    let stage = Stage::new();
    // Every picture at a full second stays, of the others so many.
    let dropped = |rate: u32, part: &str| format!(",select='not(mod(n,{rate}))+lt(random(7),{part})'");
    let vfr = |size: &str, rate: u32, part: &str| flashes(size, rate, 20, &dropped(rate, part));
    flashing(&stage, "remux.mkv", &vfr("240x240", 60, "0.6"), &[]);
    flashing(&stage, "raised.mkv", &vfr("240x240", 30, "0.5"), &[]);
    flashing(&stage, "shape.mkv", &vfr("426x240", 60, "0.6"), &[]);
    flashing(&stage, "loop.mp4", &flashes("240x240", 30, 3, ""), &[]);
    flashing(&stage, "film.mp4", &flashes("240x240", 24, 20, ""), &[]);
    for (options, done) in [
        (
            &["--aspect", "crop", "--fps", "retime"][..],
            &[
                ("remux.mkv", "remux", "video copy"),
                ("raised.mkv", "encode", "video encode"),
                ("shape.mkv", "edit", "video edit"),
                ("loop.mp4", "encode", "video edit"),
                ("film.mp4", "encode", "video edit"),
            ][..],
        ),
        (&["--aspect", "blur"], &[("shape.mkv", "encode", "video encode"), ("film.mp4", "encode", "video encode")]),
    ] {
        let report = stage.fixed(options);
        for (name, action, picture) in done {
            assert_eq!((report.action(name), report.streams(name)[0].as_str()), (*action, *picture), "{name}");
            let output = stage.out(name);
            let (flashes, beeps) = (flash_times(&output), beep_times(&output));
            let expected = if *name == "loop.mp4" { 6 } else { 20 };
            assert_eq!((flashes.len(), beeps.len()), (expected, expected), "{name}: {flashes:?} {beeps:?}");
            for (flash, beep) in flashes.iter().zip(&beeps) {
                assert!((flash - beep).abs() < FRAME, "{name}: a flash at {flash}, its beep at {beep}");
            }
            let drift = (flashes[expected - 1] - beeps[expected - 1]) - (flashes[0] - beeps[0]);
            println!("{options:?} {name}: {drift:+.4} s at the end");
        }
        stage.again();
    }
}

fn decode_times(path: &Path, which: &str) -> Vec<i64> {
    let times = ffprobe(path, &["-select_streams", which, "-show_entries", "packet=dts"]);
    times.iter().map(|time| time.parse().unwrap_or_else(|_| panic!("{time:?}: {}", path.display()))).collect()
}

/// Timestamps after a remux: in order, the sound where it was, what was hidden still hidden.
#[test]
fn row_14_a_remux_keeps_the_sound_where_it_was() {
    let stage = Stage::new();
    let inputs = flashes("240x240", 25, 8, "");
    for name in ["plain.mkv", "plain.ts"] {
        flashing(&stage, name, &inputs, &[]);
    }
    let place = ["-metadata", "location=+48.8577+002.2950/"];
    flashing(&stage, "priming.mp4", &inputs, &place);
    let whole = stage.raw("priming.mp4");
    for name in ["late.mkv", "late.ts", "late.mov"] {
        let delayed = ["-i", text(&whole), "-itsoffset", "0.3", "-i", text(&whole), "-map", "0:v", "-map", "1:a"];
        stage.clip(name, &[&delayed[..], &["-c", "copy"], &place].concat());
    }
    // Begins between sync samples: an edit list hides what is only needed to decode.
    ffmpeg(&["-ss", "2.5", "-i", text(&whole), "-c", "copy", "-map_metadata", "0", text(&stage.raw("cut.mp4"))]);

    let report = stage.fixed(&[]);
    for name in ["plain.mkv", "plain.ts", "priming.mp4", "late.mkv", "late.ts", "late.mov", "cut.mp4"] {
        assert_eq!(
            (report.action(name), report.streams(name)),
            ("remux", vec!["video copy".into(), "audio copy".into()])
        );
        let (source, output) = (stage.raw(name), stage.out(name));
        for which in ["v:0", "a:0"] {
            let times = decode_times(&output, which);
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{name} {which}: {times:?}");
        }
        let heard_late = |path: &Path| -> Vec<f64> {
            let beeps = beep_times(path);
            let nearest =
                |flash: &f64| beeps.iter().map(|beep| beep - flash).min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
            flash_times(path).iter().skip(1).map(nearest).collect()
        };
        let (before, after) = (heard_late(&source), heard_late(&output));
        assert!(before.len() >= 4 && before.len() == after.len(), "{name}: {before:?} {after:?}");
        for (before, after) in before.iter().zip(&after) {
            assert!((before - after).abs() < 1024.0 / 48_000.0, "{name}: {before} before, {after} after");
        }
        // No sound of the encoder's own before the first, none lost at the end.
        assert!(samples(&source).len().abs_diff(samples(&output).len()) <= 1024, "{name}");
    }
}

/// Root mean square of a channel in decibels of full scale, by ffmpeg's own meter.
fn level(path: &Path, filters: &str) -> f64 {
    let filters = format!("{filters},atrim=0.5:3.5,astats=measure_overall=RMS_level:measure_perchannel=none");
    let output = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-i", text(path), "-vn", "-af", &filters, "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.lines().find(|line| line.contains("RMS level dB:")).unwrap_or_else(|| panic!("{said}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Quiet dialogue: what need not be mixed down is not, and what must be keeps the level of its centre.
#[test]
fn row_18_surround_stays_and_a_downmix_keeps_its_dialogue() {
    let stage = Stage::new();
    // Dialogue in the centre alone; the others are far below it.
    let quiet = |hz: u32| format!("0.002*sin(2*PI*{hz}*t)");
    let voice = "0.25*sin(2*PI*700*t)";
    let five = [quiet(200), quiet(210), voice.to_owned(), quiet(60), quiet(220), quiet(230)].join("|");
    let seven = [five.as_str(), &quiet(240), &quiet(250)].join("|");
    let make = |name: &str, channels: &str, layout: &str, codec: &[&str]| {
        let sound = format!("aevalsrc='{channels}':c={layout}:s=48000:d=4");
        let inputs = ["-f", "lavfi", "-i", "testsrc2=s=240x240:r=25:d=4", "-f", "lavfi", "-i", &sound];
        stage.clip(name, &[&inputs[..], &H264, codec].concat());
    };
    make("aac.mkv", &five, "5.1", &["-c:a", "aac", "-b:a", "384k"]);
    make("ac3.mkv", &five, "5.1(side)", &["-c:a", "ac3", "-b:a", "448k"]);
    make("seven.mkv", &seven, "7.1", &["-c:a", "flac"]);
    let report = stage.fixed(&[]);
    let layout = |name: &str| stream(&stage.out(name), "a:0", "channels").concat();

    assert_eq!(report.streams("aac.mkv"), ["video copy", "audio copy"]);
    assert_eq!(payload(&stage.raw("aac.mkv"), "a:0"), payload(&stage.out("aac.mkv"), "a:0"));
    assert_eq!(layout("aac.mkv"), "6");

    assert_eq!(report.streams("ac3.mkv"), ["video copy", "audio encode"]);
    assert_eq!(layout("ac3.mkv"), "6");
    for channel in ["FL", "FR", "FC"] {
        let only = format!("pan=mono|c0={channel}");
        let (before, after) = (level(&stage.raw("ac3.mkv"), &only), level(&stage.out("ac3.mkv"), &only));
        assert!((before - after).abs() < 1.0, "{channel}: {before} dB before, {after} dB after");
    }

    assert_eq!(report.streams("seven.mkv"), ["video copy", "audio encode"]);
    assert_eq!(layout("seven.mkv"), "2");
    let spoken = level(&stage.raw("seven.mkv"), "pan=mono|c0=FC");
    let sides = ["FL", "FR"].map(|side| level(&stage.out("seven.mkv"), &format!("pan=mono|c0={side}")));
    // The centre goes to both sides at -3 dB each, which together are as loud (ITU-R BS.775).
    for side in sides {
        assert!((side - (spoken - 3.01)).abs() < 1.0, "{spoken} dB in the centre, {sides:?} dB in the mix");
    }
}
