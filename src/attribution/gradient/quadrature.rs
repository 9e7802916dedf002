//! Points and weights on `0..1`, and sums of gradients under them.

use crate::{error::Result, tensor::Tensor};

/// Gauss-Legendre nodes on `0..1`, ascending, with their weights, which sum to one: the roots of the Legendre
/// polynomial, by Newton's method from Tricomi's estimate.
#[must_use]
pub fn gauss_legendre(steps: usize) -> Vec<(f64, f64)> {
    let n = steps as f64;
    let node = |i: usize| {
        let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut last, mut value) = (1.0, x);
            for k in 2..=steps {
                let k = k as f64;
                (last, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * last) / k);
            }
            slope = n * (x * value - last) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (f64::midpoint(x, 1.0), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..steps).map(node).collect()
}

/// Sums of gradients along a way, element by element, in double precision and in the order in which they come.
pub struct PathSums {
    /// From the way's start to its end.
    difference: Vec<f64>,
    sum: Vec<f64>,
    /// The same with each weight times the slope along the way; kept only to calibrate.
    tilted: Option<Vec<f64>>,
    /// The weighted sums of the slopes and of their squares.
    slope: f64,
    square: f64,
}

impl PathSums {
    /// Nothing yet, on the way from `start` to `end`.
    #[must_use]
    pub fn new(start: &Tensor, end: &Tensor, calibrate: bool) -> Self {
        let pairs = end.data().iter().zip(start.data());
        let difference: Vec<f64> = pairs.map(|(&x, &b)| f64::from(x) - f64::from(b)).collect();
        let sum = vec![0.0; difference.len()];
        let tilted = calibrate.then(|| sum.clone());
        Self { difference, sum, tilted, slope: 0.0, square: 0.0 }
    }

    /// Takes in the gradient at a node.
    pub fn add(&mut self, weight: f64, gradient: &[f32]) {
        self.sum.iter_mut().zip(gradient).for_each(|(s, &g)| *s += weight * f64::from(g));
        let Some(tilted) = &mut self.tilted else { return };
        let slope: f64 = self.difference.iter().zip(gradient).map(|(d, &g)| d * f64::from(g)).sum();
        self.slope += weight * slope;
        self.square += weight * slope * slope;
        tilted.iter_mut().zip(gradient).for_each(|(s, &g)| *s += weight * slope * f64::from(g));
    }

    /// The difference of the ends times the mean gradient.
    ///
    /// When calibrating, weights `w` become the `w'` that are nearest to them, by `sum (w' - w)^2 / w`, among
    /// those that sum to one and give the slopes the mean that they are known to have: `rise`, by how much the
    /// score rises along the way. They are `w (1 + l (s - mean s))`. Deville and Särndal 1992, "Calibration
    /// Estimators in Survey Sampling", equation 2.3.
    pub fn finish(self, shape: &[usize], rise: f64) -> Result<Tensor> {
        let variance = self.square - self.slope * self.slope;
        // The sum is exact as it is where slopes do not vary.
        let varies = variance > 1e-9 * self.square;
        let tilt = if varies { (rise - self.slope) / variance } else { 0.0 };
        let values = self.sum.iter().zip(&self.difference).enumerate().map(|(i, (s, d))| {
            let mean = self.tilted.as_ref().map_or(*s, |t| (1.0 - tilt * self.slope) * s + tilt * t[i]);
            (mean * d) as f32
        });
        Tensor::new(shape, values.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_is_exact_for_polynomials() {
        for steps in [1, 2, 5, 50] {
            let nodes = gauss_legendre(steps);
            let degree = 2 * steps as i32 - 1;
            let integral: f64 = nodes.iter().map(|(a, w)| w * a.powi(degree)).sum();
            assert!((integral - 1.0 / f64::from(degree + 1)).abs() < 1e-12, "{steps}");
        }
    }

    /// By hand: the weights of three nodes, tilted so that the sum is right.
    #[test]
    fn calibrated_weights_are_the_nearest_that_fit() {
        let (start, end) = (Tensor::zeros([2]), Tensor::new([2], vec![1.0, 2.0]).unwrap());
        let gradients = [[1.0f32, 0.0], [0.0, 1.0], [2.0, 2.0]];
        let weights = [0.25, 0.5, 0.25];
        let run = |calibrate: bool, rise: f64| {
            let mut along = PathSums::new(&start, &end, calibrate);
            gradients.iter().zip(weights).for_each(|(g, w)| along.add(w, g));
            along.finish(&[2], rise).unwrap()
        };
        // Slopes 1, 2 and 6, their mean 2.75, their variance 11.25 - 2.75^2.
        let tilt = (3.0 - 2.75) / (11.25 - 2.75 * 2.75);
        let new: Vec<f64> =
            weights.iter().zip([1.0, 2.0, 6.0]).map(|(w, s)| w * (1.0 + tilt * (s - 2.75))).collect();
        assert!((new.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let want = [new[0] + 2.0 * new[2], 2.0 * (new[1] + 2.0 * new[2])];
        let got = run(true, 3.0);
        assert!(
            got.data().iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < 1e-6),
            "{got:?} {want:?}"
        );
        assert!((got.sum() - 3.0).abs() < 1e-6);
        assert_eq!(run(false, 3.0).data(), [0.75, 2.0]);
    }
}
