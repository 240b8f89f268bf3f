//! The whole flow against a Pinterest on loopback: done once, resumed from anywhere, published once.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

#[path = "run/claims.rs"]
mod claims;
#[path = "run/events.rs"]
mod events;
mod ground;
#[path = "run/lost_ledger.rs"]
mod lost_ledger;
#[path = "run/queue.rs"]
mod queue;
#[path = "run/shards.rs"]
mod shards;

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use ground::{Ground, ScriptedMedia, files};
use pinpress_media::{FailureKind, FixOptions};
use pinpress_pipeline::ledger::{JobState, Lease, Ledger, PinStatus, RunLock, Step};
use pinpress_pipeline::receipt::Receipt;
use pinpress_pipeline::{CoverUrl, End, Interrupt, Mode, RunError, RunStage, SqliteLedger, ledger_path, run};
use pinpress_publish::CoverAs;
use pinpress_rehearsal::{Call, Fault, FaultRule, KeptCover};

fn count(media: &ScriptedMedia) -> (usize, usize) {
    (media.fixes.load(Ordering::SeqCst), media.covers.load(Ordering::SeqCst))
}

#[test]
fn a_folder_is_published_and_a_second_run_does_nothing() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("my_first-clip.mp4", "1");
    ground.video("deep/er/b.mov", "2");
    std::fs::write(ground.raw("broken.mp4"), b"this is no video").unwrap();
    std::fs::write(ground.raw("notes.txt"), b"notes").unwrap();
    let before: Vec<_> = files(&ground.raw("")).iter().map(|name| std::fs::read(ground.raw(name)).ok()).collect();

    let media = ScriptedMedia::default();
    let summary = ground.try_run(&media).unwrap();
    let ends: Vec<_> = summary.videos.iter().map(|video| (ground::name_of(&video.source), &video.end)).collect();
    assert_eq!(ends.len(), 3);
    assert!(matches!(&ends[0].1, End::Failed { stage: RunStage::Check, reason } if reason.contains("not a video")));
    assert_eq!(ends[1..], [("b.mov".to_owned(), &End::Done), ("my_first-clip.mp4".to_owned(), &End::Done)]);
    assert_eq!(count(&media), (2, 2));
    assert_eq!(
        files(&ground.out("")),
        [
            "deep",
            "deep/er",
            "deep/er/b.cover.jpg",
            "deep/er/b.mp4",
            "deep/er/b.pin.json",
            "my_first-clip.cover.jpg",
            "my_first-clip.mp4",
            "my_first-clip.pin.json",
        ]
    );
    let pins = ground.rehearsal.pins();
    let mut titles: Vec<_> = pins.iter().map(|pin| pin.title.clone().unwrap()).collect();
    titles.sort();
    assert_eq!(titles, ["b", "my first clip"]);

    let receipt: Receipt =
        serde_json::from_slice(&std::fs::read(ground.out("my_first-clip.pin.json")).unwrap()).unwrap();
    let pin = pins.iter().find(|pin| pin.id == receipt.pin.pin_id).unwrap();
    assert_eq!((pin.title.as_deref(), &pin.media_id), (Some("my first clip"), &receipt.pin.media_id));
    assert_eq!(receipt.cover.unwrap().time_ms, Some(1_500));
    assert_eq!(receipt.output.path, "my_first-clip.mp4");
    let hash = |path| blake3::hash(&std::fs::read(path).unwrap()).to_hex().to_string();
    assert_eq!(receipt.output.fingerprint.as_str(), hash(ground.out("my_first-clip.mp4")));
    assert_eq!(receipt.source.fingerprint.as_str(), hash(ground.raw("my_first-clip.mp4")));

    let asked = ground.rehearsal.requests().len();
    let summary = ground.try_run(&media).unwrap();
    assert_eq!(count(&media), (2, 2), "nothing was fixed or covered again");
    assert_eq!(ground.rehearsal.pins().len(), 2);
    let new: Vec<_> = ground.rehearsal.requests().into_iter().skip(asked).collect();
    assert!(new.iter().all(|request| request.method == "GET"), "only the board was looked up: {new:?}");
    let ends: Vec<_> = summary.videos.iter().map(|video| video.end.clone()).collect();
    assert_eq!(ends[1..], [End::UpToDate, End::UpToDate]);
    assert!(matches!(&ends[0], End::Failed { stage: RunStage::Check, .. }), "told again, without another look");
    assert!(summary.videos[1].pin.is_some(), "what was published before is told");
    let after: Vec<_> = files(&ground.raw("")).iter().map(|name| std::fs::read(ground.raw(name)).ok()).collect();
    assert_eq!(before, after, "sources are not touched");
}

#[test]
fn a_second_run_reads_no_source() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.ends(&ScriptedMedia::default());
    // The same length, time and inode, but another content: whoever reads it would see a new video.
    let path = ground.raw("a.mp4");
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() = b'2';
    std::fs::write(&path, bytes).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::UpToDate);
}

#[test]
fn what_was_deleted_is_made_again_and_not_published_again() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    ground.ends(&media);
    std::fs::remove_file(ground.out("a.mp4")).unwrap();
    std::fs::remove_file(ground.out("a.pin.json")).unwrap();
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!(count(&media), (2, 2));
    assert!(ground.out("a.mp4").is_file() && ground.out("a.pin.json").is_file());
    std::fs::remove_file(ground.out("a.cover.jpg")).unwrap();
    ground.ends(&media);
    assert_eq!(count(&media), (2, 3), "the cover alone");
    assert_eq!(ground.rehearsal.pins().len(), 1);
}

#[test]
fn other_options_redo_the_work_and_not_the_pin() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    ground.ends(&media);
    ground.options = FixOptions { quality: 30, ..FixOptions::default() };
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!(count(&media), (2, 2));
    ground.options.threads = 7;
    assert_eq!(ground.ends(&media)["a.mp4"], End::UpToDate, "threads change nothing");
    assert_eq!(ground.rehearsal.pins().len(), 1);
    assert_eq!(files(&ground.out("")), ["a.cover.jpg", "a.mp4", "a.pin.json"]);
}

#[test]
fn a_lost_answer_is_found_and_never_sent_again() {
    let lost = FaultRule::nth(Call::CreatePin, 1, Fault::AnswerLost);
    let Some(ground) = Ground::new(vec![lost]) else { return };
    ground.video("a.mp4", "1");
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins().len(), 1);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap();
    assert!(receipt.pin.adopted);
}

#[test]
fn an_unknown_outcome_stays_unknown() {
    let lost = FaultRule::nth(Call::CreatePin, 1, Fault::ErrorBeforeEffect);
    let Some(ground) = Ground::new(vec![lost]) else { return };
    ground.video("a.mp4", "1");
    for _ in 0..5 {
        assert!(matches!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Unknown { .. }));
    }
    let sent = ground.rehearsal.requests().iter().filter(|r| r.call == Some(Call::CreatePin)).count();
    assert_eq!((sent, ground.rehearsal.pins().len()), (1, 0));
    let pins = SqliteLedger::open(&ledger_path(&ground.out(""))).unwrap().pins().unwrap();
    assert_eq!(pins[0].status, PinStatus::Unknown);
}

#[test]
fn a_refused_token_stops_publishing_and_costs_no_attempt() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.token = Some("pina_another".to_owned());
    for _ in 0..4 {
        assert!(matches!(ground.try_run(&ScriptedMedia::default()), Err(RunError::Pins(_))));
    }
    assert!(!ground.out("a.mp4").exists(), "nothing was begun");
    ground.token = None;
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Done);
}

#[test]
fn failures_are_tried_three_times_and_hopeless_ones_once() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("crash/a.mp4", "1");
    ground.video("hopeless/b.mp4", "2");
    ground.video("good/c.mp4", "3");
    let media = ScriptedMedia::default();
    *media.failures.lock().unwrap() = HashMap::from([
        ("a.mp4".to_owned(), vec![FailureKind::Crashed; 9]),
        ("b.mp4".to_owned(), vec![FailureKind::Unfixable; 9]),
    ]);
    let ends = ground.ends(&media);
    assert_eq!(ends["c.mp4"], End::Done);
    assert!(matches!(&ends["a.mp4"], End::Failed { stage: RunStage::Fix, .. }));
    assert_eq!(files(&ground.out("")), ["good", "good/c.cover.jpg", "good/c.mp4", "good/c.pin.json"]);
    for _ in 0..2 {
        assert!(matches!(ground.ends(&media)["a.mp4"], End::Failed { .. }));
    }
    let ends = ground.ends(&media);
    assert_eq!(ends["a.mp4"], End::SetAside { reason: "Crashed on purpose".to_owned() });
    assert!(matches!(&ends["b.mp4"], End::Failed { reason, .. } if reason == "Unfixable on purpose"));
    assert_eq!(media.fixes.load(Ordering::SeqCst), 3 + 1 + 1);
}

#[test]
fn a_run_that_was_killed_in_a_fix_goes_on_over_its_own_output() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    let stop = Interrupt::default();
    let stopping = ScriptedMedia { stop_in_fix: Some(stop.clone()), ..ScriptedMedia::default() };
    let summary = run(&ground.run_options(), &stopping, &(), &stop).unwrap();
    assert!(summary.interrupted);
    assert_eq!(summary.videos[0].end, End::Interrupted);
    // What a kill after the rename and before the outcome leaves: an intent, an output, a temp file.
    let ledger = SqliteLedger::open(&ledger_path(&ground.out(""))).unwrap();
    let job = ledger.jobs().unwrap().remove(0);
    assert_eq!((job.state, job.attempts), (JobState::Checked, 0), "an interruption is no attempt");
    ledger.begin(job.id, Step::Fix, &Lease::new()).unwrap();
    drop(ledger);
    std::fs::write(ground.out("a.mp4"), b"whatever").unwrap();
    std::fs::write(ground.out(".a.mp4.4711.pinpress-tmp"), b"half").unwrap();
    std::fs::create_dir(ground.out(".a.mp4.4712.pinpress-tmp")).unwrap();
    std::fs::write(ground.out(".a.mp4.4712.pinpress-tmp/a.mp4"), b"half").unwrap();
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!(files(&ground.out("")), ["a.cover.jpg", "a.mp4", "a.pin.json"]);
}

#[test]
fn somebody_elses_file_is_not_replaced() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    std::fs::create_dir(ground.out("")).unwrap();
    std::fs::write(ground.out("a.mp4"), b"somebody else's").unwrap();
    for _ in 0..4 {
        assert!(matches!(&ground.ends(&ScriptedMedia::default())["a.mp4"], End::Failed { .. }));
        assert_eq!(std::fs::read(ground.out("a.mp4")).unwrap(), b"somebody else's");
    }
    std::fs::remove_file(ground.out("a.mp4")).unwrap();
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Done);
}

#[test]
fn the_same_content_is_done_once() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("b/again.mp4", "1");
    let media = ScriptedMedia::default();
    let ends = ground.ends(&media);
    assert_eq!(ends["a.mp4"], End::Done);
    assert_eq!(ends["again.mp4"], End::Duplicate { of: ground.raw("a.mp4") });
    assert_eq!((count(&media), ground.rehearsal.pins().len()), ((1, 1), 1));
}

#[test]
fn a_source_that_was_renamed_is_not_done_again() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    ground.ends(&media);
    std::fs::rename(ground.raw("a.mp4"), ground.raw("b.mp4")).unwrap();
    ground.video("a.mp4", "2");
    let ends = ground.ends(&media);
    assert_eq!(ends["a.mp4"], End::Done, "another content under the old name");
    assert_eq!(ground.rehearsal.pins().len(), 2);
    let ends = ground.ends(&media);
    assert_eq!((&ends["a.mp4"], &ends["b.mp4"]), (&End::UpToDate, &End::UpToDate));
    assert_eq!(ground.rehearsal.pins().len(), 2);
}

#[test]
fn a_pin_waits_for_its_time() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,title,publish_at\na.mp4,Hello,2999-01-01T00:00:00Z\n".to_owned());
    let media = ScriptedMedia::default();
    assert!(matches!(ground.ends(&media)["a.mp4"], End::Scheduled { .. }));
    assert_eq!(ground.rehearsal.pins().len(), 0);
    ground.manifest = Some("file,title,publish_at\na.mp4,Hello,2020-01-01T00:00:00Z\n".to_owned());
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins()[0].title.as_deref(), Some("Hello"));
    assert_eq!(count(&media), (1, 1), "only the Pin was left to do");
}

#[test]
fn a_cover_time_of_the_manifest_is_taken() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,cover_image_timestamp_ms\na.mp4,2300\n".to_owned());
    let summary = ground.try_run(&ScriptedMedia::default()).unwrap();
    let time = summary.videos[0].cover.as_ref().unwrap().time.unwrap();
    assert_eq!(time.millis(), 2_300);
}

#[test]
fn videos_without_row_and_board_are_made_and_not_published() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("b.mp4", "2");
    ground.board = None;
    ground.manifest = Some("file,board\na.mp4,rehearsal\n".to_owned());
    let ends = ground.ends(&ScriptedMedia::default());
    assert_eq!((&ends["a.mp4"], &ends["b.mp4"]), (&End::Done, &End::Unlisted));
    assert!(ground.out("b.mp4").is_file());
}

#[test]
fn mistakes_in_the_manifest_stop_everything_before_it_begins() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,board,link\na.mp4,,http://plain.example\ngone.mp4,,\n".to_owned());
    let error = ground.try_run(&ScriptedMedia::default()).unwrap_err().to_string();
    assert!(error.contains("row 2, link") && error.contains("row 3, file"), "{error}");
    assert!(ground.rehearsal.requests().is_empty() && !ground.out("").exists());
    ground.manifest = Some("file,board\na.mp4,Nosuch\n".to_owned());
    let error = ground.try_run(&ScriptedMedia::default()).unwrap_err().to_string();
    assert!(error.contains("row 2, board") && error.contains("Rehearsal"), "{error}");
    assert!(ground.rehearsal.requests().iter().all(|request| request.method == "GET"));
    assert!(!ground.out("a.mp4").exists());
}

#[test]
fn a_rehearsal_leaves_everything_but_the_publishing_done() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    let receipt = |ground: &Ground| -> Receipt {
        serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap()
    };
    ground.ends(&media);
    assert_eq!(receipt(&ground).destination, "rehearsal");
    ground.destination = "https://api.pinterest.com/v5";
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!((count(&media), ground.rehearsal.pins().len()), ((1, 1), 2), "a real Pin beside the rehearsed one");
    assert_eq!(receipt(&ground).destination, ground.destination);
    ground.destination = "rehearsal";
    assert_eq!(ground.ends(&media)["a.mp4"], End::UpToDate);
    assert_ne!(receipt(&ground).destination, "rehearsal", "the real receipt stays");
}

#[test]
fn the_same_content_for_another_board_is_not_passed_over() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("b.mp4", "1");
    ground.board = None;
    ground.manifest = Some("file,board\nb.mp4,Rehearsal\n".to_owned());
    let ends = ground.ends(&ScriptedMedia::default());
    assert_eq!(ends["a.mp4"], End::Unlisted);
    assert_eq!(ends["b.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins().len(), 1);
}

#[test]
fn the_same_content_on_two_boards_is_worked_on_once_and_published_twice() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        ground.video(name, "1");
    }
    ground.manifest = Some("file,board\na.mp4,Rehearsal\nb.mp4,Elsewhere\nc.mp4,Rehearsal\n".to_owned());
    let media = ScriptedMedia::default();
    for round in 0..2 {
        let ends = ground.ends(&media);
        let done = if round == 0 { End::Done } else { End::UpToDate };
        assert_eq!((&ends["a.mp4"], &ends["c.mp4"]), (&done, &End::Duplicate { of: ground.raw("a.mp4") }));
        assert!(matches!(ends["b.mp4"], End::Done | End::UpToDate));
        assert_eq!(count(&media), (1, 1));
        let boards: Vec<_> = ground.rehearsal.pins().into_iter().map(|pin| pin.board_id).collect();
        let mut wanted = ["Rehearsal", "Elsewhere"].map(|name| ground.rehearsal.board_id(name).unwrap());
        wanted.sort();
        assert_eq!(
            boards.iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
            wanted.iter().collect::<Vec<_>>()
        );
        assert_eq!(boards.len(), 2);
        assert_eq!(
            files(&ground.out("")),
            ["a.cover.jpg", "a.mp4", "a.pin.json", "b.pin.json"],
            "a receipt for each Pin"
        );
    }
}

#[test]
fn a_cover_that_somebody_chose_is_taken() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let chosen = b"\x89PNG\r\n\x1a\n chosen by hand";
    std::fs::write(ground.raw("a.cover.jpg"), chosen).unwrap();
    let mut as_is = ground.run_options();
    as_is.mode = Mode::AsIs;
    as_is.output = ground.raw("");
    let media = ScriptedMedia::default();
    let summary = run(&as_is, &media, &(), &Interrupt::default()).unwrap();
    assert_eq!((&summary.videos[0].end, count(&media)), (&End::Done, (0, 0)));
    assert_eq!(std::fs::read(ground.raw("a.cover.jpg")).unwrap(), chosen);
}

#[test]
fn covers_may_lie_where_pinterest_fetches_them() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a b.mp4", "1");
    let mut options = ground.run_options();
    let pins = options.pins.as_mut().unwrap();
    (pins.cover_as, pins.cover_url) = (CoverAs::Url, Some(CoverUrl::new("https://cdn.example/{stem}.jpg")));
    let summary = run(&options, &ScriptedMedia::default(), &(), &Interrupt::default()).unwrap();
    assert_eq!(summary.videos[0].end, End::Done);
    let covers: Vec<_> = ground.rehearsal.pins().into_iter().map(|pin| pin.cover).collect();
    assert_eq!(covers, [KeptCover::Url { url: "https://cdn.example/a%20b.jpg".to_owned() }]);
}

#[test]
fn one_run_at_a_time() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let lock = RunLock::take(&ground.out(".pinpress/lock")).unwrap();
    assert!(matches!(ground.try_run(&ScriptedMedia::default()), Err(RunError::Lock(_))));
    drop(lock);
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Done);
}

#[test]
fn an_output_that_is_published_as_it_is_is_the_same_pin() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.ends(&ScriptedMedia::default());
    let mut as_is = ground.run_options();
    as_is.paths = vec![ground.out("")];
    as_is.mode = Mode::AsIs;
    let media = ScriptedMedia::default();
    let summary = run(&as_is, &media, &(), &Interrupt::default()).unwrap();
    assert_eq!(summary.videos.len(), 1, "covers, receipts and the ledger are no videos");
    assert!(summary.videos[0].end.is_good());
    assert_eq!((count(&media), ground.rehearsal.pins().len()), ((0, 0), 1));
}

#[test]
fn what_does_not_fit_is_not_published_as_it_is() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    let wide = pinpress_fixtures::make("upright-16x9.mp4").unwrap();
    std::fs::copy(wide, ground.raw("wide.mp4")).unwrap();
    ground.video("a.mp4", "1");
    let mut as_is = ground.run_options();
    as_is.mode = Mode::AsIs;
    as_is.output = ground.raw("");
    let summary = run(&as_is, &ScriptedMedia::default(), &(), &Interrupt::default()).unwrap();
    let ends: Vec<_> = summary.videos.iter().map(|video| video.end.clone()).collect();
    assert_eq!(ends, [End::Done, End::Unfit]);
    assert_eq!(ground.rehearsal.pins().len(), 1);
}

#[test]
fn no_secret_is_in_ledger_or_receipt() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.ends(&ScriptedMedia::default());
    let mut texts = std::fs::read(ground.out("a.pin.json")).unwrap();
    for entry in std::fs::read_dir(ground.out(".pinpress")).unwrap() {
        texts.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let text = String::from_utf8_lossy(&texts);
    assert!(text.contains("media_id"), "the ledger was read");
    for secret in [ground.rehearsal.token(), "policy", "x-amz-signature", "upload_url"] {
        assert!(!text.to_lowercase().contains(secret), "{secret} was kept");
    }
}
