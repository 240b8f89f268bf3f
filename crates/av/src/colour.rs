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

/// Names of colour primaries by their code in ITU-T H.273 table 2, as libav spells them.
const PRIMARIES: [(u32, &str); 11] = [
    (1, "bt709"),
    (4, "bt470m"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "film"),
    (9, "bt2020"),
    (10, "smpte428"),
    (11, "smpte431"),
    (12, "smpte432"),
    (22, "ebu3213"),
];

/// Names of transfer characteristics by their code in ITU-T H.273 table 3.
const TRANSFERS: [(u32, &str); 16] = [
    (1, "bt709"),
    (4, "bt470m"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "linear"),
    (9, "log100"),
    (10, "log316"),
    (11, "iec61966-2-4"),
    (12, "bt1361e"),
    (13, "iec61966-2-1"),
    (14, "bt2020-10"),
    (15, "bt2020-12"),
    (16, "smpte2084"),
    (17, "smpte428"),
    (18, "arib-std-b67"),
];

/// Names of matrix coefficients by their code in ITU-T H.273 table 4.
const MATRICES: [(u32, &str); 13] = [
    (0, "gbr"),
    (1, "bt709"),
    (4, "fcc"),
    (5, "bt470bg"),
    (6, "smpte170m"),
    (7, "smpte240m"),
    (8, "ycgco"),
    (9, "bt2020nc"),
    (10, "bt2020c"),
    (11, "smpte2085"),
    (12, "chroma-derived-nc"),
    (13, "chroma-derived-c"),
    (14, "ictcp"),
];

/// libav's codes of the two ranges.
const LIMITED: u32 = ffi::AVColorRange::AVCOL_RANGE_MPEG as u32;
const FULL: u32 = ffi::AVColorRange::AVCOL_RANGE_JPEG as u32;

impl Colour {
    pub(crate) fn of_frame(frame: &frame::Video) -> Self {
        // SAFETY: the frame is owned. Its fields are read as the integers that they are: decoders put bytes of the
        // file there, which need not be values of the enumeration.
        unsafe {
            let raw = frame.as_ptr();
            Self::from_codes(
                (&raw const (*raw).color_primaries).cast::<u32>().read(),
                (&raw const (*raw).color_trc).cast::<u32>().read(),
                (&raw const (*raw).colorspace).cast::<u32>().read(),
                (&raw const (*raw).color_range).cast::<u32>().read(),
            )
        }
    }

    /// # Safety
    /// `raw` has to point to parameters that live during the call.
    pub(crate) unsafe fn of_parameters(raw: *const ffi::AVCodecParameters) -> Self {
        // SAFETY: as the caller says, and as for frames.
        unsafe {
            Self::from_codes(
                (&raw const (*raw).color_primaries).cast::<u32>().read(),
                (&raw const (*raw).color_trc).cast::<u32>().read(),
                (&raw const (*raw).color_space).cast::<u32>().read(),
                (&raw const (*raw).color_range).cast::<u32>().read(),
            )
        }
    }

    fn from_codes(primaries: u32, transfer: u32, matrix: u32, range: u32) -> Self {
        let name = |table: &[(u32, &str)], code| {
            table.iter().find(|(known, _)| *known == code).map(|(_, name)| (*name).to_owned())
        };
        Self {
            primaries: name(&PRIMARIES, primaries),
            transfer: name(&TRANSFERS, transfer),
            matrix: name(&MATRICES, matrix),
            full_range: match range {
                FULL => Some(true),
                LIMITED => Some(false),
                _ => None,
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

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn names_are_those_of_the_linked_libav() {
        let find = |name: &str, ask: unsafe extern "C" fn(*const c_char) -> c_int| {
            let name = CString::new(name).unwrap();
            // SAFETY: a NUL-ended string.
            unsafe { ask(name.as_ptr()) }
        };
        for (table, ask) in [
            (&PRIMARIES[..], ffi::av_color_primaries_from_name as unsafe extern "C" fn(*const c_char) -> c_int),
            (&TRANSFERS[..], ffi::av_color_transfer_from_name),
            (&MATRICES[..], ffi::av_color_space_from_name),
        ] {
            for (code, name) in table {
                assert_eq!(u32::try_from(find(name, ask)).ok(), Some(*code), "{name}");
            }
        }
        // SAFETY: a value of the enumeration; the name is a static string.
        let hlg = unsafe {
            CStr::from_ptr(ffi::av_color_transfer_name(ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67))
        };
        assert_eq!(hlg.to_str().unwrap(), "arib-std-b67");
    }

    #[test]
    fn reserved_codes_say_nothing() {
        assert_eq!(Colour::from_codes(2, 2, 2, 0), Colour::default());
        assert_eq!(Colour::from_codes(250, 250, 250, 250), Colour::default());
    }
}
