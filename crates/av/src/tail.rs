//! The last picture of a copied stream shown on: the one part of it that is encoded.
//!
//! What is encoded has parameter sets of its own, with numbers that the stream does not use, and begins with an IDR
//! picture; so both are one stream of one `avcC`, and a decoder goes from one to the other as at any sync sample.

use ffmpeg_next::{Dictionary, Error as LibavError, Packet, codec, encoder, ffi, frame, picture, threading};

use crate::decoder::{Decoder, DecoderOptions, Received, frame_ticks};
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::{Input, Next};
use crate::job::VideoExtend;
use crate::nal::{self, Configuration, Form};
use crate::scan::is_hidden;

const NAME: &str = "libx264";

/// The highest number of a sequence parameter set (ITU-T H.264 §7.4.2.1.1).
const MAX_SPS_ID: u32 = 31;

/// Pictures that are held at most: an hour at 60 a second.
const MAX_PICTURES: i64 = 216_000;

/// The encoded end of a stream.
pub(crate) struct Tail {
    /// In the form of the stream that they follow, one frame each.
    packets: Vec<Packet>,
    /// The codec's parameters with the sets of both.
    extradata: Vec<u8>,
    /// How long each is shown, as a time base.
    pub(crate) frame: Fraction,
}

impl Tail {
    /// Decodes the last picture of `stream` and encodes it as often as it takes to reach `settings.until_us`. `input` is
    /// the tail's own; `origin` is zero of the output in ticks of the stream.
    pub(crate) fn encode(
        mut input: Input,
        origin: i64,
        settings: &VideoExtend,
        threads: usize,
    ) -> Result<Self, AvError> {
        let stream = input
            .context()
            .stream(settings.stream)
            .ok_or(AvError::NoStream { kind: "video", index: settings.stream })?;
        let (id, base) = (stream.parameters().id(), Fraction::from(stream.time_base()));
        let before = input.extradata(settings.stream);
        let form = Form::of(&before);
        let (codec::Id::H264, Some(mut configuration)) = (id, Configuration::read(&before)) else {
            return Err(failed(
                "only H.264 that has its parameter sets in the head of the file can be shown on by copying",
            ));
        };
        let frame = settings.frame_rate.inverse();
        let (last, end) = last_picture(&mut input, settings.stream)?;
        let shown_us = base.micros(end.saturating_sub(origin));
        let count = frames(settings.until_us.saturating_sub(shown_us), frame);
        if count == 0 {
            return Ok(Self { packets: Vec::new(), extradata: before, frame });
        }
        if count > MAX_PICTURES {
            return Err(failed("there are too many pictures to hold"));
        }
        let number = free_number(&configuration).ok_or_else(|| failed("all numbers of parameter sets are taken"))?;
        let mut encoder = open(&input, settings, &last, number, threads)?;
        let head = own_extradata(&encoder);
        let units = Form::StartCodes.units(&head);
        let of_kind = |kind: u8| units.iter().copied().filter(move |unit| nal::kind(unit) == kind);
        configuration.sequence.extend(of_kind(nal::SPS));
        configuration.picture.extend(of_kind(nal::PPS));
        for set in of_kind(nal::SPS) {
            configuration.raise_level(set.get(3).copied().unwrap_or(0));
        }
        let extradata = configuration.write().ok_or_else(|| failed("there are too many parameter sets"))?;
        let mut tail = Self { packets: Vec::new(), extradata, frame };
        for at in 0..count {
            let mut picture = last.clone();
            picture.set_pts(Some(at));
            picture.set_kind(picture::Type::None);
            encoder.send_frame(&picture).map_err(refused)?;
            tail.take(&mut encoder, form)?;
        }
        encoder.send_eof().map_err(refused)?;
        tail.take(&mut encoder, form)?;
        Ok(tail)
    }

    /// The codec's parameters for stream and tail.
    pub(crate) fn extradata(&self) -> &[u8] {
        &self.extradata
    }

    /// The packets; the first begins when the stream ends, each lasts a frame.
    pub(crate) fn into_packets(self) -> Vec<Packet> {
        self.packets
    }

    fn take(&mut self, encoder: &mut encoder::Encoder, form: Form) -> Result<(), AvError> {
        loop {
            let mut packet = Packet::empty();
            match encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(LibavError::Eof | LibavError::Other { errno: crate::error::libav_errno::EAGAIN }) => return Ok(()),
                Err(error) => return Err(refused(error)),
            }
            let units = Form::StartCodes.units(packet.data().unwrap_or_default());
            // Parameter sets are in the head, and x264's own message is of no use to a player.
            let slices = units.into_iter().filter(|unit| !matches!(nal::kind(unit), nal::SPS | nal::PPS | nal::SEI));
            let joined = form.join(slices).ok_or_else(|| failed("a picture is longer than its length can say"))?;
            let mut ready = Packet::copy(&joined);
            ready.set_flags(packet.flags());
            self.packets.push(ready);
        }
    }
}

/// The picture that is shown last, and when it ends, in ticks of the stream. Decoding begins at the last sync sample.
fn last_picture(input: &mut Input, stream: usize) -> Result<(frame::Video, i64), AvError> {
    input.keep_only(&[stream]);
    let base = input.time_base(stream);
    let end_us = input.duration_micros().unwrap_or(0).saturating_add(input.start_micros());
    input.seek_before(stream, Fraction::MICROSECOND.rescale(end_us, base))?;
    let options = DecoderOptions { threads: 1, frame_threads: false, strict: false, deblock: true };
    let mut decoder = Decoder::open(input, stream, options)?;
    let (mut last, mut end, mut run) = (None::<frame::Video>, None, 0);
    let mut drain = |decoder: &mut Decoder| -> Result<(), AvError> {
        loop {
            match decoder.receive()? {
                Received::Frame(mut frame) => {
                    let time = frame_ticks(&frame);
                    frame.set_pts(time);
                    if last.as_ref().is_none_or(|last| last.pts() <= time) {
                        last = Some(frame::Video::from(frame));
                    }
                }
                Received::Damaged => return Err(AvError::Corrupt("its last picture cannot be decoded".to_owned())),
                Received::Wait | Received::End => return Ok(()),
            }
        }
    };
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) if packet.stream() == stream => {
                if let Some(time) = packet.pts().filter(|_| !is_hidden(&packet)) {
                    end = end.max(Some(time.saturating_add(packet.duration().max(1))));
                }
                decoder.send(Some(&packet))?;
                drain(&mut decoder)?;
            }
            Next::Packet(_) | Next::Damaged => {}
            Next::End => break,
        }
    }
    decoder.send(None)?;
    drain(&mut decoder)?;
    last.zip(end).ok_or_else(|| AvError::Corrupt("its last picture cannot be decoded".to_owned()))
}

/// Frames that cover so many microseconds, rounded up.
fn frames(left_us: i64, frame: Fraction) -> i64 {
    if left_us <= 0 || !frame.is_positive() {
        return 0;
    }
    let num = i128::from(left_us) * i128::from(frame.den);
    let den = i128::from(frame.num) * 1_000_000;
    i64::try_from((num + den - 1) / den).unwrap_or(i64::MAX)
}

/// A number that no parameter set of the stream has, sequence or picture: x264 gives one to both.
fn free_number(configuration: &Configuration<'_>) -> Option<u32> {
    // Behind the unit's head a sequence parameter set has profile, constraints and level.
    let sequence = configuration.sequence.iter().map(|set| unsigned(set.get(4..)?));
    let picture = configuration.picture.iter().map(|set| unsigned(set.get(1..)?));
    let highest = sequence.chain(picture).try_fold(0, |highest, number| Some(number?.max(highest)))?;
    Some(highest + 1).filter(|number| *number <= MAX_SPS_ID)
}

/// An Exp-Golomb number (ITU-T H.264 §9.1) at the beginning of these bytes, below 2¹⁵.
fn unsigned(bytes: &[u8]) -> Option<u32> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit & 1)));
    let zeros = bits.by_ref().position(|bit| bit == 1).filter(|zeros| *zeros < 15)?;
    let rest = bits.by_ref().take(zeros);
    Some(rest.fold(1, |number, bit| number << 1 | bit) - 1)
}

fn open(
    input: &Input,
    settings: &VideoExtend,
    last: &frame::Video,
    number: u32,
    threads: usize,
) -> Result<encoder::Encoder, AvError> {
    let codec = encoder::find_by_name(NAME).ok_or_else(|| AvError::Missing(format!("encoder {NAME}")))?;
    if settings.preset.contains('\0') {
        return Err(failed("the preset's name holds a NUL"));
    }
    let parameters = input
        .context()
        .stream(settings.stream)
        .ok_or(AvError::NoStream { kind: "video", index: settings.stream })?
        .parameters();
    let mut context = codec::Context::new_with_codec(codec);
    context.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::CLOSED_GOP);
    context
        .set_threading(threading::Config { count: threads.max(1), ..threading::Config::kind(threading::Type::Frame) });
    let mut video = context.encoder().video().map_err(refused)?;
    video.set_width(last.width());
    video.set_height(last.height());
    video.set_format(last.format());
    video.set_time_base(ffmpeg_next::Rational::from(settings.frame_rate.inverse()));
    video.set_frame_rate(Some(ffmpeg_next::Rational::from(settings.frame_rate)));
    video.set_max_b_frames(0);
    video.set_gop(u32::MAX >> 2);
    let aspect = input.stream_aspect(settings.stream);
    if aspect.is_positive() {
        video.set_aspect_ratio(ffmpeg_next::Rational::from(aspect));
    }
    // SAFETY: plain fields of a context that is not open yet, from parameters that live as long as the input.
    let (profile, width, height) = unsafe {
        let (to, from) = (video.as_mut_ptr(), parameters.as_ptr());
        (*to).color_primaries = (*from).color_primaries;
        (*to).color_trc = (*from).color_trc;
        (*to).colorspace = (*from).color_space;
        (*to).color_range = (*from).color_range;
        (*to).chroma_sample_location = (*from).chroma_location;
        ((*from).profile, (*from).width, (*from).height)
    };
    // A decoder that cuts less off than the parameter set says (§7.4.2.1.1) would make the tail another size.
    if (i64::from(last.width()), i64::from(last.height())) != (i64::from(width), i64::from(height)) {
        return Err(failed("the last picture is of another size than the stream"));
    }
    let profile = match profile & 0xFF {
        66 => "baseline",
        77 => "main",
        100 => "high",
        _ => return Err(failed("its profile is not Baseline, Main or High")),
    };
    let mut options = Dictionary::new();
    options.set("crf", &settings.crf.to_string());
    options.set("preset", &settings.preset);
    options.set("profile", profile);
    options.set("x264-params", &format!("sps-id={number}"));
    Ok(video.open_as_with(codec, options).map_err(refused)?.0.0)
}

fn own_extradata(encoder: &encoder::Encoder) -> Vec<u8> {
    // SAFETY: the encoder is open; libav keeps pointer and size of the bytes together.
    unsafe {
        let raw: *const ffi::AVCodecContext = encoder.as_ptr();
        match usize::try_from((*raw).extradata_size) {
            Ok(size) if !(*raw).extradata.is_null() => std::slice::from_raw_parts((*raw).extradata, size).to_vec(),
            _ => Vec::new(),
        }
    }
}

fn refused(error: LibavError) -> AvError {
    failed(&error.to_string())
}

fn failed(reason: &str) -> AvError {
    AvError::Encoder { name: NAME.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_frames_are_counted_as_the_standard_has_them() {
        assert_eq!(unsigned(&[0b1000_0000]), Some(0));
        assert_eq!(unsigned(&[0b0101_0000]), Some(1));
        assert_eq!(unsigned(&[0b0010_1000]), Some(4));
        assert_eq!(unsigned(&[0b0000_0100, 0b0010_0000]), Some(32));
        assert_eq!(unsigned(&[0, 0]), None);
        let pal = Fraction::new(1, 25);
        assert_eq!([0, 1, 40_000, 40_001, 1_000_000].map(|left| frames(left, pal)), [0, 1, 1, 2, 25]);
    }

    #[test]
    fn the_next_free_number_is_above_those_of_the_stream() {
        let bytes = [1, 100, 0, 31, 0xFF, 0xE1, 0, 5, 0x67, 100, 0, 31, 0xA0, 1, 0, 2, 0x68, 0b0110_0000];
        let configuration = Configuration::read(&bytes).unwrap();
        assert_eq!(free_number(&configuration), Some(3), "picture parameter set 2");
    }
}
