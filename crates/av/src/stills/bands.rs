//! Tone mapping of large pictures in bands: of a pixel, linear light and what leads to it take over 40 bytes.

use ffmpeg_next::{format, frame};

use super::run::share;
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::graph::{Graph, PictureShape};

/// Rows of a band; even, as two rows may share their colour.
const ROWS: u32 = 128;

/// Rows above and below that belong to its neighbours: enlarging the colour planes looks at four.
const MARGIN: u32 = 8;

/// From this many pixels on a picture is taken in bands: 1080p takes 90 MB as a whole.
const LARGE: u32 = 1920 * 1088;

/// Whether a picture is large enough to be taken in bands.
pub(super) fn is_large(frame: &frame::Video) -> bool {
    frame.width().saturating_mul(frame.height()) > LARGE
}

/// What `description`, which treats each pixel by itself but for colour planes that it enlarges, makes of a frame:
/// RGB24 of the same size.
pub(super) fn in_bands(
    frame: &frame::Video,
    description: &str,
    time_base: Fraction,
    threads: usize,
) -> Result<frame::Video, AvError> {
    let (shape, width, height) = (PictureShape::of(frame), frame.width(), frame.height());
    let mut whole = frame::Video::new(format::Pixel::RGB24, width, height);
    if whole.planes() == 0 {
        return Err(AvError::Internal("out of memory".to_owned()));
    }
    whole.set_pts(frame.pts());
    let (row, stride) = (width as usize * 3, whole.stride(0));
    for top in (0..height).step_by(ROWS as usize) {
        let (from, rows) = (top.saturating_sub(MARGIN), ROWS.min(height - top));
        let until = (top + rows + MARGIN).min(height);
        let band = format!("crop={width}:{}:0:{from}:exact=1,{description}", until - from);
        let mut graph = Graph::pictures(shape, time_base, None, &band, threads)?;
        let shared: frame::Video = share(frame)?;
        graph.send(Some(&shared))?;
        graph.send(None)?;
        let out = graph.receive()?.ok_or_else(|| AvError::Internal("a filter gave no picture".to_owned()))?;
        let out = frame::Video::from(out);
        let (band_stride, above) = (out.stride(0), (top - from) as usize);
        let lines = out.data(0).chunks(band_stride.max(1)).skip(above).take(rows as usize);
        for (line, into) in lines.zip(whole.data_mut(0).chunks_mut(stride).skip(top as usize)) {
            let pixels = line.get(..row).zip(into.get_mut(..row));
            let (line, into) = pixels.ok_or_else(|| AvError::Internal("a filter gave a part row".to_owned()))?;
            into.copy_from_slice(line);
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Colour;
    use crate::stills::tone_mapping;

    /// Slopes and checks of 10-bit HLG, in three bands and a part of one.
    fn hlg() -> frame::Video {
        let (width, height) = (64, 3 * ROWS + 34);
        let mut frame = frame::Video::new(format::Pixel::YUV420P10LE, width, height);
        for plane in 0..3 {
            let stride = frame.stride(plane);
            for (y, row) in frame.data_mut(plane).chunks_mut(stride).enumerate() {
                for (x, value) in row.chunks_mut(2).enumerate() {
                    let level = 64 + (x * 9 + y * 5 + (x / 3 + y / 3) % 2 * 200 * (plane + 1)) % 800;
                    value.copy_from_slice(&u16::try_from(level).unwrap().to_le_bytes());
                }
            }
        }
        frame
    }

    fn rows(frame: &frame::Video) -> Vec<Vec<u8>> {
        frame.data(0).chunks(frame.stride(0)).map(|row| row[..frame.width() as usize * 3].to_vec()).collect()
    }

    #[test]
    fn bands_are_the_whole_picture() {
        crate::log::init();
        let (frame, time_base) = (hlg(), Fraction::new(1, 30));
        let description = tone_mapping(&Colour::default());
        let bands = in_bands(&frame, &description, time_base, 1).unwrap();
        let mut graph = Graph::pictures(PictureShape::of(&frame), time_base, None, &description, 1).unwrap();
        graph.send(Some(&frame)).unwrap();
        graph.send(None).unwrap();
        let whole = rows(&frame::Video::from(graph.receive().unwrap().unwrap()));
        assert!(whole.iter().flatten().any(|level| *level != whole[0][0]));
        assert!(rows(&bands)[..whole.len()] == whole[..]);
    }
}
