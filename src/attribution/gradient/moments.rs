//! The mean and the variance of sampled maps.

use crate::{error::Result, tensor::Tensor};

/// The mean and the variance, element by element, of each target's sampled maps.
pub struct Moments {
    count: u64,
    mean: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
    shape: Vec<usize>,
}

impl Moments {
    /// Moments of no sample, for a number of targets and a map's shape.
    #[must_use]
    pub fn new(targets: usize, shape: &[usize]) -> Self {
        let zeros = vec![vec![0.0; shape.iter().product()]; targets];
        Self { count: 0, mean: zeros.clone(), squares: zeros, shape: shape.to_vec() }
    }

    /// Takes in one sample: a map per target. Welford's update, so samples must come in a fixed order.
    pub fn add<'a>(&mut self, maps: impl Iterator<Item = &'a [f32]>) {
        self.count += 1;
        let n = self.count as f64;
        for ((mean, squares), map) in self.mean.iter_mut().zip(&mut self.squares).zip(maps) {
            for ((m, s), &v) in mean.iter_mut().zip(squares).zip(map) {
                let before = f64::from(v) - *m;
                *m += before / n;
                *s += before * (f64::from(v) - *m);
            }
        }
    }

    /// One map a target: the means.
    pub fn means(&self) -> Result<Vec<Tensor>> {
        let tensor = |v: &Vec<f64>| Tensor::new(self.shape.clone(), v.iter().map(|&m| m as f32).collect());
        self.mean.iter().map(tensor).collect()
    }

    /// One map a target: the variances, with a divisor of the number of samples.
    pub fn variances(&self) -> Result<Vec<Tensor>> {
        let n = self.count.max(1) as f64;
        let tensor =
            |v: &Vec<f64>| Tensor::new(self.shape.clone(), v.iter().map(|&s| (s / n) as f32).collect());
        self.squares.iter().map(tensor).collect()
    }

    /// For each target the standard error of the mean, averaged over the elements.
    #[must_use]
    pub fn standard_errors(&self) -> Vec<f64> {
        let n = self.count as f64;
        let error = |v: &Vec<f64>| {
            v.iter().map(|s| (s / (n - 1.0).max(1.0) / n).sqrt()).sum::<f64>() / v.len() as f64
        };
        self.squares.iter().map(error).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples 1, 2 and 6 of one element, 5, 5 and 8 of the other.
    #[test]
    fn equal_what_is_reckoned_by_hand() {
        let mut moments = Moments::new(1, &[2]);
        for sample in [[1.0, 5.0], [2.0, 5.0], [6.0, 8.0]] {
            moments.add([&sample[..]].into_iter());
        }
        assert_eq!(moments.means().unwrap()[0].data(), [3.0, 6.0]);
        // Squared distances from the means: 4 + 1 + 9 and 1 + 1 + 4.
        assert_eq!(moments.variances().unwrap()[0].data(), [14.0 / 3.0, 2.0]);
        // The deviation with a divisor of two, over the root of three.
        let errors = [(14.0f64 / 2.0 / 3.0).sqrt(), (6.0f64 / 2.0 / 3.0).sqrt()];
        assert!((moments.standard_errors()[0] - errors.iter().sum::<f64>() / 2.0).abs() < 1e-12);
    }
}
