//! Frames to packets: H.264 by x264, AAC by libav's own encoder.

use ffmpeg_next::{Dictionary, Error as LibavError, Frame, Packet, codec, encoder, ffi, threading};

use crate::error::{AvError, libav_errno};
use crate::fraction::Fraction;
use crate::job::{AudioEncode, VideoEncode};

/// Seconds between sync samples: what adaptive players and seeking expect.
const GOP_SECONDS: i64 = 2;

/// Seconds that the rate ceiling is averaged over.
const VBV_SECONDS: u64 = 2;

/// An open encoder.
pub(crate) struct Encoder {
    opened: encoder::Encoder,
    name: &'static str,
    time_base: Fraction,
}

impl Encoder {
    /// x264 for pictures whose timestamps are ticks of `time_base`.
    pub(crate) fn h264(settings: &VideoEncode, time_base: Fraction, threads: usize) -> Result<Self, AvError> {
        crate::log::init();
        let name = "libx264";
        let codec = encoder::find_by_name(name).ok_or_else(|| AvError::Missing(format!("encoder {name}")))?;
        let fail = |error: LibavError| AvError::Encoder { name: name.to_owned(), reason: error.to_string() };
        let mut context = codec::Context::new_with_codec(codec);
        context.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::CLOSED_GOP);
        // libav's wrappers use one thread unless told: 19.5 s where 10 s do.
        context.set_threading(threading::Config {
            count: threads.max(1),
            ..threading::Config::kind(threading::Type::Frame)
        });
        let mut video = context.encoder().video().map_err(fail)?;
        video.set_width(settings.width);
        video.set_height(settings.height);
        video.set_format(ffmpeg_next::format::Pixel::YUV420P);
        video.set_aspect_ratio(ffmpeg_next::Rational::new(1, 1));
        video.set_time_base(ffmpeg_next::Rational::from(time_base));
        let rate = settings.frame_rate;
        if rate.is_positive() {
            video.set_frame_rate(Some(ffmpeg_next::Rational::from(rate)));
            let frames = (GOP_SECONDS * i64::from(rate.num) + i64::from(rate.den) / 2) / i64::from(rate.den);
            video.set_gop(u32::try_from(frames.clamp(1, 1000)).unwrap_or(50));
        }
        settings.colour.tag(&mut video);
        let mut options = Dictionary::new();
        options.set("crf", &settings.crf.to_string());
        if settings.preset.contains('\0') {
            return Err(AvError::Encoder { name: name.to_owned(), reason: "the preset's name holds a NUL".to_owned() });
        }
        options.set("preset", &settings.preset);
        options.set("profile", "high");
        if let Some(ceiling) = settings.max_bit_rate {
            options.set("maxrate", &ceiling.to_string());
            options.set("bufsize", &ceiling.saturating_mul(VBV_SECONDS).to_string());
        }
        let opened = video.open_as_with(codec, options).map_err(fail)?.0.0;
        Ok(Self { opened, name, time_base })
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
        Ok(Self { opened, name, time_base })
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
        match frame {
            Some(frame) => self.opened.send_frame(frame),
            None => self.opened.send_eof(),
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
