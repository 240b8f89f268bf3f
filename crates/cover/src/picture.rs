//! Pictures as files.

use std::io::{self, Write};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError};
use pinpress_media::PictureFormat;

/// JPEG quality of a cover.
pub(crate) const QUALITY: u8 = 90;

/// JPEG quality of a small still, of which a report holds many.
pub(crate) const SMALL_QUALITY: u8 = 80;

/// Writes 8-bit RGB pixels, `width × height × 3` bytes; a JPEG with `quality`, 1 to 100.
///
/// # Errors
/// What the system says, or that the format cannot hold a picture of this size.
pub(crate) fn encode(
    out: &mut impl Write,
    (width, height): (u32, u32),
    rgb: &[u8],
    format: PictureFormat,
    quality: u8,
) -> io::Result<()> {
    let kind = ExtendedColorType::Rgb8;
    let written = match format {
        PictureFormat::Jpeg => JpegEncoder::new_with_quality(out, quality).write_image(rgb, width, height, kind),
        PictureFormat::Png => PngEncoder::new(out).write_image(rgb, width, height, kind),
    };
    written.map_err(|error| match error {
        ImageError::IoError(error) => error,
        other => io::Error::other(other),
    })
}
