//! SLIC: k-means in colour and place, from a grid of seeds.

use super::colour::{Planes, lab, rgb};
use crate::{backend::Segmentation, picture::Picture};

/// How often pixels are assigned and the means taken anew.
const ROUNDS: usize = 10;

/// Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", 2012, as scikit-image's
/// `slic` runs it: L*a*b* of the picture stretched to the whole range, ten rounds from seeds on a grid whose
/// colours do not count in the first, then segments cut into connected ones of half to three times the mean
/// size, smaller ones joined to a neighbour.
#[must_use]
pub fn slic(picture: &Picture, wanted: usize, compactness: f64) -> Segmentation {
    let (low, high) =
        picture.rgb.iter().fold((u8::MAX, u8::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let (low, span) = (f64::from(low) / 255.0, f64::from(high.saturating_sub(low).max(1)) / 255.0);
    let planes = rgb(picture).map(|p| lab(p.map(|v| (v - low) / span)).map(|v| v / compactness));
    let (steps, mut seeds) = seeds(planes.height, planes.width, wanted);
    let size = planes.pixels.len() / seeds.len().max(1);
    let mut labels = vec![0; planes.pixels.len()];
    for _ in 0..ROUNDS {
        assign(&planes, &seeds, steps, &mut labels);
        move_to_means(&planes, &mut seeds, &labels);
    }
    let connected = connect(&labels, planes.height, planes.width, size / 2, 3 * size);
    Segmentation::renumbered(planes.height, planes.width, &connected)
}

/// A cluster's mean: row, column, colour.
type Seed = [f64; 5];

/// Seeds on a regular grid of about `wanted` points, and its steps.
fn seeds(height: usize, width: usize, wanted: usize) -> ([usize; 2], Vec<Seed>) {
    let area = (height * width) as f64;
    let mut steps = [(area / wanted as f64).sqrt(); 2];
    // A side shorter than the step is crossed once, and the other gets all the points.
    let short = height.min(width) as f64;
    if area <= wanted as f64 {
        steps = [1.0; 2];
    } else if short < steps[0] {
        let long = height.max(width) as f64 / wanted as f64;
        steps = if height <= width { [short, long] } else { [long, short] };
    }
    let start = steps.map(|s| if area <= wanted as f64 { 0 } else { (s / 2.0).floor() as usize });
    let steps = steps.map(|s| (s.round_ties_even() as usize).max(1));
    let mut seeds = vec![];
    for y in (start[0]..height).step_by(steps[0]) {
        seeds.extend((start[1]..width).step_by(steps[1]).map(|x| [y as f64, x as f64, 0.0, 0.0, 0.0]));
    }
    (steps, seeds)
}

/// Gives each pixel the nearest of the seeds within two steps.
fn assign(planes: &Planes, seeds: &[Seed], steps: [usize; 2], labels: &mut [usize]) {
    let place = 1.0 / (steps[0].max(steps[1]) as f64).powi(2);
    let mut nearest = vec![f64::INFINITY; labels.len()];
    let around = |centre: f64, step: usize, side: usize| {
        let reach = 2.0 * step as f64;
        (centre - reach).max(0.0) as usize..((centre + reach + 1.0) as usize).min(side)
    };
    for (k, seed) in seeds.iter().enumerate().filter(|(_, s)| s[0].is_finite()) {
        for y in around(seed[0], steps[0], planes.height) {
            let down = (seed[0] - y as f64).powi(2);
            for x in around(seed[1], steps[1], planes.width) {
                let i = y * planes.width + x;
                let pixel = &planes.pixels[i];
                let colour: f64 = (0..3).map(|c| (pixel[c] - seed[2 + c]).powi(2)).sum();
                let distance = (down + (seed[1] - x as f64).powi(2)) * place + colour;
                if distance < nearest[i] {
                    (nearest[i], labels[i]) = (distance, k);
                }
            }
        }
    }
}

/// Moves each seed to the mean of its pixels; a seed without pixels is given up.
fn move_to_means(planes: &Planes, seeds: &mut [Seed], labels: &[usize]) {
    let mut counts = vec![0.0; seeds.len()];
    seeds.iter_mut().for_each(|s| *s = [0.0; 5]);
    for (i, (&k, pixel)) in labels.iter().zip(&planes.pixels).enumerate() {
        counts[k] += 1.0;
        let values = [(i / planes.width) as f64, (i % planes.width) as f64, pixel[0], pixel[1], pixel[2]];
        seeds[k].iter_mut().zip(values).for_each(|(s, v)| *s += v);
    }
    for (seed, count) in seeds.iter_mut().zip(counts) {
        seed.iter_mut().for_each(|s| *s /= count);
    }
}

/// Connected pieces of at most `most` pixels; a piece of fewer than `least` joins one beside it.
fn connect(labels: &[usize], height: usize, width: usize, least: usize, most: usize) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut pieces = vec![NONE; labels.len()];
    let mut next = 0;
    for start in 0..labels.len() {
        if pieces[start] != NONE {
            continue;
        }
        let (mut piece, mut visited, mut beside) = (vec![start], 0, 0);
        pieces[start] = next;
        while visited < piece.len() && piece.len() < most {
            let (y, x) = (piece[visited] / width, piece[visited] % width);
            let around = [(y, x + 1), (y, x.wrapping_sub(1)), (y + 1, x), (y.wrapping_sub(1), x)];
            for (v, u) in around.into_iter().filter(|&(v, u)| v < height && u < width) {
                let i = v * width + u;
                if pieces[i] == NONE && labels[i] == labels[start] {
                    pieces[i] = next;
                    piece.push(i);
                    if piece.len() >= most {
                        break;
                    }
                } else if pieces[i] != NONE && pieces[i] != next {
                    beside = pieces[i];
                }
            }
            visited += 1;
        }
        if piece.len() < least {
            piece.iter().for_each(|&i| pieces[i] = beside);
        } else {
            next += 1;
        }
    }
    pieces
}
