//! A long video cut at sync samples into parts that each pass.

use pinpress_media::Part;
use pinpress_probe::{MediaInfo, Rational, Seconds, Spec};

/// More parts than this are no Pins any more: at 15 minutes each, ten days.
const MOST_PARTS: i64 = 1_000;

/// Cuts a video at some of `sync`, the times of sync samples in ascending order, counted from its first picture or
/// sound. The parts are about equally long, as few as can be, and each as long as `spec` allows.
///
/// # Errors
/// Why it cannot be cut so, for a person.
pub fn parts(info: &MediaInfo, spec: &Spec, sync: &[Seconds]) -> Result<Vec<Part>, String> {
    let time = info.duration.ok_or("nobody can tell how long it plays: export it again")?;
    let rule = spec.duration.ok_or("the rule set has no longest duration")?;
    let max = rule.max.ok_or("the rule set has no longest duration")?;
    let min = rule.min.unwrap_or(Rational::whole(0));
    let fewest = time.0.checked_div(max).map_or(MOST_PARTS, Rational::ceil).max(1);
    // Sync samples seldom stand where equal parts would end, so a part more may be needed; twice as many never help.
    for count in fewest..=fewest.saturating_mul(2).min(MOST_PARTS) {
        if let Some(cuts) = cut(time, count, min, max, sync) {
            return numbered(&cuts, time).ok_or_else(|| "it has too many parts".to_owned());
        }
    }
    Err(format!(
        "its sync samples are too far apart to cut it into parts of at most {}: trim it, or export it with more of them",
        Seconds(max)
    ))
}

/// Where each part but the first begins: the sync sample nearest to where parts of one length would.
fn cut(time: Seconds, count: i64, min: Rational, max: Rational, sync: &[Seconds]) -> Option<Vec<Seconds>> {
    let mut cuts: Vec<Seconds> = Vec::new();
    let mut begun = Rational::whole(0);
    for part in 1..count {
        let ideal = time.0.checked_mul(Rational::new(part, count)?)?;
        let rest = Rational::whole(count - part);
        let reaches = |at: Rational| -> Option<bool> {
            let length = at.checked_sub(begun)?;
            let left = time.0.checked_sub(at)?;
            // What is left has to fit into the parts that are left.
            Some(length >= min && length <= max && left <= max.checked_mul(rest)? && left >= min.checked_mul(rest)?)
        };
        let distance = |at: &Seconds| {
            let off = at.0.checked_sub(ideal).unwrap_or(at.0);
            off.max(Rational::whole(0).checked_sub(off).unwrap_or(off))
        };
        let at = sync.iter().copied().filter(|at| reaches(at.0) == Some(true)).min_by_key(distance)?;
        begun = at.0;
        cuts.push(at);
    }
    let last = time.0.checked_sub(begun)?;
    (last >= min && last <= max).then_some(cuts)
}

fn numbered(cuts: &[Seconds], time: Seconds) -> Option<Vec<Part>> {
    let begins = std::iter::once(Seconds::ZERO).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([time]);
    let of = u32::try_from(cuts.len() + 1).ok()?;
    Some((1..=of).zip(begins.zip(ends)).map(|(number, (begin, end))| Part { number, of, begin, end }).collect())
}

/// The facts of a part, as if it were a file of its own.
pub(super) fn facts(info: &MediaInfo, part: Part) -> MediaInfo {
    let mut facts = info.clone();
    let length = part.end.0.checked_sub(part.begin.0).map(Seconds);
    let share = length.zip(info.duration).and_then(|(length, whole)| length.0.checked_div(whole.0));
    let of = |whole: u64| {
        let whole = i64::try_from(whole).ok().map(Rational::whole);
        share.zip(whole).and_then(|(share, whole)| u64::try_from(share.checked_mul(whole)?.scaled_round(1)).ok())
    };
    facts.duration = length;
    facts.size_bytes = of(info.size_bytes).unwrap_or(info.size_bytes);
    for video in &mut facts.video {
        video.duration = length;
        video.start = Some(Seconds::ZERO);
        video.frame_count = video.frame_count.and_then(of);
        video.sync_samples = None;
    }
    for audio in &mut facts.audio {
        audio.duration = length;
        audio.start = Some(Seconds::ZERO);
    }
    facts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec() -> Spec {
        Spec::load("pinterest").unwrap()
    }

    fn split(millis: i64, every: i64) -> Result<Vec<Part>, String> {
        let sync: Vec<Seconds> = (0..=millis / every).map(|at| Seconds::from_millis(at * every)).collect();
        let info = MediaInfo { duration: Some(Seconds::from_millis(millis)), ..super::super::tests::conforming() };
        parts(&info, &spec(), &sync)
    }

    #[test]
    fn parts_are_few_and_about_equal() {
        let lengths = |millis, every| {
            let parts = split(millis, every).unwrap();
            parts.iter().map(|part| part.end.millis() - part.begin.millis()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(1_860_000, 2_000), [620_000; 3], "31 minutes");
        assert_eq!(lengths(900_001, 2_000), [450_000, 450_001], "no second part of a millisecond");
        assert_eq!(lengths(1_800_000, 7_000), [602_000, 595_000, 603_000], "cuts stand on sync samples");
    }

    #[test]
    fn sync_samples_too_far_apart_are_told() {
        assert!(split(2_000_000, 1_000_000).unwrap_err().contains("sync samples"));
    }

    proptest! {
        #[test]
        fn parts_follow_on_one_another_and_each_passes(millis in 900_001_i64..20_000_000, every in 500_i64..60_000) {
            let parts = split(millis, every).unwrap();
            let (min, max) = (Seconds::from_millis(4_000), Seconds::from_millis(900_000));
            prop_assert_eq!(parts[0].begin, Seconds::ZERO);
            prop_assert_eq!(parts[parts.len() - 1].end, Seconds::from_millis(millis));
            for part in &parts {
                let length = Seconds(part.end.0.checked_sub(part.begin.0).unwrap());
                prop_assert!(length >= min && length <= max, "{part:?}");
                prop_assert_eq!(part.begin.millis() % every, 0);
            }
            for pair in parts.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].begin);
            }
        }
    }
}
