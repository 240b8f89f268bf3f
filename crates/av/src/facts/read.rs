//! libav's structures, read into facts.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use ffmpeg_next::{Stream, ffi, format::stream::Disposition, media, packet};

use super::{AudioFacts, Facts, PixelFacts, StreamFacts, StreamKind, VideoFacts};
use crate::colour::Colour;
use crate::fraction::Fraction;
use crate::input::Input;
use crate::sniff::TopLevel;

/// Metadata pairs that are read; more is no description of a video.
const MAX_PAIRS: usize = 200;

/// Characters of one value that are kept.
const MAX_VALUE: usize = 1000;

pub(crate) fn facts(input: &Input, top: TopLevel) -> Facts {
    let context = input.context();
    // SAFETY: reading plain fields of the open context.
    let (metadata, start) = unsafe { (pairs((*context.as_ptr()).metadata), (*context.as_ptr()).start_time) };
    Facts {
        format: context.format().name().to_owned(),
        top,
        duration_us: input.duration_micros(),
        start_us: timestamp(start),
        bit_rate: u64::try_from(context.bit_rate()).ok().filter(|rate| *rate > 0),
        metadata,
        streams: context.streams().map(|stream| stream_facts(input, &stream)).collect(),
    }
}

fn stream_facts(input: &Input, stream: &Stream<'_>) -> StreamFacts {
    let parameters = stream.parameters();
    let kind = match parameters.medium() {
        media::Type::Video => StreamKind::Video,
        media::Type::Audio => StreamKind::Audio,
        media::Type::Subtitle => StreamKind::Subtitle,
        media::Type::Data => StreamKind::Data,
        media::Type::Attachment => StreamKind::Attachment,
        media::Type::Unknown => StreamKind::Unknown,
    };
    // SAFETY: the stream and its parameters live as long as the context that is borrowed; libav's names are static
    // strings or null.
    unsafe {
        let raw = &*parameters.as_ptr();
        StreamFacts {
            index: u32::try_from(stream.index()).unwrap_or(u32::MAX),
            kind,
            codec: name(ffi::avcodec_get_name(raw.codec_id)).unwrap_or_else(|| "none".to_owned()),
            tag: tag(raw.codec_tag),
            profile: name(ffi::avcodec_profile_name(raw.codec_id, raw.profile)),
            level: Some(raw.level).filter(|level| *level > 0),
            time_base: stream.time_base().into(),
            start: timestamp(stream.start_time()),
            duration: timestamp(stream.duration()).filter(|ticks| *ticks > 0),
            frames: u64::try_from(stream.frames()).ok().filter(|frames| *frames > 0),
            average_rate: positive(stream.avg_frame_rate().into()),
            real_rate: positive(stream.rate().into()),
            bit_rate: u64::try_from(raw.bit_rate).ok().filter(|rate| *rate > 0),
            attached_picture: stream.disposition().contains(Disposition::ATTACHED_PIC),
            default: stream.disposition().contains(Disposition::DEFAULT),
            metadata: pairs((*stream.as_ptr()).metadata),
            video: (kind == StreamKind::Video).then(|| video_facts(input, stream, raw)),
            audio: (kind == StreamKind::Audio).then(|| audio_facts(raw)),
        }
    }
}

fn video_facts(input: &Input, stream: &Stream<'_>, raw: &ffi::AVCodecParameters) -> VideoFacts {
    use ffi::AVFieldOrder::{AV_FIELD_PROGRESSIVE, AV_FIELD_UNKNOWN};
    let dolby_vision = stream.side_data().find(|data| data.kind() == packet::side_data::Type::DOVI_CONF);
    VideoFacts {
        width: u32::try_from(raw.width).unwrap_or(0),
        height: u32::try_from(raw.height).unwrap_or(0),
        pixels: pixel_facts(raw.format),
        sample_aspect: positive(input.stream_aspect(stream.index())),
        interlaced: match raw.field_order {
            AV_FIELD_UNKNOWN => None,
            AV_FIELD_PROGRESSIVE => Some(false),
            _ => Some(true),
        },
        // SAFETY: the parameters are borrowed.
        colour: unsafe { Colour::of_parameters(raw) },
        display_matrix: input.display_matrix(stream.index()),
        dolby_vision: dolby_vision.is_some(),
        // `AVDOVIDecoderConfigurationRecord` is a row of bytes: two of version, the profile.
        dolby_vision_profile: dolby_vision.and_then(|data| data.data().get(2).copied()),
        // SAFETY: libav's extradata is so many bytes, or null.
        configuration: unsafe { configuration(raw) },
    }
}

/// Bytes of a codec's configuration that are kept: parameter sets take hundreds.
const MAX_CONFIGURATION: usize = 64 << 10;

/// # Safety
/// `raw.extradata` has to be null, or to point to `raw.extradata_size` bytes.
unsafe fn configuration(raw: &ffi::AVCodecParameters) -> Vec<u8> {
    match usize::try_from(raw.extradata_size) {
        Ok(length @ 1..=MAX_CONFIGURATION) if !raw.extradata.is_null() => {
            // SAFETY: as the caller says.
            unsafe { std::slice::from_raw_parts(raw.extradata, length) }.to_vec()
        }
        _ => Vec::new(),
    }
}

fn pixel_facts(format: c_int) -> Option<PixelFacts> {
    if format < 0 || format >= ffi::AVPixelFormat::AV_PIX_FMT_NB as c_int {
        return None;
    }
    // SAFETY: `format` is inside the enumeration of the headers that the bindings are made from; the descriptor is
    // static or null.
    let descriptor = unsafe {
        let format: ffi::AVPixelFormat = std::mem::transmute(format);
        ffi::av_pix_fmt_desc_get(format).as_ref()?
    };
    let rgb = ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL | ffi::AV_PIX_FMT_FLAG_BAYER;
    Some(PixelFacts {
        // SAFETY: as above; the name is a static string.
        name: unsafe { name(descriptor.name) }?,
        bit_depth: u8::try_from(descriptor.comp[0].depth).unwrap_or(0),
        log2_chroma_width: descriptor.log2_chroma_w,
        log2_chroma_height: descriptor.log2_chroma_h,
        components: descriptor.nb_components,
        is_rgb: descriptor.flags & u64::try_from(rgb).unwrap_or(0) != 0,
    })
}

unsafe fn audio_facts(raw: &ffi::AVCodecParameters) -> AudioFacts {
    let positive = |value: c_int| u32::try_from(value).ok().filter(|value| *value > 0);
    let in_range = raw.format >= 0 && raw.format < ffi::AVSampleFormat::AV_SAMPLE_FMT_NB as c_int;
    AudioFacts {
        frame_size: positive(raw.frame_size),
        sample_rate: positive(raw.sample_rate),
        channels: positive(raw.ch_layout.nb_channels).and_then(|channels| u16::try_from(channels).ok()),
        // SAFETY: the layout is valid as part of valid parameters.
        layout: unsafe { layout_name(&raw.ch_layout) },
        sample_format: in_range
            // SAFETY: inside the enumeration; the name is a static string.
            .then(|| unsafe {
                name(ffi::av_get_sample_fmt_name(std::mem::transmute::<c_int, ffi::AVSampleFormat>(raw.format)))
            })
            .flatten(),
    }
}

/// libav's name of a channel layout; `None` when the order of the channels is not known.
///
/// # Safety
/// `layout` has to be a valid layout.
pub(crate) unsafe fn layout_name(layout: &ffi::AVChannelLayout) -> Option<String> {
    if layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
        return None;
    }
    let mut buffer: [c_char; 128] = [0; 128];
    // SAFETY: the buffer is as long as is said, and is ended with a NUL.
    unsafe {
        let written = ffi::av_channel_layout_describe(ptr::from_ref(layout), buffer.as_mut_ptr(), buffer.len());
        (written > 0).then(|| CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned())
    }
}

/// A dictionary's pairs. Written anew as the safe iterator of the bindings takes every value for UTF-8, which
/// strangers' files do not keep to.
unsafe fn pairs(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut entry = ptr::null();
    while found.len() < MAX_PAIRS {
        // SAFETY: null or a dictionary of the open context; with this flag the empty key matches each entry in turn,
        // and keys and values are NUL-ended strings.
        unsafe {
            entry = ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX);
            let Some(pair) = entry.as_ref() else { break };
            let text = |raw| CStr::from_ptr(raw).to_string_lossy().chars().take(MAX_VALUE).collect();
            found.push((text(pair.key), text(pair.value)));
        }
    }
    found
}

/// # Safety
/// `raw` has to be null or a NUL-ended string that lives during the call.
unsafe fn name(raw: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}

fn tag(tag: u32) -> Option<String> {
    let bytes = tag.to_le_bytes();
    bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        .then(|| bytes.iter().map(|byte| char::from(*byte)).collect())
}

fn timestamp(ticks: i64) -> Option<i64> {
    Some(ticks).filter(|ticks| *ticks != ffi::AV_NOPTS_VALUE)
}

fn positive(value: Fraction) -> Option<Fraction> {
    Some(value).filter(|value| value.is_positive())
}
