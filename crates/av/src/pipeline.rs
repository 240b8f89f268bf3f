//! A job carried out: demux → decode → filter → encode → mux, a thread a stage, over bounded channels.
//!
//! The muxer runs on the caller's thread and takes packets from all others through one channel, so that no stage
//! waits for one that waits for it. The first error is kept and stops all stages; threads are joined before the
//! call returns, whatever happened.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use ffmpeg_next::{Frame, Packet};

use crate::decoder::{Decoder, DecoderOptions};
use crate::encoder::Encoder;
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::{Cancel, Input};
use crate::job::{AudioEncode, AudioTrack, Done, Job, Reached, VideoEncode, VideoTrack};
use crate::muxer::Mp4;

mod copy;
mod decode;
mod demux;
mod encode;
mod filter;
mod mux;

/// Packets that wait between two stages.
const PACKETS_WAITING: usize = 64;

/// Pictures that wait between two stages: at 4K each is 12 to 25 MB.
const FRAMES_WAITING: usize = 4;

/// Ticks a second below which timestamps of an encode are made finer, so that a loop's seam and a held frame fall
/// where they should.
const MIN_TICKS: i32 = 10_000;

/// Carries out `job`. `observe` hears of each piece that is written, on the caller's thread.
///
/// # Errors
/// The first error of any stage. The output is then incomplete and has to be removed by the caller, who made its name.
pub fn run(job: &Job, cancel: &Cancel, observe: &mut dyn FnMut(Reached)) -> Result<Done, AvError> {
    let input = Input::open(&job.input, cancel)?;
    let plan = Wiring::of(job, &input)?;
    let shared = Shared::new(cancel);
    let mut output = Mp4::create(&job.output)?;

    let (to_mux, muxing) = bounded::<ToMux>(PACKETS_WAITING);
    let mut chains = Vec::new();
    let timescale;
    match &job.video {
        VideoTrack::Copy { stream } => {
            let track = output.copy_track(&input, *stream)?;
            timescale = plan.video_base;
            chains.push(Chain::Copy(track));
        }
        VideoTrack::Encode(encode) => {
            let base = if encode.constant && encode.frame_rate.is_positive() {
                fine(Fraction::new(encode.frame_rate.den, encode.frame_rate.num))
            } else {
                fine(plan.video_base)
            };
            timescale = base;
            let encoder = Encoder::h264(encode, base, job.threads)?;
            let track = output.encoded_track(encoder.context(), base)?;
            let options = DecoderOptions { threads: half(job.threads), frame_threads: true, strict: false };
            let decoder = Decoder::open(&input, encode.stream, options)?;
            chains.push(Chain::Video {
                settings: encode,
                track,
                decoder: Box::new(decoder),
                encoder: Box::new(encoder),
                base,
            });
        }
    }
    let sound_track = match &job.audio {
        None => None,
        Some(AudioTrack::Copy { stream }) => {
            let track = output.copy_track(&input, *stream)?;
            chains.push(Chain::Copy(track));
            Some(track)
        }
        Some(AudioTrack::Encode(encode)) => {
            let encoder = Encoder::aac(encode)?;
            let track = output.encoded_track(encoder.context(), encoder.time_base())?;
            let decoder = Decoder::open(
                &input,
                encode.stream,
                DecoderOptions { threads: 1, frame_threads: false, strict: false },
            )?;
            chains.push(Chain::Audio {
                settings: encode,
                track,
                decoder: Box::new(decoder),
                encoder: Box::new(encoder),
            });
            Some(track)
        }
    };
    let language = sound_track.zip(job.language.as_deref());
    output.start(&job.metadata, language, job.all_metadata, ticks_a_second(timescale))?;

    let tracks = chains.len();
    let written = thread::scope(|scope| {
        let mut outlets = Vec::new();
        for chain in chains {
            let to_mux = to_mux.clone();
            match chain {
                Chain::Copy(track) => outlets.push(Outlet::copy(track, to_mux)),
                Chain::Audio { settings, track, decoder, encoder } => {
                    let (to_decode, decoding) = bounded(PACKETS_WAITING);
                    outlets.push(Outlet::Decode(to_decode));
                    let (shared, plan) = (&shared, &plan);
                    scope.spawn(move || {
                        shared.run(|| {
                            encode::sound(settings, plan, *decoder, *encoder, track, &decoding, &to_mux, shared)
                        });
                    });
                }
                Chain::Video { settings, track, decoder, encoder, base } => {
                    let (to_decode, decoding) = bounded(PACKETS_WAITING);
                    let (to_filter, filtering) = bounded(FRAMES_WAITING);
                    let (to_encode, encoding) = bounded(FRAMES_WAITING);
                    outlets.push(Outlet::Decode(to_decode));
                    let (shared, plan, threads) = (&shared, &plan, half(job.threads));
                    scope.spawn(move || {
                        shared.run(|| decode::pictures(plan, base, *decoder, &decoding, &to_filter, shared));
                    });
                    scope.spawn(move || {
                        shared.run(|| filter::pictures(settings, base, threads, &filtering, &to_encode));
                    });
                    scope.spawn(move || {
                        shared.run(|| encode::pictures(settings, plan, *encoder, track, &encoding, &to_mux));
                    });
                }
            }
        }
        drop(to_mux);
        let (shared, plan) = (&shared, &plan);
        scope.spawn(move || shared.run(|| demux::stage(job, plan, input, &outlets, shared)));
        let mut written = Done::default();
        shared.run(|| mux::stage(&mut output, tracks, &muxing, &mut written, observe));
        drop(muxing);
        written
    });
    shared.finish()?;
    output.finish()?;
    Ok(Done {
        damaged: shared.damaged.load(Ordering::Relaxed),
        first_damage_us: Some(shared.first_damage.load(Ordering::Relaxed)).filter(|time| *time != i64::MAX),
        ..written
    })
}

/// What is known of the input before the stages start.
pub(crate) struct Wiring {
    path: std::path::PathBuf,
    video: usize,
    audio: Option<usize>,
    video_base: Fraction,
    audio_base: Fraction,
    video_start: Option<i64>,
    audio_start: Option<i64>,
    /// Zero of the output, in microseconds of the input's timeline.
    origin_us: i64,
    end_us: Option<i64>,
}

impl Wiring {
    fn of(job: &Job, input: &Input) -> Result<Self, AvError> {
        let video = job.video.stream();
        let audio = job.audio.as_ref().map(AudioTrack::stream);
        input.expect_kind(video, ffmpeg_next::media::Type::Video, "video")?;
        if let Some(audio) = audio {
            input.expect_kind(audio, ffmpeg_next::media::Type::Audio, "audio")?;
        }
        let start = |stream: usize| input.start_ticks(stream).map(|ticks| input.time_base(stream).micros(ticks));
        let starts = [start(video), audio.and_then(start)];
        Ok(Self {
            path: job.input.clone(),
            video,
            audio,
            video_base: input.time_base(video),
            audio_base: audio.map_or(Fraction::MICROSECOND, |audio| input.time_base(audio)),
            video_start: input.start_ticks(video),
            audio_start: audio.and_then(|audio| input.start_ticks(audio)),
            origin_us: starts.into_iter().flatten().min().unwrap_or(0),
            end_us: job.end_us,
        })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn base(&self, stream: usize) -> Fraction {
        if stream == self.video { self.video_base } else { self.audio_base }
    }

    /// When a stream begins, in its ticks.
    fn start(&self, stream: usize) -> Option<i64> {
        if stream == self.video { self.video_start } else { self.audio_start }
    }

    /// Zero of the output in ticks of a stream.
    fn origin(&self, stream: usize) -> i64 {
        Fraction::MICROSECOND.rescale(self.origin_us, self.base(stream))
    }

    /// The last moment in ticks of `base`, from zero of the output.
    fn end(&self, base: Fraction) -> i64 {
        self.end_us.map_or(i64::MAX, |end| Fraction::MICROSECOND.rescale(end, base))
    }
}

/// What one track needs, ready to start.
enum Chain<'a> {
    Copy(usize),
    Video { settings: &'a VideoEncode, track: usize, decoder: Box<Decoder>, encoder: Box<Encoder>, base: Fraction },
    Audio { settings: &'a AudioEncode, track: usize, decoder: Box<Decoder>, encoder: Box<Encoder> },
}

/// Where the demuxer sends the packets of a stream.
pub(crate) enum Outlet {
    /// To the muxer, with times made ready.
    Copy { track: usize, to_mux: Sender<ToMux> },
    /// To a decoder.
    Decode(Sender<Feed>),
}

impl Outlet {
    const fn copy(track: usize, to_mux: Sender<ToMux>) -> Self {
        Self::Copy { track, to_mux }
    }
}

/// What a decoder is fed.
pub(crate) enum Feed {
    /// A packet of the input.
    Packet(Packet),
    /// The clip begins anew, this many ticks of the stream later than it did the first time. What came before ends
    /// there.
    Seam(i64),
    /// No more.
    End,
}

/// What goes from stage to stage behind a decoder.
pub(crate) enum Pictures {
    /// A picture whose times are ticks of the chain's time base, from zero of the output.
    Frame(Frame),
    /// No more; the last one is shown until then, if it is known.
    End(Option<i64>),
}

/// What the muxer is sent.
pub(crate) enum ToMux {
    /// A packet whose times are ticks of this base, from zero of the output.
    Packet(usize, Packet, Fraction),
    /// A track has ended.
    End,
}

/// Why a stage stopped early.
pub(crate) enum Halt {
    /// By itself.
    Failed(AvError),
    /// The stage before or behind it has gone, and said why.
    PeerGone,
}

impl From<AvError> for Halt {
    fn from(error: AvError) -> Self {
        Self::Failed(error)
    }
}

impl<T> From<crossbeam_channel::SendError<T>> for Halt {
    fn from(_: crossbeam_channel::SendError<T>) -> Self {
        Self::PeerGone
    }
}

impl From<crossbeam_channel::RecvError> for Halt {
    fn from(_: crossbeam_channel::RecvError) -> Self {
        Self::PeerGone
    }
}

/// What all stages share.
pub(crate) struct Shared<'a> {
    cancel: &'a Cancel,
    stopped: AtomicBool,
    error: Mutex<Option<AvError>>,
    damaged: AtomicU64,
    first_damage: AtomicI64,
}

impl<'a> Shared<'a> {
    const fn new(cancel: &'a Cancel) -> Self {
        Self {
            cancel,
            stopped: AtomicBool::new(false),
            error: Mutex::new(None),
            damaged: AtomicU64::new(0),
            first_damage: AtomicI64::new(i64::MAX),
        }
    }

    /// Runs a stage, keeps its error, and turns a panic into one: the others would wait for it for ever otherwise.
    fn run(&self, stage: impl FnOnce() -> Result<(), Halt>) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(stage));
        let error = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(Halt::PeerGone)) => AvError::Internal("a stage went away".to_owned()),
            Ok(Err(Halt::Failed(error))) => error,
            Err(_) => AvError::Internal("a stage panicked".to_owned()),
        };
        self.stopped.store(true, Ordering::Relaxed);
        let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        // The cause goes before its echo.
        if slot.as_ref().is_none_or(|kept| matches!(kept, AvError::Internal(_))) {
            *slot = Some(error);
        }
    }

    fn check(&self) -> Result<(), Halt> {
        self.cancel.check()?;
        if self.stopped.load(Ordering::Relaxed) { Err(Halt::PeerGone) } else { Ok(()) }
    }

    /// Counts something that could not be read or decoded, at this time of the output.
    fn damage(&self, time_us: i64) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
        self.first_damage.fetch_min(time_us, Ordering::Relaxed);
    }

    fn finish(&self) -> Result<(), AvError> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or_else(|| self.cancel.check(), Err)
    }
}

/// The next message; a channel without a sender is a stage that went away.
pub(crate) fn next<T>(channel: &Receiver<T>) -> Result<T, Halt> {
    Ok(channel.recv()?)
}

/// What decoders and filters get of the threads: the encoder is what everything waits for.
fn half(threads: usize) -> usize {
    (threads / 2).max(1)
}

/// The same time base with ticks that are whole parts of its own, at least [`MIN_TICKS`] a second.
fn fine(base: Fraction) -> Fraction {
    let mut fine = base;
    while fine.is_positive() && fine.den / fine.num < MIN_TICKS {
        match fine.den.checked_mul(2) {
            Some(den) => fine.den = den,
            None => break,
        }
    }
    fine
}

/// Ticks a second of a track with this time base. MP4 has whole numbers: for 1001/30000 it is 30,000.
fn ticks_a_second(base: Fraction) -> i32 {
    base.den.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fine_time_bases_hold_the_coarse_ones() {
        assert_eq!(fine(Fraction::new(1, 25)), Fraction::new(1, 12_800));
        assert_eq!(fine(Fraction::new(1001, 30_000)).den % 30_000, 0);
        assert_eq!(fine(Fraction::new(1, 90_000)), Fraction::new(1, 90_000));
    }

    #[test]
    fn the_cause_goes_before_its_echo() {
        let cancel = Cancel::new();
        let shared = Shared::new(&cancel);
        shared.run(|| Err(Halt::PeerGone));
        shared.run(|| Err(AvError::Incomplete.into()));
        shared.run(|| Err(AvError::Cancelled.into()));
        assert!(matches!(shared.finish(), Err(AvError::Incomplete)));
    }

    #[test]
    fn a_panic_is_an_error() {
        let cancel = Cancel::new();
        let shared = Shared::new(&cancel);
        shared.run(|| panic!("as a test"));
        assert!(matches!(shared.finish(), Err(AvError::Internal(_))));
    }
}
