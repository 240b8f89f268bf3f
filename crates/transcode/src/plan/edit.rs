//! Pictures that are made to fit without decoding them: another cropping rectangle, square samples.
//!
//! H.264 says in its sequence parameter set how much of the decoded picture is shown (ITU-T H.264 §7.4.2.1.1) and how
//! wide a sample is (§E.2.1). Both can be said anew and every slice stays as it is.

use pinpress_av::LEFT_STEP;
use pinpress_media::{AspectMode, FixOptions};
use pinpress_probe::{
    AspectRatio, Chroma, CodedSize, DisplaySize, FrameCropping, Orientation, Rational, Rotation, RuleId, Spec,
    VideoStream,
};

use super::canvas;
use super::measured::Focus;

/// Field note 16: samples within a hundredth of square are square.
const NEARLY_SQUARE: i64 = 100;

/// What is said anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Headers {
    pub(super) cropping: Option<FrameCropping>,
    pub(super) size: Option<CodedSize>,
    pub(super) square_pixels: bool,
}

impl Headers {
    pub(super) fn change(self) -> bool {
        self.cropping.is_some() || self.square_pixels
    }
}

/// What has to be said anew so that the shape passes; `None` when no header can do it. `rewrites` tells whether the
/// file is written anew in any case, where a clean aperture would be lost: MP4 that libav writes has no `clap`.
pub(super) fn headers(
    video: &VideoStream,
    broken: &[RuleId],
    rewrites: bool,
    spec: &Spec,
    options: &FixOptions,
    focus: Focus,
) -> Option<Headers> {
    let lost_aperture = rewrites && video.clean_aperture.is_some();
    if broken.is_empty() && !lost_aperture {
        return Some(Headers::default());
    }
    if broken.iter().any(|rule| *rule != RuleId::AspectRatio) {
        return None;
    }
    let cropping = video.cropping.filter(|_| is_plain(video))?;
    let uncropped = video.clean_aperture.unwrap_or(video.coded);
    let kept = |part: CodedSize, focus: Focus| shown_part(video, cropping, part, focus);
    let passes = |headers: Headers| {
        let display = display(video, headers);
        let shape = spec.aspect_ratio.as_ref().is_none_or(|rule| rule.admits(display));
        shape && spec.resolution.is_none_or(|rule| display.short_side() >= rule.min_short_side)
    };
    let square_pixels = video.sample_aspect.is_some_and(|aspect| !aspect.is_square() && nearly_square(aspect));
    let whole = if video.clean_aperture.is_some() { kept(uncropped, Focus::CENTRE)? } else { Headers::default() };
    if passes(whole) {
        return Some(whole);
    }
    if video.sample_aspect.is_some_and(|aspect| !aspect.is_square()) && !square_pixels {
        // Wide samples stay wide in a copy; an encode comes out square.
        return None;
    }
    let square = Headers { square_pixels, ..whole };
    if square_pixels && passes(square) {
        return Some(square);
    }
    if options.aspect != AspectMode::Crop || video.clean_aperture.is_some() {
        return None;
    }
    let part = cropped(video, spec, options, cropping)?;
    let headers = Headers { square_pixels, ..kept(part, focus)? };
    passes(headers).then_some(headers)
}

/// 8-bit 4:2:0 of whole frames: what Pinterest takes, and where the cropping rectangle counts in pairs.
pub(super) fn is_plain(video: &VideoStream) -> bool {
    let format = video.pixel_format.as_ref();
    video.codec == "h264" && format.is_some_and(|format| format.chroma == Chroma::Yuv420 && format.bit_depth == 8)
}

fn nearly_square(aspect: AspectRatio) -> bool {
    let off = aspect
        .rational()
        .checked_sub(Rational::whole(1))
        .and_then(|off| off.checked_mul(Rational::whole(NEARLY_SQUARE)));
    off.is_some_and(|off| off <= Rational::whole(1) && off >= Rational::whole(-1))
}

/// The largest part of an allowed shape, in coded pixels, its sides in whole units of the cropping rectangle.
fn cropped(video: &VideoStream, spec: &Spec, options: &FixOptions, cropping: FrameCropping) -> Option<CodedSize> {
    let coded = video.coded;
    let upright = video.orientation.display_size(coded, None, None);
    let rule = spec.aspect_ratio.as_ref()?;
    let ratio = canvas::target(upright, rule, options.prefer).ok()?;
    let (width, height) = canvas::largest_part(upright, ratio)?;
    let (width, height) = if video.orientation.rotation.swaps_sides() { (height, width) } else { (width, height) };
    let whole_units = |side: Rational, unit: u32, most: u32| {
        let units = side.checked_div(Rational::whole(unit.into()))?.scaled_round(1);
        u32::try_from(units).ok()?.checked_mul(unit).map(|side| side.min(most / unit * unit))
    };
    let width = whole_units(width, cropping.unit_x, coded.width)?;
    let height = whole_units(height, cropping.unit_y, coded.height)?;
    (width > 0 && height > 0).then_some(CodedSize { width, height })
}

/// The rectangle that shows `part` of the coded picture, as near as can be around `focus`.
fn shown_part(video: &VideoStream, now: FrameCropping, part: CodedSize, focus: Focus) -> Option<Headers> {
    let (across, down) = in_coded(video.orientation, focus);
    // As absolute offsets: what is cut away now stays cut away.
    let place = |already: u32, whole: u32, kept: u32, step: u32, thousandths: u16| {
        let spare = whole.checked_sub(kept)?;
        let wanted = u64::from(whole) * u64::from(thousandths) / 1000;
        let wanted = u32::try_from(wanted).ok()?.saturating_sub(kept / 2).min(spare).checked_add(already)?;
        let nearest = (wanted + step / 2) / step * step;
        let (least, most) = (already.next_multiple_of(step), (already + spare) / step * step);
        (least <= most).then(|| (nearest.clamp(least, most) - already, spare))
    };
    let (left, spare_columns) = place(now.left, video.coded.width, part.width, LEFT_STEP.max(now.unit_x), across)?;
    let (top, spare_rows) = place(now.top, video.coded.height, part.height, now.unit_y, down)?;
    let cropping = FrameCropping {
        left: now.left.checked_add(left)?,
        right: now.right.checked_add(spare_columns - left)?,
        top: now.top.checked_add(top)?,
        bottom: now.bottom.checked_add(spare_rows - top)?,
        ..now
    };
    let whole = |offset: u32, unit: u32| offset.is_multiple_of(unit);
    let sound = whole(cropping.left, cropping.unit_x)
        && whole(cropping.right, cropping.unit_x)
        && whole(cropping.top, cropping.unit_y)
        && whole(cropping.bottom, cropping.unit_y);
    sound.then_some(Headers { cropping: Some(cropping), size: Some(part), square_pixels: false })
}

/// A place in the upright picture as a place in the coded one.
fn in_coded(orientation: Orientation, focus: Focus) -> (u16, u16) {
    let Focus { across, down } = focus;
    let (across, down) = match orientation.rotation {
        Rotation::None => (across, down),
        // Upright, the coded left edge is at the top and the coded bottom edge at the left.
        Rotation::Clockwise90 => (down, 1000_u16.saturating_sub(across)),
        Rotation::Half => (1000_u16.saturating_sub(across), 1000_u16.saturating_sub(down)),
        Rotation::Clockwise270 => (1000_u16.saturating_sub(down), across),
    };
    (if orientation.mirrored { 1000_u16.saturating_sub(across) } else { across }, down)
}

/// The displayed size behind `headers`.
fn display(video: &VideoStream, headers: Headers) -> DisplaySize {
    let aspect = video.sample_aspect.filter(|_| !headers.square_pixels);
    let aperture = video.clean_aperture.filter(|_| headers.size.is_none());
    video.orientation.display_size(headers.size.unwrap_or(video.coded), aperture, aspect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_turns_with_the_picture() {
        let focus = Focus { across: 100, down: 300 };
        let at = |rotation, mirrored| in_coded(Orientation { rotation, mirrored }, focus);
        assert_eq!(at(Rotation::None, false), (100, 300));
        assert_eq!(at(Rotation::None, true), (900, 300));
        assert_eq!(at(Rotation::Half, false), (900, 700));
        // A quarter turn clockwise brings the coded left bottom corner to the upright left top corner.
        assert_eq!(
            in_coded(Orientation { rotation: Rotation::Clockwise90, mirrored: false }, Focus { across: 0, down: 0 }),
            (0, 1000)
        );
        assert_eq!(
            in_coded(Orientation { rotation: Rotation::Clockwise270, mirrored: false }, Focus { across: 0, down: 0 }),
            (1000, 0)
        );
    }

    #[test]
    fn a_hundredth_off_is_square() {
        let nearly = |across, down| nearly_square(AspectRatio::new(across, down).unwrap());
        assert!(nearly(1, 1) && nearly(101, 100) && nearly(99, 100) && nearly(3201, 3200));
        assert!(!nearly(102, 100) && !nearly(98, 100) && !nearly(4, 3));
    }
}
