//! A plan carried out into a temp file beside the output.

use std::path::Path;

use pinpress_av::{
    AudioEncode, AudioTrack, Cancel, Cropping, Facts, Job, Part, Reached, Retime, VideoEdit, VideoEncode, VideoExtend,
    VideoTrack,
};
use pinpress_media::{
    Action, AudioStep, Encoder, Failure, FailureKind, FixOptions, Plan, Progress, RateStep, Stage, VideoStep,
};
use pinpress_probe::{FrameRate, MediaInfo, Rational, Seconds};

use crate::facts::kept_metadata;
use crate::plan::estimate;
use crate::rendition::Rendition;
use crate::salvage::Faults;
use crate::{encoder, failure, filters, link, room, space};

/// Carries out `plan` on the file at `source` into a temp file beside `output`. The source is only read.
///
/// # Errors
/// Whatever libav or the system refuses; `Unfixable` for a plan that says so; `Corrupt` when something of the source
/// could not be decoded. No temp file is left over.
pub fn execute(
    source: &Path,
    info: &MediaInfo,
    plan: &Plan,
    options: &FixOptions,
    output: &Path,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Progress),
) -> Result<Rendition, Failure> {
    if let Some(reason) = &plan.unfixable {
        return Err(Failure::new(FailureKind::Unfixable, reason.clone()));
    }
    let estimate = plan.estimate.unwrap_or_else(|| estimate(info, plan, options.threads));
    space::check(output, estimate.bytes)?;
    let total_ms = plan.duration.or(info.duration).map(pinpress_media::wire_millis);
    if plan.action == Action::Passthrough {
        observe(Progress { stage: Stage::Copying, done_ms: 0, total_ms });
        let (len, total) = (info.size_bytes.max(1), total_ms.unwrap_or(0));
        let mut copied = |bytes: u64| {
            // Bytes told as time: a video's bytes are nearly even over it.
            let done_ms = u128::from(total) * u128::from(bytes) / u128::from(len);
            let done_ms = u64::try_from(done_ms).unwrap_or(total);
            observe(Progress { stage: Stage::Copying, done_ms, total_ms });
        };
        return link::passthrough(source, info.size_bytes, options.link, output, cancel, &mut copied);
    }
    let job_video = video_track(plan, info)?;
    let stage = match (&job_video, &plan.audio) {
        (VideoTrack::Copy { .. } | VideoTrack::Edit(_) | VideoTrack::Extend(_), _) => Stage::Copying,
        (VideoTrack::Encode(_), _) => Stage::Encoding,
    };
    let (facts, opened) = Facts::open(source, cancel).map_err(|error| failure::from_av(&error))?;
    let faults = Faults::find(source, info, plan, cancel, observe)?;
    let mut rendition = Rendition::create(output)?;
    let job = Job {
        input: source.to_owned(),
        output: rendition.path().to_owned(),
        video: job_video,
        audio: plan.audio.as_ref().map(|audio| audio_track(audio, info)),
        part: plan.part.map(|part| Part { begin_us: part.begin.micros(), end_us: part.end.micros() }),
        retime: plan.retime.map(retime).transpose()?,
        repeat: plan.repeat.max(1),
        period_us: plan.period.map(Seconds::micros),
        end_us: plan.end.map(Seconds::micros),
        metadata: kept_metadata(&facts, options.keep_metadata),
        language: plan.audio.as_ref().and_then(|audio| language(&facts, audio)),
        all_metadata: options.keep_metadata,
        moov_room: room::for_moov(plan, info),
        salvage: faults.left_out(plan),
        threads: options.threads.max(1),
    };
    let mut report = |reached: Reached| {
        let done_ms = u64::try_from(reached.time_us / 1000).unwrap_or(0);
        observe(Progress { stage, done_ms, total_ms });
    };
    let done = pinpress_av::run_opened(&job, opened, cancel, &mut report).map_err(|error| failure::from_av(&error))?;
    rendition.salvaged = faults.told(plan, &done);
    if done.damaged > 0 && !plan.salvage {
        let at = done.first_damage_us.map(|micros| format!(", first at {}", Seconds::from_micros(micros)));
        let message = format!(
            "corrupt: {} pieces could not be decoded{}: export or copy it again, or keep what is whole with --salvage",
            done.damaged,
            at.unwrap_or_default()
        );
        return Err(Failure { log: pinpress_av::take_log(), ..Failure::new(FailureKind::Corrupt, message) });
    }
    rendition.done = done;
    rendition.source = Some(facts);
    rendition.written();
    Ok(rendition)
}

fn retime(retime: pinpress_media::Retime) -> Result<Retime, Failure> {
    let libav = |rate: FrameRate| {
        fraction(rate)
            .ok_or_else(|| Failure::new(FailureKind::Unfixable, format!("a rate of {rate} cannot be written")))
    };
    Ok(Retime { from: libav(retime.from)?, to: libav(retime.to)? })
}

fn fraction(rate: FrameRate) -> Option<pinpress_av::Fraction> {
    let rate = rate.rational();
    Some(pinpress_av::Fraction::new(i32::try_from(rate.num()).ok()?, i32::try_from(rate.den()).ok()?))
}

fn video_track(plan: &Plan, info: &MediaInfo) -> Result<VideoTrack, Failure> {
    let step = plan.video.as_ref().ok_or_else(|| Failure::new(FailureKind::Unfixable, "the plan has no picture"))?;
    let encode = match step {
        VideoStep::Copy { stream } => return Ok(VideoTrack::Copy { stream: *stream as usize }),
        VideoStep::Edit(edit) => {
            return Ok(VideoTrack::Edit(VideoEdit {
                stream: edit.stream as usize,
                cropping: edit.cropping.map(|cropping| Cropping {
                    left: cropping.left,
                    right: cropping.right,
                    top: cropping.top,
                    bottom: cropping.bottom,
                }),
                size: edit.size.map(|size| (size.width, size.height)),
                square_pixels: edit.square_pixels,
                frame_rate: plan.retime.filter(|_| is_h264(info, edit.stream)).and_then(|retime| fraction(retime.to)),
            }));
        }
        VideoStep::Extend(extend) => return extended(plan, extend),
        VideoStep::Encode(encode) => encode,
    };
    let video = info
        .video
        .iter()
        .find(|video| video.index == encode.stream)
        .ok_or_else(|| Failure::new(FailureKind::Corrupt, format!("there is no video stream {}", encode.stream)))?;
    let (rate, constant) = match encode.rate {
        RateStep::Constant(rate) => (Some(rate), true),
        RateStep::Keep => (video.frame_rate, false),
    };
    let hold = plan.hold_until.and_then(|until| held(plan, info, until, rate));
    let filters = filters::describe(encode, video, hold)?;
    let frame_rate = rate.and_then(fraction);
    Ok(VideoTrack::Encode(VideoEncode {
        stream: encode.stream as usize,
        filter: filters.description,
        width: encode.canvas.width,
        height: encode.canvas.height,
        // Only rate control and the length of a group ask for a rate that nobody knows.
        frame_rate: frame_rate.unwrap_or(pinpress_av::Fraction::new(30, 1)),
        constant,
        encoder: encoder::in_av(encode.encoder),
        crf: encode.quality,
        preset: encode.preset.clone(),
        max_bit_rate: encode.max_bit_rate,
        colour: filters.colour,
    }))
}

fn is_h264(info: &MediaInfo, stream: u32) -> bool {
    info.video.iter().any(|video| video.index == stream && video.codec == "h264")
}

fn extended(plan: &Plan, extend: &pinpress_media::VideoExtend) -> Result<VideoTrack, Failure> {
    let refused = |message: String| Failure::new(FailureKind::Encoder, message);
    if !matches!(extend.encoder, Encoder::Auto | Encoder::X264) {
        return Err(refused("only x264 can encode what follows copied pictures: leave --encoder out".to_owned()));
    }
    let until = plan.hold_until.ok_or_else(|| refused("the plan does not say how long to hold".to_owned()))?;
    let rate = fraction(extend.rate).ok_or_else(|| refused(format!("a rate of {} cannot be written", extend.rate)))?;
    Ok(VideoTrack::Extend(VideoExtend {
        stream: extend.stream as usize,
        until_us: until.micros(),
        frame_rate: rate,
        crf: extend.quality,
        preset: extend.preset.clone(),
    }))
}

/// How long the last frame is shown on, in whole frames, rounded up: a minimum has to be reached.
fn held(plan: &Plan, info: &MediaInfo, until: Seconds, rate: Option<FrameRate>) -> Option<Seconds> {
    let picture_end = info.picture_end()?;
    let length = info.primary_video().and_then(|video| video.duration).unwrap_or(picture_end);
    let period = plan.period.unwrap_or(length);
    let begun = period.0.checked_mul(Rational::whole(i64::from(plan.repeat.max(1)) - 1))?;
    let left = until.0.checked_sub(begun)?.checked_sub(picture_end.0)?;
    if left <= Rational::whole(0) {
        return None;
    }
    let Some(frame) = rate.map(FrameRate::frame_duration) else { return Some(Seconds(left)) };
    let frames = left.checked_div(frame.0)?.ceil();
    frame.0.checked_mul(Rational::whole(frames)).map(Seconds)
}

fn audio_track(step: &AudioStep, info: &MediaInfo) -> AudioTrack {
    match step {
        AudioStep::Copy { stream } => AudioTrack::Copy { stream: *stream as usize },
        AudioStep::Encode { stream, sample_rate, channels, bit_rate, .. } => {
            let from = info.audio.iter().find(|audio| audio.index == *stream).and_then(|audio| audio.channels);
            AudioTrack::Encode(AudioEncode {
                stream: *stream as usize,
                filter: filters::describe_sound(from, *channels),
                sample_rate: *sample_rate,
                channels: *channels,
                bit_rate: *bit_rate,
            })
        }
    }
}

fn language(facts: &Facts, step: &AudioStep) -> Option<String> {
    let metadata = &facts.streams.get(step.stream() as usize)?.metadata;
    metadata.iter().find(|(key, _)| key == "language").map(|(_, value)| value.clone())
}
