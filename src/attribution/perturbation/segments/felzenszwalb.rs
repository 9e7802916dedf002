//! Felzenszwalb and Huttenlocher's segmentation: a minimum spanning forest that stops at contrast.

use super::colour::{Planes, rgb};
use crate::{backend::Segmentation, picture::Picture};

/// Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", 2004, as scikit-image's
/// `felzenszwalb` runs it: the picture is smoothed, its eight-connected edges are taken from the slightest
/// difference on, and two segments are joined where the difference is less than each one's greatest inner
/// difference plus `scale` / 255 over its size; segments under `min_size` pixels join a neighbour then.
///
/// Equal differences have an order of our own, which can change a few segments.
#[must_use]
pub fn felzenszwalb(picture: &Picture, scale: f64, sigma: f64, min_size: usize) -> Segmentation {
    let planes = rgb(picture).smooth(sigma);
    let mut edges = edges(&planes);
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut forest = Forest::new(planes.pixels.len());
    let mut inner = vec![0.0; planes.pixels.len()];
    let scale = scale / 255.0;
    for &(cost, a, b) in &edges {
        let (a, b) = (forest.root(a), forest.root(b));
        let bound = |i: usize| inner[i] + scale / f64::from(forest.sizes[i]);
        if a != b && cost < bound(a).min(bound(b)) {
            let root = forest.join(a, b);
            inner[root] = cost;
        }
    }
    for &(_, a, b) in &edges {
        let (a, b) = (forest.root(a), forest.root(b));
        if a != b && (forest.sizes[a].min(forest.sizes[b]) as usize) < min_size {
            forest.join(a, b);
        }
    }
    let roots: Vec<usize> = (0..planes.pixels.len()).map(|i| forest.root(i)).collect();
    Segmentation::renumbered(planes.height, planes.width, &roots)
}

/// Every pair of touching pixels with their colours' distance: right, down, and both diagonals.
fn edges(planes: &Planes) -> Vec<(f64, usize, usize)> {
    let (h, w) = (planes.height, planes.width);
    let distance = |a: usize, b: usize| {
        let (a, b) = (&planes.pixels[a], &planes.pixels[b]);
        (0..3).map(|c| (a[c] - b[c]).powi(2)).sum::<f64>().sqrt()
    };
    let mut edges = Vec::with_capacity(4 * h * w);
    // Rows, columns and first pixel of each set of edges, and where the other end lies.
    let sets = [
        (h, w.saturating_sub(1), 0, 1),
        (h.saturating_sub(1), w, 0, w),
        (h.saturating_sub(1), w.saturating_sub(1), 0, w + 1),
        (h.saturating_sub(1), w.saturating_sub(1), 1, w - 1),
    ];
    for (rows, columns, first, step) in sets {
        for y in 0..rows {
            for x in 0..columns {
                let a = y * w + x + first;
                edges.push((distance(a, a + step), a, a + step));
            }
        }
    }
    edges
}

/// Disjoint sets of pixels.
struct Forest {
    parents: Vec<usize>,
    sizes: Vec<u32>,
}

impl Forest {
    fn new(n: usize) -> Self {
        Self { parents: (0..n).collect(), sizes: vec![1; n] }
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parents[i] != i {
            self.parents[i] = self.parents[self.parents[i]];
            i = self.parents[i];
        }
        i
    }

    /// Joins two roots, and returns the one that remains.
    fn join(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = if self.sizes[a] < self.sizes[b] { (b, a) } else { (a, b) };
        self.parents[b] = a;
        self.sizes[a] += self.sizes[b];
        a
    }
}
