//! One stream on its way through its decoder.

use std::collections::BTreeSet;

use ffmpeg_next::{Frame, Packet, codec, frame, media};

use super::StreamProof;
use crate::decoder::{Decoder, Received, frame_ticks, is_damaged};
use crate::error::AvError;
use crate::facts::StreamKind;
use crate::fraction::Fraction;
use crate::input::Input;
use crate::scan::is_hidden;

/// A stream, its decoder, and what is known of both. Times are ticks of the stream; a packet or picture goes by its
/// presentation time, which the decoder hands from the one to the other.
///
/// The sets hold at most an entry a packet, less than libav's own index of the file.
pub(super) struct Lane {
    stream: usize,
    kind: StreamKind,
    codec: codec::Id,
    time_base: Fraction,
    /// `None` when it could not be opened.
    decoder: Option<Decoder>,
    /// Whether there is no decoder to open.
    missing: bool,
    /// From which decode time on the container says that it can be entered.
    sync_dts: Option<i64>,
    /// The first packet that decodes by itself; what is shown before it began before the file.
    entry: Option<i64>,
    /// Whether there were packets before it.
    late: bool,
    /// The last time that a packet had, for those without.
    reached: i64,
    last_dts: Option<i64>,
    /// Whether there was a packet.
    read: bool,
    /// The earliest time of a packet that is shown.
    start: Option<i64>,
    /// Pictures that packets promised and that did not come out yet; `None` where a packet need not give a picture.
    promised: Option<BTreeSet<i64>>,
    faulty: BTreeSet<i64>,
    /// Errors that the decoder answered, and the time of the first. Most are also complaints about a packet.
    errors: u64,
    first_error: Option<i64>,
    /// Samples that the index has and the file has not.
    unread: u64,
    decoded: u64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Lane {
    pub(super) fn new(
        input: &mut Input,
        stream: usize,
        kind: media::Type,
        codec: codec::Id,
        decoder: Option<Decoder>,
        missing: bool,
    ) -> Self {
        // The two fields of a picture can be packets of their own.
        let paired = gives_a_picture_a_packet(codec) && !input.is_flagged_interlaced(stream);
        Self {
            stream,
            kind: if kind == media::Type::Video { StreamKind::Video } else { StreamKind::Audio },
            codec,
            time_base: input.time_base(stream),
            promised: (paired && decoder.is_some()).then(BTreeSet::new),
            decoder,
            missing,
            sync_dts: input.entry(stream),
            entry: None,
            late: false,
            reached: 0,
            last_dts: None,
            read: false,
            start: None,
            faulty: BTreeSet::new(),
            errors: 0,
            first_error: None,
            unread: 0,
            decoded: 0,
            first: None,
            last: None,
        }
    }

    pub(super) const fn stream(&self) -> usize {
        self.stream
    }

    pub(super) fn micros(&self, ticks: i64) -> i64 {
        self.time_base.micros(ticks)
    }

    /// When its first packet is shown.
    pub(super) fn start_us(&self) -> Option<i64> {
        self.start.map(|ticks| self.micros(ticks))
    }

    pub(super) fn pieces(&self, packet: &Packet) -> Option<Vec<Packet>> {
        self.decoder.as_ref()?.pieces(packet)
    }

    pub(super) fn take(&mut self, packet: &Packet) -> Result<(), AvError> {
        // Some writers mark a picture that is shown longer by an empty packet. To a decoder it would mean the end.
        if packet.size() == 0 {
            return Ok(());
        }
        self.read = true;
        let time = packet.pts().or(packet.dts()).unwrap_or(self.reached);
        self.reached = time;
        let hidden = is_hidden(packet);
        if !hidden {
            self.start = Some(self.start.map_or(time, |start| start.min(time)));
        }
        let dts = packet.dts().unwrap_or(time);
        if packet.is_key() || self.sync_dts.is_some_and(|sync| dts >= sync) {
            self.entry.get_or_insert(time);
        }
        let decodable = self.is_decodable(time);
        let back = packet.dts().zip(self.last_dts).is_some_and(|(dts, last)| dts < last);
        self.last_dts = packet.dts().or(self.last_dts);
        if decodable && (packet.is_corrupt() || back) {
            self.faulty.insert(time);
        }
        match packet.pts() {
            Some(pts) if decodable && !hidden => {
                self.promised.as_mut().map(|promised| promised.insert(pts));
            }
            Some(_) => {}
            // The decoder will guess times.
            None => self.promised = None,
        }
        let Some(decoder) = &mut self.decoder else {
            if !self.missing {
                self.faulty.insert(time);
            }
            return Ok(());
        };
        // H.264 entered at a sync sample that is no IDR picture misses references that its marking commands name, and
        // is loud about it while it decodes every picture bit by bit as from the beginning. It has marks for what is
        // damaged.
        self.late |= !decodable;
        let heard = decodable && !(self.late && self.codec == codec::Id::H264);
        self.faulty.extend(decoder.watch(heard.then_some(time)));
        if !decoder.send(Some(packet))? {
            self.error();
        }
        self.drain()
    }

    /// No more packets.
    pub(super) fn end(&mut self) -> Result<(), AvError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        if !decoder.send(None)? {
            self.error();
        }
        self.drain()?;
        if let Some(decoder) = &mut self.decoder {
            self.faulty.extend(decoder.complaints());
        }
        self.faulty.extend(self.promised.take().unwrap_or_default());
        Ok(())
    }

    /// Counts the samples that the index of an ISO BMFF file has behind the last one that could be read.
    pub(super) fn miss_unread(&mut self, input: &mut Input) {
        if self.missing || !input.context().format().name().starts_with("mov") {
            return;
        }
        let (unread, first) = input.index_behind(self.stream, self.last_dts.unwrap_or(i64::MIN));
        self.unread = unread;
        self.first_error = [self.first_error, first].into_iter().flatten().min();
    }

    pub(super) fn finish(self) -> StreamProof {
        let known = self.faulty.len() as u64;
        let unplaced = self.errors.saturating_sub(known);
        let error = self.first_error.filter(|_| unplaced + self.unread > 0);
        let mut faults = known + unplaced + self.unread;
        let mut first_fault = self.faulty.first().copied().into_iter().chain(error).min();
        // Nothing came out, and nothing says why: there is no sync sample in it.
        if faults == 0 && self.decoded == 0 && !self.missing && self.read {
            (faults, first_fault) = (1, self.start);
        }
        StreamProof {
            index: u32::try_from(self.stream).unwrap_or(u32::MAX),
            kind: self.kind,
            codec: self.codec.name().to_owned(),
            decoder: !self.missing,
            decoded: self.decoded,
            first_us: self.first.map(|ticks| self.micros(ticks)),
            last_us: self.last.map(|ticks| self.micros(ticks)),
            faults,
            first_fault_us: first_fault.map(|ticks| self.micros(ticks)),
            fault_times: self.faulty.iter().copied().collect(),
        }
    }

    fn is_decodable(&self, time: i64) -> bool {
        self.entry.is_some_and(|entry| time >= entry)
    }

    /// An error that the decoder answered, for this packet or, with frame threads, for one that it got earlier.
    fn error(&mut self) {
        if self.is_decodable(self.reached) {
            self.errors += 1;
            self.first_error.get_or_insert(self.reached);
        }
    }

    fn drain(&mut self) -> Result<(), AvError> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            match decoder.receive()? {
                Received::Frame(frame) => self.frame(frame),
                Received::Damaged => self.error(),
                Received::Wait | Received::End => return Ok(()),
            }
        }
    }

    fn frame(&mut self, frame: Frame) {
        let time = frame_ticks(&frame);
        let at = time.unwrap_or(self.reached);
        if is_damaged(&frame) {
            if self.is_decodable(at) {
                self.faulty.insert(at);
            }
        } else {
            // A stream without a marked sync sample is entered by the first picture that is whole.
            self.entry.get_or_insert(at);
        }
        let pts = frame.pts();
        let (count, end) = match self.kind {
            StreamKind::Video => {
                let picture = frame::Video::from(frame);
                if picture.is_interlaced() {
                    self.promised = None;
                }
                if let Some((promised, pts)) = self.promised.as_mut().zip(pts) {
                    promised.remove(&pts);
                }
                (1, time)
            }
            _ => {
                let sound = frame::Audio::from(frame);
                let samples = i64::try_from(sound.samples()).unwrap_or(0);
                let rate = i32::try_from(sound.rate()).unwrap_or(0);
                let length = Fraction::new(1, rate).rescale(samples, self.time_base);
                (sound.samples() as u64, time.map(|time| time.saturating_add(length)))
            }
        };
        self.decoded += count;
        self.first = self.first.or(time);
        self.last = self.last.max(end);
    }
}

/// Codecs in which every packet of a progressive stream is a picture that is shown. In VP8 and MPEG-4 Part 2 a packet
/// may be there for others alone.
const fn gives_a_picture_a_packet(codec: codec::Id) -> bool {
    use codec::Id::{AV1, H264, HEVC, MJPEG, PRORES, VP9};
    matches!(codec, H264 | HEVC | AV1 | VP9 | PRORES | MJPEG)
}
