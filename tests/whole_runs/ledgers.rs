//! Ledgers that are in use, damaged, or elsewhere.

use std::fs::File;

use super::ground::{Ground, ran};
use super::stage::{Stage, hashes};

#[test]
fn a_folder_in_which_a_run_is_at_work_is_refused_and_free_after_it() {
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mkv", "270x480", 4, 25);
    std::fs::create_dir_all(stage.out().join(".pinpress")).unwrap();
    let lock = File::create(stage.out().join(".pinpress/lock")).unwrap();
    lock.lock().unwrap();
    let said = ran(&mut stage.run(&[]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("another run is at work") && said.stderr.contains("wait for it"), "{said:?}");
    assert!(Ground::names(&stage.out()).is_empty());
    // Nor does one that keeps its ledger elsewhere write into it.
    let said = ran(&mut stage.run(&["--ledger", "elsewhere.db"]));
    assert_eq!(said.code, Some(2), "{said:?}");
    drop(lock);
    stage.assert_completes(1);
}

#[test]
fn a_damaged_ledger_is_left_as_it_is_and_its_copy_or_a_new_one_makes_no_pin_twice() {
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mkv", "270x480", 4, 25);
    stage.ground.clip("b.mp4", "270x480", 5, 25);
    stage.assert_completes(2);
    let own = stage.out().join(".pinpress");
    let ledger = own.join("ledger.db");
    let len = ledger.metadata().unwrap().len();
    File::options().write(true).open(&ledger).unwrap().set_len(len / 2).unwrap();
    // SQLite makes its log, empty, and the memory that its users share.
    let kept = || ["ledger.db", "ledger.db.bak"].map(|name| hashes(&own).remove(name));
    let before = kept();
    for args in [&["status", "out"][..], &["retry", "-o", "out"], &["publish", "--due", "-o", "out"]] {
        let said = stage.ran(args);
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(said.stderr.contains("ledger is damaged"), "{args:?}: {said:?}");
    }
    let said = ran(&mut stage.run(&[]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("ledger.db.bak") && said.stderr.contains("NAME.pin.json"), "{said:?}");
    assert!(said.stderr.trim_end().ends_with("ledger.db"), "{said:?}");
    assert_eq!(kept(), before);
    assert!(std::fs::metadata(own.join("ledger.db-wal")).is_ok_and(|log| log.len() == 0));
    assert_eq!(stage.pinterest.pins().len(), 2);

    std::fs::copy(own.join("ledger.db.bak"), &ledger).unwrap();
    stage.assert_completes(2);
    // Without a copy, by the receipts.
    std::fs::remove_dir_all(&own).unwrap();
    let said = ran(&mut stage.run(&["--overwrite"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    stage.assert_completes(2);
}

#[test]
fn a_ledger_elsewhere_is_the_one_that_every_command_uses() {
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mkv", "270x480", 4, 25);
    let elsewhere = ["--ledger", "kept/pins.db"];
    let said = ran(&mut stage.run(&elsewhere));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(stage.ground.at("kept/pins.db").is_file() && stage.ground.at("kept/pins.db.bak").is_file());
    assert!(!stage.out().join(".pinpress/ledger.db").exists());
    let again = ran(stage.run(&[]).env("PINPRESS_LEDGER", "kept/pins.db"));
    assert!(again.code == Some(0) && again.stdout.contains("all was done before"), "{again:?}");
    for args in [&["status", "out"][..], &["retry", "-o", "out"], &["reconcile", "-o", "out"]] {
        assert_eq!(stage.ran(args).code, Some(2), "{args:?}: there is none in the folder");
        let said = stage.ran(&[args, &elsewhere].concat());
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
    }
    let due = stage.ran(&[&["publish", "--due", "-o", "out"][..], &elsewhere].concat());
    assert!(due.code == Some(0) && due.stderr.contains("nothing waits"), "{due:?}");
    assert_eq!(stage.pinterest.pins().len(), 1);
}
