//! Pins that wait: for their time, for their place among others, for the program to be started again.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves several test programs")]

mod ground;

use std::collections::HashMap;
use std::path::Path;

use ground::{Ground, ScriptedMedia, name_of};
use jiff::SignedDuration;
use pinpress_pipeline::ledger::{Ledger as _, PinRecord, PinStatus, RunLock, lock_path};
use pinpress_pipeline::receipt::Receipt;
use pinpress_pipeline::{
    End, HoldError, Interrupt, RunError, RunSummary, SqliteLedger, ledger_path, publish_due, watch,
};
use pinpress_rehearsal::{Call, Fault, FaultRule};

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

fn due(ground: &Ground) -> HashMap<String, End> {
    let summary = publish_due(&ground.run_options(), &ScriptedMedia::default(), &(), &Interrupt::default()).unwrap();
    ends(&summary)
}

fn ends(summary: &RunSummary) -> HashMap<String, End> {
    summary.videos.iter().map(|video| (name_of(&video.source), video.end.clone())).collect()
}

fn records(ground: &Ground) -> Vec<PinRecord> {
    SqliteLedger::open(&ledger_path(&ground.out(""))).unwrap().pins().unwrap()
}

fn of(ends: &HashMap<String, End>, is: fn(&End) -> bool) -> usize {
    ends.values().filter(|end| is(end)).count()
}

fn done(end: &End) -> bool {
    matches!(end, End::Done)
}

fn scheduled(end: &End) -> bool {
    matches!(end, End::Scheduled { .. })
}

fn three(faults: Vec<FaultRule>) -> Option<Ground> {
    let ground = Ground::new(faults)?;
    for (name, mark) in [("a.mp4", "1"), ("b.mp4", "2"), ("c.mp4", "3")] {
        ground.video(name, mark);
    }
    Some(ground)
}

#[test]
fn what_is_due_goes_out_without_path_manifest_or_source() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.video("b.mp4", "2");
    ground.board = None;
    ground.manifest = Some(
        "file,board,title,description,link,alt_text,publish_at\n\
         a.mp4,rehearsal,Soup,hot,https://e.example/soup,A pot,2999-01-01T00:00:00Z\n\
         b.mp4,rehearsal,Bread,,,,2999-06-01T00:00:00Z\n"
            .to_owned(),
    );
    assert_eq!(of(&ground.ends(&ScriptedMedia::default()), scheduled), 2);
    std::fs::remove_dir_all(ground.raw("")).unwrap();
    ground.manifest = None;
    assert_eq!(of(&due(&ground), scheduled), 2);
    assert_eq!(ground.rehearsal.pins().len(), 0);
    let until = records(&ground).iter().filter_map(PinRecord::due).min().unwrap();
    ground.clock.set_forward(until.duration_since(jiff::Timestamp::now()));
    let ends = due(&ground);
    assert_eq!(ends["a.mp4"], End::Done);
    assert!(scheduled(&ends["b.mp4"]));
    let pin = ground.rehearsal.pins().remove(0);
    let told = [pin.title, pin.description, pin.link, pin.alt_text].map(Option::unwrap);
    assert_eq!(told, ["Soup", "hot", "https://e.example/soup", "A pot"]);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap();
    assert_eq!((receipt.pin.pin_id, receipt.cover.unwrap().time_ms), (pin.id, Some(1_500)));
    assert_eq!(due(&ground).len(), 1, "what is out is not told again");
}

#[test]
fn a_changed_output_is_not_published_for_the_one_that_was_checked() {
    let Some(mut ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,publish_at\na.mp4,2999-01-01T00:00:00Z\n".to_owned());
    ground.ends(&ScriptedMedia::default());
    ground.clock.set_forward(SignedDuration::from_hours(24 * 366 * 1_000));
    std::fs::write(ground.out("a.mp4"), b"something else").unwrap();
    assert!(matches!(&due(&ground)["a.mp4"], End::Later { reason } if reason.contains("changed")));
    assert_eq!(ground.rehearsal.pins().len(), 0);
}

#[test]
fn pins_are_spaced_out_over_restarts() {
    let Some(mut ground) = three(Vec::new()) else { return };
    ground.every = Some(HALF_AN_HOUR);
    let first = ground.ends(&ScriptedMedia::default());
    assert_eq!((of(&first, done), of(&first, scheduled)), (1, 2), "{first:?}");
    let mut waits: Vec<_> =
        records(&ground).iter().filter_map(|pin| (pin.status == PinStatus::Waiting).then_some(pin.due()?)).collect();
    waits.sort();
    assert_eq!(waits[1].duration_since(waits[0]), HALF_AN_HOUR);
    // A restart, with and without the option, changes nothing.
    for every in [Some(HALF_AN_HOUR), None] {
        ground.every = every;
        assert_eq!(of(&ground.ends(&ScriptedMedia::default()), scheduled), 2);
        assert_eq!(ground.rehearsal.pins().len(), 1);
    }
    // Nobody looked for a long time: what is overdue does not go out all at once.
    ground.clock.set_forward(SignedDuration::from_hours(100));
    assert_eq!(of(&due(&ground), done), 1);
    assert_eq!(of(&due(&ground), done), 0);
    ground.clock.set_forward(HALF_AN_HOUR);
    assert_eq!(of(&ground.ends(&ScriptedMedia::default()), done), 1);
    assert_eq!(ground.rehearsal.pins().len(), 3);
}

#[test]
fn spacing_is_taken_back_by_zero() {
    let Some(mut ground) = three(Vec::new()) else { return };
    ground.every = Some(HALF_AN_HOUR);
    ground.ends(&ScriptedMedia::default());
    ground.every = Some(SignedDuration::ZERO);
    assert_eq!(of(&ground.ends(&ScriptedMedia::default()), done), 2);
}

#[test]
fn watching_publishes_each_in_its_time() {
    let Some(mut ground) = three(Vec::new()) else { return };
    ground.every = Some(HALF_AN_HOUR);
    let media = ScriptedMedia::default();
    let first = ground.try_run(&media).unwrap();
    let summary = watch(&ground.run_options(), &media, &(), &Interrupt::default(), first).unwrap();
    assert_eq!((summary.videos.len(), of(&ends(&summary), done)), (3, 3));
    assert!(summary.videos.iter().all(|video| video.pin.is_some() && video.source.starts_with(ground.raw(""))));
    assert_eq!(ground.rehearsal.pins().len(), 3);
    let waits = ground.clock.waits.lock().unwrap().clone();
    // The distance counts from when a Pin was out, so that a slot moves on by as long as the upload took.
    let long: Vec<_> = waits.iter().filter(|wait| **wait > SignedDuration::from_mins(29)).collect();
    assert!(long.len() == 2 && waits.len() <= 4, "{waits:?}");
}

#[test]
fn watching_tries_what_failed_again_and_ends() {
    let Some(mut ground) = three(vec![FaultRule::always(Call::RegisterMedia, Fault::Body("{}".to_owned()))]) else {
        return;
    };
    ground.every = Some(SignedDuration::from_secs(10));
    let media = ScriptedMedia::default();
    let first = ground.try_run(&media).unwrap();
    let summary = watch(&ground.run_options(), &media, &(), &Interrupt::default(), first).unwrap();
    assert!(!summary.all_good());
    assert!(records(&ground).iter().all(|pin| pin.status == PinStatus::SetAside), "{:?}", records(&ground));
}

#[test]
fn watching_goes_around_what_cannot_go_out_and_who_is_at_work() {
    let Some(mut ground) = three(Vec::new()) else { return };
    ground.every = Some(HALF_AN_HOUR);
    let media = ScriptedMedia::default();
    let first = ground.try_run(&media).unwrap();
    let waiting = ends(&first).into_iter().find_map(|(name, end)| scheduled(&end).then_some(name)).unwrap();
    std::fs::remove_file(ground.out(&waiting)).unwrap();
    // Another run is at work for the first half of a minute.
    let held = RunLock::take(&lock_path(&ground.out(""))).unwrap();
    std::thread::scope(|scope| {
        let options = ground.run_options();
        let watching = scope.spawn(move || watch(&options, &media, &(), &Interrupt::default(), first).unwrap());
        while ground.clock.waits.lock().unwrap().len() < 2 {
            std::thread::yield_now();
        }
        drop(held);
        let summary = watching.join().unwrap();
        assert_eq!((of(&ends(&summary), done), ground.rehearsal.pins().len()), (2, 2));
        assert!(matches!(&ends(&summary)[&waiting], End::Later { reason } if reason.contains("gone")));
    });
}

#[test]
fn watching_leaves_pinterest_alone_for_as_long_as_it_asks() {
    let limited = FaultRule::nth(Call::RegisterMedia, 1, Fault::RateLimited { retry_after: Some(7_200) });
    let Some(ground) = Ground::new(vec![limited]) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    let first = ground.try_run(&media).unwrap();
    assert!(matches!(first.videos[0].end, End::Later { .. }), "{:?}", first.videos[0].end);
    let summary = watch(&ground.run_options(), &media, &(), &Interrupt::default(), first).unwrap();
    assert_eq!(summary.videos[0].end, End::Done);
    let waits = ground.clock.waits.lock().unwrap().clone();
    assert!(waits.len() == 1 && waits[0] > SignedDuration::from_mins(119), "{waits:?}");
}

#[test]
fn watching_stops_when_the_token_is_not_taken_or_somebody_asks() {
    let Some(mut ground) = three(vec![FaultRule::always(Call::RegisterMedia, Fault::Unauthorized)]) else { return };
    let media = ScriptedMedia::default();
    let first = ground.try_run(&media).unwrap();
    assert!(first.refused.is_some());
    let summary = watch(&ground.run_options(), &media, &(), &Interrupt::default(), first).unwrap();
    assert!(summary.refused.is_some() && !summary.interrupted);
    assert!(ground.clock.waits.lock().unwrap().is_empty());
    ground.every = Some(HALF_AN_HOUR);
    let stop = Interrupt::default();
    stop.request();
    let summary = watch(&ground.run_options(), &media, &(), &stop, RunSummary::default()).unwrap();
    assert!(summary.interrupted);
}

#[test]
fn what_is_looked_for_is_what_was_sent_and_not_what_the_manifest_says_now() {
    let lost = FaultRule::nth(Call::CreatePin, 1, Fault::AnswerLost);
    let unread = FaultRule::nth(Call::ListBoardPins, 1, Fault::Spam);
    let Some(mut ground) = Ground::new(vec![lost, unread]) else { return };
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,title\na.mp4,Soup\n".to_owned());
    assert!(matches!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Unknown { .. }));
    ground.manifest = Some("file,title\na.mp4,Another name\n".to_owned());
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins().len(), 1);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap();
    assert!(receipt.pin.adopted);
    assert_eq!(receipt.pin.title.as_deref(), Some("Soup"));
}

#[test]
fn without_a_ledger_there_is_nothing_to_publish() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    let error = publish_due(&ground.run_options(), &ScriptedMedia::default(), &(), &Interrupt::default()).unwrap_err();
    assert!(matches!(error, RunError::Hold(HoldError::NoLedger { .. })), "{error}");
    assert!(!Path::new(&ground.out("")).exists(), "looking makes nothing");
}
