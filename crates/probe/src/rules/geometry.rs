//! Shape and size of the displayed picture: display matrix, sample aspect ratio and clean aperture applied.

use super::{advises, fails, listed};
use crate::finding::{Finding, Remedy, RuleId};
use crate::geometry::DisplaySize;
use crate::info::MediaInfo;
use crate::spec::{AspectRule, Spec};
use crate::units::Rational;

pub(super) fn check(info: &MediaInfo, spec: &Spec, findings: &mut Vec<Finding>) {
    let Some(video) = info.primary_video() else { return };
    let size = video.display();
    if let Some(rule) = &spec.aspect_ratio
        && !rule.admits(size)
    {
        let required = required_shape(rule);
        findings.push(fails(RuleId::AspectRatio, Some(video.index), shape(size), required, Remedy::Reframe));
    }
    if let Some(rule) = spec.resolution
        && size.short_side() < rule.min_short_side
    {
        let required = format!("at least {} pixels on the shorter side", rule.min_short_side);
        findings.push(fails(RuleId::Resolution, Some(video.index), size.to_string(), required, Remedy::Enlarge));
    }
    if let Some(rule) = &spec.feed_aspect {
        let tolerant = AspectRule {
            allowed: rule.best.clone(),
            min: None,
            max: None,
            tolerance_percent: spec.aspect_ratio.as_ref().map_or(1, |aspect| aspect.tolerance_percent),
            tolerance_pixels: spec.aspect_ratio.as_ref().map_or(2, |aspect| aspect.tolerance_pixels),
        };
        let fits = spec.aspect_ratio.as_ref().is_none_or(|aspect| aspect.admits(size));
        if fits && !tolerant.admits(size) {
            let required = format!("{} do best in the feed", listed(&rule.best));
            findings.push(advises(RuleId::FeedAspect, Some(video.index), shape(size), required, Remedy::Reframe));
        }
    }
}

/// `1920×1080 (1.778:1)`.
fn shape(size: DisplaySize) -> String {
    let ratio = Rational::new(i64::from(size.width), i64::from(size.height));
    ratio.map_or_else(|| size.to_string(), |ratio| format!("{size} ({}:1)", ratio.to_decimal(3)))
}

fn required_shape(rule: &AspectRule) -> String {
    if !rule.allowed.is_empty() {
        return listed(&rule.allowed);
    }
    let end = |ratio: Option<crate::AspectRatio>| ratio.map(|ratio| format!("{}:1", ratio.rational().to_decimal(2)));
    match (end(rule.min), end(rule.max)) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or wider"),
        (None, Some(max)) => format!("{max} or narrower"),
        (None, None) => "any".to_owned(),
    }
}
