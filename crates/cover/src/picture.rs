//! Pictures as files.

use std::io::{self, Write};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError};
use pinpress_media::PictureFormat;

/// JPEG quality of a cover.
const QUALITY: u8 = 90;

/// Writes 8-bit RGB pixels, `width × height × 3` bytes.
///
/// # Errors
/// What the system says, or that the format cannot hold a picture of this size.
pub(crate) fn encode(
    out: &mut impl Write,
    (width, height): (u32, u32),
    rgb: &[u8],
    format: PictureFormat,
) -> io::Result<()> {
    let kind = ExtendedColorType::Rgb8;
    let written = match format {
        PictureFormat::Jpeg => JpegEncoder::new_with_quality(out, QUALITY).write_image(rgb, width, height, kind),
        PictureFormat::Png => PngEncoder::new(out).write_image(rgb, width, height, kind),
    };
    written.map_err(|error| match error {
        ImageError::IoError(error) => error,
        other => io::Error::other(other),
    })
}
