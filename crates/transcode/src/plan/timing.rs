//! How long the result plays. Fractions throughout.

use pinpress_media::{FixOptions, LongMode, Retime, ShortMode};
use pinpress_probe::{FrameRate, MediaInfo, Rational, Seconds, Spec};

use super::rate;

/// What becomes of the playing time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) repeat: u32,
    /// After how long a repeated clip begins anew; `None` is as long as its picture lasts.
    pub(super) period: Option<Seconds>,
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

/// Sound that outlasts the picture by no more than this is cut at the seam of a repeated clip, so that motion goes on
/// evenly: three packets of AAC, and the most that encoders pad.
const SEAM_MS: i64 = 100;

/// Where the picture ends this much before the sound, an encode holds its last frame: what is left uneven, players
/// show as black, or stop.
const UNEVEN: Rational = Rational::whole(1);

/// What becomes of the playing time. `whole` is where a damaged file ends that is to be salvaged.
pub(super) fn length(
    info: &MediaInfo,
    spec: &Spec,
    options: &FixOptions,
    retime: Option<Retime>,
    whole: Option<Seconds>,
) -> Result<Length, String> {
    if let Some(retime) = retime {
        // It is long enough then, or it would not be retimed.
        let mut played = info.clone();
        played.duration = info.duration.and_then(|time| rate::scaled(time, retime));
        for video in &mut played.video {
            video.frame_rate = Some(retime.to);
        }
        return length(&played, spec, options, None, whole.and_then(|whole| rate::scaled(whole, retime)));
    }
    if let Some(whole) = whole.filter(|whole| info.duration.is_none_or(|time| *whole < time)) {
        let mut cut = info.clone();
        cut.duration = Some(whole);
        for video in &mut cut.video {
            video.duration = video.duration.map(|time| time.min(whole));
        }
        let length = length(&cut, spec, options, None, None)?;
        // What is repeated or held would begin behind what is missing.
        if length.extends() {
            return Err(format!("what is whole of it plays {whole}, which is too short"));
        }
        return Ok(Length { end: length.end.or(Some(whole)), ..length });
    }
    let as_it_is = Length { repeat: 1, period: None, hold_until: None, end: None, result: info.duration };
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
            ShortMode::Hold => {
                let until = margin(info).and_then(|margin| min.checked_add(margin));
                let until = until.map(Seconds).unwrap_or(asked);
                Ok(Length { hold_until: Some(until), result: Some(until), ..as_it_is })
            }
            ShortMode::Loop => repeated(info, time, min),
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
            LongMode::Split => {
                Err(format!("it plays {time}, over {asked}: `pinpress fix --long split` makes several videos of it"))
            }
            LongMode::Trim => {
                let end = last_frame_end(info, max).filter(|end| *end > Rational::whole(0));
                let end = end.map(Seconds).or(Some(asked));
                Ok(Length { end, result: end, ..as_it_is })
            }
        };
    }
    Ok(as_it_is)
}

/// What a cut or a held frame keeps from the limit: two frames. Frames end on the ticks of their time base, and sound
/// that begins some milliseconds before the picture counts too.
fn margin(info: &MediaInfo) -> Option<Rational> {
    frame(info).checked_mul(Rational::whole(2))
}

/// How long a frame is shown, on average; that of 25 fps where nobody can tell.
fn frame(info: &MediaInfo) -> Rational {
    let rate = info.primary_video().and_then(|video| video.frame_rate);
    rate.map_or(Seconds::from_millis(40), FrameRate::frame_duration).0
}

/// Where the last frame ends that keeps its distance from `max`: a whole number of frames, as one that is held for a part
/// of another would lower the average rate.
fn last_frame_end(info: &MediaInfo, max: Rational) -> Option<Rational> {
    let frame = frame(info);
    let frames = max.checked_sub(margin(info)?)?.checked_div(frame)?.floor();
    frame.checked_mul(Rational::whole(frames))
}

/// Whole times, until it is long enough.
fn repeated(info: &MediaInfo, time: Seconds, min: Rational) -> Result<Length, String> {
    let too_short = || format!("it plays {time}: too short to repeat");
    let end = info.picture_end().filter(|picture| *picture > Seconds::ZERO).unwrap_or(time);
    let length = info.primary_video().and_then(|video| video.duration).filter(|length| *length > Seconds::ZERO);
    let length = length.unwrap_or(end);
    let uneven = |longer: Seconds, shorter: Seconds| {
        longer.0.checked_sub(shorter.0).is_some_and(|rest| Seconds(rest) > Seconds::from_millis(SEAM_MS))
    };
    // Sound that is on its own for longer, before the picture or behind it, is heard each time.
    let period = if uneven(time, end) || uneven(end, length) { Some(time) } else { None };
    let once = period.unwrap_or(length);
    let times = min.checked_div(once.0).map(Rational::ceil).filter(|times| *times <= MOST_REPEATS);
    let times = times.ok_or_else(too_short)?;
    let late = if period.is_some() { None } else { end.0.checked_sub(length.0) };
    let result =
        once.0.checked_mul(Rational::whole(times)).and_then(|all| all.checked_add(late.unwrap_or(Rational::whole(0))));
    Ok(Length {
        repeat: u32::try_from(times).map_err(|_| too_short())?,
        period,
        hold_until: None,
        end: None,
        result: result.map(Seconds),
    })
}

/// Until when an encode holds the last frame, where the picture ends long before the sound does.
pub(super) fn hold_to_sound(info: &MediaInfo, length: Length) -> Option<Seconds> {
    if length.hold_until.is_some() || length.end.is_some() {
        return length.hold_until;
    }
    let rest = info.duration?.0.checked_sub(info.picture_end()?.0)?;
    length.result.filter(|_| rest > UNEVEN)
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
