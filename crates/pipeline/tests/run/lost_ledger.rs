//! A ledger that is new or an earlier copy, beside the receipts of what it does not know.

use pinpress_pipeline::ledger::{Ledger as _, PinStatus, copy_of};
use pinpress_pipeline::{End, SqliteLedger};

use super::ground::{Ground, ScriptedMedia, files};

/// Two videos, published; the copy of the ledger knows the first of them.
fn published() -> Option<Ground> {
    let mut ground = Ground::new(Vec::new())?;
    // Each rehearsal is of its own; what is published for real is kept apart by its address.
    ground.destination = "https://pinterest.example/v5";
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    let first = std::fs::read(copy_of(&ground.place().file().unwrap())).unwrap();
    ground.video("b.mp4", "2");
    assert_eq!(ground.ends(&media)["b.mp4"], End::Done);
    std::fs::write(copy_of(&ground.place().file().unwrap()), first).unwrap();
    Some(ground)
}

fn known(ground: &Ground) -> Vec<(PinStatus, bool)> {
    let pins = SqliteLedger::open(&ground.place().file().unwrap()).unwrap().pins().unwrap();
    pins.iter().map(|pin| (pin.status, pin.state.is_some())).collect()
}

#[test]
fn what_has_a_receipt_is_not_published_again_by_a_new_ledger() {
    let Some(mut ground) = published() else { return };
    let before = files(&ground.out(""));
    std::fs::remove_dir_all(ground.out(".pinpress")).unwrap();
    ground.options.overwrite = true;
    let ends = ground.ends(&ScriptedMedia::default());
    assert!(ends.values().all(|end| *end == End::Done), "made again, as nobody knew of it: {ends:?}");
    assert_eq!(ground.rehearsal.pins().len(), 2, "and not published again");
    assert_eq!(known(&ground), [(PinStatus::Published, true); 2]);
    assert_eq!(files(&ground.out("")), before);
    assert!(ground.ends(&ScriptedMedia::default()).values().all(|end| *end == End::UpToDate));
    // A receipt of another video under this one's name says nothing of it.
    std::fs::copy(ground.out("b.pin.json"), ground.out("c.pin.json")).unwrap();
    ground.video("c.mp4", "3");
    assert_eq!(ground.ends(&ScriptedMedia::default())["c.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins().len(), 3);
}

#[test]
fn what_has_a_receipt_is_not_published_again_by_an_earlier_copy() {
    let Some(mut ground) = published() else { return };
    let ledger = ground.place().file().unwrap();
    std::fs::copy(copy_of(&ledger), &ledger).unwrap();
    assert_eq!(known(&ground).len(), 1, "it does not know the second");
    ground.options.overwrite = true;
    let ends = ground.ends(&ScriptedMedia::default());
    assert_eq!((&ends["a.mp4"], &ends["b.mp4"]), (&End::UpToDate, &End::Done));
    assert_eq!(ground.rehearsal.pins().len(), 2);
    assert_eq!(known(&ground), [(PinStatus::Published, true); 2]);
}

#[test]
fn an_output_and_its_source_are_one_pin_to_a_new_ledger() {
    let Some(mut ground) = published() else { return };
    std::fs::remove_dir_all(ground.out(".pinpress")).unwrap();
    let mut options = ground.run_options();
    options.paths = vec![ground.out("")];
    options.mode = pinpress_pipeline::Mode::AsIs;
    let media = ScriptedMedia::default();
    let summary = pinpress_pipeline::run(&options, &media, &(), &ground.interrupt).unwrap();
    assert!(summary.all_good() && summary.videos.len() == 2);
    ground.options.overwrite = true;
    assert!(ground.ends(&media).values().all(|end| end.is_good()));
    assert_eq!(ground.rehearsal.pins().len(), 2);
}
