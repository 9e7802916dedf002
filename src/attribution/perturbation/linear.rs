//! Small symmetric systems, in double precision.

use crate::error::{Error, Result};

/// A lower triangle `L` with `L L' = A`.
pub struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors a symmetric matrix, row-major; only its lower triangle is read.
    ///
    /// # Errors
    /// [`Error::Argument`] when the matrix is not positive definite.
    pub fn new(n: usize, mut a: Vec<f64>) -> Result<Self> {
        for j in 0..n {
            for i in j..n {
                let (head, tail) = a.split_at(i * n);
                let row_j = if i == j { &tail[..j] } else { &head[j * n..j * n + j] };
                let dot: f64 = row_j.iter().zip(&tail[..j]).map(|(x, y)| x * y).sum();
                let rest = a[i * n + j] - dot;
                a[i * n + j] = if i == j { rest.sqrt() } else { rest / a[j * n + j] };
                if i == j && !(rest > 0.0 && rest.is_finite()) {
                    return Err(Error::Argument(
                        "the samples do not determine the segments' weights; take more samples".into(),
                    ));
                }
            }
        }
        Ok(Self { n, lower: a })
    }

    /// Solves `A x = b`.
    #[must_use]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for i in 0..self.n {
            let row = &self.lower[i * self.n..i * self.n + i];
            let dot: f64 = row.iter().zip(&x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - dot) / self.lower[i * self.n + i];
        }
        for i in (0..self.n).rev() {
            x[i] /= self.lower[i * self.n + i];
            let value = x[i];
            let row = &self.lower[i * self.n..i * self.n + i];
            x[..i].iter_mut().zip(row).for_each(|(x, l)| *x -= l * value);
        }
        x
    }

    /// The inverse, row-major.
    #[must_use]
    pub fn inverse(&self) -> Vec<f64> {
        let unit = |i: usize| (0..self.n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        (0..self.n).flat_map(|i| self.solve(&unit(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn solves_what_was_multiplied() {
        let n = 9;
        let mut rng = crate::rng::for_sample(3, 0);
        let g: Vec<f64> = (0..n * n).map(|_| rng.random_range(-1.0..1.0)).collect();
        let entry = |i: usize, j: usize| {
            (0..n).map(|k| g[i * n + k] * g[j * n + k]).sum::<f64>() + if i == j { 0.1 } else { 0.0 }
        };
        let a: Vec<f64> = (0..n * n).map(|p| entry(p / n, p % n)).collect();
        let x: Vec<f64> = (0..n).map(|i| i as f64 - 3.5).collect();
        let times = |a: &[f64], x: &[f64]| -> Vec<f64> {
            a.chunks(n).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
        };
        let factor = Cholesky::new(n, a.clone()).unwrap();
        for got in [factor.solve(&times(&a, &x)), times(&factor.inverse(), &times(&a, &x))] {
            assert!(got.iter().zip(&x).all(|(g, x)| (g - x).abs() < 1e-9), "{got:?}");
        }
        assert_eq!(Cholesky::new(2, vec![1.0, 2.0, 2.0, 1.0]).err().unwrap().code(), "argument");
    }
}
