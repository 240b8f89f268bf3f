//! Where the picture goes: its size, the canvas around it, and what fills the rest. Whole-number arithmetic; sides
//! are rounded to even once, at the end, since 4:2:0 has a chroma sample for every two.

use pinpress_media::{AspectMode, Fill, FixOptions};
use pinpress_probe::spec::AspectRule;
use pinpress_probe::{AspectRatio, CodedSize, DisplaySize, Rational, Spec};

use super::measured::Focus;

/// A canvas larger than this is only for sources that are larger: what Pinterest shows at most is 1080 across.
const SHORT_SIDE: u32 = 1080;
const LONG_SIDE: u32 = 1920;

/// The picture on its canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) picture: CodedSize,
    pub(super) canvas: CodedSize,
    pub(super) fill: Fill,
}

/// Places a displayed picture so that shape and size pass; a crop keeps what is around `focus`.
pub(super) fn place(source: DisplaySize, spec: &Spec, options: &FixOptions, focus: Focus) -> Result<Placement, String> {
    let min_short = spec.resolution.map_or(2, |rule| rule.min_short_side).max(2);
    let sides = Sides::of(source);
    let whole = sides.enlargement(min_short).and_then(|factor| sides.scaled(factor));
    let whole = whole.ok_or("its size is out of range")?;
    // A tiny picture may pass by the tolerance in pixels and no longer do so once enlarged or rounded.
    let passes = |rule: &AspectRule| rule.admits(source) && rule.admits(shown(whole));
    let Some(rule) = spec.aspect_ratio.as_ref().filter(|rule| !passes(rule)) else {
        return Ok(Placement { picture: whole, canvas: whole, fill: Fill::None });
    };
    let ratio = target(source, rule, options.prefer)?;
    let fill = match options.aspect {
        AspectMode::Blur => Fill::Blur,
        AspectMode::Pad => Fill::Colour(options.pad_color.clone()),
        AspectMode::Crop => Fill::Crop { left: 0, top: 0 },
        AspectMode::Reject => {
            return Err(format!(
                "its shape {source} is not allowed, and reframing was not asked for (--aspect reject)"
            ));
        }
    };
    let crops = options.aspect == AspectMode::Crop;
    let sized = outer(source, ratio, crops).and_then(|outer| {
        // One factor for picture and canvas: down to the limits, else up to the minimum, else as it is.
        let one = Rational::whole(1);
        let down = outer.reduction(source)?;
        let factor = if down < one { down } else { outer.enlargement(min_short)? };
        Some((outer.scaled(factor)?, Sides::of(source).scaled(factor)?))
    });
    let (canvas, picture) = sized.ok_or("its size is out of range")?;
    let picture = if crops {
        CodedSize { width: picture.width.max(canvas.width), height: picture.height.max(canvas.height) }
    } else {
        CodedSize { width: picture.width.min(canvas.width), height: picture.height.min(canvas.height) }
    };
    let fill = match fill {
        Fill::Crop { .. } => Fill::Crop {
            left: offset(picture.width, canvas.width, focus.across),
            top: offset(picture.height, canvas.height, focus.down),
        },
        other => other,
    };
    Ok(Placement { picture, canvas, fill })
}

/// What is cut off before the kept side, so that the place at `thousandths` of the whole is as near to the middle as
/// can be; even.
fn offset(whole: u32, kept: u32, thousandths: u16) -> u32 {
    let wanted = bounded(u64::from(whole) * u64::from(thousandths) / 1000);
    wanted.saturating_sub(kept / 2).min(whole.saturating_sub(kept)) & !1
}

/// The exact sides of the largest part of a picture that has this ratio.
pub(super) fn largest_part(picture: DisplaySize, ratio: AspectRatio) -> Option<(Rational, Rational)> {
    outer(picture, ratio, true).map(|Sides { width, height }| (width, height))
}

/// The ratio to aim for: the preferred one, else the allowed one that adds or loses least.
pub(super) fn target(
    source: DisplaySize,
    rule: &AspectRule,
    prefer: Option<AspectRatio>,
) -> Result<AspectRatio, String> {
    let allowed = |ratio: AspectRatio| {
        let probe = DisplaySize { width: bounded(ratio.width() * 1000), height: bounded(ratio.height() * 1000) };
        rule.admits(probe)
    };
    if let Some(ratio) = prefer {
        return if allowed(ratio) {
            Ok(ratio)
        } else {
            Err(format!("the preferred shape {ratio} is none that the rule set allows (--prefer)"))
        };
    }
    let shape = AspectRatio::new(source.width, source.height).ok_or("the picture has no size")?;
    // How much larger the canvas is than the picture (or the picture than what is left of it): at least 1.
    let change = |ratio: &AspectRatio| {
        let (shape, ratio) = (shape.rational(), ratio.rational());
        let change = if shape > ratio { shape.checked_div(ratio) } else { ratio.checked_div(shape) };
        change.unwrap_or(Rational::whole(i64::MAX))
    };
    let ends = [rule.min, rule.max];
    let choices = rule.allowed.iter().copied().chain(ends.into_iter().flatten());
    choices.min_by_key(change).ok_or_else(|| "the rule set allows no shape".to_owned())
}

const fn shown(size: CodedSize) -> DisplaySize {
    DisplaySize { width: size.width, height: size.height }
}

fn bounded(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Exact sides: a small picture is enlarged before its canvas is rounded.
#[derive(Debug, Clone, Copy)]
struct Sides {
    width: Rational,
    height: Rational,
}

/// The smallest canvas of that ratio that holds the picture, or with `crop` the largest part that it holds.
fn outer(picture: DisplaySize, ratio: AspectRatio, crop: bool) -> Option<Sides> {
    let Sides { width, height } = Sides::of(picture);
    let picture_is_wider = width.checked_div(height)? >= ratio.rational();
    Some(if picture_is_wider == crop {
        Sides { width: height.checked_mul(ratio.rational())?, height }
    } else {
        Sides { width, height: width.checked_div(ratio.rational())? }
    })
}

impl Sides {
    fn of(size: DisplaySize) -> Self {
        Self { width: Rational::whole(size.width.into()), height: Rational::whole(size.height.into()) }
    }

    fn short(self) -> Rational {
        self.width.min(self.height)
    }

    /// What brings a canvas under the limits, at most 1.
    fn reduction(self, source: DisplaySize) -> Option<Rational> {
        let limit = |most: u32, of_source: u32| Rational::whole(most.max(of_source).into());
        let short = limit(SHORT_SIDE, source.short_side()).checked_div(self.short())?;
        let long = limit(LONG_SIDE, source.width.max(source.height)).checked_div(self.width.max(self.height))?;
        Some(short.min(long).min(Rational::whole(1)))
    }

    /// What brings the shorter side up to the minimum, at least 1.
    fn enlargement(self, min_short: u32) -> Option<Rational> {
        Some(Rational::whole(min_short.into()).checked_div(self.short())?.max(Rational::whole(1)))
    }

    /// Scaled, and each side rounded to the nearest even number, at least 2: off by one pixel at most.
    fn scaled(self, factor: Rational) -> Option<CodedSize> {
        let even = |side: Rational| {
            let half = side.checked_mul(factor)?.checked_div(Rational::whole(2))?;
            u32::try_from(half.scaled_round(1).max(1)).ok()?.checked_mul(2)
        };
        Some(CodedSize { width: even(self.width)?, height: even(self.height)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn placed(width: u32, height: u32, aspect: AspectMode) -> Placement {
        let options = FixOptions { aspect, ..FixOptions::default() };
        place(DisplaySize { width, height }, &Spec::load("pinterest").unwrap(), &options, Focus::CENTRE).unwrap()
    }

    fn size(width: u32, height: u32) -> CodedSize {
        CodedSize { width, height }
    }

    #[test]
    fn what_people_bring() {
        let blurred = |w, h| {
            let placement = placed(w, h, AspectMode::Blur);
            (placement.picture, placement.canvas)
        };
        assert_eq!(blurred(1920, 1080), (size(1080, 608), size(1080, 1080)), "full HD goes on a square");
        assert_eq!(blurred(1280, 720), (size(1080, 608), size(1080, 1080)));
        assert_eq!(blurred(640, 360), (size(640, 360), size(640, 640)), "small pictures are not enlarged");
        assert_eq!(blurred(3840, 2160), (size(2160, 1216), size(2160, 2160)), "a larger source may keep its size");
        assert_eq!(blurred(480, 640), (size(480, 640), size(480, 720)), "3:4 is nearest to 2:3");
        assert_eq!(blurred(1080, 1920), (size(1080, 1920), size(1080, 1920)));
        assert_eq!(blurred(1, 1), (size(240, 240), size(240, 240)), "enlarged where the rule asks for it");
        assert_eq!(placed(1920, 1080, AspectMode::Crop).canvas, size(1080, 1080));
    }

    #[test]
    fn the_preferred_shape_must_be_allowed() {
        let spec = Spec::load("pinterest").unwrap();
        let with = |text: &str| FixOptions { prefer: Some(text.parse().unwrap()), ..FixOptions::default() };
        let source = DisplaySize { width: 1920, height: 1080 };
        assert_eq!(place(source, &spec, &with("9:16"), Focus::CENTRE).unwrap().canvas, size(1080, 1920));
        assert!(place(source, &spec, &with("4:5"), Focus::CENTRE).is_err());
    }

    proptest! {
        /// Odd sizes of every kind (field note 13): sides are even, the result passes, and the picture is not bent.
        #[test]
        fn every_size_ends_even_and_allowed(width in 1_u32..2200, height in 1_u32..2200, aspect in prop::sample::select(vec![AspectMode::Blur, AspectMode::Pad, AspectMode::Crop])) {
            let spec = Spec::load("pinterest").unwrap();
            let placement = placed(width, height, aspect);
            let (picture, canvas) = (placement.picture, placement.canvas);
            prop_assert!([picture.width, picture.height, canvas.width, canvas.height].iter().all(|side| side % 2 == 0));
            let shown = shown(canvas);
            prop_assert!(spec.aspect_ratio.as_ref().unwrap().admits(shown), "{canvas} from {width}×{height}");
            prop_assert!(shown.short_side() >= 240, "{canvas} from {width}×{height}");
            let fits = if aspect == AspectMode::Crop {
                picture.width >= canvas.width && picture.height >= canvas.height
            } else {
                picture.width <= canvas.width && picture.height <= canvas.height
            };
            prop_assert!(fits, "{picture} on {canvas}");
            let expected = u64::from(picture.width) * u64::from(height) / u64::from(width);
            let slack = 3 + u64::from(height) / u64::from(width) * 2 + u64::from(picture.height) / u64::from(picture.width);
            prop_assert!(u64::from(picture.height).abs_diff(expected) <= slack, "{picture} from {width}×{height}");
        }
    }
}
