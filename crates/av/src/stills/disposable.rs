//! Pictures that no other is made from: what they cost can be saved.

use ffmpeg_next::codec;

use crate::nal::{self, Form};

/// How the packets of a stream tell whether another picture is made from theirs.
#[derive(Clone)]
pub(super) enum References {
    /// Of H.264: each slice says so.
    H264(Form),
    /// Of H.265: so do the kind and the sub-layer of each slice, with the highest sub-layer of the stream.
    H265(Form, u8),
    /// They do not, or not to us.
    Unknown,
}

impl References {
    /// Of a stream of this codec and configuration.
    pub(super) fn of(codec: codec::Id, extradata: &[u8]) -> Self {
        match codec {
            codec::Id::H264 => Self::H264(Form::of(extradata)),
            codec::Id::HEVC => nal::highest_h265_layer(extradata)
                .map_or(Self::Unknown, |highest| Self::H265(Form::of_h265(extradata), highest)),
            _ => Self::Unknown,
        }
    }

    /// Whether it is known that no other picture is made from that of this packet.
    pub(super) fn is_disposable(&self, packet: &[u8]) -> bool {
        match self {
            Self::H264(form) => nal::is_disposable(&form.units(packet)),
            Self::H265(form, highest) => nal::is_disposable_h265(&form.units(packet), *highest),
            Self::Unknown => false,
        }
    }
}
