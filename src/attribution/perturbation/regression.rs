//! Weighted ridge regression on rows of zeros and ones, added one at a time.

use super::linear::Cholesky;
use crate::error::Result;

/// The sums of the rows so far. They are taken in the order of the rows, so batches change nothing.
pub struct Regression {
    features: usize,
    targets: usize,
    /// Each row: the places of its ones, its weight, its targets.
    rows: Vec<(Vec<usize>, f64, Vec<f64>)>,
    weight: f64,
    x: Vec<f64>,
    xx: Vec<f64>,
    y: Vec<f64>,
    /// `[targets, features]`.
    xy: Vec<f64>,
}

/// One target's line.
pub struct Fit {
    /// One a feature.
    pub weights: Vec<f64>,
    /// The prediction where all features are zero.
    pub intercept: f64,
    /// The weighted share of the variance that is explained.
    pub r2: f64,
    /// One a feature: how far the weight may be off for the rows being a sample.
    pub errors: Vec<f64>,
}

impl Regression {
    /// Nothing yet.
    #[must_use]
    pub fn new(features: usize, targets: usize) -> Self {
        Self {
            features,
            targets,
            rows: vec![],
            weight: 0.0,
            x: vec![0.0; features],
            xx: vec![0.0; features * features],
            y: vec![0.0; targets],
            xy: vec![0.0; targets * features],
        }
    }

    /// Adds a row by the places of its ones, in rising order.
    pub fn add(&mut self, ones: Vec<usize>, weight: f64, y: Vec<f64>) {
        self.weight += weight;
        for &i in &ones {
            self.x[i] += weight;
            let line = &mut self.xx[i * self.features..][..self.features];
            ones.iter().take_while(|&&j| j <= i).for_each(|&j| line[j] += weight);
        }
        for (k, value) in y.iter().enumerate() {
            self.y[k] += weight * value;
            let line = &mut self.xy[k * self.features..][..self.features];
            ones.iter().for_each(|&i| line[i] += weight * value);
        }
        self.rows.push((ones, weight, y));
    }

    /// The lines that minimise `sum w (y - intercept - x . weights)^2 + ridge |weights|^2`, one a target; the
    /// intercept is not held back.
    ///
    /// The errors are those of random rows and a relation that need not be linear: the sandwich
    /// `A^-1 (sum w^2 r^2 x x') A^-1` with centred rows x, residuals r and `A = sum w x x' + ridge`, times
    /// `n / (n - features - 1)` where that is defined.
    pub fn fit(&self, ridge: f64) -> Result<Vec<Fit>> {
        let (s, total) = (self.features, self.weight);
        let mut a = vec![0.0; s * s];
        for i in 0..s {
            for j in 0..=i {
                a[i * s + j] = self.xx[i * s + j] - self.x[i] * self.x[j] / total;
            }
            a[i * s + i] += ridge;
        }
        let factor = Cholesky::new(s, a)?;
        let inverse = factor.inverse();
        let means: Vec<f64> = self.x.iter().map(|x| x / total).collect();
        let fit = |k: usize| {
            let mean = self.y[k] / total;
            let xy = &self.xy[k * s..][..s];
            let right: Vec<f64> = xy.iter().zip(&self.x).map(|(xy, x)| xy - x * mean).collect();
            let weights = factor.solve(&right);
            let intercept = mean - dot(&means, &weights);
            Fit { intercept, r2: 0.0, errors: vec![0.0; s], weights }
        };
        let mut fits: Vec<Fit> = (0..self.targets).map(fit).collect();
        self.judge(&mut fits, &inverse, &means);
        Ok(fits)
    }

    /// Fills in what the residuals tell.
    fn judge(&self, fits: &mut [Fit], inverse: &[f64], means: &[f64]) {
        let s = self.features;
        let centre: Vec<f64> = (0..s).map(|i| dot(&inverse[i * s..][..s], means)).collect();
        let mut lost = vec![0.0; fits.len()];
        let mut spread = vec![0.0; fits.len()];
        let mut pull = vec![0.0; s];
        for (ones, weight, y) in &self.rows {
            // A^-1 times the centred row.
            pull.iter_mut().zip(&centre).for_each(|(p, c)| *p = -c);
            for &i in ones {
                pull.iter_mut().zip(&inverse[i * s..][..s]).for_each(|(p, a)| *p += a);
            }
            for (k, fit) in fits.iter_mut().enumerate() {
                let predicted = fit.intercept + ones.iter().map(|&i| fit.weights[i]).sum::<f64>();
                let residual = y[k] - predicted;
                lost[k] += weight * residual * residual;
                spread[k] += weight * (y[k] - self.y[k] / self.weight).powi(2);
                let scale = (weight * residual).powi(2);
                fit.errors.iter_mut().zip(&pull).for_each(|(e, p)| *e += scale * p * p);
            }
        }
        let n = self.rows.len() as f64;
        let free = n - s as f64 - 1.0;
        let widen = if free >= 1.0 { n / free } else { n };
        for (k, fit) in fits.iter_mut().enumerate() {
            fit.r2 = if spread[k] > 0.0 { 1.0 - lost[k] / spread[k] } else { 1.0 };
            fit.errors.iter_mut().for_each(|e| *e = (*e * widen).sqrt());
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn draw(seed: u64, n: usize, noise: f64) -> Regression {
        let truth = [1.5, -2.0, 0.0, 0.25];
        let mut regression = Regression::new(4, 1);
        for i in 0..n {
            let mut rng = crate::rng::for_sample(seed, i as u64);
            let ones: Vec<usize> = (0..4).filter(|_| rng.random_bool(0.5)).collect();
            let line = 0.5 + ones.iter().map(|&i| truth[i]).sum::<f64>();
            let y = line + noise * rng.random_range(-1.0..1.0);
            regression.add(ones, 0.1 + rng.random_range(0.0..1.0), vec![y]);
        }
        regression
    }

    #[test]
    fn a_line_is_found() {
        let fit = draw(1, 40, 0.0).fit(1e-9).unwrap().remove(0);
        let truth = [1.5, -2.0, 0.0, 0.25];
        assert!(fit.weights.iter().zip(truth).all(|(w, t)| (w - t).abs() < 1e-6), "{:?}", fit.weights);
        assert!((fit.intercept - 0.5).abs() < 1e-6 && fit.r2 > 1.0 - 1e-9);
    }

    /// The gradient of what is minimised is zero at the minimum.
    #[test]
    fn the_ridge_is_at_its_minimum() {
        let regression = draw(2, 30, 1.0);
        let fit = regression.fit(1.0).unwrap().remove(0);
        let mut gradient = vec![0.0; 5];
        for (ones, w, y) in &regression.rows {
            let r = y[0] - fit.intercept - ones.iter().map(|&i| fit.weights[i]).sum::<f64>();
            gradient[4] += w * r;
            ones.iter().for_each(|&i| gradient[i] += w * r);
        }
        (0..4).for_each(|i| gradient[i] -= fit.weights[i]);
        assert!(gradient.iter().all(|g| g.abs() < 1e-9), "{gradient:?}");
    }

    /// Sixteen times the rows, a quarter of the error: on logarithmic axes a slope of -1/2.
    #[test]
    fn errors_fall_with_the_root_of_the_rows() {
        let truth = [1.5, -2.0, 0.0, 0.25];
        let rms = |n: usize| {
            let square = |seed: u64| {
                let fit = draw(seed, n, 1.0).fit(1e-6).unwrap().remove(0);
                fit.weights.iter().zip(truth).map(|(w, t)| (w - t).powi(2)).sum::<f64>()
            };
            (0..60).map(square).sum::<f64>().sqrt()
        };
        let slope = (rms(1600) / rms(100)).ln() / 16f64.ln();
        assert!((-0.6..-0.4).contains(&slope), "{slope}");
    }

    /// Over many draws the weights scatter as the errors say.
    #[test]
    fn errors_are_the_scatter_of_repeated_draws() {
        let fits: Vec<Fit> = (0..300).map(|s| draw(s, 120, 1.0).fit(1e-6).unwrap().remove(0)).collect();
        for i in 0..4 {
            let n = fits.len() as f64;
            let mean = fits.iter().map(|f| f.weights[i]).sum::<f64>() / n;
            let scatter = (fits.iter().map(|f| (f.weights[i] - mean).powi(2)).sum::<f64>() / n).sqrt();
            let said = fits.iter().map(|f| f.errors[i]).sum::<f64>() / n;
            assert!((said / scatter - 1.0).abs() < 0.15, "{i}: {said} {scatter}");
        }
    }
}
