//! Playing time and frame rate. Both are compared as fractions.

use super::fails;
use crate::finding::{Finding, Remedy, RuleId};
use crate::info::{MediaInfo, VideoStream};
use crate::spec::Spec;
use crate::units::{FrameRate, Rational, Seconds};

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    if let Some(rule) = spec.duration {
        let required = match (rule.min, rule.max) {
            (Some(min), Some(max)) => format!("{} to {}", Seconds(min), Seconds(max)),
            (Some(min), None) => format!("at least {}", Seconds(min)),
            (None, Some(max)) => format!("at most {}", Seconds(max)),
            (None, None) => return,
        };
        let found = match info.duration {
            None => Some(("unknown".to_owned(), Remedy::Remux)),
            Some(Seconds(time)) => match (rule.min, rule.max) {
                (Some(min), _) if time < min => Some((format!("{} s", told_apart(time, min)), Remedy::Loop)),
                (_, Some(max)) if time > max => Some((format!("{} s", told_apart(time, max)), Remedy::Trim)),
                _ => None,
            },
        };
        if let Some((measured, remedy)) = found {
            findings.push(fails(RuleId::Duration, None, measured, required, remedy));
        }
    }
    if let (Some(rule), Some(video)) = (spec.frame_rate, info.primary_video())
        && video.frame_rate.is_none_or(|rate| rate < rule.min)
    {
        let measured = measured_rate(video, rule.min);
        let required = format!("at least {}", rule.min);
        findings.push(fails(RuleId::FrameRate, Some(video.index), measured, required, Remedy::RaiseFrameRate));
    }
}

fn measured_rate(video: &VideoStream, limit: FrameRate) -> String {
    let Some(rate) = video.frame_rate else { return "unknown".to_owned() };
    let average = format!("{} fps", told_apart(rate.rational(), limit.rational()));
    match (video.variable_frame_rate, video.min_frame_rate, video.max_frame_rate) {
        (Some(true), Some(min), Some(max)) => {
            let (min, max) = (min.rational().to_decimal(2), max.rational().to_decimal(2));
            format!("{average} on average (variable, {min} to {max})")
        }
        _ => average,
    }
}

/// As few decimals as show that `value` is not `limit`: 3.9996 must not be told as 4.
fn told_apart(value: Rational, limit: Rational) -> String {
    [3, 6, 9]
        .into_iter()
        .map(|places| value.to_decimal(places))
        .find(|text| text.parse::<Rational>() != Ok(limit))
        .unwrap_or_else(|| value.to_fraction())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_never_told_as_a_hit() {
        let four = Rational::whole(4);
        assert_eq!(told_apart(Rational::new(3_992, 1000).unwrap(), four), "3.992");
        assert_eq!(told_apart(Rational::new(39_999, 10_000).unwrap(), four), "3.9999");
        assert_eq!(
            told_apart(Rational::new(3_999_999_999_999, 1_000_000_000_000).unwrap(), four),
            "3999999999999/1000000000000"
        );
    }
}
