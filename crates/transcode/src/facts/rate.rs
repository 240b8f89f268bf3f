//! Frame rates from timestamps. No float decides.

use pinpress_av::{Fraction, StreamFacts, StreamScan};
use pinpress_probe::{FrameRate, Rational, Seconds, TimeBase};

/// Ticks by which two steps of a constant rate may differ: each timestamp is rounded the same way, so every step is
/// the exact one rounded up or down.
const ROUNDING_TICKS: i64 = 1;

/// Ticks from which on a step is long enough for a difference of one to be rounding. In a time base of 1/30 s a step
/// of two ticks among steps of one is a picture shown twice as long.
const FINE_TICKS: i64 = 4;

/// Rates that cameras and editors mean (SMPTE ST 2036-1 and the NTSC family): a measured or declared rate this near
/// to one of them is it, as containers round what they declare. Matroska's nanoseconds are off by less than 10⁻⁷.
const COMMON: [(i64, i64); 13] = [
    (24000, 1001),
    (24, 1),
    (25, 1),
    (30000, 1001),
    (30, 1),
    (48000, 1001),
    (48, 1),
    (50, 1),
    (60000, 1001),
    (60, 1),
    (100, 1),
    (120000, 1001),
    (120, 1),
];

/// 1 in so many: 23.976 and 24 are 1 in 1,000 apart.
const NEAR: i64 = 50_000;

/// 1 in so many, when it is asked whether one rate is twice the other.
const FIELD_NEAR: i64 = 50;

/// The rates of a stream.
pub(super) struct Rates {
    /// Pictures that are shown.
    pub(super) pictures: u64,
    /// Pictures by the time they cover.
    pub(super) average: Option<FrameRate>,
    /// During the longest-shown picture.
    pub(super) slowest: Option<FrameRate>,
    /// During the shortest-shown picture.
    pub(super) fastest: Option<FrameRate>,
    /// Whether steps differ by more than rounding.
    pub(super) variable: Option<bool>,
}

impl Rates {
    pub(super) fn of(stream: &StreamFacts, packets: &StreamScan, time_base: Option<TimeBase>) -> Self {
        let by_packet = Self::of_packets(stream, packets, time_base);
        if !are_fields(stream, by_packet.average) {
            return by_packet;
        }
        let half = |rate: Option<FrameRate>| {
            let half = rate?.rational().checked_div(Rational::whole(2))?;
            FrameRate::new(half.num(), half.den())
        };
        Self {
            pictures: packets.packets.div_ceil(2),
            average: half(by_packet.average),
            slowest: half(by_packet.slowest),
            fastest: half(by_packet.fastest),
            variable: by_packet.variable,
        }
    }

    fn of_packets(stream: &StreamFacts, packets: &StreamScan, time_base: Option<TimeBase>) -> Self {
        let nothing = Self { pictures: packets.packets, average: None, slowest: None, fastest: None, variable: None };
        let (Some(time_base), Some(first), Some(last)) = (time_base, packets.first, packets.last) else {
            return Self { average: declared(stream), ..nothing };
        };
        let (Some(shortest), Some(longest)) = (packets.shortest, packets.longest) else {
            // One picture: its own duration is all there is.
            let end = packets.end.filter(|end| *end > first);
            let average = end.and_then(|end| rate(1, end - first, time_base)).or_else(|| declared(stream));
            return Self { average, ..nothing };
        };
        let constant = longest - shortest <= ROUNDING_TICKS && (longest == shortest || longest >= FINE_TICKS);
        let span = last.saturating_sub(first);
        let steps = i64::try_from(packets.packets).unwrap_or(i64::MAX).saturating_sub(1);
        if constant
            && let Some(exact) = candidates(stream, rate(steps, span, time_base))
                .find(|candidate| explains(*candidate, steps, span, time_base))
        {
            let rate = Some(exact);
            return Self { average: rate, slowest: rate, fastest: rate, variable: Some(false), ..nothing };
        }
        // With the last picture's own duration, where the container gives one.
        let whole = packets.end.filter(|end| *end > last).and_then(|end| rate(steps + 1, end - first, time_base));
        let average = whole.or_else(|| rate(steps, span, time_base));
        if constant {
            return Self { average, slowest: average, fastest: average, variable: Some(false), ..nothing };
        }
        Self {
            average,
            slowest: rate(1, longest, time_base),
            fastest: rate(1, shortest, time_base),
            variable: Some(true),
            ..nothing
        }
    }
}

/// Whether each field of a picture is a packet of its own, as in many transport streams: the packets come at twice
/// the rate of the pictures that libav decoded when it opened the file.
fn are_fields(stream: &StreamFacts, packet_rate: Option<FrameRate>) -> bool {
    let interlaced = stream.video.as_ref().is_some_and(|video| video.interlaced == Some(true));
    let pictures =
        stream.average_rate.and_then(of_libav).and_then(|rate| rate.rational().checked_mul(Rational::whole(2)));
    interlaced && pictures.zip(packet_rate).is_some_and(|(twice, packets)| near(packets.rational(), twice, FIELD_NEAR))
}

fn rate(pictures: i64, ticks: i64, time_base: TimeBase) -> Option<FrameRate> {
    let span = Seconds::from_ticks(ticks, time_base)?;
    let rate = Rational::whole(pictures).checked_div(span.0)?;
    FrameRate::new(rate.num(), rate.den())
}

fn of_libav(fraction: Fraction) -> Option<FrameRate> {
    FrameRate::new(i64::from(fraction.num), i64::from(fraction.den))
}

fn declared(stream: &StreamFacts) -> Option<FrameRate> {
    stream.average_rate.and_then(of_libav).or_else(|| stream.real_rate.and_then(of_libav))
}

/// Rates that the stream may mean, likeliest first: each known rate, made the common one where it is near to one.
fn candidates(stream: &StreamFacts, measured: Option<FrameRate>) -> impl Iterator<Item = FrameRate> {
    let known = [stream.average_rate.and_then(of_libav), stream.real_rate.and_then(of_libav), measured];
    let common = known.map(|rate| rate.and_then(nearest_common));
    common.into_iter().chain(known).flatten()
}

fn nearest_common(rate: FrameRate) -> Option<FrameRate> {
    let common = COMMON.iter().filter_map(|(num, den)| FrameRate::new(*num, *den));
    common.into_iter().find(|common| near(rate.rational(), common.rational(), NEAR))
}

/// Whether the two differ by less than one part in `parts`.
fn near(left: Rational, right: Rational, parts: i64) -> bool {
    let off = left.checked_div(right).and_then(|ratio| ratio.checked_sub(Rational::whole(1)));
    off.is_some_and(|off| i128::from(off.num()).abs() * i128::from(parts) <= i128::from(off.den()))
}

/// Whether `steps` pictures of this rate span so many ticks, but for the rounding of the first and last time.
fn explains(rate: FrameRate, steps: i64, span: i64, time_base: TimeBase) -> bool {
    let exact = Rational::whole(steps)
        .checked_div(rate.rational())
        .and_then(|seconds| seconds.checked_div(time_base.seconds_per_tick()));
    let off = exact.and_then(|exact| exact.checked_sub(Rational::whole(span)));
    off.is_some_and(|off| i128::from(off.num()).abs() <= i128::from(ROUNDING_TICKS) * i128::from(off.den()))
}
