//! Pictures as files.

use std::io::{self, Write};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError};
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
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
    size: (u32, u32),
    rgb: &[u8],
    format: PictureFormat,
    quality: u8,
) -> io::Result<()> {
    match format {
        PictureFormat::Jpeg => jpeg(out, size, rgb, quality),
        PictureFormat::Png => {
            let (width, height) = size;
            let written = PngEncoder::new(out).write_image(rgb, width, height, ExtendedColorType::Rgb8);
            written.map_err(|error| match error {
                ImageError::IoError(error) => error,
                other => io::Error::other(other),
            })
        }
    }
}

fn jpeg(out: &mut impl Write, (width, height): (u32, u32), rgb: &[u8], quality: u8) -> io::Result<()> {
    let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(io::Error::other("a JPEG has at most 65,535 pixels a side: take a PNG"));
    };
    let mut encoder = Encoder::new(out, quality);
    // Pictures of video have a colour for every two by two pixels anyway.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(rgb, width, height, ColorType::Rgb).map_err(|error| match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    })
}
