//! Shapley values by KernelSHAP: which coalitions to look at, and the constrained regression on them.

use rand::RngExt;

use super::linear::Cholesky;
use crate::{backend::BitRows, error::Result, rng};

/// Coalitions in pairs: each row is followed by its complement.
pub struct Plan {
    /// All rows; the first [`Plan::counted`] come with exact weights, the rest is drawn.
    pub rows: BitRows,
    /// How many rows have exact weights.
    pub counted: usize,
    /// The weight of each counted row.
    weights: Vec<f64>,
    /// The weight of all drawn rows together.
    drawn: f64,
}

impl Plan {
    /// The coalitions of `players` for at most `budget` evaluations: those of 1, 2, ... players and their
    /// complements as long as the budget would see them all anyway, then random ones of the other sizes, drawn
    /// with the Shapley kernel's weight of their size. All coalitions where the budget suffices.
    #[must_use]
    pub fn new(players: usize, budget: usize, seed: u64) -> Self {
        let sizes: Vec<usize> = (1..=players / 2).collect();
        // The kernel's weight of all coalitions of a size and its complement's, in all 1.
        let raw: Vec<f64> = sizes.iter().map(|&s| doubled(players, s) / (s * (players - s)) as f64).collect();
        let total: f64 = raw.iter().sum();
        let kernel: Vec<f64> = raw.iter().map(|w| w / total).collect();
        let all = (players as f64).exp2() - 2.0;
        let mut plan = Self { rows: BitRows::new(players), counted: 0, weights: vec![], drawn: 0.0 };
        let (mut full, mut left, mut rest) = (0, budget as f64, 1.0);
        while full < sizes.len() {
            let count = binomial(players, sizes[full]) * doubled(players, sizes[full]);
            let fits = count <= left && (left * kernel[full] / rest >= count * (1.0 - 1e-8));
            if !(fits || all <= budget as f64) {
                break;
            }
            plan.count_all(sizes[full], kernel[full] / count);
            (left, rest) = (left - count, (rest - kernel[full]).max(f64::MIN_POSITIVE));
            full += 1;
        }
        plan.counted = plan.rows.len();
        if full < sizes.len() {
            plan.drawn = kernel[full..].iter().sum();
            plan.draw(&sizes[full..], &kernel[full..], (budget - plan.counted) / 2, seed);
        }
        plan
    }

    fn pair(&mut self, shown: &[bool]) {
        self.rows.push(shown.iter().copied());
        self.rows.push(shown.iter().map(|s| !s));
    }

    /// Adds all coalitions of a size and their complements, in lexicographic order.
    fn count_all(&mut self, size: usize, weight: f64) {
        let players = self.rows.bits();
        let mut chosen: Vec<usize> = (0..size).collect();
        loop {
            // Two halves that complement each other are counted once: the one with the first player stands for both.
            if 2 * size < players || chosen[0] == 0 {
                let mut shown = vec![false; players];
                chosen.iter().for_each(|&i| shown[i] = true);
                self.pair(&shown);
                self.weights.extend([weight; 2]);
            }
            let Some(i) = (0..size).rev().find(|&i| chosen[i] < players - size + i) else { return };
            chosen[i] += 1;
            (i + 1..size).for_each(|j| chosen[j] = chosen[j - 1] + 1);
        }
    }

    /// Adds random pairs; each has a stream of its own.
    fn draw(&mut self, sizes: &[usize], kernel: &[f64], pairs: usize, seed: u64) {
        let players = self.rows.bits();
        let total: f64 = kernel.iter().sum();
        for pair in 0..pairs {
            let mut rng = rng::for_sample(seed, pair as u64);
            let mut at = rng.random::<f64>() * total;
            let size = sizes.iter().zip(kernel).find(|(_, w)| {
                at -= **w;
                at < 0.0
            });
            let size = size.map_or(players / 2, |(s, _)| *s);
            let mut order: Vec<usize> = (0..players).collect();
            let mut shown = vec![false; players];
            for i in 0..size {
                order.swap(i, rng.random_range(i..players));
                shown[order[i]] = true;
            }
            self.pair(&shown);
        }
    }

    /// Whether every coalition is in the plan, so that the values are exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.counted == self.rows.len()
    }
}

/// How many of a size and its complement's there are for each of the size: one where they are the same.
fn doubled(players: usize, size: usize) -> f64 {
    if 2 * size == players { 1.0 } else { 2.0 }
}

fn binomial(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| (n - k + i) as f64 / i as f64).product()
}

/// The regression on the coalitions seen so far, which are added in the plan's order.
pub struct Shapley<'a> {
    plan: &'a Plan,
    nothing: Vec<f64>,
    everything: Vec<f64>,
    /// Each row's players and what it adds to nothing, one a target.
    rows: Vec<(Vec<usize>, Vec<f64>)>,
    counted: Sums,
    drawn: Sums,
}

/// Sums over rows z of `w z z'` and of `w z (f(z) - f(nothing))`.
#[derive(Clone)]
struct Sums {
    zz: Vec<f64>,
    /// `[targets, players]`.
    zy: Vec<f64>,
}

impl Sums {
    fn add(&mut self, players: usize, ones: &[usize], y: &[f64], weight: f64) {
        for &i in ones {
            let line = &mut self.zz[i * players..][..players];
            ones.iter().for_each(|&j| line[j] += weight);
        }
        for (k, value) in y.iter().enumerate() {
            let line = &mut self.zy[k * players..][..players];
            ones.iter().for_each(|&i| line[i] += weight * value);
        }
    }
}

/// One target's values.
pub struct Values {
    /// One a player; they sum to `f(everything) - f(nothing)`.
    pub values: Vec<f64>,
    /// One a player: how far the value may be off for the drawn rows being a sample.
    pub errors: Vec<f64>,
}

impl<'a> Shapley<'a> {
    /// Nothing seen but the two ends.
    #[must_use]
    pub fn new(plan: &'a Plan, nothing: Vec<f64>, everything: Vec<f64>) -> Self {
        let players = plan.rows.bits();
        let sums = Sums { zz: vec![0.0; players * players], zy: vec![0.0; players * nothing.len()] };
        Self { plan, nothing, everything, rows: vec![], counted: sums.clone(), drawn: sums }
    }

    /// Adds the next row's scores.
    pub fn add(&mut self, scores: &[f32]) {
        let row = self.rows.len();
        let players = self.plan.rows.bits();
        let ones = super::ones(&self.plan.rows, row);
        let y: Vec<f64> = scores.iter().zip(&self.nothing).map(|(&f, n)| f64::from(f) - n).collect();
        match self.plan.weights.get(row) {
            Some(&weight) => self.counted.add(players, &ones, &y, weight),
            None => self.drawn.add(players, &ones, &y, 1.0),
        }
        self.rows.push((ones, y));
    }

    /// The values that minimise the kernel-weighted squares of `f(z) - f(nothing) - z . values` under the
    /// constraint on their sum, one list per target.
    pub fn values(&self) -> Result<Vec<Values>> {
        let players = self.plan.rows.bits();
        let targets = self.nothing.len();
        let gaps: Vec<f64> = self.everything.iter().zip(&self.nothing).map(|(e, n)| e - n).collect();
        if players == 1 {
            return Ok(gaps.into_iter().map(|g| Values { values: vec![g], errors: vec![0.0] }).collect());
        }
        // Drawn rows stand for all that is not counted, and only pairs.
        let drawn = self.rows.len().saturating_sub(self.plan.counted) / 2 * 2;
        let share = if drawn > 0 { self.plan.drawn / drawn as f64 } else { 0.0 };
        let blend = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + share * b).collect::<Vec<_>>();
        let (zz, zy) = (blend(&self.counted.zz, &self.drawn.zz), blend(&self.counted.zy, &self.drawn.zy));
        let inverse = factor(players, &zz)?.inverse();
        let sums: Vec<f64> = inverse.chunks(players).map(|row| row.iter().sum()).collect();
        let total: f64 = sums.iter().sum();
        let solve = |k: usize| {
            let y = &zy[k * players..][..players];
            let free: Vec<f64> =
                inverse.chunks(players).map(|row| row.iter().zip(y).map(|(a, y)| a * y).sum()).collect();
            let excess = (free.iter().sum::<f64>() - gaps[k]) / total;
            let values = free.iter().zip(&sums).map(|(v, s)| v - excess * s).collect();
            Values { values, errors: vec![0.0; players] }
        };
        let mut all: Vec<Values> = (0..targets).map(solve).collect();
        self.judge(&mut all, &inverse, &sums);
        Ok(all)
    }

    /// Fills in the errors: the scatter of the drawn pairs' pull on the values.
    fn judge(&self, all: &mut [Values], inverse: &[f64], sums: &[f64]) {
        let players = self.plan.rows.bits();
        let total: f64 = sums.iter().sum();
        let pairs: Vec<_> = self.rows.get(self.plan.counted..).unwrap_or_default().chunks_exact(2).collect();
        if pairs.is_empty() {
            let unsure =
                if self.plan.is_exact() && self.rows.len() == self.plan.rows.len() { 0.0 } else { f64::MAX };
            all.iter_mut().for_each(|v| v.errors.fill(unsure));
            return;
        }
        let n = pairs.len() as f64;
        for (k, target) in all.iter_mut().enumerate() {
            let (mut sum, mut squares) = (vec![0.0; players], vec![0.0; players]);
            let mut pull = vec![0.0; players];
            for pair in &pairs {
                pull.fill(0.0);
                for (ones, y) in *pair {
                    let residual = y[k] - ones.iter().map(|&i| target.values[i]).sum::<f64>();
                    let lean = ones.iter().map(|&i| sums[i]).sum::<f64>() / total;
                    for &i in ones {
                        let row = &inverse[i * players..][..players];
                        pull.iter_mut().zip(row).for_each(|(p, a)| *p += residual * a);
                    }
                    pull.iter_mut().zip(sums).for_each(|(p, s)| *p -= residual * lean * s);
                }
                for i in 0..players {
                    let p = pull[i] * self.plan.drawn / 2.0;
                    sum[i] += p;
                    squares[i] += p * p;
                }
            }
            for i in 0..players {
                let variance = (squares[i] - sum[i] * sum[i] / n) / (n - 1.0).max(1.0);
                target.errors[i] = (variance.max(0.0) / n).sqrt();
            }
        }
    }
}

/// Factors the sums; where too few rows are seen yet, with a little on the diagonal.
fn factor(players: usize, zz: &[f64]) -> Result<Cholesky> {
    let mean = (0..players).map(|i| zz[i * players + i]).sum::<f64>() / players as f64;
    let held = |share: f64| {
        let mut zz = zz.to_vec();
        (0..players).for_each(|i| zz[i * players + i] += share * mean.max(1e-12));
        Cholesky::new(players, zz)
    };
    held(1e-14).or_else(|_| held(1e-6))
}

#[cfg(test)]
#[path = "shapley_tests.rs"]
mod tests;
