//! Packets to an MP4 file.

use std::path::{Path, PathBuf};
use std::ptr;

use ffmpeg_next::{Dictionary, Error as LibavError, Packet, codec, ffi, format};

use crate::bitstream::Headers;
use crate::digest::Digester;
use crate::error::{AvError, libav_errno};
use crate::fraction::Fraction;
use crate::input::{Input, file_url};
use crate::job::VideoEdit;
use crate::tkhd;
use crate::turn;

/// An MP4 file that is being written.
pub(crate) struct Mp4 {
    output: format::context::Output,
    path: PathBuf,
    /// The display matrix of each track, where it is not to be the identity.
    matrices: Vec<Option<[i32; 9]>>,
    last_dts: Vec<Option<i64>>,
    /// Whether the index has to fit before the samples.
    has_room: bool,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finished {
    /// It is whole.
    Whole,
    /// Its index was larger than the room for it, and lies over the first samples.
    NoRoom,
}

impl Mp4 {
    /// Creates the file, or empties one that is there.
    pub(crate) fn create(path: &Path) -> Result<Self, AvError> {
        crate::log::init();
        let url = file_url(path)?;
        // SAFETY: the context is fresh, and is freed here or by the wrapper; strings are NUL-ended.
        let output = unsafe {
            let mut context = ptr::null_mut();
            let made =
                ffi::avformat_alloc_output_context2(&raw mut context, ptr::null(), c"mp4".as_ptr(), url.as_ptr());
            if made < 0 {
                return Err(AvError::Missing("muxer mp4".to_owned()));
            }
            let opened = ffi::avio_open(&raw mut (*context).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE);
            if opened < 0 {
                ffi::avformat_free_context(context);
                return Err(AvError::writing(LibavError::from(opened)));
            }
            // No version of libav and no clock in the file: the same job gives the same bytes.
            (*context).flags |= ffi::AVFMT_FLAG_BITEXACT;
            format::context::Output::wrap(context)
        };
        Ok(Self { output, path: path.to_owned(), matrices: Vec::new(), last_dts: Vec::new(), has_room: false })
    }

    /// A track that takes the packets of an input's stream as they are.
    pub(crate) fn copy_track(&mut self, input: &Input, stream: usize) -> Result<usize, AvError> {
        let source =
            input.context().stream(stream).ok_or(AvError::NoStream { kind: "video or audio", index: stream })?;
        let mut track = self.output.add_stream(codec::Id::None).map_err(AvError::writing)?;
        track.set_parameters(source.parameters());
        track.set_time_base(source.time_base());
        track.set_avg_frame_rate(source.avg_frame_rate());
        let aspect = input.stream_aspect(stream);
        // SAFETY: plain fields of the fresh stream. The tag is the source container's, which MP4 may not know; 0 lets
        // the muxer choose. The sample aspect ratio of the container goes before the codec's, as in every player.
        unsafe {
            let raw = track.as_mut_ptr();
            (*(*raw).codecpar).codec_tag = 0;
            let aspect = ffi::AVRational { num: aspect.num, den: aspect.den };
            (*raw).sample_aspect_ratio = aspect;
            (*(*raw).codecpar).sample_aspect_ratio = aspect;
        }
        Ok(self.added(input.display_matrix(stream)))
    }

    /// The same with other parameters: the codec's own bytes from `headers`, size and sample aspect ratio as `edit` has
    /// them.
    pub(crate) fn edited_track(
        &mut self,
        input: &Input,
        edit: &VideoEdit,
        headers: Option<&Headers>,
    ) -> Result<usize, AvError> {
        let track = self.copy_track(input, edit.stream)?;
        let Some(mut stream) = self.output.stream_mut(track) else { return Ok(track) };
        // SAFETY: plain fields of the fresh stream's own parameters.
        unsafe {
            let raw = stream.as_mut_ptr();
            let parameters = (*raw).codecpar;
            if let Some(headers) = headers {
                set_extradata(parameters, headers.extradata())?;
            }
            if let Some((width, height)) = edit.size {
                let side =
                    |side: u32| i32::try_from(side).map_err(|_| AvError::Muxer("the picture is too large".into()));
                ((*parameters).width, (*parameters).height) = (side(width)?, side(height)?);
            }
            if edit.square_pixels {
                let square = ffi::AVRational { num: 1, den: 1 };
                (*raw).sample_aspect_ratio = square;
                (*parameters).sample_aspect_ratio = square;
            }
        }
        if let Some(size) = edit.size
            && let Some(Some(matrix)) = self.matrices.get_mut(track)
        {
            turn::place(matrix, size);
        }
        Ok(track)
    }

    /// The same with these bytes of the codec.
    pub(crate) fn extended_track(&mut self, input: &Input, stream: usize, extradata: &[u8]) -> Result<usize, AvError> {
        let track = self.copy_track(input, stream)?;
        if let Some(mut stream) = self.output.stream_mut(track) {
            // SAFETY: the fresh stream's own parameters.
            unsafe { set_extradata((*stream.as_mut_ptr()).codecpar, extradata)? };
        }
        Ok(track)
    }

    /// A track for an encoder's packets.
    pub(crate) fn encoded_track(&mut self, encoder: &codec::Context, time_base: Fraction) -> Result<usize, AvError> {
        let mut track = self.output.add_stream_with(encoder).map_err(AvError::writing)?;
        track.set_time_base(ffmpeg_next::Rational::from(time_base));
        // SAFETY: plain fields of the fresh stream.
        unsafe {
            let raw = track.as_mut_ptr();
            (*(*raw).codecpar).codec_tag = 0;
            (*raw).sample_aspect_ratio = (*(*raw).codecpar).sample_aspect_ratio;
        }
        Ok(self.added(None))
    }

    fn added(&mut self, matrix: Option<[i32; 9]>) -> usize {
        self.matrices.push(matrix);
        self.last_dts.push(None);
        self.matrices.len() - 1
    }

    /// What notes the packets of a copied track; `None` where the muxer may change them.
    pub(crate) fn digester(&self, track: usize) -> Option<Digester> {
        let track = self.output.stream(track)?;
        // SAFETY: the parameters live as long as the track.
        unsafe { Digester::before_muxer(&*track.parameters().as_ptr()) }
    }

    /// Writes the head. `timescale` is the picture's ticks a second, `moov_room` what is left free for the index.
    pub(crate) fn start(
        &mut self,
        metadata: &[(String, String)],
        language: Option<(usize, &str)>,
        all_metadata: bool,
        timescale: i32,
        moov_room: Option<u32>,
    ) -> Result<(), AvError> {
        let mut tags = Dictionary::new();
        for (key, value) in metadata.iter().filter(|(key, value)| !key.contains('\0') && !value.contains('\0')) {
            tags.set(key, value);
        }
        self.output.set_metadata(tags);
        if let Some((track, language)) = language
            && let Some(mut stream) = self.output.stream_mut(track)
        {
            let mut tags = Dictionary::new();
            tags.set("language", &language.replace('\0', ""));
            stream.set_metadata(tags);
        }
        let mut options = Dictionary::new();
        // `moov` goes first, in its room or in a second pass over the file; `colr` from the tags; edit lists for what
        // begins late or early.
        let mut flags = "+write_colr".to_owned();
        match moov_room.filter(|room| *room > 0) {
            Some(room) => {
                options.set("moov_size", &room.to_string());
                self.has_room = true;
            }
            None => flags.push_str("+faststart"),
        }
        if all_metadata {
            flags.push_str("+use_metadata_tags");
        }
        options.set("movflags", &flags);
        options.set("use_editlist", "1");
        options.set("brand", "mp42");
        options.set("video_track_timescale", &timescale.to_string());
        self.output.write_header_with(options).map(drop).map_err(AvError::writing)
    }

    /// Writes a packet whose times are ticks of `time_base`. Decode times are made to increase, as MP4 has durations
    /// for them and none can be zero.
    pub(crate) fn write(&mut self, mut packet: Packet, track: usize, time_base: Fraction) -> Result<(), AvError> {
        if packet.size() == 0 {
            return Ok(());
        }
        let own = self.output.stream(track).map_or(Fraction::MICROSECOND, |stream| stream.time_base().into());
        packet.set_stream(track);
        packet.set_position(-1);
        let to_own = |ticks: Option<i64>| ticks.map(|ticks| time_base.rescale(ticks, own));
        let (pts, dts) = (to_own(packet.pts()), to_own(packet.dts()));
        let last = self.last_dts.get(track).copied().flatten();
        let mut dts = dts.or(pts).or(last.map(|last| last + 1)).unwrap_or(0);
        if let Some(last) = last {
            dts = dts.max(last + 1);
        }
        packet.set_dts(Some(dts));
        packet.set_pts(Some(pts.unwrap_or(dts).max(dts)));
        packet.set_duration(time_base.rescale(packet.duration().max(0), own));
        if let Some(slot) = self.last_dts.get_mut(track) {
            *slot = Some(dts);
        }
        packet.write_interleaved(&mut self.output).map_err(AvError::writing)
    }

    /// Writes the index, and gives the file out of hand: what the system could not write is an error here at the
    /// latest.
    pub(crate) fn finish(mut self) -> Result<Finished, AvError> {
        match self.output.write_trailer() {
            Err(LibavError::Other { errno: libav_errno::EINVAL }) if self.has_room => return Ok(Finished::NoRoom),
            ended => ended.map_err(AvError::writing)?,
        }
        // SAFETY: the context is open and its I/O context with it. Closing it tells nobody of a failure, so the
        // buffer is written out and asked before.
        let error = unsafe {
            let io = (*self.output.as_mut_ptr()).pb;
            ffi::avio_flush(io);
            (*io).error
        };
        if error < 0 {
            return Err(AvError::writing(LibavError::from(error)));
        }
        let Self { output, path, matrices, .. } = self;
        drop(output);
        for (track, matrix) in matrices.iter().enumerate() {
            if let Some(matrix) = matrix {
                tkhd::set_matrix(&path, track, matrix)
                    .map_err(|error| AvError::io("cannot write the display matrix", error))?;
            }
        }
        Ok(Finished::Whole)
    }
}

/// Puts `extradata` in the place of the codec's own bytes.
///
/// # Safety
/// `parameters` has to be alive, and nobody else's.
unsafe fn set_extradata(parameters: *mut ffi::AVCodecParameters, extradata: &[u8]) -> Result<(), AvError> {
    let padded = extradata.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: the bytes are libav's to free, so the new ones are allocated by it, with the padding of zeros that its
    // readers count on.
    unsafe {
        let fresh = ffi::av_mallocz(padded).cast::<u8>();
        if fresh.is_null() {
            return Err(AvError::Internal("out of memory".to_owned()));
        }
        ptr::copy_nonoverlapping(extradata.as_ptr(), fresh, extradata.len());
        ffi::av_freep((&raw mut (*parameters).extradata).cast());
        (*parameters).extradata = fresh;
        (*parameters).extradata_size = i32::try_from(extradata.len()).unwrap_or(0);
    }
    Ok(())
}
