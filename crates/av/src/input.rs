//! Opening a file that a stranger made.

use std::ffi::{CStr, CString};
use std::fmt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ffmpeg_next::{Dictionary, Error as LibavError, Packet, ffi, format, frame, media, packet, util::interrupt};

use crate::error::AvError;
use crate::fraction::Fraction;
use crate::sniff;

/// The demuxers that may meet a file, by libav's names; `mov` is all of ISO BMFF, `matroska` WebM too. They are the
/// formats that cameras, phones, editors, screen recorders and downloads leave behind. None of them opens a second
/// file or host: playlists (hls, concat, dash), image sequences, devices and scripts are not here.
const DEMUXERS: &str = "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,asf,mxf,dv";

/// Protocols that may be used, also by demuxers that open something themselves.
const PROTOCOLS: &str = "file";

/// Bytes that `avformat_find_stream_info` may read.
const PROBE_BYTES: &str = "20000000";

/// Microseconds of media that `avformat_find_stream_info` may read.
const ANALYSE_MICROS: &str = "10000000";

/// Streams that a file may have; libav's own limit is 1,000, and each costs memory.
const MAX_STREAMS: &str = "100";

/// The caller's hold on what libav does, shared by all who have a clone: it stops the work, and may hear that it goes
/// on.
#[derive(Clone, Default)]
pub struct Cancel {
    stopped: Arc<AtomicBool>,
    beat: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Cancel {
    /// One that is not set and hears nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that is not set and calls `beat` for each frame that was decoded, on the thread that did. Pictures of a
    /// sample, and those that an encoder has taken and not yet given back (x264 looks up to 250 ahead), are no progress
    /// that could be told in time of the output; that the work goes on shows in them alone.
    #[must_use]
    pub fn with_beat(beat: impl Fn() + Send + Sync + 'static) -> Self {
        Self { beat: Some(Arc::new(beat)), ..Self::default() }
    }

    /// Sets it, for good.
    pub fn cancel(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// [`AvError::Cancelled`] when it is set.
    pub(crate) fn check(&self) -> Result<(), AvError> {
        if self.is_cancelled() { Err(AvError::Cancelled) } else { Ok(()) }
    }

    /// A frame was decoded.
    pub(crate) fn beat(&self) {
        if let Some(beat) = &self.beat {
            beat();
        }
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("stopped", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// An open file with its stream facts read.
pub(crate) struct Input {
    context: format::context::Input,
    cancel: Cancel,
}

/// One read of the demuxer.
pub(crate) enum Next {
    /// A packet.
    Packet(Packet),
    /// A piece that the demuxer could not make sense of; the next read goes on behind it.
    Damaged,
    /// No more.
    End,
}

/// Pieces in a row that the demuxer may fail to make sense of before the rest is given up.
const MAX_DAMAGED_RUN: u32 = 1000;

impl Input {
    /// Opens `path` with the protocols, demuxers and limits above. `cancel` stops this and every later read.
    pub(crate) fn open(path: &Path, cancel: &Cancel) -> Result<Self, AvError> {
        Self::open_with(path, cancel, &[])
    }

    /// As [`Input::open`], with options of the demuxer.
    pub(crate) fn open_with(path: &Path, cancel: &Cancel, more: &[(&str, &str)]) -> Result<Self, AvError> {
        let mut input = Self::open_unread(path, cancel, more)?;
        // SAFETY: the context is open; null options are allowed.
        let result = unsafe { ffi::avformat_find_stream_info(input.context.as_mut_ptr(), ptr::null_mut()) };
        input.could_read()?;
        if result < 0 {
            return Err(AvError::reading(LibavError::from(result)));
        }
        cancel.check()?;
        Ok(input)
    }

    /// The same file once more, with the stream facts that this one has read: to read them takes decoding a frame. `None`
    /// where it does not have the same streams at once, as of demuxers that meet streams on the way.
    pub(crate) fn again(&self, path: &Path) -> Result<Option<Self>, AvError> {
        let mut again = Self::open_unread(path, &self.cancel, &[])?;
        if again.context.nb_streams() != self.context.nb_streams() {
            return Ok(None);
        }
        for stream in self.context.streams() {
            let Some(mut other) = again.context.stream_mut(stream.index()) else { return Ok(None) };
            // SAFETY: both streams live as long as their contexts, which nobody uses meanwhile; libav frees what the target
            // had.
            let result = unsafe {
                let known = (*stream.as_ptr()).codecpar;
                ffi::avcodec_parameters_copy((*other.as_mut_ptr()).codecpar, known)
            };
            if result < 0 {
                return Err(AvError::reading(LibavError::from(result)));
            }
        }
        Ok(Some(again))
    }

    fn open_unread(path: &Path, cancel: &Cancel, more: &[(&str, &str)]) -> Result<Self, AvError> {
        crate::log::init();
        cancel.check()?;
        regular_file(path)?;
        let url = file_url(path)?;
        let mut options = Dictionary::new();
        for (key, value) in [
            ("protocol_whitelist", PROTOCOLS),
            ("format_whitelist", DEMUXERS),
            ("probesize", PROBE_BYTES),
            ("analyzeduration", ANALYSE_MICROS),
            ("max_streams", MAX_STREAMS),
        ]
        .iter()
        .chain(more)
        {
            options.set(key, value);
        }
        let flag = cancel.clone();
        let interrupt = interrupt::new(Box::new(move || flag.is_cancelled()));

        // SAFETY: context and I/O context are fresh. avformat_open_input frees the former when it fails and leaves the
        // latter, which is ours as it was not opened by libav; the flag that says so is taken back once it is open, so
        // that both are freed as one. The interrupt callback's closure lives in `interrupt.guard`, which moves into the
        // wrapped context and is dropped after it.
        let opened = unsafe {
            let mut pb = open_io(&url, &interrupt.interrupt).map_err(|error| sort_open_error(path, error))?;
            let mut context = ffi::avformat_alloc_context();
            if context.is_null() {
                ffi::avio_closep(&raw mut pb);
                return Err(AvError::Internal("out of memory".to_owned()));
            }
            (*context).pb = pb;
            (*context).interrupt_callback = interrupt.interrupt;
            let mut raw_options = options.disown();
            let result =
                ffi::avformat_open_input(&raw mut context, url.as_ptr(), ptr::null_mut(), &raw mut raw_options);
            drop(Dictionary::own(raw_options));
            if result < 0 {
                // A demuxer that cannot read on says that the file makes no sense.
                let cause = if (*pb).error < 0 { (*pb).error } else { result };
                ffi::avio_closep(&raw mut pb);
                Err(LibavError::from(cause))
            } else {
                (*context).flags &= !ffi::AVFMT_FLAG_CUSTOM_IO;
                Ok(format::context::Input::wrap_with_interrupt(context, interrupt.guard))
            }
        };
        let context = opened.map_err(|error| sort_open_error(path, error))?;
        Ok(Self { context, cancel: cancel.clone() })
    }

    /// Fails when the system has refused a read since the file was opened. Demuxers take it for the end of the file or
    /// for damage; libav's I/O keeps it.
    fn could_read(&self) -> Result<(), AvError> {
        // SAFETY: reading plain fields; the I/O context lives as long as the context.
        let error = unsafe { (*self.context.as_ptr()).pb.as_ref().map_or(0, |io| io.error) };
        if error < 0 { Err(AvError::reading(LibavError::from(error))) } else { Ok(()) }
    }

    pub(crate) const fn context(&self) -> &format::context::Input {
        &self.context
    }

    /// The picture that a player shows: the first video stream that is no attached picture.
    pub(crate) fn first_video(&self) -> Result<usize, AvError> {
        self.context
            .streams()
            .find(|stream| {
                stream.parameters().medium() == media::Type::Video
                    && !stream.disposition().contains(format::stream::Disposition::ATTACHED_PIC)
            })
            .map(|stream| stream.index())
            .ok_or_else(|| AvError::NotAVideo("it holds no moving picture".to_owned()))
    }

    /// Fails unless `stream` is there and of this kind.
    pub(crate) fn expect_kind(&self, stream: usize, kind: media::Type, name: &'static str) -> Result<(), AvError> {
        let found = self.context.stream(stream).is_some_and(|stream| stream.parameters().medium() == kind);
        if found { Ok(()) } else { Err(AvError::NoStream { kind: name, index: stream }) }
    }

    /// The time base of a stream.
    pub(crate) fn time_base(&self, stream: usize) -> Fraction {
        self.context.stream(stream).map_or(Fraction::MICROSECOND, |stream| stream.time_base().into())
    }

    /// When the first frame of a stream is shown, in its ticks.
    pub(crate) fn start_ticks(&self, stream: usize) -> Option<i64> {
        self.context.stream(stream).map(|stream| stream.start_time()).filter(|start| *start != ffi::AV_NOPTS_VALUE)
    }

    /// When the first moving picture or sound is shown, in ticks, and the time base of these.
    pub(crate) fn first_shown(&self) -> (i64, Fraction) {
        let starts = self.context.streams().filter(|stream| match stream.parameters().medium() {
            media::Type::Audio => true,
            media::Type::Video => !stream.disposition().contains(format::stream::Disposition::ATTACHED_PIC),
            _ => false,
        });
        let starts =
            starts.filter_map(|stream| Some((self.start_ticks(stream.index())?, Fraction::from(stream.time_base()))));
        starts.min_by_key(|(ticks, base)| base.micros(*ticks)).unwrap_or((0, Fraction::MICROSECOND))
    }

    /// When the file's first picture or sound is shown, in microseconds; 0 when nobody says.
    pub(crate) fn start_micros(&self) -> i64 {
        // SAFETY: reading a plain field of the open context.
        match unsafe { (*self.context.as_ptr()).start_time } {
            ffi::AV_NOPTS_VALUE => 0,
            start => start,
        }
    }

    /// The file's duration in microseconds, by its index or by estimate.
    pub(crate) fn duration_micros(&self) -> Option<i64> {
        Some(self.context.duration()).filter(|micros| *micros > 0)
    }

    /// What the demuxer may leave out of `stream`.
    pub(crate) fn discard(&mut self, stream: usize, what: ffi::AVDiscard) {
        if let Some(mut stream) = self.context.stream_mut(stream) {
            // SAFETY: writing a plain field that the demuxer reads before each packet; nobody reads now.
            unsafe { (*stream.as_mut_ptr()).discard = what };
        }
    }

    /// Discards all streams but those.
    pub(crate) fn keep_only(&mut self, kept: &[usize]) {
        for index in 0..self.context.nb_streams() as usize {
            if !kept.contains(&index) {
                self.discard(index, ffi::AVDiscard::AVDISCARD_ALL);
            }
        }
    }

    /// Goes to the last sync sample of `stream` at or before `ticks` of its time base, as its index has it.
    pub(crate) fn seek_before(&mut self, stream: usize, ticks: i64) -> Result<(), AvError> {
        let index = i32::try_from(stream).map_err(|_| AvError::NoStream { kind: "video", index: stream })?;
        // SAFETY: the context is open and `index` is one of its streams; libav checks the index again.
        let result = unsafe { ffi::avformat_seek_file(self.context.as_mut_ptr(), index, i64::MIN, ticks, ticks, 0) };
        self.could_read()?;
        sought(result)
    }

    /// Goes to the beginning. Transport and program streams are asked by byte, as they search for a time and miss the
    /// first sync sample; fragmented MP4 by its start time, as any earlier time lands in the last fragment.
    pub(crate) fn rewind(&mut self, stream: usize) -> Result<(), AvError> {
        if matches!(self.context.format().name(), "mpegts" | "mpeg") {
            // SAFETY: the context is open; -1 stands for no stream in particular, and is right for a byte position.
            let result = unsafe {
                ffi::avformat_seek_file(self.context.as_mut_ptr(), -1, i64::MIN, 0, 0, ffi::AVSEEK_FLAG_BYTE)
            };
            self.could_read()?;
            return sought(result);
        }
        if let Some(start) = self.start_ticks(stream)
            && self.seek_before(stream, start).is_ok()
        {
            return Ok(());
        }
        self.seek_before(stream, i64::MIN + 1)
    }

    /// The display matrix of a stream (ISO/IEC 14496-12 §8.3.2), in libav's layout.
    pub(crate) fn display_matrix(&self, stream: usize) -> Option<[i32; 9]> {
        let stream = self.context.stream(stream)?;
        let data = stream.side_data().find(|data| data.kind() == packet::side_data::Type::DisplayMatrix)?;
        let mut matrix = [0; 9];
        let bytes = data.data().as_chunks::<4>().0;
        for (to, from) in matrix.iter_mut().zip(bytes) {
            *to = i32::from_ne_bytes(*from);
        }
        (bytes.len() >= matrix.len()).then_some(matrix)
    }

    /// Whether the stream says that its pictures are made of two fields.
    pub(crate) fn is_flagged_interlaced(&self, stream: usize) -> bool {
        use ffi::AVFieldOrder::{AV_FIELD_BB, AV_FIELD_BT, AV_FIELD_TB, AV_FIELD_TT};
        self.context.stream(stream).is_some_and(|stream| {
            let parameters = stream.parameters();
            // SAFETY: reading a plain field of the stream's parameters, which live as long as the context.
            let order = unsafe { (*parameters.as_ptr()).field_order };
            matches!(order, AV_FIELD_TT | AV_FIELD_BB | AV_FIELD_TB | AV_FIELD_BT)
        })
    }

    /// Whether pictures are shown in another order than they are decoded in.
    pub(crate) fn is_reordered(&self, stream: usize) -> bool {
        self.context.stream(stream).is_some_and(|stream| {
            let parameters = stream.parameters();
            // SAFETY: reading a plain field of the stream's parameters, which live as long as the context.
            unsafe { (*parameters.as_ptr()).video_delay != 0 }
        })
    }

    /// The shape of a pixel: what the container says, else what the frame says; 0/1 when nobody does.
    pub(crate) fn sample_aspect(&self, stream: usize, frame: &frame::Video) -> Fraction {
        // SAFETY: the pointer is read in this call only, while the frame is borrowed.
        self.guess_aspect(stream, unsafe { frame.as_ptr() })
    }

    /// The shape of a pixel: what the container says, else what the codec's parameters say; 0/1 when nobody does.
    pub(crate) fn stream_aspect(&self, stream: usize) -> Fraction {
        self.guess_aspect(stream, ptr::null())
    }

    fn guess_aspect(&self, stream: usize, frame: *const ffi::AVFrame) -> Fraction {
        let Some(stream) = self.context.stream(stream) else { return Fraction::new(0, 1) };
        // SAFETY: context and stream are alive, the frame is alive or null; libav reads sample aspect ratios only.
        let aspect = unsafe {
            ffi::av_guess_sample_aspect_ratio(
                self.context.as_ptr().cast_mut(),
                stream.as_ptr().cast_mut(),
                frame.cast_mut(),
            )
        };
        Fraction::new(aspect.num, aspect.den)
    }

    /// The codec's own bytes.
    pub(crate) fn extradata(&self, stream: usize) -> Vec<u8> {
        let Some(stream) = self.context.stream(stream) else { return Vec::new() };
        let parameters = stream.parameters();
        // SAFETY: the parameters live as long as the context; libav keeps pointer and size of the bytes together.
        unsafe {
            let raw: *const ffi::AVCodecParameters = parameters.as_ptr();
            match usize::try_from((*raw).extradata_size) {
                Ok(size) if !(*raw).extradata.is_null() => std::slice::from_raw_parts((*raw).extradata, size).to_vec(),
                _ => Vec::new(),
            }
        }
    }

    /// Samples in each packet of sound; 0 when it is not known or not constant.
    pub(crate) fn frame_size(&self, stream: usize) -> i64 {
        self.context.stream(stream).map_or(0, |stream| {
            let parameters = stream.parameters();
            // SAFETY: reading a plain field of the stream's parameters, which live as long as the context.
            i64::from(unsafe { (*parameters.as_ptr()).frame_size })
        })
    }

    /// Samples a second of sound.
    pub(crate) fn sample_rate(&self, stream: usize) -> i32 {
        self.context.stream(stream).map_or(0, |stream| {
            let parameters = stream.parameters();
            // SAFETY: as above.
            unsafe { (*parameters.as_ptr()).sample_rate }
        })
    }

    /// Decode times of the sync samples in the demuxer's index, in ticks.
    pub(crate) fn sync_index(&mut self, stream: usize) -> Vec<i64> {
        let Some(mut stream) = self.context.stream_mut(stream) else { return Vec::new() };
        // SAFETY: the stream is alive and nothing is read meanwhile, so the index does not move; libav answers null
        // for a place past its end.
        unsafe {
            let raw = stream.as_mut_ptr();
            (0..ffi::avformat_index_get_entries_count(raw))
                .filter_map(|at| ffi::avformat_index_get_entry(raw, at).as_ref())
                .filter(|entry| {
                    entry.flags() & ffi::AVINDEX_KEYFRAME != 0 && entry.flags() & ffi::AVINDEX_DISCARD_FRAME == 0
                })
                .map(|entry| entry.timestamp)
                .collect()
        }
    }

    /// The decode time from which on the container lets a stream be entered. Packets cannot tell: libav's parser takes
    /// the mark off a sync sample that it does not recognise, as from one that is broken. ISO BMFF lists them; transport
    /// and program streams may begin anywhere and leave it to the parser (`None`); all others begin with one.
    pub(crate) fn entry(&mut self, stream: usize) -> Option<i64> {
        match self.context.format().name() {
            "mpegts" | "mpeg" => None,
            name if !name.starts_with("mov") => Some(i64::MIN),
            _ => {
                let mut stream = self.context.stream_mut(stream)?;
                // SAFETY: as above.
                unsafe {
                    let raw = stream.as_mut_ptr();
                    (0..ffi::avformat_index_get_entries_count(raw))
                        .filter_map(|at| ffi::avformat_index_get_entry(raw, at).as_ref())
                        .find(|entry| entry.flags() & ffi::AVINDEX_KEYFRAME != 0)
                        .map(|entry| entry.timestamp)
                }
            }
        }
    }

    /// Samples that the demuxer's index promises to show behind `ticks` of decode time, and when the first of them is
    /// decoded.
    pub(crate) fn index_behind(&mut self, stream: usize, ticks: i64) -> (u64, Option<i64>) {
        let Some(mut stream) = self.context.stream_mut(stream) else { return (0, None) };
        // SAFETY: as above.
        unsafe {
            let raw = stream.as_mut_ptr();
            (0..ffi::avformat_index_get_entries_count(raw))
                .rev()
                .filter_map(|at| ffi::avformat_index_get_entry(raw, at).as_ref())
                .take_while(|entry| entry.timestamp > ticks)
                .filter(|entry| entry.flags() & ffi::AVINDEX_DISCARD_FRAME == 0)
                .fold((0, None), |(count, _), entry| (count + 1, Some(entry.timestamp)))
        }
    }

    /// Reads on. Damaged pieces are told, not skipped in silence; the system's errors end it.
    pub(crate) fn next(&mut self, damaged_run: &mut u32) -> Result<Next, AvError> {
        self.cancel.check()?;
        let mut packet = Packet::empty();
        let read = packet.read(&mut self.context);
        self.could_read()?;
        match read {
            Ok(()) => {
                *damaged_run = 0;
                Ok(Next::Packet(packet))
            }
            Err(LibavError::Eof) => Ok(Next::End),
            Err(LibavError::InvalidData | LibavError::PatchWelcome) => {
                *damaged_run += 1;
                Ok(if *damaged_run > MAX_DAMAGED_RUN { Next::End } else { Next::Damaged })
            }
            // Some demuxers ask to be called again after they resynchronised.
            Err(LibavError::Other { errno }) if errno == crate::error::libav_errno::EAGAIN => {
                *damaged_run += 1;
                Ok(if *damaged_run > MAX_DAMAGED_RUN { Next::End } else { Next::Damaged })
            }
            Err(error) => Err(AvError::reading(error)),
        }
    }
}

/// Opens the file behind `url` for reading.
///
/// # Safety
/// `interrupt` has to stay valid as long as what is opened, which is the caller's to close.
unsafe fn open_io(url: &CStr, interrupt: &ffi::AVIOInterruptCB) -> Result<*mut ffi::AVIOContext, LibavError> {
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", PROTOCOLS);
    let mut io = ptr::null_mut();
    // SAFETY: the options are fresh and taken back; libav copies the callback.
    let result = unsafe {
        let mut raw_options = options.disown();
        let result = ffi::avio_open2(&raw mut io, url.as_ptr(), ffi::AVIO_FLAG_READ, interrupt, &raw mut raw_options);
        drop(Dictionary::own(raw_options));
        result
    };
    if result < 0 { Err(LibavError::from(result)) } else { Ok(io) }
}

/// What a seek answered. Demuxers that find no such time answer -1, which is also the system's "not permitted".
fn sought(result: i32) -> Result<(), AvError> {
    match LibavError::from(result.min(0)) {
        _ if result >= 0 => Ok(()),
        LibavError::Exit => Err(AvError::Cancelled),
        _ => Err(AvError::Corrupt("no time in it can be found".to_owned())),
    }
}

/// Refuses folders, pipes and devices before they are opened: opening a pipe could wait for ever.
pub(crate) fn regular_file(path: &Path) -> Result<(), AvError> {
    let metadata = std::fs::metadata(path).map_err(|error| AvError::io("cannot read it", error))?;
    if metadata.is_file() {
        return Ok(());
    }
    Err(AvError::NotAVideo("not a regular file: give a video file".to_owned()))
}

/// `file:` and the path, so that a name such as `http:x` or `concat:a|b` is a name.
pub(crate) fn file_url(path: &Path) -> Result<CString, AvError> {
    let mut url = b"file:".to_vec();
    url.extend_from_slice(path.as_os_str().as_encoded_bytes());
    CString::new(url).map_err(|_| AvError::NotAVideo("its name holds a NUL byte".to_owned()))
}

/// Why it did not open, in the file's terms.
fn sort_open_error(path: &Path, error: LibavError) -> AvError {
    let error = match AvError::system("cannot read it", error) {
        Ok(sorted) => return sorted,
        Err(error) => error,
    };
    let iso = sniff::top_level(path).ok().and_then(|top| top.iso);
    match (error, iso) {
        (_, Some(boxes)) if !boxes.has_moov => AvError::Incomplete,
        (LibavError::InvalidData, Some(_)) => AvError::Corrupt("its index (moov) does not make sense".to_owned()),
        // Outside the allow-list libav answers EINVAL, and INVALIDDATA when no demuxer knows it at all.
        (LibavError::InvalidData | LibavError::Other { .. } | LibavError::DemuxerNotFound, None) => AvError::NotAVideo(
            "its content is of no format that pinpress reads: export it as MP4 or MOV, or leave it out".to_owned(),
        ),
        (error, _) => AvError::Corrupt(error.to_string()),
    }
}
