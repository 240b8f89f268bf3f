//! A plan made for a file that is at hand: with a look into it, where the plan turns on what only packets or pictures
//! tell.

use std::path::Path;

use pinpress_av::Cancel;
use pinpress_media::{CropFocus, Failure, FailureKind, Fill, Fix, FixOptions, Part, Plan, VideoStep};
use pinpress_probe::{AspectRatio, MediaInfo, Rational, Scan, Spec, VideoStream};

use crate::measure::{What, measure};
use crate::plan::{Measured, parts, plan, plan_part};
use crate::{encoder, sync_times};

/// Rows of the interlaced rasters (SMPTE ST 125, ITU-R BT.601 and SMPTE ST 274, with their whole macroblocks): a
/// picture of another height that was made of fields has been scaled, and nothing would bring them back.
const INTERLACED_ROWS: [u32; 6] = [480, 486, 512, 576, 1080, 1088];

/// Pictures a second of interlaced video at most.
const INTERLACED_RATE: i64 = 30;

/// What would be done to the file at `source`: a plan, or one for each part where it is split.
///
/// # Errors
/// When a look into the file was needed and failed, or the encoder that was asked for cannot be used.
pub fn plans(
    source: &Path,
    info: &MediaInfo,
    spec: &Spec,
    options: &FixOptions,
    cancel: &Cancel,
) -> Result<Vec<Plan>, Failure> {
    let Some(video) = info.primary_video().filter(|_| options.splits(info, spec)) else {
        return prepared(source, info, spec, options, &[None], cancel);
    };
    match parts(info, spec, &sync_times(source, video.index, cancel)?) {
        Err(reason) => Ok(vec![Plan::unfixable(reason, info.duration)]),
        Ok(parts) => {
            let parts: Vec<_> = parts.into_iter().map(Some).collect();
            prepared(source, info, spec, options, &parts, cancel)
        }
    }
}

/// The same, where the facts alone decide it; `None` where it turns on what only packets or pictures tell.
///
/// # Errors
/// When the encoder that was asked for cannot be used.
pub fn plans_by_facts(info: &MediaInfo, spec: &Spec, options: &FixOptions) -> Result<Option<Vec<Plan>>, Failure> {
    if info.primary_video().is_some() && options.splits(info, spec) {
        return Ok(None);
    }
    let Outline { plans, look } = outline(info, spec, options, &[None])?;
    Ok(match look {
        None => Some(plans),
        Some(look) if look.what.is_needed() => None,
        Some(look) => Some(planned(info, spec, &look.options, &Measured::default(), &[None])),
    })
}

/// The plan for `fix`.
///
/// # Errors
/// As [`plans`].
pub fn plan_for(fix: Fix<'_>, cancel: &Cancel) -> Result<Plan, Failure> {
    let plans = prepared(fix.source, fix.info, fix.spec, fix.options, &[fix.part], cancel)?;
    plans.into_iter().next().ok_or_else(|| Failure::new(FailureKind::Protocol, "there is no plan for no part"))
}

/// A plan for each of `parts` (`None` is the whole), after one look into the file where the first of them asks for it.
fn prepared(
    source: &Path,
    info: &MediaInfo,
    spec: &Spec,
    options: &FixOptions,
    parts: &[Option<Part>],
    cancel: &Cancel,
) -> Result<Vec<Plan>, Failure> {
    let Outline { plans, look } = outline(info, spec, options, parts)?;
    let Some(Look { options, what }) = look else { return Ok(plans) };
    Ok(planned(info, spec, &options, &measure(source, info, what, cancel)?, parts))
}

/// Plans by the facts alone, and the look that may change them.
struct Outline {
    plans: Vec<Plan>,
    look: Option<Look>,
}

/// What a second plan begins with.
struct Look {
    /// With the encoder that there is.
    options: FixOptions,
    what: What,
}

fn outline(info: &MediaInfo, spec: &Spec, options: &FixOptions, parts: &[Option<Part>]) -> Result<Outline, Failure> {
    let plans = planned(info, spec, options, &Measured::default(), parts);
    let step = plans.first().and_then(|plan| plan.video.as_ref());
    let Some((step, video)) = step.zip(info.primary_video()) else { return Ok(Outline { plans, look: None }) };
    let encodes = matches!(step, VideoStep::Encode(_) | VideoStep::Extend(_));
    let what = What {
        scan: matches!(step, VideoStep::Encode(_)) && may_be_interlaced(video),
        crop: cropped_to(step, video).filter(|_| options.crop_focus == CropFocus::Auto),
        threads: options.threads.max(1),
    };
    if !encodes && what.crop.is_none() {
        return Ok(Outline { plans, look: None });
    }
    let encoder = if encodes { encoder::resolve(options.encoder)? } else { options.encoder };
    let options = FixOptions { encoder, ..options.clone() };
    Ok(Outline { plans, look: Some(Look { options, what }) })
}

fn planned(
    info: &MediaInfo,
    spec: &Spec,
    options: &FixOptions,
    measured: &Measured,
    parts: &[Option<Part>],
) -> Vec<Plan> {
    let one = |part: &Option<Part>| match part {
        Some(part) => plan_part(info, spec, options, measured, *part),
        None => plan(info, spec, options, measured),
    };
    parts.iter().map(one).collect()
}

/// Whether it is worth a look: it says so, or it has the size and the rate of such video.
fn may_be_interlaced(video: &VideoStream) -> bool {
    let rate = video.frame_rate.is_none_or(|rate| rate.rational() <= Rational::whole(INTERLACED_RATE));
    video.scan == Some(Scan::Interlaced) || (rate && INTERLACED_ROWS.contains(&video.coded.height))
}

/// The shape of the part that is kept, upright.
fn cropped_to(step: &VideoStep, video: &VideoStream) -> Option<AspectRatio> {
    let upright = |width, height| {
        let swapped = video.orientation.rotation.swaps_sides();
        if swapped { AspectRatio::new(height, width) } else { AspectRatio::new(width, height) }
    };
    match step {
        VideoStep::Encode(encode) if matches!(encode.fill, Fill::Crop { .. }) => {
            AspectRatio::new(encode.canvas.width, encode.canvas.height)
        }
        VideoStep::Edit(edit) => edit.size.and_then(|size| upright(size.width, size.height)),
        _ => None,
    }
}
