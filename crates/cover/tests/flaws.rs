//! A flaw for a part of the time: frames of that part are refused with it, and none of them is taken.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, which the lints' exception for tests does not see")]

mod support;

use pinpress_media::Flaw;
use support::{clip, ranked, times};

/// Eight seconds of a fractal.
const SCENE: &str = "mandelbrot=s=480x270:r=10:start_scale=0.6:end_pts=400:maxiter=100,format=yuv420p";

/// Looks that are not at sync samples may be so much before the change that they show it, in milliseconds.
const NEAR: i64 = 140;

fn refused(name: &str, filter: &str, keys: &str, (from, to): (i64, i64), flaw: Flaw) {
    let folder = tempfile::tempdir().unwrap();
    let graph = format!("{SCENE},{filter},trim=duration=8");
    let source = clip(&folder, "a.mp4", &graph, &["-g", keys, "-sc_threshold", "0", "-qp", "16"]);
    let covers = ranked(&source, 6, 2);
    let inside = |time: i64| (from - NEAR..to).contains(&time);
    assert!(covers.candidates.iter().all(|candidate| candidate.flaw.is_none()), "{name}: {covers:#?}");
    assert!(!times(&covers).into_iter().any(inside), "{name}: {:?}", times(&covers));
    let looked_at: Vec<_> = covers.rejected.iter().filter(|rejected| inside(rejected.time.millis())).collect();
    assert!(looked_at.iter().any(|rejected| rejected.flaw == flaw), "{name}: {looked_at:#?}");
}

#[test]
fn each_flaw_is_told_where_it_is() {
    let fill = |colour: &str| format!("drawbox=c={colour}:t=fill:enable='lt(t,4)'");
    refused("dark", &fill("0x080808"), "8", (0, 4_000), Flaw::TooDark);
    refused("bright", &fill("white"), "8", (0, 4_000), Flaw::TooBright);
    refused("flat", &fill("0x5080a0"), "8", (0, 4_000), Flaw::Flat);
    refused("blurred", "gblur=sigma=6:enable='lt(t,4)'", "8", (0, 4_000), Flaw::Blurred);
    refused("moved", "avgblur=sizeX=30:sizeY=0:enable='lt(t,4)'", "8", (0, 4_000), Flaw::Blurred);
    refused("snow", "noise=alls=100:allf=t+u:enable='lt(t,4)'", "8", (0, 4_000), Flaw::Noise);
    let bars = "drawbox=h=ih*0.2:c=black:t=fill:enable='lt(t,4)',drawbox=y=ih*0.8:c=black:t=fill:enable='lt(t,4)'";
    refused("letterbox", bars, "8", (0, 4_000), Flaw::Bars);
    let fade = "hflip=enable='gte(t,4)',fade=out:st=4:d=3";
    refused("fade", fade, "5", (4_000, 8_000), Flaw::Transition);
}

#[test]
fn the_beginning_and_the_end_are_refused_though_nothing_is_wrong_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", &format!("{SCENE},trim=duration=8"), &["-g", "1"]);
    let covers = ranked(&source, 6, 2);
    let flaw_at = |time: i64| covers.rejected.iter().find(|rejected| rejected.time.millis() == time).map(|r| r.flaw);
    assert_eq!(flaw_at(0), Some(Flaw::Beginning));
    assert_eq!(flaw_at(7_900), Some(Flaw::End));
}

#[test]
fn what_follows_lost_frames_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lost = ["-g", "1000", "-sc_threshold", "0", "-bsf:v", "noise=drop='between(n,40,43)'"];
    let source = clip(&folder, "a.mp4", &format!("{SCENE},trim=duration=8"), &lost);
    let covers = ranked(&source, 6, 2);
    assert!(times(&covers).iter().all(|time| *time < 4_000), "{:?}", times(&covers));
    let damaged: Vec<_> = covers.rejected.iter().filter(|rejected| rejected.flaw == Flaw::Damaged).collect();
    assert!(!damaged.is_empty() && damaged.iter().all(|rejected| rejected.time.millis() >= 4_000), "{damaged:?}");
}

#[test]
fn a_video_that_is_combed_all_the_way_has_a_cover_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "testsrc2=s=480x360:r=50:d=2,scroll=h=0.02,gblur=sigma=1,interlace=scan=tff:lowpass=off,setfield=prog";
    let covers = ranked(&clip(&folder, "a.mp4", graph, &["-qp", "16", "-g", "5"]), 2, 2);
    assert_eq!(covers.candidates[0].flaw, Some(Flaw::Combed));
}
