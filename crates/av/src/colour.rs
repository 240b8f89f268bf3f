//! Colour descriptions with libav's names, which follow ITU-T H.273.

use ffmpeg_next::{color, frame};

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

    /// Whether the transfer function is PQ or HLG (ITU-R BT.2100).
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        matches!(self.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }
}

fn known(name: Option<&str>) -> Option<String> {
    name.filter(|name| !matches!(*name, "unknown" | "reserved" | "unspecified")).map(str::to_owned)
}
