//! From a planned encode to libav's filter description. Pure.

use pinpress_av::{Colour, Turn, picture};
use pinpress_media::{Failure, FailureKind, Fill, RateStep, VideoEncode};
use pinpress_probe::{CodedSize, Orientation, Rotation, Seconds, VideoStream};

/// The backdrop is blurred at this fraction of the canvas' sides and enlarged again: it costs a 64th, and enlarging
/// smooths what blocks are left.
const BACKDROP_FRACTION: u32 = 8;

/// Standard deviation of the backdrop's blur, in pixels of the small picture: 32 of the canvas.
const BACKDROP_SIGMA: u32 = 4;

/// libswscale's ways that show no steps in slow gradients and no shift of colour.
const SCALE_FLAGS: &str = "flags=bicubic+accurate_rnd+full_chroma_int";

/// The filters of one encode, and the tags of what comes out of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filters {
    /// With one open input and one open output.
    pub description: String,
    /// What the encoder writes.
    pub colour: Colour,
}

/// The filters for `encode` of the stream `video`, in the order that [`VideoEncode`] gives. `hold` is how long the last
/// frame is shown on.
///
/// # Errors
/// `Encoder`, when the colour of the pad is no colour.
pub fn describe(encode: &VideoEncode, video: &VideoStream, hold: Option<Seconds>) -> Result<Filters, Failure> {
    let mut chain = Vec::new();
    if let Some(CodedSize { width, height }) = encode.clean_aperture {
        chain.push(format!("crop={width}:{height}"));
    }
    if encode.deinterlace {
        chain.push(picture::DEINTERLACE.to_owned());
    }
    chain.extend(turn(encode.orientation).filters().into_iter().map(str::to_owned));
    let input = in_av(video);
    let wide_gamut = input.primaries.as_deref() == Some("bt2020");
    let colour = if encode.tone_map || wide_gamut {
        // First to its size, in its own bits and colours: tone-mapping works in floating point, and on all of 1920×1080
        // took a third of the time of an encode that ends as 1080×608. The size is even, as zimg needs it.
        let CodedSize { width, height } = encode.picture;
        chain.push(format!("scale={width}:{height}:{SCALE_FLAGS}"));
        let tagged = Colour { full_range: input.full_range.or(Some(false)), ..input.clone() };
        chain.push(if encode.tone_map {
            picture::tone_map(&tagged)
        } else {
            "zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p".to_owned()
        });
        bt709()
    } else {
        let colour = output_colour(&input, video.coded);
        chain.push(scale(encode, video, &input, &colour));
        colour
    };
    chain.push("format=yuv420p".to_owned());
    let mut description = chain.join(",");
    description.push_str(&placed(encode, &colour)?);
    description.push_str(",setsar=1");
    if let RateStep::Constant(rate) = encode.rate {
        description.push_str(&format!(",fps={}", rate.rational().to_fraction()));
    }
    if let Some(hold) = hold {
        description.push_str(&format!(",tpad=stop_mode=clone:stop_duration={}us", hold.micros().max(0)));
    }
    Ok(Filters { description, colour })
}

/// To the picture's size, the matrix that is kept, limited range.
fn scale(encode: &VideoEncode, video: &VideoStream, input: &Colour, output: &Colour) -> String {
    let CodedSize { width, height } = encode.picture;
    let to = output.matrix.as_deref().map_or("bt709", scale_name);
    let range = if video.colour.full_range == Some(true) { "pc" } else { "tv" };
    let from = match input.matrix.as_deref() {
        // RGB has no matrix to undo.
        Some("gbr") => String::new(),
        _ => format!(
            "in_color_matrix={}:in_range={range}:",
            picture::matrix(input, video.coded.width, video.coded.height)
        ),
    };
    format!("scale={width}:{height}:{from}out_color_matrix={to}:out_range=tv:{SCALE_FLAGS}")
}

/// What stands around the picture. Offsets are even, as chroma has half the places.
fn placed(encode: &VideoEncode, tags: &Colour) -> Result<String, Failure> {
    let CodedSize { width, height } = encode.canvas;
    Ok(match &encode.fill {
        Fill::None => String::new(),
        Fill::Crop { left, top } => format!(",crop={width}:{height}:{left}:{top}"),
        Fill::Colour(colour) => {
            let colour = pad_colour(colour, tags.matrix.as_deref())?;
            format!(",pad={width}:{height}:trunc((ow-iw)/4)*2:trunc((oh-ih)/4)*2:color={colour}")
        }
        Fill::Blur => {
            let (small_width, small_height) = (backdrop_side(width), backdrop_side(height));
            format!(
                ",split[front][behind];\
                 [behind]scale={small_width}:{small_height}:force_original_aspect_ratio=increase:flags=area,\
                 crop={small_width}:{small_height},gblur=sigma={BACKDROP_SIGMA},\
                 scale={width}:{height}:flags=bilinear,setsar=1[backdrop];\
                 [backdrop][front]overlay=trunc((W-w)/4)*2:trunc((H-h)/4)*2:format=yuv420"
            )
        }
    })
}

/// A side of the small backdrop: even, at least 16.
fn backdrop_side(side: u32) -> u32 {
    ((side / BACKDROP_FRACTION) & !1).max(16).min(side)
}

/// The colour as the `pad` filter has to be told it. Only digits go into the description: a user's text could hold
/// filters of its own.
fn pad_colour(name: &str, matrix: Option<&str>) -> Result<String, Failure> {
    let rgb = picture::colour(name).ok_or_else(|| {
        let message = format!("not a colour: {name:?}: give a name such as black, or 0xRRGGBB, to --pad-color");
        Failure::new(FailureKind::Encoder, message)
    })?;
    let [r, g, b] = picture::drawn(rgb, matrix.unwrap_or("bt709"));
    Ok(format!("0x{r:02x}{g:02x}{b:02x}"))
}

/// The tags of SDR that is not converted: what the source says where players agree on it, else what they assume for
/// its size.
fn output_colour(input: &Colour, coded: CodedSize) -> Colour {
    let matrix = match picture::matrix(input, coded.width, coded.height) {
        "bt601" => match input.matrix.as_deref() {
            Some("bt470bg") => "bt470bg",
            _ => "smpte170m",
        },
        _ => "bt709",
    };
    let keep = |tag: &Option<String>, usual: &str| match tag.as_deref() {
        Some(tag @ ("bt709" | "smpte170m" | "bt470bg" | "iec61966-2-1")) => Some(tag.to_owned()),
        _ => Some(usual.to_owned()),
    };
    let (primaries, transfer) = if matrix == "bt709" { ("bt709", "bt709") } else { (matrix, "smpte170m") };
    Colour {
        primaries: keep(&input.primaries, primaries),
        transfer: keep(&input.transfer, transfer),
        matrix: Some(matrix.to_owned()),
        full_range: Some(false),
    }
}

fn bt709() -> Colour {
    let tag = || Some("bt709".to_owned());
    Colour { primaries: tag(), transfer: tag(), matrix: tag(), full_range: Some(false) }
}

/// The `scale` filter's name of a matrix.
fn scale_name(matrix: &str) -> &str {
    match matrix {
        "smpte170m" | "bt470bg" => "bt601",
        other => other,
    }
}

fn in_av(video: &VideoStream) -> Colour {
    let colour = video.colour.clone();
    Colour {
        primaries: colour.primaries,
        transfer: colour.transfer,
        matrix: colour.matrix,
        full_range: colour.full_range,
    }
}

fn turn(orientation: Orientation) -> Turn {
    let quarters = match orientation.rotation {
        Rotation::None => 0,
        Rotation::Clockwise90 => 1,
        Rotation::Half => 2,
        Rotation::Clockwise270 => 3,
    };
    Turn { quarters, mirrored: orientation.mirrored }
}

/// The filters of a sound that goes from `from` channels to `to`. A downmix by libav's own matrix is made quieter until
/// it cannot clip, dialogue with it; this one keeps each channel's level and limits what would clip.
#[must_use]
pub fn describe_sound(from: Option<u16>, to: u16) -> String {
    if from.is_some_and(|from| from > to) {
        return format!(
            "aresample=center_mix_level=0.7071:surround_mix_level=0.7071:lfe_mix_level=0,\
             aformat=sample_fmts=fltp:channel_layouts={to}c,alimiter=limit=0.95:level=false"
        );
    }
    "anull".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_not_a_filter() {
        assert_eq!(pad_colour("black", None).unwrap(), "0x000000");
        assert_eq!(pad_colour("#ff8000", Some("smpte170m")).unwrap(), "0xff8000");
        for name in ["", "black,movie=x", "a;b", "a[b]", "black:x=1"] {
            assert!(pad_colour(name, None).is_err(), "{name}");
        }
    }

    #[test]
    fn tags_are_the_sources_or_go_by_size() {
        let sd = CodedSize { width: 720, height: 576 };
        let hd = CodedSize { width: 1080, height: 1920 };
        let names = |colour: Colour| [colour.primaries, colour.transfer, colour.matrix].map(Option::unwrap);
        assert_eq!(names(output_colour(&Colour::default(), hd)), ["bt709"; 3]);
        assert_eq!(names(output_colour(&Colour::default(), sd)), ["smpte170m"; 3]);
        let pal = Colour { matrix: Some("bt470bg".into()), ..Colour::default() };
        assert_eq!(names(output_colour(&pal, hd)), ["bt470bg", "smpte170m", "bt470bg"]);
        let rgb = Colour { matrix: Some("gbr".into()), ..Colour::default() };
        assert_eq!(names(output_colour(&rgb, hd)), ["bt709"; 3]);
    }

    /// Both crates read display matrices; each has its own copy of the rule, as neither may import the other.
    #[test]
    fn turns_and_orientations_are_the_same_reading_of_a_matrix() {
        for a in -1..=1 {
            for b in -1..=1 {
                for c in -1..=1 {
                    for d in -1..=1 {
                        let ours = Orientation::from_matrix(a, b, c, d).map(turn);
                        assert_eq!(ours, Turn::from_matrix(&[a, b, 0, c, d, 0, 0, 0, 1]), "{a} {b} {c} {d}");
                    }
                }
            }
        }
    }
}
