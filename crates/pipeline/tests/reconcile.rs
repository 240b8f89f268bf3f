//! Pins of unknown outcome, settled by a person; videos that were given up, tried again.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves several test programs")]

mod ground;

use std::future::Future;

use ground::{Ground, ScriptedMedia};
use pinpress_media::FailureKind;
use pinpress_pipeline::ledger::Job;
use pinpress_pipeline::receipt::Receipt;
use pinpress_pipeline::{
    Doubt, Doubts, End, HoldError, Interrupt, LedgerPlace, PinOptions, ReconcileError, publish_due, retry,
};
use pinpress_publish::PinId;
use pinpress_rehearsal::{Call, Fault, FaultRule};

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn pins(ground: &Ground) -> PinOptions {
    ground.run_options().pins.unwrap()
}

fn doubts(ground: &Ground) -> Doubts {
    Doubts::open(&ground.place(), ground.destination).unwrap()
}

fn only(doubts: &Doubts) -> Doubt {
    let mut all = doubts.list().unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn created(ground: &Ground) -> usize {
    ground.rehearsal.requests().iter().filter(|request| request.call == Some(Call::CreatePin)).count()
}

/// A ground whose video has the Pin sent, the answer lost, and two Pins on the board that could be it.
fn ambiguous() -> Option<Ground> {
    let lost = FaultRule::nth(Call::CreatePin, 2, Fault::AnswerLost);
    let mut ground = Ground::new(vec![lost])?;
    ground.video("a.mp4", "1");
    ground.manifest = Some("file,title\na.mp4,Soup\n".to_owned());
    // The same texts from another ledger: nobody here knows whose it is.
    ground.ends(&ScriptedMedia::default());
    std::fs::remove_dir_all(ground.out("")).unwrap();
    assert!(matches!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Unknown { .. }));
    Some(ground)
}

#[test]
fn a_person_picks_the_pin_and_the_receipt_says_so() {
    let Some(ground) = ambiguous() else { return };
    let settled = doubts(&ground);
    let doubt = only(&settled);
    assert_eq!(doubt.record.content.as_ref().unwrap().title.as_deref(), Some("Soup"));
    assert!(doubt.reason.len() > 3 && doubt.attempted_at <= jiff::Timestamp::now());
    let client = pins(&ground).client;
    let candidates = wait(settled.candidates(&client, &doubt)).unwrap();
    assert_eq!(candidates.len(), 2);
    let id = &candidates[0].id;
    let found = wait(settled.adoptable(&client, &doubt, id)).unwrap();
    assert!(settled.adopt(&doubt, &found).unwrap().is_none());
    assert!(settled.list().unwrap().is_empty());
    drop(settled);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap();
    assert_eq!((receipt.pin.pin_id.as_str(), receipt.pin.adopted), (id.as_str(), true));
    assert_eq!(receipt.pin.title.as_deref(), Some("Soup"));
    let sent = created(&ground);
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::UpToDate);
    assert_eq!(created(&ground), sent, "it is never sent again");
}

#[test]
fn adopting_that_is_cut_off_before_the_receipt_loses_nothing() {
    let Some(ground) = ambiguous() else { return };
    let settled = doubts(&ground);
    let doubt = only(&settled);
    let client = pins(&ground).client;
    let id = wait(settled.candidates(&client, &doubt)).unwrap().remove(0).id;
    let found = wait(settled.adoptable(&client, &doubt, &id)).unwrap();
    // The receipt cannot be written: where it belongs there is a folder.
    std::fs::create_dir(ground.out("a.pin.json")).unwrap();
    assert!(settled.adopt(&doubt, &found).unwrap().is_some());
    drop(settled);
    std::fs::remove_dir(ground.out("a.pin.json")).unwrap();
    assert_eq!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::UpToDate);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(ground.out("a.pin.json")).unwrap()).unwrap();
    assert_eq!(receipt.pin.pin_id, id.as_str());
}

#[test]
fn another_videos_pin_and_one_that_is_not_there_are_refused() {
    let lost = FaultRule::nth(Call::CreatePin, 2, Fault::ErrorBeforeEffect);
    let Some(ground) = Ground::new(vec![lost]) else { return };
    ground.video("a.mp4", "1");
    ground.ends(&ScriptedMedia::default());
    ground.video("b.mp4", "2");
    ground.ends(&ScriptedMedia::default());
    let settled = doubts(&ground);
    let doubt = only(&settled);
    assert!(doubt.job.source.ends_with("b.mp4"));
    let client = pins(&ground).client;
    assert!(wait(settled.candidates(&client, &doubt)).unwrap().is_empty());
    let taken: PinId = ground.rehearsal.pins()[0].id.parse().unwrap();
    let error = wait(settled.adoptable(&client, &doubt, &taken)).unwrap_err();
    assert!(matches!(&error, ReconcileError::Taken { owner, .. } if owner.ends_with("a.mp4")), "{error}");
    let error = wait(settled.adoptable(&client, &doubt, &"1".parse().unwrap())).unwrap_err();
    assert!(matches!(error, ReconcileError::Publish(_)), "{error}");
    assert_eq!(settled.list().unwrap().len(), 1, "nothing has changed");
}

#[test]
fn what_is_sent_again_goes_out_once_with_the_next_run() {
    let lost = FaultRule::nth(Call::CreatePin, 1, Fault::ErrorBeforeEffect);
    let Some(ground) = Ground::new(vec![lost]) else { return };
    ground.video("a.mp4", "1");
    assert!(matches!(ground.ends(&ScriptedMedia::default())["a.mp4"], End::Unknown { .. }));
    let settled = doubts(&ground);
    settled.resend(&only(&settled)).unwrap();
    assert!(settled.list().unwrap().is_empty());
    assert_eq!(created(&ground), 1, "nothing was sent yet");
    drop(settled);
    let summary = publish_due(&ground.run_options(), &ScriptedMedia::default(), &(), &Interrupt::default()).unwrap();
    assert_eq!(summary.videos[0].end, End::Done);
    assert_eq!((created(&ground), ground.rehearsal.pins().len()), (2, 1));
    let uploads = ground.rehearsal.requests().iter().filter(|request| request.call == Some(Call::Upload)).count();
    assert_eq!(uploads, 1, "the bytes are there already");
}

#[test]
fn settling_waits_for_nobody_and_needs_a_ledger() {
    let Some(ground) = ambiguous() else { return };
    let first = doubts(&ground);
    assert!(matches!(Doubts::open(&ground.place(), "x"), Err(ReconcileError::Hold(HoldError::Lock(_)))));
    drop(first);
    assert!(Doubts::open(&ground.place(), "https://elsewhere.example/v5").unwrap().list().unwrap().is_empty());
    assert!(matches!(
        Doubts::open(&LedgerPlace::new(&ground.raw(""), None), "x"),
        Err(ReconcileError::Hold(HoldError::NoLedger { .. }))
    ));
    assert!(!ground.raw(".pinpress").exists(), "looking makes nothing");
}

#[test]
fn what_was_given_up_is_tried_again() {
    let Some(ground) = Ground::new(vec![FaultRule::nth(Call::RegisterMedia, 1, Fault::Spam)]) else { return };
    ground.video("a.mp4", "1");
    ground.video("b.mp4", "2");
    let media = ScriptedMedia::default();
    media.failures.lock().unwrap().insert("b.mp4".to_owned(), vec![FailureKind::Unfixable]);
    let ends = ground.ends(&media);
    assert!(ends.values().all(|end| matches!(end, End::Failed { .. })), "{ends:?}");
    let again = |ends: &str| ground.ends(&media)[ends].clone();
    assert!(matches!(again("b.mp4"), End::Failed { .. }), "hopeless once");
    let names = |wanted: &str| {
        let jobs = retry(&ground.place(), Some(&|job: &Job| job.source.ends_with(wanted))).unwrap();
        jobs.iter().map(|job| ground::name_of(&job.source)).collect::<Vec<_>>()
    };
    assert_eq!(names("b.mp4"), ["b.mp4"]);
    assert_eq!(again("b.mp4"), End::Done);
    assert!(names("b.mp4").is_empty() && names("a.mp4").is_empty(), "nothing is left to try again");
}
