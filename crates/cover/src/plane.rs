//! The luma of a picture, and what its neighbouring pixels say.

use std::ops::Range;

use crate::Picture;

/// BT.709 luma of coded values, 0 to 1, row after row.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    width: usize,
    values: Vec<f32>,
}

impl Plane {
    pub(crate) fn of(picture: &Picture<'_>) -> Self {
        let luma = |&[r, g, b]: &[u8; 3]| 0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b);
        Self { width: picture.width(), values: picture.pixels().map(|pixel| luma(pixel) / 255.0).collect() }
    }

    /// Without the rows and columns outside.
    pub(crate) fn cropped(&self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let values = rows.flat_map(|row| &self.row(row)[columns.clone()]).copied().collect();
        Self { width: columns.len(), values }
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) const fn height(&self) -> usize {
        self.values.len() / self.width
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Mean difference to another plane, 0 to 1; all there is when it is of another size.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        if self.width != other.width || self.values.len() != other.values.len() {
            return 1.0;
        }
        let sum: f64 = self.values.iter().zip(&other.values).map(|(a, b)| f64::from((a - b).abs())).sum();
        sum / self.values.len() as f64
    }

    /// Mean magnitude of the Sobel gradient: 3 × 3 kernels without scaling, over all pixels but the border, which has
    /// no neighbours. 0 to about 4.
    pub(crate) fn gradient(&self) -> f64 {
        let (width, height) = (self.width, self.height());
        if width < 3 || height < 3 {
            return 0.0;
        }
        let mut sum = 0.0_f64;
        for y in 1..height - 1 {
            let rows = [y - 1, y, y + 1].map(|row| self.row(row));
            sum += f64::from((1..width - 1).map(|x| sobel(rows, x)).sum::<f32>());
        }
        sum / ((width - 2) * (height - 2)) as f64
    }
}

fn sobel([above, here, below]: [&[f32]; 3], x: usize) -> f32 {
    let column = |x: usize| above[x] + 2.0 * here[x] + below[x];
    let row = |row: &[f32]| row[x - 1] + 2.0 * row[x] + row[x + 1];
    (column(x + 1) - column(x - 1)).hypot(row(below) - row(above))
}
