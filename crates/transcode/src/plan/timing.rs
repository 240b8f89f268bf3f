//! How long the result plays and at which rate. Fractions throughout.

use pinpress_media::{FixOptions, FpsMode, LongMode, RateStep, ShortMode};
use pinpress_probe::{FrameRate, MediaInfo, Rational, Seconds, Spec, VideoStream};

/// What becomes of the playing time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) repeat: u32,
    pub(super) hold_until: Option<Seconds>,
    pub(super) end: Option<Seconds>,
    pub(super) result: Option<Seconds>,
}

impl Length {
    /// Whether more is shown than the file holds.
    pub(super) fn extends(self) -> bool {
        self.repeat > 1 || self.hold_until.is_some()
    }
}

/// A clip is not repeated more often than this: two frames at 60 fps reach 4 s with 120.
const MOST_REPEATS: i64 = 1_000;

pub(super) fn length(info: &MediaInfo, spec: &Spec, options: &FixOptions) -> Result<Length, String> {
    let as_it_is = Length { repeat: 1, hold_until: None, end: None, result: info.duration };
    let Some(rule) = spec.duration else { return Ok(as_it_is) };
    let Some(time) = info.duration.filter(|time| *time > Seconds::ZERO) else {
        return Err("nobody can tell how long it plays: export it again".to_owned());
    };
    if let Some(min) = rule.min
        && time.0 < min
    {
        let asked = Seconds(min);
        return match options.short {
            ShortMode::Reject => {
                Err(format!("it plays {time}, under {asked}, and lengthening was not asked for (--short reject)"))
            }
            ShortMode::Hold => Ok(Length { hold_until: Some(asked), result: Some(asked), ..as_it_is }),
            ShortMode::Loop => {
                let times = min.checked_div(time.0).map_or(i64::MAX, Rational::ceil);
                let repeat = u32::try_from(times).ok().filter(|_| times <= MOST_REPEATS);
                let repeat = repeat.ok_or_else(|| format!("it plays {time}: too short to repeat"))?;
                let result = time.0.checked_mul(Rational::whole(times)).map(Seconds);
                Ok(Length { repeat, result, ..as_it_is })
            }
        };
    }
    if let Some(max) = rule.max
        && time.0 > max
    {
        let asked = Seconds(max);
        return match options.long {
            LongMode::Reject => {
                Err(format!("it plays {time}, over {asked}, and cutting was not asked for (--long reject)"))
            }
            LongMode::Trim => Ok(Length { end: Some(asked), result: Some(asked), ..as_it_is }),
        };
    }
    Ok(as_it_is)
}

/// A variable rate is put on a grid no finer than this: faster bursts are rounding, or a screen recorder's clock.
const FINEST_GRID: Rational = Rational::whole(60);

/// The rate that passes with the least change. A constant rate is multiplied by a whole number, so that motion stays
/// even (24 → 48, not 24 → 25); a variable one is put on its own finest grid.
pub(super) fn raised_rate(video: &VideoStream, spec: &Spec, options: &FixOptions) -> Result<RateStep, String> {
    let Some(rule) = spec.frame_rate else { return Ok(RateStep::Keep) };
    if options.fps == FpsMode::Reject {
        return Err("its frame rate is too low, and raising it was not asked for (--fps reject)".to_owned());
    }
    let own = if video.variable_frame_rate == Some(true) { video.max_frame_rate } else { video.frame_rate };
    let own = own.or(video.frame_rate).unwrap_or(rule.min).rational();
    let own = if own > FINEST_GRID { FINEST_GRID } else { own };
    let times = rule.min.rational().checked_div(own).map_or(1, Rational::ceil).max(1);
    let raised = own.checked_mul(Rational::whole(times)).and_then(|rate| FrameRate::try_from(rate).ok());
    raised.map(RateStep::Constant).ok_or_else(|| "its frame rate cannot be told".to_owned())
}

/// The bit rate that keeps the file under its maximum, where quality alone might not: the whole size, less 3 % for
/// the container and the sound, over the time. `None` where no sensible encode comes near it.
pub(super) fn size_ceiling(info: &MediaInfo, spec: &Spec, duration: Option<Seconds>) -> Option<u64> {
    let max_bytes = spec.file_size?.max_bytes;
    let duration = duration?.0;
    let usable_bits = max_bytes.checked_mul(8)? / 100 * 97;
    let rate = Rational::whole(i64::try_from(usable_bits).ok()?).checked_div(duration)?;
    let total = u64::try_from(rate.scaled_round(1)).ok()?;
    let sound = info.primary_audio().map_or(0, |audio| audio.bit_rate.unwrap_or(320_000));
    let ceiling = total.checked_sub(sound)?;
    // 1080p at CRF 20 stays far below 60 Mb/s; a ceiling above it would only cost lookahead.
    const NEVER_REACHED: u64 = 60_000_000;
    (ceiling < NEVER_REACHED).then_some(ceiling)
}
