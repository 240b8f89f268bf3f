//! Frames to packets: H.264 by the encoder that a job names, AAC by libav's own.

use ffmpeg_next::{Codec, Dictionary, Error as LibavError, Frame, Packet, codec, encoder, ffi, threading};

use crate::colour::Colour;
use crate::error::{AvError, libav_errno};
use crate::fraction::Fraction;
use crate::job::{AudioEncode, VideoEncode};

mod h264;
mod vaapi;

pub use h264::H264Encoder;
use h264::{Aim, GOP_SECONDS, Surface};
use vaapi::Surfaces;

/// Sides of the picture that an encoder is opened with to see whether it opens: NVENC takes none below 145 by 49.
const TRIAL: (u32, u32) = (320, 240);

/// Threads from which x264 looks ahead on one more. Below, that is one more on the cores and gains nothing, as frames
/// are what takes the time; the stream is the same, bit for bit.
const LOOKS_AHEAD_FROM: usize = 5;

/// Threads that x264 works with beside the one that feeds it, when it is told to encode so many frames at once: with
/// one it works on that thread.
pub(crate) const fn own_threads(frames: usize) -> usize {
    match frames {
        0 | 1 => 0,
        frames if frames < LOOKS_AHEAD_FROM => frames,
        frames => frames + 1,
    }
}

/// An open encoder.
pub(crate) struct Encoder {
    opened: encoder::Encoder,
    name: &'static str,
    time_base: Fraction,
    /// Where pictures are copied to before they are encoded.
    surfaces: Option<Surfaces>,
}

/// Opens `encoder` and closes it again.
///
/// # Errors
/// `Missing` where the linked libav has none, `Encoder` with the reason where it cannot be opened here: no such
/// hardware, no driver, no permission.
pub fn try_open(encoder: H264Encoder) -> Result<(), AvError> {
    let (width, height) = TRIAL;
    let settings = VideoEncode {
        stream: 0,
        filter: String::new(),
        width,
        height,
        frame_rate: Fraction::new(30, 1),
        constant: true,
        encoder,
        crf: 20,
        preset: "medium".to_owned(),
        max_bit_rate: None,
        colour: Colour::default(),
    };
    let _ = crate::log::take_log();
    Encoder::h264(&settings, Fraction::new(1, 30), 1).map(drop).map_err(|error| match error {
        // libav's code says `Operation not permitted` for all of it; its log knows which library or device it was.
        AvError::Encoder { name, reason } => {
            let told = crate::log::take_log().into_iter().next();
            AvError::Encoder { name, reason: told.map_or(reason, |line| without_context(&line)) }
        }
        other => other,
    })
}

/// A line of libav's log without `[h264_nvenc @ 0x55e9]`.
fn without_context(line: &str) -> String {
    match line.split_once("] ") {
        Some((context, text)) if context.starts_with('[') => text.trim().to_owned(),
        _ => line.trim().to_owned(),
    }
}

impl Encoder {
    /// H.264 for pictures whose timestamps are ticks of `time_base`.
    pub(crate) fn h264(settings: &VideoEncode, time_base: Fraction, threads: usize) -> Result<Self, AvError> {
        crate::log::init();
        let name = settings.encoder.name();
        let codec = encoder::find_by_name(name).ok_or_else(|| AvError::Missing(format!("encoder {name}")))?;
        let fail = |error: LibavError| AvError::Encoder { name: name.to_owned(), reason: error.to_string() };
        if settings.preset.contains('\0') {
            return Err(AvError::Encoder { name: name.to_owned(), reason: "the preset's name holds a NUL".to_owned() });
        }
        let surfaces = match settings.encoder.surface() {
            Surface::Vaapi => {
                let no_device = |error: LibavError| AvError::Encoder {
                    name: name.to_owned(),
                    reason: format!("no VA-API device: {error}"),
                };
                Some(Surfaces::open(settings.width, settings.height).map_err(no_device)?)
            }
            Surface::Planar | Surface::SemiPlanar => None,
        };
        let aim = Aim {
            crf: settings.crf,
            preset: &settings.preset,
            ceiling: settings.max_bit_rate,
            pixels: pixels_a_second(settings),
        };
        let mut refused = LibavError::Unknown;
        for options in settings.encoder.options(aim) {
            let mut dictionary = Dictionary::new();
            for (key, value) in &options {
                dictionary.set(key, value);
            }
            if settings.encoder == H264Encoder::X264 && threads < LOOKS_AHEAD_FROM {
                dictionary.set("x264-params", "sync-lookahead=0");
            }
            let video = prepared(codec, settings, time_base, threads, surfaces.as_ref()).map_err(fail)?;
            match video.open_as_with(codec, dictionary) {
                Ok(opened) => return Ok(Self { opened: opened.0.0, name, time_base, surfaces }),
                Err(error) => refused = error,
            }
        }
        Err(fail(refused))
    }

    /// AAC-LC. Its frames are ticks of the sample rate.
    pub(crate) fn aac(settings: &AudioEncode) -> Result<Self, AvError> {
        crate::log::init();
        let name = "aac";
        let codec = encoder::find_by_name(name).ok_or_else(|| AvError::Missing(format!("encoder {name}")))?;
        let fail = |error: LibavError| AvError::Encoder { name: name.to_owned(), reason: error.to_string() };
        let rate = i32::try_from(settings.sample_rate).unwrap_or(48_000);
        let mut context = codec::Context::new_with_codec(codec);
        context.set_flags(codec::Flags::GLOBAL_HEADER);
        let mut audio = context.encoder().audio().map_err(fail)?;
        audio.set_rate(rate);
        audio.set_format(ffmpeg_next::format::Sample::F32(ffmpeg_next::format::sample::Type::Planar));
        audio.set_bit_rate(settings.bit_rate as usize);
        let time_base = Fraction::new(1, rate);
        audio.set_time_base(ffmpeg_next::Rational::from(time_base));
        // SAFETY: the context is not open yet; libav writes the usual layout for so many channels into it.
        unsafe {
            let raw = audio.as_mut_ptr();
            ffi::av_channel_layout_default(&raw mut (*raw).ch_layout, i32::from(settings.channels.max(1)));
        }
        let opened = audio.open_as_with(codec, Dictionary::new()).map_err(fail)?.0.0;
        Ok(Self { opened, name, time_base, surfaces: None })
    }

    pub(crate) const fn time_base(&self) -> Fraction {
        self.time_base
    }

    pub(crate) fn context(&self) -> &codec::Context {
        &self.opened
    }

    /// Samples that each frame has to have; 0 when any number will do.
    pub(crate) fn frame_size(&self) -> u32 {
        // SAFETY: reading a plain field of the open context.
        u32::try_from(unsafe { (*self.opened.as_ptr()).frame_size }).unwrap_or(0)
    }

    /// Gives a frame to the encoder, or with `None` tells it that there are no more. Whoever calls takes all packets
    /// between two frames.
    pub(crate) fn send(&mut self, frame: Option<&Frame>) -> Result<(), AvError> {
        match (frame, &self.surfaces) {
            (None, _) => self.opened.send_eof(),
            (Some(frame), None) => self.opened.send_frame(frame),
            (Some(frame), Some(surfaces)) => {
                surfaces.upload(frame).and_then(|uploaded| self.opened.send_frame(&uploaded))
            }
        }
        .map_err(|error| self.fail(error))
    }

    /// The next packet; `None` when it wants a frame first, or has ended.
    pub(crate) fn receive(&mut self) -> Result<Option<Packet>, AvError> {
        let mut packet = Packet::empty();
        match self.opened.receive_packet(&mut packet) {
            Ok(()) => Ok(Some(packet)),
            Err(LibavError::Eof | LibavError::Other { errno: libav_errno::EAGAIN }) => Ok(None),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&self, error: LibavError) -> AvError {
        AvError::Encoder { name: self.name.to_owned(), reason: error.to_string() }
    }
}

/// An encoder of pictures with all that does not depend on which one it is.
fn prepared(
    codec: Codec,
    settings: &VideoEncode,
    time_base: Fraction,
    threads: usize,
    surfaces: Option<&Surfaces>,
) -> Result<encoder::video::Video, LibavError> {
    let mut context = codec::Context::new_with_codec(codec);
    context.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::CLOSED_GOP);
    // libav's wrappers use one thread unless told: 19.5 s where 10 s do.
    context
        .set_threading(threading::Config { count: threads.max(1), ..threading::Config::kind(threading::Type::Frame) });
    let mut video = context.encoder().video()?;
    video.set_width(settings.width);
    video.set_height(settings.height);
    video.set_format(settings.encoder.surface().in_memory().into());
    video.set_aspect_ratio(ffmpeg_next::Rational::new(1, 1));
    video.set_time_base(ffmpeg_next::Rational::from(time_base));
    let rate = settings.frame_rate;
    if rate.is_positive() {
        video.set_frame_rate(Some(ffmpeg_next::Rational::from(rate)));
        let frames = (GOP_SECONDS * i64::from(rate.num) + i64::from(rate.den) / 2) / i64::from(rate.den);
        video.set_gop(u32::try_from(frames.clamp(1, 1000)).unwrap_or(50));
    }
    if let Some(surfaces) = surfaces {
        video.set_format(ffi::AVPixelFormat::AV_PIX_FMT_VAAPI.into());
        surfaces.attach(&mut video);
    }
    settings.colour.tag(&mut video);
    Ok(video)
}

/// For a rate: frames of an unknown rate count as 30 a second.
fn pixels_a_second(settings: &VideoEncode) -> u64 {
    let rate = if settings.frame_rate.is_positive() { settings.frame_rate } else { Fraction::new(30, 1) };
    let picture = u64::from(settings.width) * u64::from(settings.height);
    picture.saturating_mul(u64::from(rate.num.unsigned_abs())) / u64::from(rate.den.unsigned_abs())
}
