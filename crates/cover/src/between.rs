//! Times between those that are known, as even as can be.

use std::ops::RangeInclusive;

/// `count` times inside `span`, each halving, or dividing into three and so on, the widest of the gaps that `known`
/// times leave there. In order.
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
    let divided =
        |(begin, width, inside): (i64, i64, i64)| (1..=inside).map(move |at| begin + width * at / (inside + 1));
    gaps.into_iter().flat_map(divided).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_widest_gaps_are_divided_first() {
        assert_eq!(between(&[], &(0..=100), 4), [20, 40, 60, 80]);
        assert_eq!(between(&[50], &(0..=100), 2), [25, 75]);
        assert_eq!(between(&[50], &(0..=100), 3), [16, 33, 75]);
        assert_eq!(between(&[10, 20, 30], &(0..=100), 1), [65]);
        assert_eq!(between(&[-5, 500], &(0..=100), 1), [50], "what lies elsewhere divides nothing");
    }

    proptest! {
        #[test]
        fn no_gap_is_left_that_is_twice_as_wide_as_one_that_was_made(
            known in prop::collection::vec(0_i64..10_000_000, 0..12),
            count in 1_usize..20,
        ) {
            let span = 0..=10_000_000;
            let times = between(&known, &span, count);
            prop_assert_eq!(times.len(), count);
            prop_assert!(times.is_sorted() && times.iter().all(|time| span.contains(time)));
            let mut all: Vec<i64> = known.iter().chain(&times).copied().chain([0, 10_000_000]).collect();
            all.sort_unstable();
            let widest = all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
            // Each time that was made divides a gap that was the widest then.
            for time in &times {
                let at = all.binary_search(time).unwrap();
                let around = all[at + 1] - all[at - 1];
                prop_assert!(around + 2 >= widest, "{around} around {time}, and {widest} elsewhere");
            }
        }
    }
}
