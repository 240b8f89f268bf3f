//! What a display matrix does, and the filters that do it to pixels.

/// First a left-right mirror of the coded picture if `mirrored`, then clockwise quarter turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// Clockwise quarter turns, 0 to 3, applied last.
    pub quarters: u8,
    /// Left and right change places first.
    pub mirrored: bool,
}

impl Turn {
    /// Shown as coded.
    pub const NONE: Self = Self { quarters: 0, mirrored: false };

    /// Reads libav's 3×3 display matrix {a b u, c d v, x y w}: the point (p, q) goes to (a·p + c·q, b·p + d·q), y
    /// downwards (ISO/IEC 14496-12 §8.3.2). Scale and offset are ignored; `None` when it is not made of mirrors
    /// and quarter turns.
    #[must_use]
    pub fn from_matrix(matrix: &[i32; 9]) -> Option<Self> {
        let [a, b, _, c, d, ..] = matrix.map(i32::signum);
        let mirrored = a * d - b * c < 0;
        let (x, y) = if mirrored { (-a, -b) } else { (a, b) };
        let quarters = match ((x, y), (c, d)) {
            ((1, 0), (0, 1)) => 0,
            ((0, 1), (-1, 0)) => 1,
            ((-1, 0), (0, -1)) => 2,
            ((0, -1), (1, 0)) => 3,
            _ => return None,
        };
        Some(Self { quarters, mirrored })
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        self.quarters % 2 == 1
    }

    /// The filters that bring the coded picture upright, in order.
    #[must_use]
    pub fn filters(self) -> Vec<&'static str> {
        let mut filters = Vec::new();
        if self.mirrored {
            filters.push("hflip");
        }
        match self.quarters % 4 {
            1 => filters.push("transpose=clock"),
            2 => filters.extend(["hflip", "vflip"]),
            3 => filters.push("transpose=cclock"),
            _ => {}
        }
        filters
    }
}

/// Moves the turned picture of this size back to where it begins at zero, if the matrix moves it at all: most writers
/// leave the offset out, and the others mean the size that the picture had.
pub(crate) fn place(matrix: &mut [i32; 9], (width, height): (u32, u32)) {
    let [a, b, _, c, d, _, x, y, _] = matrix;
    if (*x, *y) == (0, 0) {
        return;
    }
    let (width, height) = (i64::from(width), i64::from(height));
    let back = |across: i32, down: i32| {
        let least = (i64::from(across) * width).min(0) + (i64::from(down) * height).min(0);
        i32::try_from(-least).unwrap_or(0)
    };
    (*x, *y) = (back(*a, *c), back(*b, *d));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 0x1_0000;

    #[test]
    fn matrices_of_phones_and_editors() {
        let read = |a, b, c, d| {
            Turn::from_matrix(&[a, b, 0, c, d, 0, 0, 0, 0x4000_0000]).map(|turn| (turn.quarters, turn.mirrored))
        };
        assert_eq!(read(ONE, 0, 0, ONE), Some((0, false)));
        assert_eq!(read(0, ONE, -ONE, 0), Some((1, false)));
        assert_eq!(read(-ONE, 0, 0, -ONE), Some((2, false)));
        assert_eq!(read(0, -ONE, ONE, 0), Some((3, false)));
        assert_eq!(read(-ONE, 0, 0, ONE), Some((0, true)));
        assert_eq!(read(ONE, 0, 0, -ONE), Some((2, true)));
        assert_eq!(read(ONE, ONE, -ONE, ONE), None, "45 degrees");
        assert_eq!(read(0, 0, 0, 0), None);
    }

    #[test]
    fn a_turned_picture_of_another_size_still_begins_at_zero() {
        let mut matrix = [0, ONE, 0, -ONE, 0, 0, 1080 * ONE, 0, 0x4000_0000];
        place(&mut matrix, (1920, 1000));
        assert_eq!((matrix[6], matrix[7]), (1000 * ONE, 0));
        let mut matrix = [0, ONE, 0, -ONE, 0, 0, 0, 0, 0x4000_0000];
        place(&mut matrix, (1920, 1000));
        assert_eq!((matrix[6], matrix[7]), (0, 0));
        let mut matrix = [-ONE, 0, 0, 0, -ONE, 0, 1920 * ONE, 1080 * ONE, 0x4000_0000];
        place(&mut matrix, (1280, 720));
        assert_eq!((matrix[6], matrix[7]), (1280 * ONE, 720 * ONE));
    }
}
