//! Pins that are spaced out: which time the next one has.

use jiff::{SignedDuration, Timestamp};

use super::model::PinStatus;

/// Where another Pin stands in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) status: PinStatus,
    /// Its time among Pins that are spaced out.
    pub(super) slot: Option<Timestamp>,
    /// When it was known to exist.
    pub(super) published: Option<Timestamp>,
}

/// The time of a Pin that had `own`, at least `every` after the others. What never went out gives its place up.
pub(super) fn next(own: Option<Timestamp>, others: &[Place], every: SignedDuration, now: Timestamp) -> Timestamp {
    // Who has no place yet queues behind everybody. Whose time is past is next: only Pins that went out meanwhile, or
    // are on their way, come before it.
    let queued = own.is_none();
    let taken = others.iter().flat_map(|other| {
        let gone = matches!(other.status, PinStatus::SetAside | PinStatus::Failed);
        // What is out went out by now at the latest, whatever a clock said that was ahead then.
        let by_now = |at: Timestamp| if other.published.is_some() { at.min(now) } else { at };
        let slot = other.slot.map(by_now).filter(|slot| !gone && (queued || *slot <= now));
        [slot, other.published.map(by_now)]
    });
    let last = taken.flatten().max();
    last.and_then(|last| last.checked_add(every).ok()).map_or(now, |free| free.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVERY: SignedDuration = SignedDuration::from_mins(30);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn pin(status: PinStatus, slot: Option<i64>, published: Option<i64>) -> Place {
        Place { status, slot: slot.map(at), published: published.map(at) }
    }

    #[test]
    fn the_first_goes_now_and_the_next_half_an_hour_after_the_last() {
        use PinStatus::{Published, SetAside, Waiting};
        let next_of = |others: &[Place]| next(None, others, EVERY, at(100));
        assert_eq!(next_of(&[]), at(100));
        assert_eq!(next_of(&[pin(Published, None, Some(90))]), at(120), "published before without spacing");
        assert_eq!(next_of(&[pin(Published, Some(10), Some(20))]), at(100), "long ago");
        assert_eq!(next_of(&[pin(Published, Some(100), None), pin(Waiting, Some(130), None)]), at(160));
        assert_eq!(next_of(&[pin(SetAside, Some(130), None)]), at(100), "it will not go out");
    }

    #[test]
    fn what_is_overdue_is_next_and_still_keeps_its_distance() {
        use PinStatus::{Published, Waiting};
        let next_of = |others: &[Place]| next(Some(at(40)), others, EVERY, at(100));
        assert_eq!(next_of(&[pin(Waiting, Some(110), None)]), at(100), "who comes later waits");
        assert_eq!(next_of(&[pin(Published, Some(10), Some(95))]), at(125));
        assert_eq!(next_of(&[pin(Waiting, Some(100), None)]), at(130), "another was just let go");
    }

    #[test]
    fn a_clock_that_was_ahead_when_others_went_out_delays_nothing() {
        let ahead = pin(PinStatus::Published, Some(100_000), Some(100_001));
        for own in [None, Some(at(40))] {
            assert_eq!(
                next(own, &[ahead], EVERY, at(100)),
                at(130),
                "half an hour after what cannot be later than now"
            );
        }
    }

    proptest! {
        /// Whenever the queue is looked at, and however long nobody looked, no two go out closer than they should.
        #[test]
        fn the_distance_is_kept_whatever_the_pauses(pauses in prop::collection::vec(0_i64..200, 1..40)) {
            let mut pins = vec![pin(PinStatus::Waiting, None, None); 8];
            let mut now = at(0);
            let mut sent = Vec::new();
            for pause in pauses {
                for place in 0..pins.len() {
                    if pins[place].status != PinStatus::Waiting || pins[place].slot.is_some_and(|slot| slot > now) {
                        continue;
                    }
                    let mut others = pins.clone();
                    let own = others.remove(place);
                    let slot = next(own.slot, &others, EVERY, now);
                    prop_assert!(slot >= now);
                    pins[place].slot = Some(slot);
                    if slot == now {
                        pins[place].status = PinStatus::Published;
                        pins[place].published = Some(now);
                        sent.push(now);
                    }
                }
                now += SignedDuration::from_mins(pause);
            }
            prop_assert!(sent.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= EVERY), "{sent:?}");
            prop_assert_eq!(sent.first(), Some(&at(0)), "the first goes at once");
        }
    }
}
