//! A video that another run takes over while this one works on it.

use pinpress_pipeline::ledger::{Begun, JobState, Lease, Ledger as _, PinStatus, PinStep, Step};
use pinpress_pipeline::{End, RunEvent, RunObserver, RunStage, RunSummary, SqliteLedger, ledger_path, run};

use super::ground::{Ground, ScriptedMedia};

/// Another run that begins as soon as the work of this one has, as if its leases were over.
struct Other<'a> {
    ground: &'a Ground,
    at: RunStage,
}

impl Other<'_> {
    fn ledger(&self) -> SqliteLedger {
        SqliteLedger::open(&ledger_path(&self.ground.out(""))).unwrap()
    }

    fn run(&self, media: &ScriptedMedia) -> RunSummary {
        run(&self.ground.run_options(), media, self, &self.ground.interrupt).unwrap()
    }
}

impl RunObserver for Other<'_> {
    fn event(&self, event: &RunEvent<'_>) {
        let RunEvent::Started { stage, .. } = event else { return };
        if *stage != self.at {
            return;
        }
        let ledger = self.ledger();
        ledger.expire(None).unwrap();
        let job = ledger.jobs().unwrap().remove(0).id;
        let took = match stage {
            RunStage::Fix => matches!(ledger.begin(job, Step::Fix, &Lease::new()), Ok(Begun::Attempt(_))),
            RunStage::Cover => matches!(ledger.begin(job, Step::Cover, &Lease::new()), Ok(Begun::Attempt(_))),
            _ => {
                let pin = ledger.pins().unwrap().remove(0).id;
                matches!(ledger.begin_pin(pin, PinStep::Create, &Lease::new()), Ok(Begun::Attempt(_)))
            }
        };
        assert!(took, "it could be taken at {stage}");
    }
}

#[test]
fn what_another_run_has_taken_over_is_left_to_it_and_ends_nothing_else() {
    let Some(ground) = Ground::new(Vec::new()) else { return };
    ground.video("a.mp4", "1");
    let media = ScriptedMedia::default();
    for (at, state) in [
        (RunStage::Fix, JobState::Fixing),
        (RunStage::Cover, JobState::Covering),
        (RunStage::Publish, JobState::Covered),
    ] {
        let other = Other { ground: &ground, at };
        let summary = other.run(&media);
        let End::Later { reason } = &summary.videos[0].end else { panic!("{at}: {:?}", summary.videos[0].end) };
        assert!(reason.contains("another run"), "{reason}");
        assert!(!summary.all_good());
        assert_eq!(other.ledger().jobs().unwrap()[0].state, state, "the other's step is under way");
        assert_eq!(ground.rehearsal.pins().len(), 0);
    }
    let other = Other { ground: &ground, at: RunStage::Check };
    let pin = other.ledger().pins().unwrap().remove(0);
    assert_eq!((pin.status, pin.attempts, pin.state), (PinStatus::Publishing, 2, None), "only the other's are kept");
    // Both are dead; the next one goes on at once, and makes one Pin.
    assert_eq!(ground.ends(&media)["a.mp4"], End::Done);
    assert_eq!(ground.rehearsal.pins().len(), 1);
}
