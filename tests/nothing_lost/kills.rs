//! Programs that are killed at any moment, and a Ctrl-C.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::ground::{Ground, Moments, ended, is_temp, ran, signal, state};

const KILLS: u32 = 50;

/// A folder with a video for each way to fix, and what it takes.
struct Killed {
    ground: Ground,
    out: PathBuf,
    span: Duration,
    sources: std::collections::BTreeMap<String, Vec<u8>>,
    /// Outputs that were found whole.
    whole: HashSet<(String, Vec<u8>)>,
}

const OUTPUTS: [&str; 4] = ["edit.mp4", "encode.mp4", "fits.mp4", "remux.mp4"];

const OPTIONS: [&str; 4] = ["--fps", "retime", "--jobs", "2"];

impl Killed {
    fn new() -> Option<Self> {
        let ground = Ground::new()?;
        ground.silent("edit.mp4", "270x480", 5, 24);
        ground.clip("encode.mkv", "480x270", 4, 25);
        ground.clip("fits.mp4", "270x480", 4, 25);
        ground.clip("remux.mkv", "270x480", 4, 25);
        let sources = Ground::tree(&ground.at("raw"));
        let out = ground.at("out");
        let begun = Instant::now();
        let said = ran(&mut ground.fix(&out, &[&OPTIONS[..], &["--format", "json"]].concat()));
        let span = begun.elapsed();
        for action in ["edit", "encode", "passthrough", "remux"] {
            assert!(said.stdout.contains(&format!("\"action\": \"{action}\"")), "no {action}: {said:?}");
        }
        let mut this = Self { ground, out, span, sources, whole: HashSet::new() };
        this.assert_finished();
        Some(this)
    }

    fn start(&self) -> Child {
        let _ = std::fs::remove_dir_all(&self.out);
        self.ground.fix(&self.out, &OPTIONS).spawn().unwrap()
    }

    /// Each file with a final name is whole; the sources are as they were. Answers what no job was to leave.
    fn assert_nothing_half(&mut self) -> Vec<String> {
        for output in Ground::tree(&self.out).into_iter().filter(|(name, _)| !is_temp(name)) {
            assert!(OUTPUTS.contains(&output.0.as_str()), "{}", output.0);
            if !self.whole.contains(&output) {
                self.ground.assert_whole(&self.out.join(&output.0));
                self.whole.insert(output);
            }
        }
        assert_eq!(Ground::tree(&self.ground.at("raw")), self.sources, "the sources were touched");
        Ground::names(&self.out).into_iter().filter(|name| is_temp(name)).collect()
    }

    fn assert_finished(&mut self) {
        assert!(self.assert_nothing_half().is_empty(), "{:?}", Ground::names(&self.out));
        assert_eq!(Ground::names(&self.out), OUTPUTS);
    }

    fn finish(&mut self) {
        let said = ran(&mut self.ground.fix(&self.out, &OPTIONS));
        assert_eq!(said.code, Some(0), "{said:?}");
        self.assert_finished();
    }
}

#[test]
fn a_front_that_is_killed_at_any_moment_leaves_nothing_half_and_the_next_run_finishes() {
    let Some(mut killed) = Killed::new() else { return };
    let mut moments = Moments(1);
    let (mut with_temps, mut tidied) = (0, 0);
    for kill in 0..KILLS {
        let moment = moments.next(killed.span);
        let mut front = killed.start();
        std::thread::sleep(moment);
        let alone = kill % 2 == 0;
        if !alone {
            // As when the machine goes down: nobody is left to tidy up.
            signal(front.id(), Signal::STOP);
            for worker in killed.ground.workers() {
                signal(worker, Signal::KILL);
            }
        }
        let at_work = Ground::is_written_to(&killed.out);
        front.kill().unwrap();
        front.wait().unwrap();
        killed.ground.wait_for_workers();
        let temps = killed.assert_nothing_half();
        if alone {
            assert!(temps.is_empty(), "a worker that has lost its front leaves {temps:?}");
            tidied += u32::from(at_work);
        } else if !temps.is_empty() {
            with_temps += 1;
            // Each that was caught at work; the others have nothing to sweep.
            if with_temps <= 5 {
                killed.finish();
            }
        }
    }
    assert!(with_temps > 0 && tidied > 0, "{with_temps} and {tidied} kills hit a file that was being written");
    killed.finish();
}

#[test]
fn what_a_kill_after_the_output_had_its_name_leaves_goes_with_the_next_run() {
    let Some(mut killed) = Killed::new() else { return };
    // Too high for a process on any Linux, so that it is of nobody who lives.
    for output in OUTPUTS {
        let left = killed.out.join(format!(".{output}.4194305.pinpress-tmp"));
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("lock.pinpress-tmp"), "").unwrap();
    }
    assert_eq!(killed.assert_nothing_half().len(), OUTPUTS.len());
    killed.finish();
}

#[test]
fn a_worker_or_job_that_is_killed_at_any_moment_costs_its_own_video_alone() {
    let Some(mut killed) = Killed::new() else { return };
    let mut moments = Moments(2);
    let (mut hits, mut lost) = (0, 0);
    for kill in 0..KILLS {
        let moment = moments.next(killed.span);
        let front = killed.start();
        std::thread::sleep(moment);
        let workers = killed.ground.workers();
        let of_front = |process: &u32| {
            state(&PathBuf::from(format!("/proc/{process}/stat"))).is_some_and(|(_, parent)| parent == front.id())
        };
        let (parents, jobs): (Vec<u32>, Vec<u32>) = workers.into_iter().partition(of_front);
        let victims = if kill % 2 == 0 { jobs } else { parents };
        let hit = victims.first().is_some_and(|victim| signal(*victim, Signal::KILL));
        hits += u32::from(hit);
        let said = ended(front);
        let temps = killed.assert_nothing_half();
        assert!(temps.is_empty(), "{temps:?} after {said:?}");
        let outputs = Ground::names(&killed.out).len();
        match said.code {
            Some(0) => assert_eq!(outputs, OUTPUTS.len(), "{said:?}"),
            Some(1) => {
                lost += 1;
                // All are there where it was killed between giving the output its name and saying so.
                assert!(hit && outputs >= OUTPUTS.len() - 1, "{outputs} outputs, {said:?}");
                assert!(said.stdout.contains("SIGKILL"), "{said:?}");
            }
            _ => panic!("{said:?}"),
        }
    }
    assert!(hits >= KILLS / 4 && lost > 0, "{hits} hits, {lost} videos lost");
    killed.finish();
}

#[test]
fn one_ctrl_c_keeps_what_is_finished_and_leaves_nothing_half() {
    let Some(mut killed) = Killed::new() else { return };
    killed.ground.clip("zz-long.mkv", "1280x720", 30, 25);
    killed.sources = Ground::tree(&killed.ground.at("raw"));
    let front = killed.start();
    let begun = Instant::now();
    // The last one is at work, and the others are done.
    let done = |names: &[String]| OUTPUTS.iter().all(|output| names.iter().any(|name| name == output));
    let at_work = |names: &[String]| names.iter().any(|name| name.starts_with(".zz-long"));
    loop {
        let names = Ground::names(&killed.out);
        if done(&names) && at_work(&names) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", Ground::names(&killed.out));
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(front.id(), Signal::INT);
    let said = ended(front);
    assert_eq!(said.code, Some(130), "{said:?}");
    assert!(said.stderr.contains("again to stop at once"), "{said:?}");
    killed.ground.wait_for_workers();
    killed.assert_finished();
}
