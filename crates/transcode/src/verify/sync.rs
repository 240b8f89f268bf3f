//! Sound against picture, in source and result (ITU-R BT.1359-1: a shift is noticed from 45 ms on).

use pinpress_av::{Facts, StreamKind};
use pinpress_media::Plan;
use pinpress_media::{AudioStep, Failure, VideoStep};
use pinpress_probe::{MediaInfo, Seconds};

use super::unproven;

/// How far the sound may begin from where it did, in microseconds: a packet of AAC at 44.1 kHz, rounded up.
const START_TOLERANCE_US: i64 = 24_000;

/// Samples of a packet of sound where nobody says: AAC-LC.
const PACKET_SAMPLES: u32 = 1024;

/// Compares when the sound begins after the picture. Streams that do not say when they begin begin at once.
pub(super) fn at_the_start(source: &Facts, result: &Facts, plan: &Plan) -> Result<(), Failure> {
    let start = |facts: &Facts, index: Option<u32>, kind| {
        let stream = facts.streams.iter().find(|stream| match index {
            Some(index) => stream.index == index,
            None => stream.kind == kind,
        });
        stream.and_then(|stream| stream.start.map(|ticks| stream.time_base.micros(ticks)))
    };
    let offset = |facts: &Facts, video, audio| {
        start(facts, audio, StreamKind::Audio).zip(start(facts, video, StreamKind::Video)).map(|(a, v)| a - v)
    };
    // The middle of a sound begins with the picture, and the packets say nothing of where it paused.
    let before = match plan.part {
        Some(part) if part.begin > Seconds::ZERO => Some(0),
        _ => offset(source, video_stream(plan), audio_stream(plan)).map(|micros| retimed(micros, plan)),
    };
    let after = offset(result, None, None);
    match before.zip(after) {
        Some((before, after)) if (before - after).abs() > START_TOLERANCE_US => {
            Err(unproven(format!("the sound moved by {} ms against the picture", (after - before) / 1000)))
        }
        _ => Ok(()),
    }
}

/// The same time as the result plays, where that has another rate.
fn retimed(micros: i64, plan: &Plan) -> i64 {
    let stretch = plan.retime.and_then(|retime| retime.from.rational().checked_div(retime.to.rational()));
    stretch.map_or(micros, |stretch| stretch.scaled_round(micros))
}

/// Compares when the sound ends after the picture, within a packet of sound and a frame; where it is meant to end
/// elsewhere, that is no question.
pub(super) fn at_the_end(
    (source, before): (&Facts, &MediaInfo),
    (result, after): (&Facts, &MediaInfo),
    plan: &Plan,
) -> Result<(), Failure> {
    let another_end = plan.repeat > 1
        || plan.hold_until.is_some()
        || plan.end.is_some()
        || plan.part.is_some()
        || plan.retime.is_some()
        || plan.salvage;
    let (Some(video), Some(audio)) = (video_stream(plan), audio_stream(plan)) else { return Ok(()) };
    if another_end {
        return Ok(());
    }
    let (after_video, after_audio) = match (after.primary_video(), after.primary_audio()) {
        (Some(video), Some(audio)) => (video.index, audio.index),
        _ => return Ok(()),
    };
    let packet = packet_us(source, audio).max(packet_us(result, after_audio));
    let tolerance = packet + frame_us(before, video).max(frame_us(after, after_video));
    match end_offset(before, video, audio).zip(end_offset(after, after_video, after_audio)) {
        Some((before, after)) if (before - after).abs() > tolerance => Err(unproven(format!(
            "the sound ends {} ms from where it did, against the end of the picture",
            (after - before) / 1000
        ))),
        _ => Ok(()),
    }
}

/// When the sound ends after the picture, in microseconds.
fn end_offset(info: &MediaInfo, video: u32, audio: u32) -> Option<i64> {
    let end = |start: Option<Seconds>, duration: Option<Seconds>| Some(start?.micros() + duration?.micros());
    let video = info.video.iter().find(|stream| stream.index == video)?;
    let audio = info.audio.iter().find(|stream| stream.index == audio)?;
    Some(end(audio.start, audio.duration)? - end(video.start, video.duration)?)
}

/// The longest time between two pictures.
fn frame_us(info: &MediaInfo, video: u32) -> i64 {
    let stream = info.video.iter().find(|stream| stream.index == video);
    stream.and_then(|stream| stream.min_frame_rate).map_or(0, |rate| rate.frame_duration().micros())
}

fn packet_us(facts: &Facts, audio: u32) -> i64 {
    let sound = facts.streams.iter().find(|stream| stream.index == audio).and_then(|stream| stream.audio.as_ref());
    let samples = sound.and_then(|sound| sound.frame_size).unwrap_or(PACKET_SAMPLES);
    let rate = sound.and_then(|sound| sound.sample_rate).unwrap_or(1).max(1);
    i64::from(samples) * 1_000_000 / i64::from(rate) + 1
}

fn video_stream(plan: &Plan) -> Option<u32> {
    plan.video.as_ref().map(VideoStep::stream)
}

fn audio_stream(plan: &Plan) -> Option<u32> {
    plan.audio.as_ref().map(AudioStep::stream)
}
