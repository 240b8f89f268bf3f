//! Faults by seed and by script.

use std::str::FromStr;

use crate::fault::{Call, Fault, FaultRule};

/// Faults that belong together. The same seed makes the same faults at any time and on any machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan(Vec<FaultRule>);

/// Text that is neither a seed nor a script.
#[derive(Debug, thiserror::Error)]
#[error(
    "no faults: {reason}: give a number as the seed, or a list like \
     [{{\"call\": \"create-pin\", \"occurrence\": 1, \"fault\": \"answer-lost\"}}]"
)]
pub struct NotAPlan {
    reason: serde_json::Error,
}

/// The calls that a seed spoils, those that publishing hangs on more often.
const CALLS: [Call; 8] = [
    Call::CreatePin,
    Call::CreatePin,
    Call::CreatePin,
    Call::ListBoardPins,
    Call::ListBoardPins,
    Call::RegisterMedia,
    Call::Upload,
    Call::GetMedia,
];

impl FaultPlan {
    /// One to six faults that strike early, none of them for ever: whoever goes on comes through.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let rules = (0..=dice.below(5)).map(|_| {
            let call = dice.pick(&CALLS);
            let occurrence = u32::try_from(dice.below(3)).unwrap_or(0) + 1;
            FaultRule::nth(call, occurrence, fault(&mut dice, call))
        });
        Self(rules.collect())
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[FaultRule] {
        &self.0
    }
}

impl From<FaultPlan> for Vec<FaultRule> {
    fn from(plan: FaultPlan) -> Self {
        plan.0
    }
}

impl FromStr for FaultPlan {
    type Err = NotAPlan;

    fn from_str(text: &str) -> Result<Self, NotAPlan> {
        match text.trim().parse() {
            Ok(seed) => Ok(Self::seeded(seed)),
            Err(_) => serde_json::from_str(text).map(Self).map_err(|reason| NotAPlan { reason }),
        }
    }
}

/// A fault that can befall this call.
fn fault(dice: &mut Dice, call: Call) -> Fault {
    let own = match call {
        Call::CreatePin => Fault::ListedLate { looks: 1 },
        Call::ListBoardPins => Fault::ListedTwice,
        Call::RegisterMedia => dice.pick(&[Fault::FormExpired, Fault::ProcessingFails]),
        Call::GetMedia => Fault::Status("transcoding".to_owned()),
        _ => Fault::Slow { pause: 1 },
    };
    let faults = [
        own.clone(),
        own,
        Fault::RateLimited { retry_after: Some(0) },
        Fault::RateLimitedFor { reset: 0 },
        Fault::RateLimitedBare,
        Fault::Spam,
        Fault::Unauthorized,
        Fault::ErrorBeforeEffect,
        Fault::ErrorAfterEffect,
        Fault::ErrorAfterEffect,
        Fault::AnswerLost,
        Fault::AnswerLost,
        Fault::ConnectionLost,
        Fault::CutRequest { after: dice.below(2_000) },
        Fault::CutAnswer { after: dice.below(700) },
        Fault::Slow { pause: 1 },
        Fault::Body("<html>Bad gateway</html>".to_owned()),
    ];
    dice.pick(&faults)
}

/// splitmix64 (<https://prng.di.unimi.it/splitmix64.c>): a library's numbers may change with its version, and a seed
/// that found something must find it for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from[place].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_makes_the_same_faults_for_ever() {
        let text = |seed| serde_json::to_string(FaultPlan::seeded(seed).rules()).unwrap();
        assert_eq!(text(7), SEVEN, "the seeds that found something would no longer find it");
        assert_eq!("7".parse::<FaultPlan>().unwrap(), FaultPlan::seeded(7));
        let plans: BTreeSet<_> = (0..500).map(text).collect();
        assert!(plans.len() > 400, "{} plans of 500 seeds", plans.len());
        let all: String = plans.into_iter().collect();
        for kind in ["cut-answer", "cut-request", "slow", "listed-late", "listed-twice", "spam", "form-expired"] {
            assert!(all.contains(kind), "no seed makes {kind}");
        }
    }

    const SEVEN: &str = concat!(
        r#"[{"call":"list-board-pins","occurrence":1,"fault":"connection-lost"},"#,
        r#"{"call":"upload","occurrence":1,"fault":"unauthorized"},"#,
        r#"{"call":"list-board-pins","occurrence":1,"fault":{"rate-limited-for":{"reset":0}}}]"#
    );

    #[test]
    fn a_script_reads_as_it_is_written() {
        let rules = vec![
            FaultRule::nth(Call::CreatePin, 1, Fault::AnswerLost),
            FaultRule::always(Call::Upload, Fault::CutRequest { after: 9 }),
            FaultRule::nth(Call::GetMedia, 2, Fault::Status("x".to_owned())),
        ];
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(text.parse::<FaultPlan>().unwrap().rules(), rules);
        let short = r#"[{"call": "list-board-pins", "fault": "listed-twice"}]"#.parse::<FaultPlan>().unwrap();
        assert_eq!(short.rules(), [FaultRule::always(Call::ListBoardPins, Fault::ListedTwice)]);
        for bad in ["", "x", "-1", "{}", r#"[{"call": "x", "fault": "spam"}]"#, r#"[{"call": "upload"}]"#] {
            assert!(bad.parse::<FaultPlan>().unwrap_err().to_string().contains("answer-lost"), "{bad}");
        }
    }
}
