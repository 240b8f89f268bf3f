//! Two claimants, leases that end, and comebacks, in any order, beside a model that knows nothing of rows.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use pinpress_pipeline::ledger::{
    Attempt, Begun, Claim, JobState, Lease, Ledger, LedgerError, MAX_ATTEMPTS, MAX_CUT_OFF, PinAttempt, PinStatus,
    PinStep, Step, StepOutcome,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::rules::{LEASE, Place, enrolled, opened};

const CASES: u32 = 48;

#[derive(Debug, Clone)]
enum Move {
    /// One of the two wants to begin, on the job or the Pin.
    Begin {
        who: usize,
        pin: bool,
    },
    /// Any attempt that was ever made enters its outcome: it fails, or it did not end.
    Finish {
        attempt: prop::sample::Index,
        failed: bool,
    },
    /// Any attempt at the Pin keeps its state.
    Save {
        attempt: prop::sample::Index,
    },
    /// One of the two renews all it ever had.
    Renew {
        who: usize,
    },
    Pass(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..2_usize, any::<bool>()).prop_map(|(who, pin)| Move::Begin { who, pin }),
        3 => (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(attempt, failed)| Move::Finish { attempt, failed }),
        1 => any::<prop::sample::Index>().prop_map(|attempt| Move::Save { attempt }),
        1 => (0..2_usize).prop_map(|who| Move::Renew { who }),
        3 => (1..=LEASE.as_secs()).prop_map(Move::Pass),
    ];
    prop::collection::vec(one, 1..40)
}

/// What may be claimed, as the documentation of the ledger has it.
#[derive(Debug, Default)]
struct Model {
    claims: i64,
    /// Whose the latest claim is, and when its lease ends; `None` once its outcome is there.
    holder: Option<(usize, i64)>,
    attempts: u32,
    given_up: bool,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Attempt { number: u32, fence: i64 },
    Spent,
    Held,
}

impl Model {
    fn begin(&mut self, who: usize, now: i64) -> Answer {
        if self.holder.is_some_and(|(_, until)| until > now) {
            return Answer::Held;
        }
        let most = if self.holder.is_some() { MAX_CUT_OFF } else { MAX_ATTEMPTS };
        if self.given_up || self.attempts >= most {
            (self.given_up, self.holder) = (true, None);
            return Answer::Spent;
        }
        self.claims += 1;
        self.attempts += 1;
        self.holder = Some((who, now + LEASE.as_secs()));
        Answer::Attempt { number: self.attempts, fence: self.claims }
    }

    fn holds(&self, who: usize, fence: i64) -> bool {
        fence == self.claims && self.holder.is_some_and(|(holder, _)| holder == who)
    }

    /// Whether it is entered.
    fn finish(&mut self, (who, fence): (usize, i64), attempts_after: u32) -> bool {
        let entered = self.holds(who, fence);
        if entered {
            (self.holder, self.attempts) = (None, attempts_after);
        }
        entered
    }
}

#[derive(Debug, Clone, Copy)]
enum Made {
    Fix(Attempt),
    Create(PinAttempt),
}

impl Made {
    fn claim(&self) -> Claim {
        match self {
            Self::Fix(attempt) => attempt.claim(),
            Self::Create(attempt) => attempt.claim(),
        }
    }
}

fn answer<A>(begun: &Begun<A>, of: impl Fn(&A) -> (u32, i64)) -> Answer {
    match begun {
        Begun::Attempt(attempt) => {
            let (number, fence) = of(attempt);
            Answer::Attempt { number, fence }
        }
        Begun::Spent { .. } => Answer::Spent,
        Begun::Held { .. } => Answer::Held,
    }
}

/// Whether it was entered.
fn entered(result: &Result<(), LedgerError>) -> bool {
    match result {
        Ok(()) => true,
        Err(LedgerError::Superseded { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn play(place: &dyn Place, content: &str, moves: Vec<Move>) -> Result<(), TestCaseError> {
    // Each claimant has the ledger open for itself, as two programs have.
    let ledgers: [Box<dyn Ledger>; 2] = [place.open(), place.open()];
    let leases = [Lease::new(), Lease::new()];
    let job = enrolled(&*ledgers[0], content);
    let pin = opened(&*ledgers[0], job, content);
    let (mut of_job, mut of_pin, mut now) = (Model::default(), Model::default(), 0);
    let mut made: Vec<(usize, Made)> = Vec::new();
    let mut saved: Option<String> = None;
    for (turn, step) in moves.into_iter().enumerate() {
        match step {
            Move::Pass(seconds) => {
                place.pass(SignedDuration::from_secs(seconds));
                now += seconds;
            }
            Move::Begin { who, pin: false } => {
                let begun = ledgers[who].begin(job, Step::Fix, &leases[who]).unwrap();
                prop_assert_eq!(answer(&begun, |of| (of.number, of.fence)), of_job.begin(who, now));
                if let Begun::Attempt(attempt) = begun {
                    made.push((who, Made::Fix(attempt)));
                }
            }
            Move::Begin { who, pin: true } => {
                let begun = ledgers[who].begin_pin(pin, PinStep::Create, &leases[who]).unwrap();
                prop_assert_eq!(answer(&begun, |of| (of.number, of.fence)), of_pin.begin(who, now));
                if let Begun::Attempt(attempt) = begun {
                    made.push((who, Made::Create(attempt)));
                }
            }
            Move::Finish { attempt, failed } if !made.is_empty() => match *attempt.get(&made) {
                (who, Made::Fix(attempt)) => {
                    let outcome = if failed { StepOutcome::Failed(turn.to_string()) } else { StepOutcome::Released };
                    let after = if failed { attempt.number } else { attempt.number - 1 };
                    let counts = of_job.finish((who, attempt.fence), after);
                    prop_assert_eq!(entered(&ledgers[who].finish(attempt, &outcome)), counts);
                    of_job.given_up |= counts && failed && after >= MAX_ATTEMPTS;
                }
                (who, Made::Create(attempt)) => {
                    let (status, after) =
                        if failed { (PinStatus::Failed, attempt.number) } else { (PinStatus::Waiting, 0) };
                    let counts = of_pin.finish((who, attempt.fence), after);
                    prop_assert_eq!(entered(&ledgers[who].finish_pin(attempt, status, None)), counts);
                }
            },
            Move::Save { attempt } if !made.is_empty() => {
                if let (who, Made::Create(attempt)) = *attempt.get(&made) {
                    let state = format!("{{\"turn\":{turn}}}");
                    let counts = of_pin.holds(who, attempt.fence);
                    prop_assert_eq!(entered(&ledgers[who].save_pin_state(attempt, &state, None)), counts);
                    saved = if counts { Some(state) } else { saved };
                }
            }
            Move::Renew { who } => {
                let claims: Vec<Claim> =
                    made.iter().filter(|(of, _)| *of == who).map(|(_, made)| made.claim()).collect();
                let lost = ledgers[who].renew(&claims, &leases[who]).unwrap();
                for (_, made) in made.iter().filter(|(of, _)| *of == who) {
                    let model = if matches!(made, Made::Fix(_)) { &mut of_job } else { &mut of_pin };
                    let holds = model.holds(who, made.claim().fence);
                    prop_assert_eq!(lost.contains(&made.claim()), !holds);
                    if holds {
                        model.holder = Some((who, now + LEASE.as_secs()));
                    }
                }
            }
            Move::Finish { .. } | Move::Save { .. } => {}
        }
        let job = ledgers[0].jobs().unwrap().into_iter().find(|other| other.id == job).unwrap();
        let pin = ledgers[1].pins().unwrap().into_iter().find(|other| other.id == pin).unwrap();
        prop_assert_eq!((job.attempts, pin.attempts), (of_job.attempts, of_pin.attempts));
        prop_assert_eq!(job.state == JobState::SetAside, of_job.given_up);
        prop_assert_eq!(&pin.state, &saved);
    }
    Ok(())
}

pub(crate) fn two_claimants_in_any_order_leave_one_outcome_a_claim(place: &dyn Place) {
    let case = AtomicU32::new(0);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&moves(), |moves| {
        let content = case.fetch_add(1, Ordering::Relaxed).to_string();
        play(place, &content, moves)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
