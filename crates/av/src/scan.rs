//! Every packet of a file looked at, none decoded.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use ffmpeg_next::packet::Ref as _;
use ffmpeg_next::{Packet, ffi};

use crate::digest::{Digester, StreamDigest, Units};
use crate::error::AvError;
use crate::facts::{self, Facts, StreamFacts};
use crate::input::{Cancel, Input, Next, regular_file};
use crate::nal::{self, Form};
use crate::sniff;

/// Presentation times that are held back to bring them in order; H.264 and HEVC reorder within 16 pictures, fields
/// double it.
const REORDER: usize = 48;

/// Packets between two calls of the observer.
const REPORT_EVERY: u64 = 256;

/// Facts, and what the packets say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What libav said when the file was opened.
    pub facts: Facts,
    /// One a stream, in file order.
    pub streams: Vec<StreamScan>,
    /// Pieces between packets that the demuxer could not make sense of.
    pub damaged: u64,
    /// Decode or presentation time of the last packet before the first damaged piece, in microseconds.
    pub first_damage_us: Option<i64>,
}

/// What the packets of one stream say. Times are ticks of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamScan {
    /// Packets that are shown.
    pub packets: u64,
    /// Packets that an edit list keeps from being shown.
    pub hidden: u64,
    /// Shown packets that decode by themselves.
    pub keys: u64,
    /// Whether the first packet is a sync sample (for H.264 an IDR picture), none is shown before it and none is hidden:
    /// the stream can follow on itself.
    pub clean_start: bool,
    /// Bytes of all packets.
    pub bytes: u64,
    /// Packets that the demuxer marks corrupt, cut short for instance.
    pub corrupt: u64,
    /// Time of the first of them.
    pub first_corrupt: Option<i64>,
    /// The earliest shown time.
    pub first: Option<i64>,
    /// The latest shown time.
    pub last: Option<i64>,
    /// The latest end of a shown packet: time and duration.
    pub end: Option<i64>,
    /// Where the shown packets before the first corrupt one end.
    pub whole_end: Option<i64>,
    /// Decode times that did not increase.
    pub unordered: u64,
    /// Shown packets without a presentation time of their own.
    pub untimed: u64,
    /// The shortest time between two shown pictures in order of presentation (of decoding, where packets are untimed).
    pub shortest: Option<i64>,
    /// The longest such time. The last picture's own duration is not among these.
    pub longest: Option<i64>,
    /// The time between the last two decode times that differ.
    pub last_step: Option<i64>,
    /// Whether `shortest` and `longest` are by decode times, as presentation times are missing.
    pub by_decode_time: bool,
}

/// Reads every packet of the file at `path`. `observe` gets the time that was reached, in microseconds, now and then.
///
/// # Errors
/// When the file cannot be opened or read, or `cancel` is set. Damage is counted, not an error.
pub fn scan(path: &Path, cancel: &Cancel, observe: &mut dyn FnMut(i64)) -> Result<Scan, AvError> {
    scan_digests(path, &[], cancel, observe).map(|(scan, _)| scan)
}

/// As [`scan`], and hashes the packets of the first streams of an MP4 that libav wrote: one place a stream in `units`,
/// `None` for one that is of no interest. A digest is `None` for that, or where a packet is not in the form that the
/// units have in MP4.
///
/// # Errors
/// As [`scan`].
pub fn scan_digests(
    path: &Path,
    units: &[Option<Units>],
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<(Scan, Vec<Option<StreamDigest>>), AvError> {
    regular_file(path)?;
    let top = sniff::top_level(path).map_err(|error| AvError::io("cannot read it", error))?;
    let mut input = Input::open(path, cancel)?;
    let facts = facts::read(&input, top);
    let mut streams: Vec<Counter> = facts.streams.iter().map(Counter::of).collect();
    let mut digesters: Vec<_> = units.iter().map(|units| units.map(Digester::after_muxer)).collect();
    let (mut damaged, mut first_damage_us, mut reached, mut count, mut run) = (0, None, 0, 0, 0);
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) => {
                let Some(counter) = streams.get_mut(packet.stream()) else { continue };
                counter.add(&packet);
                if let Some(Some(digester)) = digesters.get_mut(packet.stream()) {
                    digester.add(&packet);
                }
                if let Some(ticks) = packet.dts().or(packet.pts()) {
                    reached = input.time_base(packet.stream()).micros(ticks);
                }
                count += 1;
                if count % REPORT_EVERY == 0 {
                    observe(reached);
                }
            }
            Next::Damaged => {
                damaged += 1;
                first_damage_us.get_or_insert(reached);
            }
            Next::End => break,
        }
    }
    let streams = streams.into_iter().map(Counter::finish).collect();
    let digests = digesters.into_iter().map(|digester| digester.and_then(Digester::finish)).collect();
    Ok((Scan { facts, streams, damaged, first_damage_us }, digests))
}

/// Hashes the packets of the first streams of an MP4, edit lists left out of account: every sample that it holds. One
/// place a stream in `units`, as in [`scan_digests`].
///
/// # Errors
/// As [`scan`].
pub fn digest_samples(
    path: &Path,
    units: &[Option<Units>],
    cancel: &Cancel,
) -> Result<Vec<Option<StreamDigest>>, AvError> {
    let mut input = Input::open_with(path, cancel, &[("ignore_editlist", "1")])?;
    let mut digesters: Vec<_> = units.iter().map(|units| units.map(Digester::after_muxer)).collect();
    let mut run = 0;
    loop {
        match input.next(&mut run)? {
            Next::Packet(packet) => {
                if let Some(Some(digester)) = digesters.get_mut(packet.stream()) {
                    digester.add(&packet);
                }
            }
            Next::Damaged => {}
            Next::End => break,
        }
    }
    Ok(digesters.into_iter().map(|digester| digester.and_then(Digester::finish)).collect())
}

/// Whether an edit list keeps the packet from being shown: it is decoded for what depends on it.
pub(crate) fn is_hidden(packet: &Packet) -> bool {
    // SAFETY: reading a plain field of an owned packet.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

#[derive(Default)]
struct Counter {
    scan: StreamScan,
    /// How H.264 tells its units apart; `None` for other codecs.
    form: Option<Form>,
    /// Whether the first packet is a sync sample, and its presentation time.
    began: Option<(bool, Option<i64>)>,
    /// Presentation times that are not in order yet.
    waiting: BinaryHeap<Reverse<i64>>,
    shown: Intervals,
    decoded: Intervals,
    last_dts: Option<i64>,
}

/// The shortest and longest step of a rising series.
#[derive(Default)]
struct Intervals {
    last: Option<i64>,
    step: Option<i64>,
    shortest: Option<i64>,
    longest: Option<i64>,
}

impl Intervals {
    fn add(&mut self, ticks: i64) {
        if let Some(step) = self.last.map(|last| ticks.saturating_sub(last)).filter(|step| *step > 0) {
            self.step = Some(step);
            self.shortest = Some(self.shortest.map_or(step, |shortest| shortest.min(step)));
            self.longest = Some(self.longest.map_or(step, |longest| longest.max(step)));
        }
        self.last = Some(ticks);
    }
}

impl Counter {
    fn of(stream: &StreamFacts) -> Self {
        let form = stream.video.as_ref().filter(|_| stream.codec == "h264").map(|video| Form::of(&video.configuration));
        Self { form, ..Self::default() }
    }

    fn add(&mut self, packet: &Packet) {
        if self.began.is_none() {
            let data = packet.data().unwrap_or_default();
            let idr = self.form.is_none_or(|form| nal::is_idr(&form.units(data)));
            self.began = Some((packet.is_key() && idr, packet.pts()));
        }
        let scan = &mut self.scan;
        scan.bytes += packet.size() as u64;
        if let Some(dts) = packet.dts() {
            scan.unordered += u64::from(self.last_dts.is_some_and(|last| dts <= last));
            self.last_dts = Some(dts);
        }
        if is_hidden(packet) {
            scan.hidden += 1;
            return;
        }
        scan.packets += 1;
        scan.keys += u64::from(packet.is_key());
        let Some(time) = packet.pts().or(packet.dts()) else {
            scan.untimed += 1;
            return;
        };
        if packet.is_corrupt() {
            scan.corrupt += 1;
            scan.first_corrupt.get_or_insert(time);
        }
        let end = time.saturating_add(packet.duration().max(0));
        scan.first = Some(scan.first.map_or(time, |first| first.min(time)));
        scan.last = Some(scan.last.map_or(time, |last| last.max(time)));
        scan.end = Some(scan.end.map_or(end, |last| last.max(end)));
        if scan.corrupt == 0 {
            scan.whole_end = scan.end;
        }
        if let Some(dts) = packet.dts() {
            self.decoded.add(dts);
        }
        match packet.pts() {
            Some(pts) => {
                self.waiting.push(Reverse(pts));
                if self.waiting.len() > REORDER
                    && let Some(Reverse(earliest)) = self.waiting.pop()
                {
                    self.shown.add(earliest);
                }
            }
            None => scan.untimed += 1,
        }
    }

    fn finish(mut self) -> StreamScan {
        while let Some(Reverse(earliest)) = self.waiting.pop() {
            self.shown.add(earliest);
        }
        self.scan.clean_start = self.scan.hidden == 0
            && self.began.is_some_and(|(sync, shown)| sync && shown.is_some() && shown == self.scan.first);
        self.scan.by_decode_time = self.scan.untimed > 0;
        self.scan.last_step = self.decoded.step;
        let intervals = if self.scan.by_decode_time { self.decoded } else { self.shown };
        StreamScan { shortest: intervals.shortest, longest: intervals.longest, ..self.scan }
    }
}
