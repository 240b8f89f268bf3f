//! A file decoded from end to end.

use std::path::Path;

use ffmpeg_next::{Packet, format::stream::Disposition, media};

use crate::decoder::{Decoder, DecoderOptions};
use crate::error::AvError;
use crate::facts::StreamKind;
use crate::input::{Cancel, Input, Next};

mod lane;

use lane::Lane;

/// What decoding all of a file brought. Times are microseconds of the file's own timeline.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecodeProof {
    /// When the first picture or sound is shown.
    pub start_us: Option<i64>,
    /// Every moving picture and every sound, in file order.
    pub streams: Vec<StreamProof>,
    /// Pieces between packets that the demuxer could not make sense of; nobody knows whose they are.
    pub damaged: u64,
    /// Time that was reached when the first of them came.
    pub first_damage_us: Option<i64>,
}

/// What decoding one stream brought. Times are microseconds of the file's own timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamProof {
    /// Place in the file, from 0.
    pub index: u32,
    /// [`StreamKind::Video`] or [`StreamKind::Audio`].
    pub kind: StreamKind,
    /// libav's codec name.
    pub codec: String,
    /// Whether the linked libav has a decoder for it. Where it has none, nothing was tried.
    pub decoder: bool,
    /// Pictures, or samples a channel.
    pub decoded: u64,
    /// Time of the first of them.
    pub first_us: Option<i64>,
    /// Time of the last picture; where the last sound ends.
    pub last_us: Option<i64>,
    /// Packets and pictures that are damaged, concealed or missing, or whose decode time goes back. One that is so in
    /// more than one way counts once. What comes before the first sync sample, or is shown before it, is none of
    /// these: it began before the file did.
    pub faults: u64,
    /// Presentation time of the first of them; its decode time where it has no other.
    pub first_fault_us: Option<i64>,
    /// The times of those that have a place, in ticks of the stream, in order. Errors that a decoder answered for no
    /// packet in particular and samples that are not in the file have none.
    pub fault_times: Vec<i64>,
}

impl DecodeProof {
    /// The first moving picture.
    #[must_use]
    pub fn video(&self) -> Option<&StreamProof> {
        self.streams.iter().find(|stream| stream.kind == StreamKind::Video)
    }

    /// The first sound.
    #[must_use]
    pub fn audio(&self) -> Option<&StreamProof> {
        self.streams.iter().find(|stream| stream.kind == StreamKind::Audio)
    }

    /// All faults, of streams and between them.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.streams.iter().map(|stream| stream.faults).sum::<u64>() + self.damaged
    }

    /// Time of the first of them.
    #[must_use]
    pub fn first_fault_us(&self) -> Option<i64> {
        self.streams.iter().filter_map(|stream| stream.first_fault_us).chain(self.first_damage_us).min()
    }
}

/// Decodes every moving picture and every sound of the file at `path`, noticing what a player would conceal; attached
/// pictures are left out. `threads`, at least 1, are shared by the pictures; sound is decoded beside them. `observe`
/// gets the time that was reached, in microseconds.
///
/// # Errors
/// When the file cannot be opened or read, holds no moving picture, or `cancel` is set. Faults are counted.
pub fn decode_all(
    path: &Path,
    threads: usize,
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<DecodeProof, AvError> {
    decode(path, None, threads, cancel, observe)
}

/// As [`decode_all`], of some streams alone, by their places in the file.
///
/// # Errors
/// As [`decode_all`].
pub fn decode_streams(
    path: &Path,
    streams: &[u32],
    threads: usize,
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<DecodeProof, AvError> {
    decode(path, Some(streams), threads, cancel, observe)
}

/// Packets behind a seam that are decoded with it: a picture from before it is out by then, as H.264 and HEVC keep at
/// most 16 waiting (ITU-T H.264 §A.3.1, `MaxDpbFrames`).
const BEHIND_SEAM: u64 = 17;

/// Decodes one stream around a seam, where the clip begins anew: from the last sync sample before packet number `seam`
/// (from 0, in file order) to a few packets behind it. Everything before that is read and not decoded.
///
/// # Errors
/// As [`decode_all`].
pub fn decode_seam(
    path: &Path,
    stream: u32,
    seam: u64,
    threads: usize,
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<DecodeProof, AvError> {
    let mut input = Input::open(path, cancel)?;
    let Some(mut lane) = lanes(&mut input, Some(&[stream]), threads)?.pop() else {
        return Err(AvError::NoStream { kind: "video or audio", index: stream as usize });
    };
    input.keep_only(&[lane.stream()]);
    let mut proof = DecodeProof::default();
    let (mut run, mut number) = (0, 0);
    let mut group = Vec::new();
    while number < seam.saturating_add(BEHIND_SEAM) {
        match input.next(&mut run)? {
            // Others may have been read when the file was opened.
            Next::Packet(packet) if packet.stream() != lane.stream() => {}
            Next::Packet(packet) => {
                if number < seam && packet.is_key() {
                    group.clear();
                }
                group.push(packet);
                if number >= seam {
                    for packet in group.drain(..) {
                        take(&mut lane, &packet)?;
                    }
                }
                number += 1;
            }
            Next::Damaged => proof.damaged += 1,
            Next::End => break,
        }
    }
    lane.end()?;
    proof.start_us = lane.start_us();
    observe(proof.start_us.unwrap_or(0));
    proof.streams = vec![lane.finish()];
    Ok(proof)
}

fn decode(
    path: &Path,
    only: Option<&[u32]>,
    threads: usize,
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<DecodeProof, AvError> {
    let mut input = Input::open(path, cancel)?;
    let mut lanes = lanes(&mut input, only, threads)?;
    input.keep_only(&lanes.iter().map(Lane::stream).collect::<Vec<_>>());
    let mut proof = DecodeProof::default();
    let (mut run, mut reached) = (0, 0);
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) => {
                let Some(lane) = lanes.iter_mut().find(|lane| lane.stream() == packet.stream()) else { continue };
                if let Some(ticks) = packet.dts().or(packet.pts()) {
                    reached = lane.micros(ticks);
                }
                take(lane, &packet)?;
                observe(reached);
            }
            Next::Damaged => {
                proof.damaged += 1;
                proof.first_damage_us.get_or_insert(reached);
            }
            Next::End => break,
        }
    }
    for lane in &mut lanes {
        lane.end()?;
        lane.miss_unread(&mut input);
    }
    proof.start_us = lanes.iter().filter_map(Lane::start_us).min();
    proof.streams = lanes.into_iter().map(Lane::finish).collect();
    Ok(proof)
}

/// A packet, cut where it holds more frames than the decoder takes.
fn take(lane: &mut Lane, packet: &Packet) -> Result<(), AvError> {
    match lane.pieces(packet) {
        None => lane.take(packet),
        Some(pieces) => pieces.iter().try_for_each(|piece| lane.take(piece)),
    }
}

fn lanes(input: &mut Input, only: Option<&[u32]>, threads: usize) -> Result<Vec<Lane>, AvError> {
    input.first_video()?;
    let moving: Vec<_> = input
        .context()
        .streams()
        .map(|stream| (stream.index(), stream.parameters().medium(), stream.parameters().id(), stream.disposition()))
        .filter(|(index, ..)| only.is_none_or(|only| only.iter().any(|one| *one as usize == *index)))
        .filter(|(_, kind, _, disposition)| match kind {
            media::Type::Audio => true,
            media::Type::Video => !disposition.contains(Disposition::ATTACHED_PIC),
            _ => false,
        })
        .collect();
    let pictures = moving.iter().filter(|(_, kind, ..)| *kind == media::Type::Video).count();
    let share = (threads / pictures.max(1)).max(1);
    let mut lanes = Vec::new();
    for (stream, kind, codec, _) in moving {
        let threads = if kind == media::Type::Video { share } else { 1 };
        let options = DecoderOptions { threads, frame_threads: true, strict: true, deblock: false };
        let (decoder, missing) = match Decoder::open(input, stream, options) {
            Ok(decoder) => (Some(decoder), false),
            Err(AvError::Missing(_)) => (None, true),
            Err(AvError::Decoder { .. }) => (None, false),
            Err(error) => return Err(error),
        };
        lanes.push(Lane::new(input, stream, kind, codec, decoder, missing));
    }
    Ok(lanes)
}
