//! Decoding up to a time, and on from there.

use std::collections::VecDeque;

use ffmpeg_next::packet::Ref as _;
use ffmpeg_next::{Frame, Packet, ffi, frame, picture};

use super::{Still, Stills};
use crate::decoder::{Received, frame_ticks, is_damaged};
use crate::error::AvError;
use crate::input::Next;

/// How long before a wanted time, in microseconds, pictures are passed over that no other is made from: longer than a
/// picture is shown at 5 a second, the least that is common.
const LONG_BEFORE_US: i64 = 250_000;

/// Packets of which it is remembered when their pictures are shown: no codec reorders over more of them.
const REMEMBERED: usize = 32;

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

/// Whether the demuxer says that the packet's picture is not to be shown.
fn is_left_out(packet: &Packet) -> bool {
    // SAFETY: the packet is valid for the borrow, and its flags are a number.
    let flags = unsafe { (*packet.as_ptr()).flags };
    flags & ffi::AV_PKT_FLAG_DISCARD != 0
}

/// How far a run of decoding has come.
pub(super) struct Run {
    /// The last frame at or before the time that was asked for.
    pub(super) shown: Option<Taken>,
    /// The first frame after it, which is already out of the decoder.
    pub(super) beyond: Option<Taken>,
    /// Whether a sync sample was met: before it nothing is given to the decoder, which would make grey of it.
    synced: bool,
    /// When the pictures of the last packets are shown that the decoder was given, in microseconds.
    given: VecDeque<i64>,
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
        let given = VecDeque::new();
        Self { shown: None, beyond: None, synced, given, ended: false, damaged: false, rooted: false }
    }

    /// The decoder was given a packet.
    fn remember(&mut self, time_us: i64) {
        if self.given.len() == REMEMBERED {
            self.given.pop_front();
        }
        self.given.push_back(time_us);
    }

    /// Whether a packet was given before whose picture is shown after `time_us` and not after `until_us`.
    fn is_given_between(&self, time_us: i64, until_us: i64) -> bool {
        self.given.iter().any(|given| time_us < *given && *given <= until_us)
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

    /// The still of a run, which is kept to go on from, unless its picture takes all the room that there is.
    pub(super) fn pause(&mut self, mut run: Run) -> Result<Option<Still>, AvError> {
        let Some(taken) = run.shown.as_ref().or(run.beyond.as_ref()) else {
            self.run = Some(run);
            return Ok(None);
        };
        if self.is_for_bands(&taken.frame) {
            let taken = run.shown.take().or(run.beyond.take());
            drop(run);
            return taken.map(|taken| self.still(&taken)).transpose();
        }
        // The filter takes the frame that it is given, and the run may need it again.
        let taken = Taken { frame: share(&taken.frame)?, damaged: taken.damaged };
        self.keep(&taken)?;
        let still = self.still(&taken)?;
        self.run = Some(run);
        Ok(Some(still))
    }

    /// Keeps the frame behind a rough still for one at full size, if there is room.
    pub(super) fn keep(&self, taken: &Taken) -> Result<(), AvError> {
        let time_us = self.time_of(frame_ticks(&taken.frame).unwrap_or(self.origin));
        if self.options.rough && self.kept.has_room_for(time_us, &taken.frame) {
            self.kept.keep(time_us, Taken { frame: share(&taken.frame)?, damaged: taken.damaged });
        }
        Ok(())
    }

    /// The frame behind a rough still of exactly this time, of this or of one that was opened [`Stills::again`]; `None`
    /// where it was not kept.
    ///
    /// # Errors
    /// When filtering fails.
    pub fn kept_at_us(&mut self, time_us: i64) -> Result<Option<Still>, AvError> {
        let Some(taken) = self.kept.take(time_us) else { return Ok(None) };
        self.still(&taken).map(Some)
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
                        if self.may_pass_over(&packet, run, time_us) {
                            continue;
                        }
                        if let Some(ticks) = packet.pts() {
                            run.remember(self.unclamped_time_of(ticks));
                        }
                        // It is decoded and not given out, as an edit list leaves it out; what follows is made from it.
                        run.rooted |= packet.is_key() && is_left_out(&packet);
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

    /// Whether a packet need not be decoded on the way to the frame at a time: no other is made from it, and another
    /// follows it that is shown by then, as the decoder was given it already. On the way to a rough still it is enough
    /// that it is shown long before: only a picture that stands for longer than [`LONG_BEFORE_US`] is missed by that; the
    /// one before is as good to measure.
    fn may_pass_over(&self, packet: &Packet, run: &Run, time_us: i64) -> bool {
        let Some(shown) = packet.pts().map(|ticks| self.unclamped_time_of(ticks)) else { return false };
        let early = self.options.rough && shown < time_us - LONG_BEFORE_US;
        (early || run.is_given_between(shown, time_us)) && self.is_disposable(packet)
    }

    /// Whether no other picture is made from that of a packet; known of H.264 and H.265 in whole frames.
    pub(super) fn is_disposable(&self, packet: &Packet) -> bool {
        !self.interlaced && self.references.is_disposable(packet.data().unwrap_or_default())
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
