//! What every ledger does, one function a rule. Each gets a place of its own.

use std::path::Path;

use jiff::SignedDuration;
use pinpress_media::{Action, FixOptions, Plan};
use pinpress_pipeline::ledger::{
    Attempt, Begun, CoverRecord, FileStamp, JobId, JobKey, JobState, Lease, Ledger, LedgerError, MAX_ATTEMPTS,
    MAX_CUT_OFF, PinAttempt, PinContent, PinKey, PinStatus, PinStep, PinTiming, RenditionRecord, Step, StepOutcome,
};
use pinpress_probe::{Fingerprint, Seconds, Source, Spec};

/// Where one ledger is.
pub(crate) trait Place {
    /// What the next process finds there. Several may have it open.
    fn open(&self) -> Box<dyn Ledger>;

    /// So much time passes for the leases of this ledger.
    fn pass(&self, time: SignedDuration);
}

/// As long as a lease of [`Lease::new`].
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub(crate) fn fingerprint(content: &str) -> Fingerprint {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(&path, content).unwrap();
    Source::open(&path).unwrap().fingerprint().unwrap()
}

pub(crate) fn key(content: &str) -> JobKey {
    JobKey::new(fingerprint(content), &Spec::load("pinterest").unwrap(), &FixOptions::default())
}

pub(crate) fn plan() -> Plan {
    Plan { action: Action::Remux, ..Plan::passthrough(Some(Seconds::from_millis(5_000))) }
}

pub(crate) fn stamp() -> FileStamp {
    FileStamp { len: 5, mtime_ns: -7, inode: u64::MAX }
}

pub(crate) fn fixed(content: &str) -> StepOutcome {
    let rendition = RenditionRecord { fingerprint: fingerprint(content), stamp: stamp() };
    StepOutcome::Fixed { plan: Box::new(plan()), rendition }
}

/// A job of this content.
pub(crate) fn enrolled(ledger: &dyn Ledger, content: &str) -> JobId {
    ledger.enroll(&key(content), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id
}

/// A Pin of that job.
pub(crate) fn opened(ledger: &dyn Ledger, job: JobId, content: &str) -> i64 {
    let key = PinKey { destination: "real".to_owned(), fingerprint: fingerprint(content), board: "1".to_owned() };
    ledger.open_pin(&key, job).unwrap().id
}

/// Begins as somebody new.
fn begun(ledger: &dyn Ledger, job: JobId, step: Step) -> Attempt {
    match ledger.begin(job, step, &Lease::new()).unwrap() {
        Begun::Attempt(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

fn begun_pin(ledger: &dyn Ledger, pin: i64, step: PinStep) -> PinAttempt {
    match ledger.begin_pin(pin, step, &Lease::new()).unwrap() {
        Begun::Attempt(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn a_file_is_known_until_it_is_written(place: &dyn Place) {
    let ledger = place.open();
    let path = Path::new("/raw/a.mkv");
    let content = fingerprint("a");
    assert_eq!(ledger.fingerprint(path, stamp()).unwrap(), None);
    ledger.remember(path, stamp(), &content).unwrap();
    assert_eq!(ledger.fingerprint(path, stamp()).unwrap(), Some(content));
    for changed in
        [FileStamp { len: 6, ..stamp() }, FileStamp { mtime_ns: 8, ..stamp() }, FileStamp { inode: 1, ..stamp() }]
    {
        assert_eq!(ledger.fingerprint(path, changed).unwrap(), None, "{changed:?}");
    }
}

pub(crate) fn everything_is_there_after_a_restart(place: &dyn Place) {
    let cover = CoverRecord { time: Seconds::from_millis(1_234), asked: None, stamp: stamp() };
    let ledger = place.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap();
    assert_eq!(job.state, JobState::Checked);
    let attempt = begun(&*ledger, job.id, Step::Fix);
    ledger.finish(attempt, &fixed("out")).unwrap();
    let attempt = begun(&*ledger, job.id, Step::Cover);
    ledger.finish(attempt, &StepOutcome::Covered(cover.clone())).unwrap();
    drop(ledger);
    let job = place.open().find(&key("a")).unwrap().unwrap();
    assert_eq!(job.state, JobState::Covered);
    assert_eq!(job.plan, Some(plan()));
    assert_eq!(job.rendition.unwrap().fingerprint, fingerprint("out"));
    assert_eq!(job.cover, Some(cover));
    assert_eq!(job.attempts, 0);
}

pub(crate) fn a_step_that_was_cut_off_is_seen_and_counts(place: &dyn Place) {
    let id = place.open().enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    for number in 1..=MAX_CUT_OFF {
        // Each time the process dies between intent and outcome.
        let attempt = begun(&*place.open(), id, Step::Fix);
        place.pass(LEASE);
        assert_eq!(attempt.number, number);
        assert_eq!(place.open().find(&key("a")).unwrap().unwrap().state, JobState::Fixing);
    }
    let spent = place.open().begin(id, Step::Fix, &Lease::new()).unwrap();
    assert!(matches!(spent, Begun::Spent { .. }), "{spent:?}");
    let job = place.open().find(&key("a")).unwrap().unwrap();
    assert_eq!(job.state, JobState::SetAside);
    assert!(job.reason.is_some());
}

pub(crate) fn failures_are_counted_and_interruptions_are_not(place: &dyn Place) {
    let ledger = place.open();
    let id = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    for _ in 0..5 {
        let attempt = begun(&*ledger, id, Step::Fix);
        ledger.finish(attempt, &StepOutcome::Released).unwrap();
    }
    for _ in 0..MAX_ATTEMPTS {
        let attempt = begun(&*ledger, id, Step::Fix);
        ledger.finish(attempt, &StepOutcome::Failed("the worker died".to_owned())).unwrap();
    }
    let job = ledger.find(&key("a")).unwrap().unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::SetAside, Some("the worker died")));
    ledger.reopen(id, JobState::Checked).unwrap();
    assert_eq!(begun(&*ledger, id, Step::Fix).number, 1);
}

pub(crate) fn an_attempt_that_was_overtaken_changes_nothing(place: &dyn Place) {
    let ledger = place.open();
    let id = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let first = begun(&*ledger, id, Step::Fix);
    place.pass(LEASE);
    let second = begun(&*ledger, id, Step::Fix);
    let late = ledger.finish(first, &StepOutcome::Impossible("late".to_owned()));
    assert!(matches!(late, Err(LedgerError::Superseded { fence: 1 })), "{late:?}");
    ledger.finish(second, &fixed("out")).unwrap();
    assert_eq!(ledger.find(&key("a")).unwrap().unwrap().state, JobState::Fixed);
}

pub(crate) fn outputs_stay_with_their_sources_and_are_owned_once_begun(place: &dyn Place) {
    let ledger = place.open();
    let (source, output) = (Path::new("/raw/a.mkv"), Path::new("a.mp4"));
    let id = ledger.enroll(&key("a"), source, output).unwrap().id;
    assert_eq!(ledger.outputs().unwrap().get(source).map(std::path::PathBuf::as_path), Some(output));
    assert!(!ledger.owns(output).unwrap());
    begun(&*ledger, id, Step::Fix);
    assert!(ledger.owns(output).unwrap());
    let moved = ledger.enroll(&key("a"), source, Path::new("b.mp4")).unwrap();
    assert_eq!((moved.state, moved.attempts), (JobState::Checked, 0));
    assert!(ledger.owns(output).unwrap(), "the file is still ours");
}

pub(crate) fn one_pin_for_a_content_and_a_board_and_a_destination(place: &dyn Place) {
    let ledger = place.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let attempt = begun(&*ledger, job, Step::Fix);
    ledger.finish(attempt, &fixed("out")).unwrap();
    let pin_key = |destination: &str, content: &str, board: &str| PinKey {
        destination: destination.to_owned(),
        fingerprint: fingerprint(content),
        board: board.to_owned(),
    };
    let first = ledger.open_pin(&pin_key("real", "a", "1"), job).unwrap();
    assert_eq!(ledger.open_pin(&pin_key("real", "a", "1"), job).unwrap().id, first.id);
    assert_ne!(ledger.open_pin(&pin_key("real", "a", "2"), job).unwrap().id, first.id);
    assert!(ledger.pin(&pin_key("rehearsal", "a", "1")).unwrap().is_none(), "a rehearsal is not the real thing");
    let of_output = ledger.pin(&pin_key("real", "out", "1")).unwrap();
    assert_eq!(of_output.map(|pin| pin.id), Some(first.id), "the output shows the same content");
    let attempt = begun_pin(&*ledger, first.id, PinStep::Create);
    ledger.save_pin_state(attempt, r#"{"state":"uploaded"}"#, None).unwrap();
    drop(ledger);
    let pin = place.open().pin(&pin_key("real", "a", "1")).unwrap().unwrap();
    assert_eq!((pin.status, pin.attempts), (PinStatus::Publishing, 1));
    assert_eq!(pin.state.as_deref(), Some(r#"{"state":"uploaded"}"#));
}

pub(crate) fn a_pins_id_belongs_to_one_video(place: &dyn Place) {
    let ledger = place.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let pin_of = |destination: &str, board: &str| {
        let (destination, board) = (destination.to_owned(), board.to_owned());
        ledger.open_pin(&PinKey { destination, fingerprint: fingerprint("a"), board }, job).unwrap().id
    };
    let attempt_at = |pin: i64| begun_pin(&*ledger, pin, PinStep::Look);
    let row = pin_of("real", "1");
    let first = attempt_at(row);
    let (second, rehearsed) = (attempt_at(pin_of("real", "2")), attempt_at(pin_of("rehearsal", "1")));
    ledger.save_pin_state(first, "{}", Some("99")).unwrap();
    ledger.save_pin_state(first, "{}", Some("99")).unwrap();
    assert!(ledger.save_pin_state(second, "{}", Some("99")).is_err());
    ledger.save_pin_state(rehearsed, "{}", Some("99")).unwrap();
    assert_eq!(ledger.pin_row("real", "99").unwrap(), Some(row));
    assert_eq!(ledger.pin_row("real", "98").unwrap(), None);
}

pub(crate) fn a_pin_is_tried_three_times(place: &dyn Place) {
    let ledger = place.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let pin_key = PinKey { destination: "x".to_owned(), fingerprint: fingerprint("a"), board: "1".to_owned() };
    let pin = ledger.open_pin(&pin_key, job).unwrap().id;
    for number in 1..=MAX_ATTEMPTS {
        let attempt = begun_pin(&*ledger, pin, PinStep::Create);
        assert_eq!(attempt.number, number);
        ledger.finish_pin(attempt, PinStatus::Failed, Some("no answer")).unwrap();
        // Neither looking nor waiting forgets or adds one.
        ledger.release_pin(begun_pin(&*ledger, pin, PinStep::Look)).unwrap();
        if number < MAX_ATTEMPTS {
            ledger.release_pin(begun_pin(&*ledger, pin, PinStep::Create)).unwrap();
        }
    }
    let spent = ledger.begin_pin(pin, PinStep::Create, &Lease::new()).unwrap();
    assert!(matches!(&spent, Begun::Spent { reason } if reason == "no answer"), "{spent:?}");
    let pin = ledger.pin(&pin_key).unwrap().unwrap();
    assert_eq!((pin.status, pin.reason.as_deref()), (PinStatus::SetAside, Some("no answer")));
}

pub(crate) fn a_claim_is_held_until_its_lease_ends_or_its_outcome_is_there(place: &dyn Place) {
    let ledger = place.open();
    let job = enrolled(&*ledger, "a");
    let (mine, theirs) = (Lease::new(), Lease::new());
    let first = ledger.begin(job, Step::Fix, &mine).unwrap();
    let Begun::Attempt(first) = first else { panic!("{first:?}") };
    place.pass(LEASE - SignedDuration::from_secs(1));
    match ledger.begin(job, Step::Fix, &theirs).unwrap() {
        Begun::Held { by, .. } => assert_eq!(by, mine.claimant.as_str()),
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.renew(&[first.claim()], &mine).unwrap(), []);
    place.pass(LEASE - SignedDuration::from_secs(1));
    assert!(matches!(ledger.begin(job, Step::Fix, &theirs).unwrap(), Begun::Held { .. }), "it was renewed");
    // Over, and nobody has begun: the outcome counts, and so does a renewal.
    place.pass(LEASE);
    assert_eq!(ledger.renew(&[first.claim()], &mine).unwrap(), []);
    place.pass(LEASE);
    ledger.finish(first, &StepOutcome::Failed("slow".to_owned())).unwrap();
    assert!(matches!(ledger.finish(first, &fixed("twice")), Err(LedgerError::Superseded { .. })), "once");
    assert_eq!(begun(&*ledger, job, Step::Fix).fence, 2, "free at once");
}

pub(crate) fn who_was_taken_for_dead_is_told_and_changes_nothing(place: &dyn Place) {
    let ledger = place.open();
    let job = enrolled(&*ledger, "a");
    let pin = opened(&*ledger, job, "a");
    let (mine, theirs) = (Lease::new(), Lease::new());
    let (Begun::Attempt(fix), Begun::Attempt(create)) =
        (ledger.begin(job, Step::Fix, &mine).unwrap(), ledger.begin_pin(pin, PinStep::Create, &mine).unwrap())
    else {
        panic!("nobody held them");
    };
    place.pass(LEASE);
    assert!(matches!(ledger.begin(job, Step::Fix, &theirs).unwrap(), Begun::Attempt(_)));
    assert!(matches!(ledger.begin_pin(pin, PinStep::Look, &theirs).unwrap(), Begun::Attempt(_)));
    let before = (ledger.jobs().unwrap(), ledger.pins().unwrap());
    assert_eq!(ledger.renew(&[fix.claim(), create.claim()], &mine).unwrap(), [fix.claim(), create.claim()]);
    for late in [
        ledger.finish(fix, &fixed("late")),
        ledger.plan_pin(create, job, &PinContent::default(), PinTiming::default()),
        ledger.save_pin_state(create, "{}", Some("99")),
        ledger.finish_pin(create, PinStatus::Published, None),
        ledger.release_pin(create),
    ] {
        assert!(matches!(late, Err(LedgerError::Superseded { fence: 1 })), "{late:?}");
    }
    assert_eq!((ledger.jobs().unwrap(), ledger.pins().unwrap()), before);
}

pub(crate) fn a_job_that_is_set_back_is_lost_to_who_works_on_it(place: &dyn Place) {
    let ledger = place.open();
    let job = enrolled(&*ledger, "a");
    let set_back: [&dyn Fn(); 3] = [
        &|| ledger.reopen(job, JobState::Checked).unwrap(),
        &|| ledger.set_unreadable(job, "cut off").unwrap(),
        &|| drop(ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("b.mp4")).unwrap()),
    ];
    for change in set_back {
        ledger.reopen(job, JobState::Checked).unwrap();
        let attempt = begun(&*ledger, job, Step::Fix);
        change();
        let before = ledger.jobs().unwrap();
        assert!(matches!(ledger.finish(attempt, &fixed("late")), Err(LedgerError::Superseded { .. })));
        assert_eq!(ledger.jobs().unwrap(), before);
    }
}

pub(crate) fn what_was_given_up_is_not_begun_again(place: &dyn Place) {
    let ledger = place.open();
    let job = enrolled(&*ledger, "a");
    let spent = || ledger.begin(job, Step::Fix, &Lease::new()).unwrap();
    ledger.finish(begun(&*ledger, job, Step::Fix), &StepOutcome::Impossible("no picture".to_owned())).unwrap();
    // Another run may have read it while it was not given up yet.
    assert_eq!(spent(), Begun::Spent { reason: "no picture".to_owned() });
    ledger.set_unreadable(job, "cut off").unwrap();
    assert_eq!(spent(), Begun::Spent { reason: "cut off".to_owned() });
    assert_eq!(ledger.jobs().unwrap()[0].state, JobState::Unreadable, "it is as it was");
}

pub(crate) fn a_pin_that_was_cut_off_is_tried_more_often_than_one_that_failed(place: &dyn Place) {
    let ledger = place.open();
    let job = enrolled(&*ledger, "a");
    let pin = opened(&*ledger, job, "a");
    for number in 1..=MAX_CUT_OFF {
        assert_eq!(begun_pin(&*ledger, pin, PinStep::Create).number, number);
        place.pass(LEASE);
    }
    assert!(matches!(ledger.begin_pin(pin, PinStep::Create, &Lease::new()).unwrap(), Begun::Spent { .. }));
    assert_eq!(ledger.pins().unwrap()[0].status, PinStatus::SetAside);
}
