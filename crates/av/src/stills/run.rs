//! Decoding up to a time, and on from there.

use ffmpeg_next::{Frame, Packet, ffi, frame, picture};

use super::{Still, Stills};
use crate::decoder::{Received, is_damaged};
use crate::error::AvError;
use crate::input::Next;

/// How long before a wanted time, in microseconds, pictures are passed over that no other is made from: longer than a
/// picture is shown at 5 a second, the least that is common.
const LONG_BEFORE_US: i64 = 250_000;

/// A frame out of the decoder.
pub(super) struct Taken {
    pub(super) frame: frame::Video,
    /// As [`super::Still::damaged`].
    pub(super) damaged: bool,
}

/// The same frame once more, without a copy of its pixels.
pub(super) fn share(frame: &frame::Video) -> Result<frame::Video, AvError> {
    // SAFETY: the frame is valid; what libav answers is null or a frame of its own that holds the same buffers, and is
    // freed with what wraps it. Filters write to no buffer that others hold.
    unsafe {
        let shared = ffi::av_frame_clone(frame.as_ptr());
        if shared.is_null() {
            return Err(AvError::Internal("out of memory".to_owned()));
        }
        Ok(frame::Video::wrap(shared))
    }
}

/// Whether the decoder says that it was made from other pictures.
pub(super) fn needs_others(frame: &frame::Video) -> bool {
    matches!(frame.kind(), picture::Type::P | picture::Type::B | picture::Type::S) && !frame.is_key()
}

/// How far a run of decoding has come.
pub(super) struct Run {
    /// The last frame at or before the time that was asked for.
    pub(super) shown: Option<Taken>,
    /// The first frame after it, which is already out of the decoder.
    pub(super) beyond: Option<Taken>,
    /// Whether a sync sample was met: before it nothing is given to the decoder, which would make grey of it.
    synced: bool,
    /// Whether the decoder was told the end.
    ended: bool,
    /// Whether something was broken since the last sync frame that was whole: what follows is made from it.
    damaged: bool,
    /// Whether a picture that needs no other was met: some files call pictures sync samples that are none.
    pub(super) rooted: bool,
}

impl Run {
    /// A run that begins; `synced` gives the decoder the first packet, whatever it is.
    pub(super) const fn new(synced: bool) -> Self {
        Self { shown: None, beyond: None, synced, ended: false, damaged: false, rooted: false }
    }

    fn take(&mut self, frame: Frame, complained: bool) -> Taken {
        let damaged = complained || is_damaged(&frame);
        let frame = frame::Video::from(frame);
        self.rooted |= !needs_others(&frame);
        self.damaged = damaged || (self.damaged && !frame.is_key());
        Taken { frame, damaged: self.damaged || !self.rooted }
    }
}

impl Stills {
    /// Whether the frame at `time_us` is had sooner by decoding on than by a seek: no sync sample lies between.
    pub(super) fn goes_on(&self, run: &Run, time_us: i64) -> bool {
        let (Some(shown), Some(sync_times)) = (&run.shown, &self.sync_times) else { return false };
        let shown = self.frame_time(&shown.frame);
        shown <= time_us && !sync_times.iter().any(|time| (shown + 1..=time_us).contains(time))
    }

    /// The still of a run, which is kept to go on from.
    pub(super) fn pause(&mut self, run: Run) -> Result<Option<Still>, AvError> {
        // The filter takes the frame that it is given, and the run may need it again.
        let taken = run.shown.as_ref().or(run.beyond.as_ref());
        let taken = taken.map(|taken| Ok(Taken { frame: share(&taken.frame)?, damaged: taken.damaged }));
        let still = taken.transpose()?.map(|taken| self.still(&taken)).transpose()?;
        self.run = Some(run);
        Ok(still)
    }

    /// Decodes on until a frame lies after `time_us`. Times are compared in microseconds, as a tick can be as long as a
    /// frame. With `may_give_up` it ends where no sync sample comes before that time.
    pub(super) fn decode_up_to(&mut self, time_us: i64, run: &mut Run, may_give_up: bool) -> Result<(), AvError> {
        let mut damaged_run = 0;
        if let Some(beyond) = run.beyond.take() {
            if self.frame_time(&beyond.frame) > time_us {
                run.beyond = Some(beyond);
                return Ok(());
            }
            run.shown = Some(beyond);
        }
        loop {
            match self.decoder.receive()? {
                Received::Frame(frame) => {
                    let complained = self.decoder.has_complained();
                    let taken = run.take(frame, complained);
                    if self.frame_time(&taken.frame) > time_us {
                        run.beyond = Some(taken);
                        return Ok(());
                    }
                    run.shown = Some(taken);
                }
                Received::Damaged => run.damaged = true,
                Received::End => return Ok(()),
                Received::Wait => match self.next_packet(&mut damaged_run)? {
                    Some(packet) if !run.synced && !packet.is_key() => {
                        let late = packet.pts().is_some_and(|ticks| self.unclamped_time_of(ticks) > time_us);
                        if late && may_give_up {
                            return Ok(());
                        }
                    }
                    Some(packet) => {
                        run.synced = true;
                        let data = packet.data().unwrap_or_default();
                        run.damaged |= self.numbers.as_mut().is_some_and(|numbers| numbers.has_gap_before(data));
                        if self.may_pass_over(&packet, time_us) {
                            continue;
                        }
                        run.damaged |= !self.decoder.send(Some(&packet))?;
                    }
                    None if run.ended => return Ok(()),
                    None => {
                        run.ended = true;
                        self.decoder.send(None)?;
                    }
                },
            }
        }
    }

    /// Whether a packet need not be decoded on the way to a rough still: no other is made from it, and it is shown long
    /// before. Only a picture that stands for longer than [`LONG_BEFORE_US`] is missed by that; the one before is as
    /// good to measure.
    fn may_pass_over(&self, packet: &Packet, time_us: i64) -> bool {
        let early = packet.pts().is_some_and(|ticks| self.unclamped_time_of(ticks) < time_us - LONG_BEFORE_US);
        self.options.rough && early && self.is_disposable(packet)
    }

    /// Whether no other picture is made from that of a packet; known of H.264 in whole frames.
    pub(super) fn is_disposable(&self, packet: &Packet) -> bool {
        let data = packet.data().unwrap_or_default();
        !self.interlaced && self.numbers.as_ref().is_some_and(|numbers| numbers.is_disposable(data))
    }

    pub(super) fn next_packet(&mut self, damaged_run: &mut u32) -> Result<Option<Packet>, AvError> {
        loop {
            match self.input.next(damaged_run)? {
                Next::Packet(packet) if packet.stream() == self.stream => return Ok(Some(packet)),
                Next::Packet(_) | Next::Damaged => {}
                Next::End => return Ok(None),
            }
        }
    }
}
