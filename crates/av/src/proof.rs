//! A file decoded from end to end.

use std::path::Path;

use ffmpeg_next::{Packet, frame, media};

use crate::decoder::{Decoder, DecoderOptions, Received, frame_ticks, is_damaged};
use crate::error::AvError;
use crate::input::{Cancel, Input, Next};

/// What decoding all of a file brought. Times are microseconds of the file's own timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeProof {
    /// Pictures of the first moving picture.
    pub video_frames: u64,
    /// Time of the first of them.
    pub video_first_us: Option<i64>,
    /// Time of the last of them.
    pub video_last_us: Option<i64>,
    /// Samples, a channel, of the first sound.
    pub audio_samples: u64,
    /// Time of the first of them.
    pub audio_first_us: Option<i64>,
    /// Where the last of them end.
    pub audio_end_us: Option<i64>,
    /// Packets and frames that could not be read or decoded without fault.
    pub errors: u64,
    /// Time of the first of them.
    pub first_error_us: Option<i64>,
}

/// Decodes all of the first moving picture and the first sound of the file at `path`, noticing what a player would
/// conceal. What cannot be decoded before the first picture is no fault of the file: it began before the file did.
/// `observe` gets the time that was reached, in microseconds.
///
/// # Errors
/// When the file cannot be opened or read, a codec cannot be decoded here, or `cancel` is set. Faults are counted.
pub fn decode_all(
    path: &Path,
    threads: usize,
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<DecodeProof, AvError> {
    let mut input = Input::open(path, cancel)?;
    let video = input.first_video()?;
    let audio = input
        .context()
        .streams()
        .find(|stream| stream.parameters().medium() == media::Type::Audio)
        .map(|stream| stream.index());
    let kept: Vec<usize> = std::iter::once(video).chain(audio).collect();
    input.keep_only(&kept);
    let strict = |threads| DecoderOptions { threads, frame_threads: true, strict: true };
    let mut lanes = vec![(video, Decoder::open(&input, video, strict(threads))?)];
    if let Some(audio) = audio {
        lanes.push((audio, Decoder::open(&input, audio, strict(1))?));
    }
    let mut proof = DecodeProof::default();
    let (mut run, mut reached) = (0, 0);
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) => {
                let Some((_, decoder)) = lanes.iter_mut().find(|(stream, _)| *stream == packet.stream()) else {
                    continue;
                };
                if let Some(ticks) = packet.dts().or(packet.pts()) {
                    reached = decoder.time_base().micros(ticks);
                }
                if packet.is_corrupt() {
                    proof.error(reached);
                }
                proof.feed(decoder, Some(&packet), reached)?;
                observe(reached);
            }
            Next::Damaged => proof.error(reached),
            Next::End => break,
        }
    }
    for (_, decoder) in &mut lanes {
        proof.feed(decoder, None, reached)?;
    }
    if proof.video_frames == 0 {
        return Err(AvError::Corrupt("no picture of it can be decoded".to_owned()));
    }
    Ok(proof)
}

impl DecodeProof {
    fn error(&mut self, time_us: i64) {
        if self.video_frames == 0 {
            return;
        }
        self.errors += 1;
        self.first_error_us.get_or_insert(time_us);
    }

    fn feed(&mut self, decoder: &mut Decoder, packet: Option<&Packet>, reached: i64) -> Result<(), AvError> {
        if !decoder.send(packet)? {
            self.error(reached);
        }
        loop {
            match decoder.receive()? {
                Received::Frame(frame) => {
                    let time = frame_ticks(&frame).map(|ticks| decoder.time_base().micros(ticks));
                    if is_damaged(&frame) {
                        self.error(time.unwrap_or(reached));
                    }
                    if decoder.kind() == media::Type::Video {
                        self.video_frames += 1;
                        self.video_first_us = self.video_first_us.or(time);
                        self.video_last_us = self.video_last_us.max(time);
                    } else {
                        self.sound(&frame::Audio::from(frame), time);
                    }
                }
                Received::Damaged => self.error(reached),
                Received::Wait | Received::End => return Ok(()),
            }
        }
    }

    fn sound(&mut self, frame: &frame::Audio, time: Option<i64>) {
        let samples = frame.samples() as u64;
        self.audio_samples += samples;
        self.audio_first_us = self.audio_first_us.or(time);
        let length = samples.saturating_mul(1_000_000).checked_div(u64::from(frame.rate())).unwrap_or(0);
        let end = time.map(|time| time.saturating_add(i64::try_from(length).unwrap_or(0)));
        self.audio_end_us = self.audio_end_us.max(end);
    }
}
