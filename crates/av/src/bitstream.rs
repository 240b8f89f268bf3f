//! Parameter sets changed in a stream that is copied, by libav's bitstream filter `h264_metadata`.
//!
//! The filter writes every unit anew, and in annex B form whatever it was given. So it is asked for sequence parameter
//! sets alone: those in the codec's parameters and those among the packets take the old ones' places, and all other
//! bytes stay as they are.

use std::ffi::CString;
use std::ptr;

use ffmpeg_next::packet::{Mut as _, Ref as _};
use ffmpeg_next::{Error as LibavError, Packet, codec, ffi};

use crate::error::AvError;
use crate::input::Input;
use crate::job::VideoEdit;
use crate::nal::{self, Configuration, Form};

const NAME: &str = "h264_metadata";

/// What may be cut off the left, in luma samples: libavcodec begins a row of each plane at a
/// multiple of 32 bytes (`av_frame_apply_cropping`), and a row of 4:2:0 chroma is half as long. What is in between is
/// shown after all, and the picture is larger than it says.
pub const LEFT_STEP: u32 = 64;

/// An open filter.
pub(crate) struct Headers {
    context: *mut ffi::AVBSFContext,
    form: Form,
    extradata: Vec<u8>,
}

// SAFETY: the context is owned, and libav ties it to no thread.
unsafe impl Send for Headers {}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: the context was allocated by libav and is freed once.
        unsafe { ffi::av_bsf_free(&raw mut self.context) };
    }
}

impl Headers {
    /// Opens the filter for a stream of H.264; `None` when `edit` changes nothing in the parameter sets.
    pub(crate) fn open(input: &Input, edit: &VideoEdit) -> Result<Option<Self>, AvError> {
        let settings = settings(edit);
        if settings.is_empty() {
            return Ok(None);
        }
        let needed = edit.cropping.is_some() || edit.square_pixels;
        match Self::open_with(input, edit, settings) {
            Err(_) if !needed => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn open_with(
        input: &Input,
        edit: &VideoEdit,
        settings: Vec<(&'static std::ffi::CStr, String)>,
    ) -> Result<Self, AvError> {
        if edit.cropping.is_some_and(|cropping| cropping.left % LEFT_STEP != 0) {
            return Err(failed("decoders obey a cut at the left in steps of 64 samples only"));
        }
        let stream =
            input.context().stream(edit.stream).ok_or(AvError::NoStream { kind: "video", index: edit.stream })?;
        if stream.parameters().id() != codec::Id::H264 {
            return Err(failed("only H.264 can be edited"));
        }
        let parameters = stream.parameters();
        // SAFETY: the filter is static; the context is fresh, and owned by `headers` before anything can fail. Its
        // parameters are copied into what libav has allocated, and its private data is an object with options.
        let headers = unsafe {
            let filter = ffi::av_bsf_get_by_name(c"h264_metadata".as_ptr());
            if filter.is_null() {
                return Err(AvError::Missing(format!("bitstream filter {NAME}")));
            }
            let mut context = ptr::null_mut();
            check(ffi::av_bsf_alloc(filter, &raw mut context))?;
            let mut headers = Self { context, form: Form::StartCodes, extradata: Vec::new() };
            check(ffi::avcodec_parameters_copy((*context).par_in, parameters.as_ptr()))?;
            (*context).time_base_in = stream.time_base().into();
            for (key, value) in settings {
                let value = CString::new(value).unwrap_or_default();
                check(ffi::av_opt_set((*context).priv_data, key.as_ptr(), value.as_ptr(), 0))?;
            }
            check(ffi::av_bsf_init(context))?;
            let before = bytes((*context).par_in);
            headers.form = Form::of(&before);
            headers.extradata = in_place(&before, &bytes((*context).par_out))?;
            headers
        };
        Ok(headers)
    }

    /// The codec's parameters with the changed sets, in the form that they had.
    pub(crate) fn extradata(&self) -> &[u8] {
        &self.extradata
    }

    /// The packet with its own sequence parameter sets changed; most have none.
    pub(crate) fn apply(&mut self, packet: Packet) -> Result<Packet, AvError> {
        let data = packet.data().unwrap_or_default();
        let units = self.form.units(data);
        if !units.iter().any(|unit| matches!(nal::kind(unit), nal::SPS | nal::PPS)) {
            return Ok(packet);
        }
        let filtered = self.filter(&packet)?;
        let changed = of_kind(Form::StartCodes.units(filtered.data().unwrap_or_default()), nal::SPS);
        let units = replaced(&units, &changed)?;
        let joined = self.form.join(units).ok_or_else(|| failed("a unit is longer than its length can say"))?;
        let mut result = Packet::copy(&joined);
        // SAFETY: both packets are owned; times, flags and side data are copied.
        check(unsafe { ffi::av_packet_copy_props(result.as_mut_ptr(), packet.as_ptr()) })?;
        Ok(result)
    }

    /// One packet through the filter, which gives one out for each.
    fn filter(&mut self, packet: &Packet) -> Result<Packet, AvError> {
        let mut given = packet.clone();
        let mut taken = Packet::empty();
        // SAFETY: the context is open; the first packet is a copy that the filter may move out of, the second is empty
        // and filled by libav.
        unsafe {
            check(ffi::av_bsf_send_packet(self.context, given.as_mut_ptr()))?;
            check(ffi::av_bsf_receive_packet(self.context, taken.as_mut_ptr()))?;
        }
        Ok(taken)
    }
}

/// The options of the filter. Cropping is absolute and in luma samples.
fn settings(edit: &VideoEdit) -> Vec<(&'static std::ffi::CStr, String)> {
    let mut settings = Vec::new();
    if let Some(cropping) = edit.cropping {
        settings.extend([
            (c"crop_left", cropping.left.to_string()),
            (c"crop_right", cropping.right.to_string()),
            (c"crop_top", cropping.top.to_string()),
            (c"crop_bottom", cropping.bottom.to_string()),
        ]);
    }
    if edit.square_pixels {
        settings.push((c"sample_aspect_ratio", "1/1".to_owned()));
    }
    if let Some(rate) = edit.frame_rate.filter(|rate| rate.is_positive()) {
        // A frame takes two ticks (§E.2.1, `num_units_in_tick`).
        settings.push((c"tick_rate", format!("{}/{}", i64::from(rate.num) * 2, rate.den)));
    }
    settings
}

/// `before` with the sequence parameter sets of `after`, which is in annex B form.
fn in_place(before: &[u8], after: &[u8]) -> Result<Vec<u8>, AvError> {
    let Some(mut configuration) = Configuration::read(before) else { return Ok(after.to_vec()) };
    let changed = of_kind(Form::StartCodes.units(after), nal::SPS);
    configuration.sequence = replaced(&configuration.sequence, &changed)?;
    configuration.write().ok_or_else(|| failed("there are too many parameter sets"))
}

/// `units` with each sequence parameter set replaced by the next of `changed`.
fn replaced<'a>(units: &[&'a [u8]], changed: &[&'a [u8]]) -> Result<Vec<&'a [u8]>, AvError> {
    let mut changed = changed.iter();
    let units = units
        .iter()
        .map(|unit| if nal::kind(unit) == nal::SPS { changed.next().copied() } else { Some(*unit) })
        .collect::<Option<Vec<_>>>();
    units.filter(|_| changed.next().is_none()).ok_or_else(|| failed("parameter sets came or went"))
}

fn of_kind(units: Vec<&[u8]>, kind: u8) -> Vec<&[u8]> {
    units.into_iter().filter(|unit| nal::kind(unit) == kind).collect()
}

/// The codec's own bytes in these parameters.
///
/// # Safety
/// `parameters` has to be alive.
unsafe fn bytes(parameters: *const ffi::AVCodecParameters) -> Vec<u8> {
    // SAFETY: libav keeps pointer and size of the bytes together.
    unsafe {
        let (data, size) = ((*parameters).extradata, (*parameters).extradata_size);
        match usize::try_from(size) {
            Ok(size) if !data.is_null() => std::slice::from_raw_parts(data, size).to_vec(),
            _ => Vec::new(),
        }
    }
}

fn check(result: i32) -> Result<(), AvError> {
    if result < 0 { Err(failed(&LibavError::from(result).to_string())) } else { Ok(()) }
}

fn failed(reason: &str) -> AvError {
    AvError::Filter { reason: reason.to_owned(), description: NAME.to_owned() }
}
