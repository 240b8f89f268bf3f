//! Colour descriptions by number (ITU-T H.273), as `colr` and the bitstreams code them.

use crate::info::Colour;

/// Names of ITU-T H.273 code points as libav spells them; 2 is "unspecified".
pub(super) fn named_colour(primaries: u16, transfer: u16, matrix: u16) -> Colour {
    let primaries = match primaries {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "film",
        9 => "bt2020",
        10 => "smpte428",
        11 => "smpte431",
        12 => "smpte432",
        22 => "ebu3213",
        _ => "",
    };
    let transfer = match transfer {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "linear",
        11 => "iec61966-2-4",
        13 => "iec61966-2-1",
        14 => "bt2020-10",
        15 => "bt2020-12",
        16 => "smpte2084",
        17 => "smpte428",
        18 => "arib-std-b67",
        _ => "",
    };
    let matrix = match matrix {
        0 => "gbr",
        1 => "bt709",
        4 => "fcc",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        9 => "bt2020nc",
        10 => "bt2020c",
        14 => "ictcp",
        _ => "",
    };
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Colour { primaries: some(primaries), transfer: some(transfer), matrix: some(matrix), full_range: None }
}

/// The bitstream's description, and the container's where the bitstream is silent.
pub(super) fn merged(stream: Colour, boxed: Option<(u16, u16, u16, Option<bool>)>) -> Colour {
    let boxed = boxed.map_or_else(Colour::default, |(primaries, transfer, matrix, full_range)| Colour {
        full_range,
        ..named_colour(primaries, transfer, matrix)
    });
    Colour {
        primaries: stream.primaries.or(boxed.primaries),
        transfer: stream.transfer.or(boxed.transfer),
        matrix: stream.matrix.or(boxed.matrix),
        full_range: stream.full_range.or(boxed.full_range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitstream_goes_before_the_container() {
        let stream = Colour { full_range: Some(false), ..named_colour(1, 2, 1) };
        let both = merged(stream, Some((9, 16, 9, Some(true))));
        assert_eq!(both, Colour { full_range: Some(false), ..named_colour(1, 16, 1) });
    }
}
