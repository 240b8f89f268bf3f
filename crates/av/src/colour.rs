//! Colour descriptions with libav's names, which follow ITU-T H.273.

use std::ffi::{CString, c_char, c_int};

use ffmpeg_next::{codec::encoder::video as encoder, color, ffi, frame};

/// What a stream or frame says of its colours; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Colour {
    /// Colour primaries: `bt709`, `bt2020`.
    pub primaries: Option<String>,
    /// Transfer characteristics: `bt709`, `smpte2084`, `arib-std-b67`.
    pub transfer: Option<String>,
    /// Matrix coefficients: `bt709`, `bt2020nc`, `gbr`.
    pub matrix: Option<String>,
    /// Full range (0–255) rather than limited (16–235).
    pub full_range: Option<bool>,
}

impl Colour {
    pub(crate) fn of_frame(frame: &frame::Video) -> Self {
        Self::from_libav(
            frame.color_primaries(),
            frame.color_transfer_characteristic(),
            frame.color_space(),
            frame.color_range(),
        )
    }

    pub(crate) fn from_libav(
        primaries: color::Primaries,
        transfer: color::TransferCharacteristic,
        matrix: color::Space,
        range: color::Range,
    ) -> Self {
        Self {
            primaries: known(primaries.name()),
            transfer: known(transfer.name()),
            matrix: known(matrix.name()),
            full_range: match range {
                color::Range::JPEG => Some(true),
                color::Range::MPEG => Some(false),
                color::Range::Unspecified => None,
            },
        }
    }

    /// Writes the tags into an encoder, which puts them into the VUI; the muxer makes `colr` of them.
    pub(crate) fn tag(&self, video: &mut encoder::Video) {
        fn set(name: Option<&str>, find: impl Fn(*const c_char) -> c_int, put: impl FnOnce(c_int)) {
            let code = name.and_then(|name| CString::new(name).ok()).map(|name| find(name.as_ptr()));
            if let Some(code) = code.filter(|code| *code >= 0) {
                put(code);
            }
        }
        // SAFETY: names are NUL-ended; libav answers a code of its own enumerations or an error below zero, and the
        // context is not open yet.
        unsafe {
            let raw = video.as_mut_ptr();
            set(
                self.primaries.as_deref(),
                |name| ffi::av_color_primaries_from_name(name),
                |code| {
                    (*raw).color_primaries = std::mem::transmute::<c_int, ffi::AVColorPrimaries>(code);
                },
            );
            set(
                self.transfer.as_deref(),
                |name| ffi::av_color_transfer_from_name(name),
                |code| {
                    (*raw).color_trc = std::mem::transmute::<c_int, ffi::AVColorTransferCharacteristic>(code);
                },
            );
            set(
                self.matrix.as_deref(),
                |name| ffi::av_color_space_from_name(name),
                |code| {
                    (*raw).colorspace = std::mem::transmute::<c_int, ffi::AVColorSpace>(code);
                },
            );
        }
        video.set_color_range(match self.full_range {
            Some(true) => color::Range::JPEG,
            Some(false) => color::Range::MPEG,
            None => color::Range::Unspecified,
        });
    }

    /// Whether the transfer function is PQ or HLG (ITU-R BT.2100).
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        matches!(self.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }
}

fn known(name: Option<&str>) -> Option<String> {
    name.filter(|name| !matches!(*name, "unknown" | "reserved" | "unspecified")).map(str::to_owned)
}
