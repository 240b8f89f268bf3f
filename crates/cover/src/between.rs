//! Times between those that are known: spread over the video, yet where they cost little.

use std::ops::RangeInclusive;

/// How much before the next known time, in microseconds, nothing need be looked at.
const UNSEEN_US: i64 = 1_250_000;

/// The part of a gap, one in so many, within which its times lie at least.
const FIRST_PART: i64 = 3;

/// `count` times inside `span`, by turns in the gaps that `known` times leave there: each goes where as many already
/// stand for the longest time. In order.
///
/// A frame costs the decoding of all before it, from the sync sample that is the known time before. So the times of a
/// gap lie in its first third where the rest is short, in which little changes: of a clip of eight seconds with a sync
/// sample every two, 94 of 246 packets are decoded.
pub(crate) fn between(known: &[i64], span: &RangeInclusive<i64>, count: usize) -> Vec<i64> {
    let (first, last) = (*span.start(), *span.end());
    let mut edges: Vec<i64> = known.iter().copied().filter(|time| span.contains(time)).collect();
    edges.extend([first, last]);
    edges.sort_unstable();
    edges.dedup();
    // Where each gap begins, how wide it is, and how many times are put into it.
    let mut gaps: Vec<(i64, i64, i64)> = edges.windows(2).map(|pair| (pair[0], pair[1] - pair[0], 0)).collect();
    for _ in 0..count {
        // The first of the widest: which one must not depend on chance.
        let widest = gaps.iter_mut().rev().max_by_key(|(_, width, inside)| width / (*inside + 1));
        if let Some((_, _, inside)) = widest {
            *inside += 1;
        }
    }
    let divided = |(begin, width, inside): (i64, i64, i64)| {
        let even = width * inside / (inside + 1);
        let reach = even.min((width / FIRST_PART).max(width - UNSEEN_US));
        (1..=inside).map(move |at| begin + reach * at / inside)
    };
    gaps.into_iter().flat_map(divided).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn the_widest_gaps_are_divided_first() {
        let far = |seconds: &[i64]| seconds.iter().map(|at| at * SECOND).collect::<Vec<_>>();
        let between = |known: &[i64], last: i64, count| between(&far(known), &(0..=last * SECOND), count);
        assert_eq!(between(&[], 100, 4), far(&[20, 40, 60, 80]));
        assert_eq!(between(&[50], 100, 2), far(&[25, 75]));
        assert_eq!(between(&[10, 20, 30], 100, 1), far(&[65]));
        assert_eq!(between(&[-5, 500], 100, 1), far(&[50]), "what lies elsewhere divides nothing");
    }

    #[test]
    fn they_lie_early_in_short_gaps() {
        let times = between(&[0, 2 * SECOND, 4 * SECOND], &(0..=6 * SECOND), 6);
        assert_eq!(times, [375, 750, 2_375, 2_750, 4_375, 4_750].map(|millis| millis * 1000));
    }

    proptest! {
        #[test]
        fn nothing_long_is_left_unseen_and_no_gap_is_forgotten(
            known in prop::collection::vec(0_i64..30_000_000, 0..12),
            count in 1_usize..20,
        ) {
            let span = 0..=30_000_000;
            let times = between(&known, &span, count);
            prop_assert_eq!(times.len(), count);
            prop_assert!(times.is_sorted() && times.iter().all(|time| span.contains(time)));
            let mut edges: Vec<i64> = known.iter().copied().chain([0, 30_000_000]).collect();
            edges.sort_unstable();
            let gaps = || edges.windows(2).map(|gap| {
                let inside: Vec<i64> = times.iter().copied().filter(|time| gap[0] < *time && *time < gap[1]).collect();
                (gap[0], gap[1], inside)
            });
            // What each time of the gap that has the fewest for its width stands for.
            let longest = gaps().map(|(from, to, inside)| (to - from) / (inside.len() as i64 + 1)).max().unwrap_or(0);
            for (from, to, inside) in gaps() {
                let Some(last) = inside.last() else { continue };
                prop_assert!(to - from >= longest * inside.len() as i64, "{inside:?} from {from} to {to}");
                let even = (to - from) / (inside.len() as i64 + 1);
                prop_assert!(to - last <= even.max(UNSEEN_US).max((to - from) * 2 / 3) + 2, "{inside:?} before {to}");
            }
        }
    }
}
