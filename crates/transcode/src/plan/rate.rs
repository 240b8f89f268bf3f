//! The rate at which the result plays. Fractions throughout.

use pinpress_media::{FixOptions, FpsMode, RateStep, Retime};
use pinpress_probe::{FrameRate, MediaInfo, Rational, Seconds, Spec, VideoStream};

/// The most by which `--fps retime` plays a video faster: film at 24 or 24000/1001 becomes 25 by 4.3 %, which nobody
/// sees and, with the pitch kept, nobody hears.
const MOST_FASTER: (i64, i64) = (21, 20);

/// The most by which a video is played faster without being asked: files that were put together and
/// containers that round average a hair below the rate that they mean (24.999845 was seen of 31 clips in a row), and
/// nobody would have such a video encoded for that.
const UNSEEN_FASTER: (i64, i64) = (1001, 1000);

/// Sound that falls behind by no more than this until the end, in milliseconds, stays as it is: a frame, and less than
/// the 45 ms from which a shift is noticed (ITU-R BT.1359-1).
const UNHEARD_MS: i64 = 40;

/// How a rate that is only a little too low is reached by playing the same pictures faster: where that is asked for, or
/// `unseen` and the picture need not be encoded, and where the result is still long enough.
pub(super) fn retimed(info: &MediaInfo, spec: &Spec, options: &FixOptions, unseen: bool) -> Option<Retime> {
    let to = spec.frame_rate?.min;
    let (most, of) = match options.fps {
        FpsMode::Retime => MOST_FASTER,
        FpsMode::Multiply if unseen => UNSEEN_FASTER,
        FpsMode::Multiply | FpsMode::Reject => return None,
    };
    let from = info.primary_video()?.frame_rate.filter(|rate| *rate < to)?;
    let faster = to.rational().checked_div(from.rational())?;
    if faster.checked_mul(Rational::whole(of))? > Rational::whole(most) {
        return None;
    }
    let retime = Retime { from, to };
    let time = scaled(info.duration?, retime)?.0;
    let fits = spec.duration.is_none_or(|rule| rule.min.is_none_or(|min| time >= min));
    fits.then_some(retime)
}

/// Whether sound has to be stretched to stay with the picture.
pub(super) fn is_heard(info: &MediaInfo, retime: Retime) -> bool {
    let off = info.duration.and_then(|time| time.0.checked_sub(scaled(time, retime)?.0));
    off.is_none_or(|off| Seconds(off) > Seconds::from_millis(UNHEARD_MS))
}

/// How long so much of the source takes in the result.
pub(super) fn scaled(time: Seconds, retime: Retime) -> Option<Seconds> {
    let slower = retime.from.rational().checked_div(retime.to.rational())?;
    time.0.checked_mul(slower).map(Seconds)
}

/// A variable rate is put on a grid no finer than this: faster bursts are rounding, or a screen recorder's clock.
const FINEST_GRID: Rational = Rational::whole(60);

/// Grids that cameras and screens have, to which a measured one is drawn: 33 ms in Matroska or FLV are 30 fps.
const GRIDS: [(i64, i64); 11] =
    [(10, 1), (12, 1), (25, 2), (15, 1), (20, 1), (24, 1), (25, 1), (30, 1), (48, 1), (50, 1), (60, 1)];

/// The rate that passes with the least change. A constant rate is multiplied by a whole number, so that motion stays
/// even (24 → 48, not 24 → 25); a variable one is put on its own grid.
pub(super) fn raised_rate(video: &VideoStream, spec: &Spec, options: &FixOptions) -> Result<RateStep, String> {
    let Some(rule) = spec.frame_rate else { return Ok(RateStep::Keep) };
    if options.fps == FpsMode::Reject {
        return Err("its frame rate is too low, and raising it was not asked for (--fps reject)".to_owned());
    }
    let average = video.frame_rate.unwrap_or(rule.min);
    let grid = video.max_frame_rate.filter(|_| video.variable_frame_rate == Some(true));
    let own = grid.map_or(average.rational(), |grid| own_grid(average.rational(), grid.rational()));
    let times = rule.min.rational().checked_div(own).map_or(1, Rational::ceil).max(1);
    let raised = own.checked_mul(Rational::whole(times)).and_then(|rate| FrameRate::try_from(rate).ok());
    raised.map(RateStep::Constant).ok_or_else(|| "its frame rate cannot be told".to_owned())
}

/// The grid of a variable rate: that of its shortest frame, unless that is only a third shorter than the average and
/// so jitter; near a usual rate, that one.
fn own_grid(average: Rational, shortest: Rational) -> Rational {
    let jitter = shortest.checked_mul(Rational::whole(3)) <= average.checked_mul(Rational::whole(4));
    let measured = if jitter { average } else { shortest.min(FINEST_GRID) };
    let near = |grid: &Rational| {
        let off = measured.checked_sub(*grid)?.checked_mul(Rational::whole(50))?;
        (off <= *grid && off >= Rational::whole(0).checked_sub(*grid)?).then_some(*grid)
    };
    GRIDS.iter().filter_map(|(num, den)| Rational::new(*num, *den)).find_map(|grid| near(&grid)).unwrap_or(measured)
}
