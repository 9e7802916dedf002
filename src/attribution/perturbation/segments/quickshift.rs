//! Quickshift: every pixel climbs to the nearest one of higher density.

use rand_distr::{Distribution, StandardNormal};

use super::colour::{lab, rgb};
use crate::{backend::Segmentation, picture::Picture, rng};

/// Vedaldi and Soatto, "Quick Shift and Kernel Methods for Mode Seeking", 2008, in five dimensions: row, column
/// and L*a*b* times `ratio`.
///
/// A pixel's density is a sum of Gaussians of deviation `kernel_size` over a window of three deviations to each
/// side; its parent is the nearest pixel of higher density in that window, unless farther than `max_dist`. As in
/// scikit-image, noise of 1e-5 breaks ties between densities; ours comes from a generator of ours, so pixels on
/// plateaus may join another neighbour than there.
#[must_use]
pub fn quickshift(picture: &Picture, kernel_size: f64, max_dist: f64, ratio: f64) -> Segmentation {
    let planes = rgb(picture).map(|p| lab(p).map(|v| v * ratio));
    let field = Field { height: planes.height, width: planes.width, pixels: planes.pixels };
    let reach = reach(kernel_size);
    let density = field.density(kernel_size, reach);
    let mut roots = field.parents(&density, reach, max_dist);
    // A parent is denser than its child, so that the chains end; densest last they shorten to one step.
    for i in 0..roots.len() {
        let mut root = roots[i];
        while roots[root] != root {
            root = roots[root];
        }
        let mut at = i;
        while roots[at] != root {
            (roots[at], at) = (root, roots[at]);
        }
    }
    Segmentation::renumbered(field.height, field.width, &roots)
}

fn reach(kernel_size: f64) -> isize {
    (3.0 * kernel_size).ceil() as isize
}

/// Pixels with their scaled colours.
struct Field {
    height: usize,
    width: usize,
    pixels: Vec<[f64; 3]>,
}

impl Field {
    /// The colours' squared distance.
    fn apart(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (&self.pixels[a], &self.pixels[b]);
        (0..3).map(|c| (a[c] - b[c]) * (a[c] - b[c])).sum()
    }

    /// The sum of Gaussians at every pixel, and a little noise. Each pair is looked at once, a row of pairs at a time.
    /// Single terms are in single precision: what that takes from a sum is a tenth of the noise.
    fn density(&self, kernel_size: f64, reach: isize) -> Vec<f64> {
        let falloff = (-0.5 / (kernel_size * kernel_size)) as f32;
        let mut density = vec![1.0; self.pixels.len()];
        let (h, w) = (self.height as isize, self.width as isize);
        let planes: [Vec<f32>; 3] =
            std::array::from_fn(|c| self.pixels.iter().map(|p| p[c] as f32).collect());
        let mut terms = vec![0.0f32; self.width];
        for dy in 0..=reach.min(h - 1) {
            for dx in -reach.min(w - 1)..=reach.min(w - 1) {
                if dy == 0 && dx <= 0 {
                    continue;
                }
                let near = (dy * dy + dx * dx) as f32;
                let n = (w - dx.abs()) as usize;
                for y in 0..h - dy {
                    let from = (y * w - dx.min(0)) as usize;
                    let to = ((y + dy) * w + dx.max(0)) as usize;
                    let [l, a, b] = [0, 1, 2].map(|c| (&planes[c][from..from + n], &planes[c][to..to + n]));
                    for (i, term) in terms[..n].iter_mut().enumerate() {
                        let [l, a, b] = [l.0[i] - l.1[i], a.0[i] - a.1[i], b.0[i] - b.1[i]];
                        *term = exponential((l * l + a * a + b * b + near) * falloff);
                    }
                    let add = |(d, t): (&mut f64, &f32)| *d += f64::from(*t);
                    density[from..from + n].iter_mut().zip(&terms).for_each(add);
                    density[to..to + n].iter_mut().zip(&terms).for_each(add);
                }
            }
        }
        let mut noise = rng::for_sample(0, 0);
        for d in &mut density {
            let z: f64 = StandardNormal.sample(&mut noise);
            *d += 1e-5 * z;
        }
        density
    }

    /// Each pixel's nearest denser pixel of its window; itself where there is none near enough. The window is
    /// searched from its middle outwards, until nothing farther can be nearer.
    fn parents(&self, density: &[f64], reach: isize, max_dist: f64) -> Vec<usize> {
        let mut offsets: Vec<(isize, isize)> =
            (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dy, dx))).collect();
        offsets.sort_by_key(|(dy, dx)| dy * dy + dx * dx);
        let (h, w) = (self.height as isize, self.width as isize);
        let parent = |i: usize| {
            let (y, x) = (i as isize / w, i as isize % w);
            let (mut best, mut closest) = (i, f64::INFINITY);
            for &(dy, dx) in &offsets {
                let near = (dy * dy + dx * dx) as f64;
                if near >= closest {
                    break;
                }
                let (v, u) = (y + dy, x + dx);
                if v < 0 || v >= h || u < 0 || u >= w {
                    continue;
                }
                let j = (v * w + u) as usize;
                if density[j] > density[i] {
                    let distance = near + self.apart(i, j);
                    if distance < closest {
                        (best, closest) = (j, distance);
                    }
                }
            }
            if closest.sqrt() > max_dist { i } else { best }
        };
        (0..self.pixels.len()).map(parent).collect()
    }
}

/// `exp` of what is not positive, within 1e-6 of it: without a branch or a call, so that compilers take several at a time.
/// The nearest power of two, and a Taylor polynomial for the rest.
#[inline]
fn exponential(x: f32) -> f32 {
    // Added, it leaves the rounded number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let r = x - (shifted - ROUND) * std::f32::consts::LN_2;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    let mut sum = 1.0;
    for k in [1.0 / 6.0, 0.2, 0.25, 1.0 / 3.0, 0.5, 1.0] {
        sum = 1.0 + sum * r * k;
    }
    sum * power
}

#[cfg(test)]
mod tests {
    use super::exponential;

    #[test]
    fn exponentials_are_close_enough() {
        for i in 0..17_000u16 {
            let x = f32::from(i) * -0.005;
            // Only terms that count are compared; the others' share is smaller still.
            let off = (f64::from(exponential(x)) - f64::from(x).exp()).abs();
            assert!(off < 1e-6 * f64::from(x).exp().max(0.01), "{x}");
        }
        assert_eq!(exponential(0.0), 1.0);
        assert!(exponential(-1e9) < 1e-37);
    }
}
