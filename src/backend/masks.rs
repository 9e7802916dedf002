//! Masks say what is hidden of an image, in forms that are small beside the images that they stand for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::BitRows;
use crate::{
    bilinear::{Neighbours, by_centres},
    error::{Error, Result},
    tensor::Tensor,
};

/// One image under many masks: where a mask is set the image shows, elsewhere the fill.
#[derive(Clone, Copy, Debug)]
pub struct Masked<'a> {
    /// `[C, H, W]`, normalised.
    pub image: &'a Tensor,
    /// The fill, which shows where the image is hidden: `[C, H, W]`, normalised.
    pub fill: &'a Tensor,
    /// One mask per image of the batch.
    pub masks: &'a Masks,
}

/// The hidden part of each image of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Masks {
    /// All but one rectangle shows.
    Rectangles(Vec<Rectangle>),
    /// Whole segments show or hide: a label map that all masks share, and one bit per segment and mask.
    Segments(#[serde(with = "labels")] Arc<Segmentation>, BitRows),
    /// Coarse grids, enlarged smoothly.
    Grids(Grids),
    /// One bit a value of the image, in its own order: channels may show and hide apart.
    Elements(BitRows),
}

/// Rows `top..bottom` and columns `left..right`, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectangle {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// The row after the last.
    pub bottom: usize,
    /// The column after the last.
    pub right: usize,
}

/// Which segment each pixel belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LabelMap")]
pub struct Segmentation {
    height: usize,
    width: usize,
    count: usize,
    labels: Vec<u32>,
    /// The end of each run of pixels of one segment, and the segment.
    #[serde(skip)]
    runs: Vec<(usize, u32)>,
}

/// A segmentation as callers give it.
#[derive(Deserialize)]
struct LabelMap {
    height: usize,
    width: usize,
    labels: Vec<i64>,
}

impl TryFrom<LabelMap> for Segmentation {
    type Error = Error;

    fn try_from(map: LabelMap) -> Result<Self> {
        Self::new(map.height, map.width, &map.labels)
    }
}

impl Segmentation {
    /// A label map, row by row: labels from 0 on, none left out.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is not one label per pixel, one is negative, or one is left out.
    pub fn new(height: usize, width: usize, labels: &[i64]) -> Result<Self> {
        if labels.is_empty() || height.checked_mul(width) != Some(labels.len()) {
            let n = labels.len();
            return Err(Error::Argument(format!("{n} labels are not one a pixel of {height} x {width}")));
        }
        let label = |&l: &i64| u32::try_from(l).ok().filter(|&l| (l as usize) < labels.len());
        let labels: Option<Vec<u32>> = labels.iter().map(label).collect();
        let labels = labels.ok_or_else(|| {
            Error::Argument("a label is negative or larger than the image; number the segments from 0".into())
        })?;
        let count = labels.iter().max().map_or(0, |&l| l as usize + 1);
        let mut used = vec![false; count];
        labels.iter().for_each(|&l| used[l as usize] = true);
        match used.iter().position(|u| !u) {
            None => Ok(Self { height, width, count, runs: runs(&labels), labels }),
            Some(gap) => Err(Error::Argument(format!(
                "no pixel belongs to segment {gap} of {count}; number the segments from 0 without gaps"
            ))),
        }
    }

    /// Numbers arbitrary labels anew, from 0 on, in the order of their values; one a pixel.
    #[must_use]
    pub fn renumbered(height: usize, width: usize, labels: &[usize]) -> Self {
        let mut values = labels.to_vec();
        values.sort_unstable();
        values.dedup();
        let place = |l: &usize| values.binary_search(l).map_or(0, |p| u32::try_from(p).unwrap_or(u32::MAX));
        let labels: Vec<u32> = labels.iter().map(place).collect();
        Self { height, width, count: values.len(), runs: runs(&labels), labels }
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many segments there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Each pixel's segment, row by row.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// How many pixels each segment has.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        self.labels.iter().for_each(|&l| sizes[l as usize] += 1);
        sizes
    }
}

fn runs(labels: &[u32]) -> Vec<(usize, u32)> {
    let mut end = 0;
    let run = |run: &[u32]| {
        end += run.len();
        (end, run[0])
    };
    labels.chunk_by(|a, b| a == b).map(run).collect()
}

/// Grids of `cells[0] x cells[1]` values from 0 (hidden) to 1 (shown), enlarged bilinearly to
/// `enlarged[0] x enlarged[1]` pixels (pixel centres at halves, edges continued), of which the image covers a
/// part that begins at a mask's own shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grids {
    /// Rows and columns of a grid.
    pub cells: [usize; 2],
    /// Height and width of the enlarged grid.
    pub enlarged: [usize; 2],
    /// Every grid, row by row.
    pub values: Vec<f32>,
    /// The place of the image's first row and column in each enlarged grid.
    pub shifts: Vec<[usize; 2]>,
}

impl Grids {
    /// The `i`-th grid as the image sees it: `height * width` weights, row by row.
    #[must_use]
    pub fn weights(&self, i: usize, height: usize, width: usize) -> Vec<f32> {
        let [rows, columns] = self.cells;
        let grid = &self.values[i * rows * columns..(i + 1) * rows * columns];
        let [top, left] = self.shifts[i];
        let across: Vec<_> = (0..width).map(|x| taps(left + x, columns, self.enlarged[1])).collect();
        // Pixels between the same two columns go together: their loop has nothing to look up.
        let between: Vec<&[(usize, f32)]> = across.chunk_by(|a, b| a.0 == b.0).collect();
        let mut weights = Vec::with_capacity(height * width);
        let mut line = vec![0.0f32; columns];
        for y in 0..height {
            let (row, share) = taps(top + y, rows, self.enlarged[0]);
            let below = (row + 1).min(rows - 1);
            for (c, v) in line.iter_mut().enumerate() {
                *v = grid[row * columns + c] * (1.0 - share) + grid[below * columns + c] * share;
            }
            for pixels in &between {
                let column = pixels[0].0;
                let (before, after) = (line[column], line[(column + 1).min(columns - 1)]);
                weights.extend(pixels.iter().map(|(_, share)| before * (1.0 - share) + after * share));
            }
        }
        weights
    }
}

/// The cell before an enlarged pixel's centre, and the next cell's share.
fn taps(pixel: usize, cells: usize, enlarged: usize) -> (usize, f32) {
    let near = Neighbours::of(by_centres(pixel, cells, enlarged), cells);
    (near.before, if near.before == near.after { 0.0 } else { near.share as f32 })
}

/// A shared segmentation, written as its label map.
mod labels {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Segmentation;

    pub fn serialize<S: Serializer>(map: &Arc<Segmentation>, serializer: S) -> Result<S::Ok, S::Error> {
        (map.height, map.width, &map.labels).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Segmentation>, D::Error> {
        let (height, width, labels) = <(usize, usize, Vec<u32>)>::deserialize(deserializer)?;
        let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
        Segmentation::new(height, width, &labels).map(Arc::new).map_err(D::Error::custom)
    }
}

impl Masks {
    /// The masks of a range.
    #[must_use]
    pub fn slice(&self, masks: std::ops::Range<usize>) -> Self {
        match self {
            Self::Rectangles(all) => Self::Rectangles(all[masks].to_vec()),
            Self::Segments(map, rows) => Self::Segments(map.clone(), rows.slice(masks)),
            Self::Elements(rows) => Self::Elements(rows.slice(masks)),
            Self::Grids(g) => {
                let one = g.cells[0] * g.cells[1];
                let values = g.values[masks.start * one..masks.end * one].to_vec();
                Self::Grids(Grids { values, shifts: g.shifts[masks].to_vec(), ..*g })
            }
        }
    }

    /// How many masks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Rectangles(r) => r.len(),
            Self::Segments(_, rows) | Self::Elements(rows) => rows.len(),
            Self::Grids(grids) => grids.shifts.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the masks are made for images of `[C, H, W]`.
    fn fits(&self, shape: &[usize]) -> bool {
        let &[channels, height, width] = shape else { return false };
        match self {
            Self::Rectangles(_) => true,
            Self::Segments(map, rows) => {
                (map.height, map.width, map.count) == (height, width, rows.bits()) && rows.is_whole()
            }
            Self::Elements(rows) => rows.bits() == channels * height * width && rows.is_whole(),
            Self::Grids(g) => {
                let one = g.cells[0] * g.cells[1];
                one > 0
                    && g.values.len() == one * g.shifts.len()
                    && g.shifts
                        .iter()
                        .all(|s| s[0] + height <= g.enlarged[0] && s[1] + width <= g.enlarged[1])
            }
        }
    }
}

impl Masked<'_> {
    /// Fails with [`Error::Argument`] unless image, fill and masks are of one size.
    pub fn check(&self) -> Result<()> {
        if self.image.shape() == self.fill.shape() && self.masks.fits(self.image.shape()) {
            return Ok(());
        }
        Err(Error::Argument(format!(
            "the fill or the masks are not of the image's size, {:?}",
            self.image.shape()
        )))
    }

    /// The image under its `i`-th mask. [`Self::check`] must have passed.
    #[must_use]
    pub fn mixed(&self, i: usize) -> Vec<f32> {
        match self.masks {
            Masks::Rectangles(rectangles) => self.without_rectangle(rectangles[i]),
            Masks::Segments(map, rows) => self.with_segments(map, rows.row(i)),
            Masks::Elements(rows) => self.with_elements(rows.words(i)),
            Masks::Grids(grids) => self.with_grid(grids, i),
        }
    }

    fn without_rectangle(&self, r: Rectangle) -> Vec<f32> {
        let mut mixed = self.image.data().to_vec();
        let [_, height, width] = *self.image.shape() else { return mixed };
        let columns = r.left.min(width)..r.right.min(width);
        if columns.is_empty() {
            return mixed;
        }
        let rows = mixed.chunks_exact_mut(width).zip(self.fill.data().chunks_exact(width)).enumerate();
        for (_, (row, fill)) in rows.filter(|(row, _)| (r.top..r.bottom).contains(&(row % height))) {
            row[columns.clone()].copy_from_slice(&fill[columns.clone()]);
        }
        mixed
    }

    /// The planes of the image, each with that of the fill.
    fn planes(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let plane = self.image.row_len();
        self.image.data().chunks_exact(plane).zip(self.fill.data().chunks_exact(plane))
    }

    fn with_segments(&self, map: &Segmentation, shown: impl Iterator<Item = bool>) -> Vec<f32> {
        let shown: Vec<bool> = shown.collect();
        let shown: Vec<(usize, bool)> = map.runs.iter().map(|&(end, l)| (end, shown[l as usize])).collect();
        let mut mixed = Vec::with_capacity(self.image.len());
        for (image, fill) in self.planes() {
            let mut start = 0;
            // Runs that are shown alike are copied at once.
            for alike in shown.chunk_by(|a, b| a.1 == b.1) {
                let (end, shown) = alike[alike.len() - 1];
                mixed.extend_from_slice(&if shown { image } else { fill }[start..end]);
                start = end;
            }
        }
        mixed
    }

    fn with_elements(&self, shown: &[u32]) -> Vec<f32> {
        let mut mixed = self.image.data().to_vec();
        let parts = mixed.chunks_mut(32).zip(self.fill.data().chunks(32));
        for ((part, fill), &word) in parts.zip(shown) {
            match word {
                u32::MAX => {}
                0 => part.copy_from_slice(fill),
                _ => part.iter_mut().zip(fill).enumerate().for_each(|(bit, (x, &f))| {
                    *x = if word >> bit & 1 == 1 { *x } else { f };
                }),
            }
        }
        mixed
    }

    fn with_grid(&self, grids: &Grids, i: usize) -> Vec<f32> {
        let [_, height, width] = *self.image.shape() else { return vec![] };
        let weights = grids.weights(i, height, width);
        let mut mixed = Vec::with_capacity(self.image.len());
        for (image, fill) in self.planes() {
            let values = image.iter().zip(fill).zip(&weights);
            mixed.extend(values.map(|((x, f), m)| m * x + (1.0 - m) * f));
        }
        mixed
    }

    /// All the masked images, written out: `[N, C, H, W]`, for a backend that cannot mix them itself.
    pub fn written(&self) -> Result<Tensor> {
        self.check()?;
        let mut shape = vec![self.masks.len()];
        shape.extend_from_slice(self.image.shape());
        Tensor::new(shape, (0..self.masks.len()).flat_map(|i| self.mixed(i)).collect())
    }
}

#[cfg(test)]
#[path = "masks_tests.rs"]
mod tests;
