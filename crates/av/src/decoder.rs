//! Packets to frames.

use ffmpeg_next::{Dictionary, Error as LibavError, Frame, Packet, codec, ffi, threading};

use crate::amr;
use crate::error::{AvError, libav_errno};
use crate::fraction::Fraction;
use crate::input::Input;
use crate::witness::{MAX_FRAME_THREADS, Witness};

/// How a decoder works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecoderOptions {
    /// Threads, at least 1.
    pub(crate) threads: usize,
    /// Threads decode whole frames, which is faster and delays by as many frames; else slices.
    pub(crate) frame_threads: bool,
    /// Notice what is broken, instead of concealing it in silence.
    pub(crate) strict: bool,
    /// Smooth the edges of blocks, as pictures that are shown or encoded need it; not those that are only counted.
    pub(crate) deblock: bool,
}

/// An open decoder for one stream.
pub(crate) struct Decoder {
    opened: codec::decoder::Opened,
    time_base: Fraction,
    /// The decoder takes one frame of a packet, and packets may hold more.
    speech: Option<amr::Band>,
    /// Answers in a row that were faults.
    faults: u32,
    /// Told that there are no more packets.
    ending: bool,
    /// Of a strict decoder. Behind `opened`, so that it outlives it.
    witness: Option<Witness>,
}

/// Faults in a row after which a decoder is taken to want the next packet, lest it answer the same for ever.
const MAX_FAULTS: u32 = 100;

impl Decoder {
    /// Opens the decoder that libav prefers for the stream.
    pub(crate) fn open(input: &Input, stream: usize, options: DecoderOptions) -> Result<Self, AvError> {
        let found =
            input.context().stream(stream).ok_or(AvError::NoStream { kind: "video or audio", index: stream })?;
        let parameters = found.parameters();
        let id = parameters.id();
        let codec = codec::decoder::find(id).ok_or_else(|| AvError::Missing(format!("decoder for {}", id.name())))?;
        let fail = |error: LibavError| AvError::Decoder { codec: id.name().to_owned(), reason: error.to_string() };
        let mut context = codec::Context::from_parameters(parameters).map_err(fail)?;
        let threads = threading::Config {
            count: options.threads.clamp(1, MAX_FRAME_THREADS),
            ..threading::Config::kind(if options.frame_threads {
                threading::Type::Frame
            } else {
                threading::Type::Slice
            })
        };
        context.set_threading(threads);
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(found.time_base());
        let mut dictionary = Dictionary::new();
        if options.strict {
            // `crccheck` and the parsing checks; `explode` would end decoding at the first fault, and it is the
            // count that is wanted. `aggressive` reports faults that conforming encoders make.
            dictionary.set("err_detect", "crccheck+bitstream+buffer");
        }
        if !options.deblock {
            // No bit of the stream is read for it, so it can find no fault (ITU-T H.264 §8.7, H.265 §8.7.2).
            dictionary.set("skip_loop_filter", "all");
        }
        let opened = decoder.open_as_with(codec, dictionary).map_err(fail)?;
        let speech = match id {
            codec::Id::AMR_NB => Some(amr::Band::Narrow),
            codec::Id::AMR_WB => Some(amr::Band::Wide),
            _ => None,
        };
        let witness = options.strict.then(|| {
            // SAFETY: reading a plain field of an open decoder.
            let threads = unsafe { (*opened.as_ptr()).active_thread_type };
            Witness::new(threads & ffi::FF_THREAD_FRAME != 0)
        });
        Ok(Self { opened, time_base: found.time_base().into(), speech, faults: 0, ending: false, witness })
    }

    /// Before a packet is sent to a strict decoder: the time by which to call it, or `None` when its faults are of no
    /// interest. Answers such a time of an earlier packet about which the decoder has complained since.
    pub(crate) fn watch(&mut self, time: Option<i64>) -> Option<i64> {
        let (counter, told) = self.witness.as_mut()?.listen(time);
        // SAFETY: the field is the caller's. With frame threads libav's own are at work in copies of the context, which
        // get the field with their next packet; else it is written once, before the first packet, as there is one
        // counter.
        unsafe {
            let context = self.opened.as_mut_ptr();
            if (*context).opaque != counter {
                (*context).opaque = counter;
            }
        }
        told
    }

    /// Times of [`Self::watch`] about which the decoder has complained; for its end.
    pub(crate) fn complaints(&mut self) -> Vec<i64> {
        self.witness.as_mut().map_or_else(Vec::new, Witness::rest)
    }

    /// Whether a strict decoder has complained since it was asked; what it decodes by one thread at a time is of interest
    /// from the first call on.
    pub(crate) fn has_complained(&mut self) -> bool {
        let told = !self.complaints().is_empty();
        self.watch(Some(0)).is_some() || told
    }

    /// The frames of a packet that holds more of them than the decoder takes; `None` for all other packets.
    pub(crate) fn pieces(&self, packet: &Packet) -> Option<Vec<Packet>> {
        let data = packet.data()?;
        let frames = amr::frames(data, self.speech?);
        if frames.len() < 2 {
            return None;
        }
        let millisecond = Fraction::new(1, 1000);
        let cut = |(number, range): (i64, std::ops::Range<usize>)| {
            let later = millisecond.rescale(number.saturating_mul(amr::FRAME_MS), self.time_base);
            let mut piece = Packet::copy(&data[range]);
            piece.set_stream(packet.stream());
            piece.set_pts(packet.pts().map(|ticks| ticks.saturating_add(later)));
            piece.set_dts(packet.dts().map(|ticks| ticks.saturating_add(later)));
            piece.set_duration(millisecond.rescale(amr::FRAME_MS, self.time_base));
            piece
        };
        Some((0..).zip(frames).map(cut).collect())
    }

    /// Width and height of a coded picture; 0 where they are not known, and of sound.
    pub(crate) fn coded_size(&self) -> (u32, u32) {
        // SAFETY: reading plain fields of an open decoder.
        let (width, height) = unsafe {
            let context = self.opened.as_ptr();
            ((*context).coded_width, (*context).coded_height)
        };
        (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0))
    }

    /// As [`DecoderOptions::deblock`] from here on; for a decoder without frame threads, before a packet that is a sync
    /// sample.
    pub(crate) fn deblock(&mut self, deblock: bool) {
        let skip = if deblock { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
        // SAFETY: writing a plain field that is the caller's, which is read with the next packet.
        unsafe { (*self.opened.as_mut_ptr()).skip_loop_filter = skip };
    }

    pub(crate) const fn time_base(&self) -> Fraction {
        self.time_base
    }

    /// Gives a packet to the decoder, or with `None` tells it that there are no more. Whoever calls takes all frames
    /// between two packets. `Ok(false)` is a packet that it could not decode.
    pub(crate) fn send(&mut self, packet: Option<&Packet>) -> Result<bool, AvError> {
        self.ending |= packet.is_none();
        let sent = match packet {
            Some(packet) => self.opened.send_packet(packet),
            None => self.opened.send_eof(),
        };
        match sent {
            Ok(()) | Err(LibavError::Eof) => Ok(true),
            Err(LibavError::Other { errno: libav_errno::ENOMEM }) => {
                Err(AvError::Internal("out of memory while decoding".to_owned()))
            }
            Err(_) => Ok(false),
        }
    }

    /// The next frame; `Frames::Wait` when it wants a packet first.
    pub(crate) fn receive(&mut self) -> Result<Received, AvError> {
        // SAFETY: an empty frame is allocated here and filled by libav before anyone reads it.
        let mut frame = unsafe { Frame::empty() };
        match self.opened.receive_frame(&mut frame) {
            Ok(()) => {
                self.faults = 0;
                Ok(Received::Frame(frame))
            }
            Err(LibavError::Eof) => Ok(Received::End),
            Err(LibavError::Other { errno: libav_errno::EAGAIN }) => {
                self.faults = 0;
                Ok(Received::Wait)
            }
            Err(LibavError::Other { errno: libav_errno::ENOMEM }) => {
                Err(AvError::Internal("out of memory while decoding".to_owned()))
            }
            Err(_) if self.faults < MAX_FAULTS => {
                self.faults += 1;
                Ok(Received::Damaged)
            }
            Err(_) => {
                self.faults = 0;
                Ok(if self.ending { Received::End } else { Received::Wait })
            }
        }
    }

    /// Forgets what it holds, for a seek or a new beginning.
    pub(crate) fn flush(&mut self) {
        self.ending = false;
        self.faults = 0;
        self.opened.flush();
    }
}

/// What a decoder answers.
pub(crate) enum Received {
    /// A picture or a piece of sound.
    Frame(Frame),
    /// It wants a packet.
    Wait,
    /// Something in it could not be decoded.
    Damaged,
    /// All is out.
    End,
}

/// A frame's own timestamp, or libav's best guess from the decode times, in ticks of its stream.
pub(crate) fn frame_ticks(frame: &Frame) -> Option<i64> {
    frame.timestamp().or_else(|| frame.pts())
}

/// The decoder's error flags, or the corrupt mark, on a frame that it gave out all the same.
pub(crate) fn is_damaged(frame: &Frame) -> bool {
    frame.has_decode_errors() || frame.is_corrupt()
}
