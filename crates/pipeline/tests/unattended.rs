//! What a run does while nobody looks: files that grow, a disk that fills, a folder that is kept an eye on, a stop.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ground::{Ground, ScriptedMedia, files, name_of};
use pinpress_media::{Progress, Stage};
use pinpress_pipeline::{
    Changes, DiscoverError, Disk, End, Filters, Interrupt, KeepFree, RunError, RunEvent, RunObserver, keep_watch, run,
};

/// A file that grows while it is looked at, for as long as this lives.
struct Growing(Arc<std::sync::atomic::AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Growing {
    fn begin(path: std::path::PathBuf) -> Self {
        let goes_on = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let flag = Arc::clone(&goes_on);
        let writer = std::thread::spawn(move || {
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            while flag.load(Ordering::SeqCst) {
                io::Write::write_all(&mut file, b"more").unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self(goes_on, Some(writer))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
        drop(self.1.take().map(std::thread::JoinHandle::join));
    }
}

#[test]
fn a_file_that_grows_is_left_for_later_and_then_done() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("b.mp4", "2");
    ground.settle = Duration::from_millis(400);
    let media = ScriptedMedia::default();
    let writer = Growing::begin(ground.raw("b.mp4"));
    let ends = ground.ends(&media);
    drop(writer);
    assert_eq!(ends["a.mp4"], End::Done);
    assert!(matches!(&ends["b.mp4"], End::Later { reason } if reason.contains("still writing")), "{:?}", ends["b.mp4"]);
    assert_eq!(ground.rehearsal.pins().len(), 1);
    ground.video("b.mp4", "2");
    assert_eq!(ground.ends(&media)["b.mp4"], End::Done);
}

#[test]
fn only_what_is_meant_is_done() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    for name in ["a.mp4", "b.mov", "drafts/c.mp4", "old/d.mp4", "old/keep/e.mp4"] {
        ground.video(name, name);
    }
    std::fs::write(ground.raw(".pinpressignore"), "# not yet\ndrafts/\n").unwrap();
    ground.filters = Filters { include: vec!["*.mp4".to_owned()], exclude: vec!["old/*.mp4".to_owned()] };
    let ends = ground.ends(&ScriptedMedia::default());
    let mut names: Vec<_> = ends.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["a.mp4", "e.mp4"]);
    ground.filters = Filters { include: vec!["[".to_owned()], exclude: Vec::new() };
    let error = ground.try_run(&ScriptedMedia::default()).unwrap_err().to_string();
    assert!(error.starts_with("\"[\" is no pattern of file names"), "{error}");
}

#[test]
fn a_mistake_in_an_ignore_file_ends_the_run_before_anything_is_sent() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    for name in ["a.mp4", "deep/b.mp4"] {
        ground.video(name, name);
    }
    let deep = ground.raw("deep/.pinpressignore");
    std::fs::write(&deep, "{b\n").unwrap();
    let refused = |media: &ScriptedMedia| {
        let error = ground.try_run(media).unwrap_err();
        assert!(matches!(error, RunError::Discover(DiscoverError::IgnoreFiles { .. })), "{error}");
        error.to_string()
    };
    let media = ScriptedMedia::default();
    // Below the given folder, it is met when the first video is known already.
    assert!(refused(&media).starts_with("a mistake in .pinpressignore:\n  line 1: \"{b\""));
    std::fs::write(ground.raw(".pinpressignore"), "[a\n").unwrap();
    assert!(refused(&media).starts_with("2 mistakes in .pinpressignore:\n  line 1: \"[a\""));
    assert_eq!((ground.rehearsal.pins().len(), media.fixes.load(Ordering::SeqCst)), (0, 0));
    std::fs::write(&deep, "b.*\n").unwrap();
    std::fs::remove_file(ground.raw(".pinpressignore")).unwrap();
    assert_eq!(ground.ends(&media).into_keys().collect::<Vec<_>>(), ["a.mp4"]);
}

/// A disk on which only so much is free.
#[derive(Debug)]
struct Full(AtomicU64);

impl Disk for Full {
    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }

    fn size(&self, _: &Path) -> io::Result<u64> {
        Ok(1_000_000)
    }
}

#[test]
fn nothing_is_written_to_a_full_disk_and_the_next_run_goes_on() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let disk = Arc::new(Full(AtomicU64::new(1_000)));
    ground.keep_free = KeepFree { disk: disk.clone(), reserve: 1_000, patience: Duration::ZERO };
    let media = ScriptedMedia::default();
    let ends = ground.ends(&media);
    assert!(matches!(&ends["a.mp4"], End::Later { reason } if reason.starts_with("the disk is nearly full")));
    assert_eq!((media.fixes.load(Ordering::SeqCst), files(&ground.out(""))), (0, Vec::new()));
    assert!(ground.place().file().unwrap().is_file(), "what it left is known");
    disk.0.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
}

#[test]
fn what_is_nearly_done_is_finished_when_asked_to_stop_and_the_rest_is_not() {
    for done_ms in [5_900, 0] {
        let Some(mut ground) = Ground::new(Vec::new()) else { return };
        ground.video("a.mp4", "1");
        let media = ScriptedMedia {
            stop_in_fix: Some(ground.interrupt.clone()),
            come_so_far: Some(Progress { stage: Stage::Encoding, done_ms, total_ms: Some(6_000) }),
            ..ScriptedMedia::default()
        };
        assert_eq!(ground.ends(&media)["a.mp4"], End::Interrupted, "its cover and its Pin are for the next run");
        let kept = files(&ground.out(""));
        assert_eq!(kept, if done_ms > 0 { vec!["a.mp4"] } else { Vec::new() });
        assert!(ground.rehearsal.pins().is_empty());
        ground.interrupt = Interrupt::default();
        let media = ScriptedMedia::default();
        assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
        assert_eq!(
            media.fixes.load(Ordering::SeqCst),
            usize::from(done_ms == 0),
            "what was finished is not done again"
        );
    }
}

/// Changes by a script: each step is done when the folder is next waited for.
#[derive(Default)]
struct Script<'a>(Mutex<Vec<Box<dyn FnOnce() + Send + 'a>>>);

impl std::fmt::Debug for Script<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Changes for Script<'_> {
    fn wait(&self, _: Duration) -> bool {
        let step = self.0.lock().unwrap().pop();
        step.map(|step| step()).is_some()
    }
}

/// How often each video was told of, and a file with a mistake.
#[derive(Default)]
struct Told(Mutex<HashMap<String, usize>>, AtomicUsize);

impl RunObserver for Told {
    fn event(&self, event: &RunEvent<'_>) {
        if let RunEvent::Warning { video: None, message } = event
            && (message.contains("nosuch") || message.contains(".pinpressignore"))
        {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        if let RunEvent::Finished { outcome, .. } = event {
            *self.0.lock().unwrap().entry(name_of(&outcome.source)).or_default() += 1;
        }
    }
}

#[test]
fn a_folder_that_is_watched_is_done_as_it_fills() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.manifest = Some("file,title\na.mp4,First\nlater.mp4,Second\n".to_owned());
    let mut options = ground.run_options();
    assert!(matches!(ground.try_run(&ScriptedMedia::default()), Err(RunError::NoVideos { .. })));
    options.more_to_come = true;
    let manifest = options.texts.manifest.as_ref().unwrap().path.clone();
    let (interrupt, told, media) = (Interrupt::default(), Told::default(), ScriptedMedia::default());
    // The last step first.
    let steps: Vec<Box<dyn FnOnce() + Send>> = vec![
        Box::new(|| interrupt.request()),
        Box::new(|| {
            std::fs::remove_file(ground.raw(".pinpressignore")).unwrap();
            // Its row came after the watch had begun.
            ground.video("third.mp4", "3");
            std::fs::write(&manifest, "file,title\na.mp4,First\nlater.mp4,Second\nthird.mp4,Third\n").unwrap();
        }),
        Box::new(|| {
            std::fs::remove_file(ground.raw("later.pin.toml")).unwrap();
            std::fs::write(ground.raw(".pinpressignore"), "{a\n").unwrap();
        }),
        Box::new(|| {
            ground.video("later.mp4", "2");
            std::fs::write(ground.raw("later.pin.toml"), "nosuch = 1\n").unwrap();
        }),
        Box::new(|| ground.video("a.mp4", "1")),
    ];
    let summary = keep_watch(&options, &media, &told, &interrupt, &Script(Mutex::new(steps))).unwrap();
    assert!(summary.interrupted);
    let ends: Vec<_> = summary.videos.iter().map(|video| (name_of(&video.source), video.end.clone())).collect();
    assert_eq!(ends.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a.mp4", "later.mp4", "third.mp4"]);
    let mut titles: Vec<_> = ground.rehearsal.pins().into_iter().filter_map(|pin| pin.title).collect();
    // Of two that are ready in one round, either goes out first.
    titles.sort();
    assert_eq!(titles, ["First", "Second", "Third"]);
    assert_eq!(told.0.lock().unwrap()["a.mp4"], 1, "it is not told of again when nothing was done");
    assert_eq!(told.1.load(Ordering::SeqCst), 2, "what is wrong is told of, and the watch goes on");
    drop(run(&options, &media, &(), &Interrupt::default()).unwrap());
    assert_eq!(ground.rehearsal.pins().len(), 3);
}

#[test]
fn a_short_walk_is_waited_for_where_something_is_to_be_sent() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,title\ngone.mp4,None\n".to_owned());
    let media = ScriptedMedia::default();
    assert!(matches!(ground.try_run(&media), Err(RunError::Pins(_))));
    assert_eq!(media.fixes.load(Ordering::SeqCst), 0, "its mistakes are told before any work");
    assert!(!ground.out("").exists());
    ground.manifest = None;
    let mut options = ground.run_options();
    options.pins = None;
    let summary = run(&options, &media, &(), &Interrupt::default()).unwrap();
    assert_eq!(summary.videos[0].end, End::Done, "without Pins nothing has to be settled first");
    assert!(ground.rehearsal.requests().is_empty());
}
