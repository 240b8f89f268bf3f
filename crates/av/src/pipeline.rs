//! A job carried out: demux → decode → filter → encode → mux, a thread a stage, over bounded channels.
//!
//! The muxer runs on the caller's thread and takes packets from all others through one channel, so that no stage
//! waits for one that waits for it. The first error is kept and stops all stages; threads are joined before the
//! call returns, whatever happened.

use std::thread;

use ffmpeg_next::{Frame, Packet};

use crate::bitstream::Headers;
use crate::decoder::{Decoder, DecoderOptions};
use crate::encoder::{Encoder, own_threads};
use crate::error::AvError;
use crate::facts::Opened;
use crate::fraction::Fraction;
use crate::input::{Cancel, Input};
use crate::job::{AudioEncode, AudioTrack, Done, Job, Reached, VideoEncode, VideoTrack};
use crate::muxer::{Finished, Mp4};
use crate::tail::Tail;

mod copy;
mod decode;
mod demux;
mod encode;
mod filter;
mod mux;
mod queue;
mod retimed;
mod seam;
mod shared;
mod turns;
mod wiring;

use queue::{Receiver, Sender, bounded, next, send};
use shared::{Halt, Shared};
use turns::{Split, Turns, in_turn};
use wiring::{Wiring, fine, ticks_a_second};

/// Packets that wait between two stages.
const PACKETS_WAITING: usize = 64;

/// Pictures that wait between two stages: at 4K each is 12 to 25 MB.
const FRAMES_WAITING: usize = 4;

/// Carries out `job`. `observe` hears of each piece that is written, on the caller's thread.
///
/// # Errors
/// The first error of any stage. The output is then incomplete and has to be removed by the caller, who made its name.
pub fn run(job: &Job, cancel: &Cancel, observe: &mut dyn FnMut(Reached)) -> Result<Done, AvError> {
    run_opened(job, Opened(Input::open(&job.input, cancel)?), cancel, observe)
}

/// As [`run`], on the job's input, which is open already.
///
/// # Errors
/// As [`run`].
pub fn run_opened(
    job: &Job,
    source: Opened,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Reached),
) -> Result<Done, AvError> {
    match attempt(job, source.0, job.moov_room, cancel, observe)? {
        Some(done) => Ok(done),
        None => attempt(job, Input::open(&job.input, cancel)?, None, cancel, observe)?
            .ok_or_else(|| AvError::Internal("the index has no room where none was set aside".to_owned())),
    }
}

/// `None` when the index was larger than its room: the file is of no use then.
fn attempt(
    job: &Job,
    input: Input,
    moov_room: Option<u32>,
    cancel: &Cancel,
    observe: &mut dyn FnMut(Reached),
) -> Result<Option<Done>, AvError> {
    let plan = Wiring::of(job, &input)?;
    let shared = Shared::new(cancel);
    let mut output = Mp4::create(&job.output)?;
    let split = Split::of(job.threads);

    let (to_mux, muxing) = bounded::<ToMux>(PACKETS_WAITING);
    let mut chains = Vec::new();
    let timescale;
    let (mut headers, mut tail) = (None, None);
    match &job.video {
        VideoTrack::Copy { stream } => {
            let track = output.copy_track(&input, *stream)?;
            timescale = plan.copied_base();
            chains.push(Chain::Copy(track));
        }
        VideoTrack::Edit(edit) => {
            headers = Headers::open(&input, edit)?;
            let track = output.edited_track(&input, edit, headers.as_ref())?;
            timescale = plan.copied_base();
            chains.push(Chain::Copy(track));
        }
        VideoTrack::Extend(extend) => {
            if job.repeat > 1 || job.part.is_some() || job.retime.is_some() {
                return Err(AvError::Muxer(
                    "only what is shown whole, once, at its own rate can be shown on".to_owned(),
                ));
            }
            let own = Input::open(&job.input, cancel)?;
            let encoded = Tail::encode(own, plan.origin(extend.stream), extend, job.threads)?;
            let track = output.extended_track(&input, extend.stream, encoded.extradata())?;
            tail = Some(encoded);
            timescale = plan.copied_base();
            chains.push(Chain::Copy(track));
        }
        VideoTrack::Encode(encode) => {
            let base = if encode.constant && encode.frame_rate.is_positive() {
                fine(Fraction::new(encode.frame_rate.den, encode.frame_rate.num))
            } else {
                fine(plan.copied_base())
            };
            timescale = base;
            let encoder = Encoder::h264(encode, base, split.encoder)?;
            let track = output.encoded_track(encoder.context(), base)?;
            let options = DecoderOptions { threads: split.decoder, frame_threads: true, strict: false, deblock: true };
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
                DecoderOptions { threads: 1, frame_threads: false, strict: false, deblock: true },
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
    output.start(&job.metadata, language, job.all_metadata, ticks_a_second(timescale), moov_room)?;

    let digesters: Vec<_> = chains
        .iter()
        .map(|chain| match chain {
            Chain::Copy(track) => output.digester(*track),
            _ => None,
        })
        .collect();
    // A copy computes nothing that would need a core for itself.
    let at_once = if matches!(job.video, VideoTrack::Encode(_)) { split.stages } else { usize::MAX };
    let turns = Turns::new(at_once);
    let written = thread::scope(|scope| {
        let mut outlets = Vec::new();
        for chain in chains {
            let to_mux = to_mux.clone();
            match chain {
                Chain::Copy(track) => outlets.push(Outlet::copy(track, to_mux)),
                Chain::Audio { settings, track, decoder, encoder } => {
                    let (to_decode, decoding) = bounded(PACKETS_WAITING);
                    outlets.push(Outlet::Decode(to_decode));
                    let (shared, plan, turns) = (&shared, &plan, &turns);
                    scope.spawn(move || {
                        shared.run(|| {
                            in_turn(turns, || {
                                encode::sound(settings, plan, *decoder, *encoder, track, &decoding, &to_mux, shared)
                            })
                        });
                    });
                }
                Chain::Video { settings, track, decoder, encoder, base } => {
                    let (to_decode, decoding) = bounded(PACKETS_WAITING);
                    let (to_filter, filtering) = bounded(FRAMES_WAITING);
                    let (to_encode, encoding) = bounded(FRAMES_WAITING);
                    outlets.push(Outlet::Decode(to_decode));
                    let (shared, plan, turns) = (&shared, &plan, &turns);
                    scope.spawn(move || {
                        let stage = || decode::pictures(plan, base, *decoder, &decoding, &to_filter, shared);
                        shared.run(|| in_turn(turns, stage));
                    });
                    scope.spawn(move || {
                        let stage = || filter::pictures(settings, base, split.filters, &filtering, &to_encode);
                        shared.run(|| in_turn(turns, stage));
                    });
                    scope.spawn(move || {
                        let stage = || encode::pictures(settings, plan, *encoder, track, &encoding, &to_mux);
                        // An encoder with threads of its own is waited for, often.
                        shared.run(|| if own_threads(split.encoder) > 0 { stage() } else { in_turn(turns, stage) });
                    });
                }
            }
        }
        drop(to_mux);
        let (shared, plan, turns) = (&shared, &plan, &turns);
        scope.spawn(move || {
            let stage = || demux::stage(job, plan, input, demux::Changes { headers, tail }, &outlets, shared);
            shared.run(|| in_turn(turns, stage));
        });
        let mut written = Done::default();
        shared.run(|| in_turn(turns, || mux::stage(&mut output, digesters, &muxing, &mut written, observe)));
        drop(muxing);
        written
    });
    shared.finish()?;
    if output.finish()? == Finished::NoRoom {
        return Ok(None);
    }
    let (damaged, first_damage_us) = shared.damaged();
    Ok(Some(Done { damaged, first_damage_us, ..written }))
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
