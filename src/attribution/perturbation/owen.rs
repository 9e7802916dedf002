//! Owen values on the tree of an image's halves.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
    rc::Rc,
};

use crate::backend::BitRows;

/// A box of values of an image `[C, H, W]`: channels, rows and columns, each from..to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Region([(usize, usize); 3]);

impl Region {
    fn size(&self) -> usize {
        self.0.iter().map(|(from, to)| to - from).product()
    }

    /// The two halves, the first of them the larger: rows are split where they are at least as many as the columns,
    /// then columns, and channels only of a single pixel. None where it is a single value.
    fn halves(&self) -> Option<[Self; 2]> {
        let length = |axis: usize| self.0[axis].1 - self.0[axis].0;
        let axis = match (length(0), length(1), length(2)) {
            (1, 1, 1) => return None,
            (_, 1, 1) => 0,
            (_, rows, columns) if rows >= columns => 1,
            _ => 2,
        };
        let (from, to) = self.0[axis];
        let middle = from + (to - from).div_ceil(2);
        let (mut left, mut right) = (*self, *self);
        (left.0[axis].1, right.0[axis].0) = (middle, middle);
        Some([left, right])
    }

    /// Does something with the first place and the length of each of its runs of values in an image.
    fn runs(&self, shape: [usize; 3], mut f: impl FnMut(usize, usize)) {
        let [channels, rows, columns] = self.0;
        for c in channels.0..channels.1 {
            for y in rows.0..rows.1 {
                f((c * shape[1] + y) * shape[2] + columns.0, columns.1 - columns.0);
            }
        }
    }
}

/// The pixels that show beside a region: boxes, each on top of what was shown before.
type Context = Option<Rc<Shown>>;

#[derive(Debug)]
struct Shown {
    region: Region,
    rest: Context,
}

fn with(context: &Context, region: Region) -> Context {
    Some(Rc::new(Shown { region, rest: context.clone() }))
}

/// A region in a context: what showing it adds to the scores, and what share of the whole that counts.
struct Contribution {
    priority: f64,
    /// Parts of equal priority are refined in the order in which they were found.
    place: u64,
    region: Region,
    without: Context,
    low: Rc<[f64]>,
    high: Rc<[f64]>,
    weight: f64,
}

impl PartialEq for Contribution {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Contribution {}

impl PartialOrd for Contribution {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Contribution {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.total_cmp(&other.priority).then(Reverse(self.place).cmp(&Reverse(other.place)))
    }
}

/// Owen values in the making.
///
/// The contribution of a region in a context is refined by showing each half alone and adding what it adds both without and
/// with the other half, at half the weight each. The contributions with the largest change of a score times weight are
/// refined first. What a contribution that is not refined adds is spread evenly over its values, so that at any time all
/// values sum to `f(image) - f(nothing)`.
pub struct Owen {
    shape: [usize; 3],
    queue: BinaryHeap<Contribution>,
    pending: Vec<(Contribution, [Region; 2])>,
    found: u64,
    /// The contribution of single values, which cannot be refined.
    settled: Vec<Contribution>,
}

impl Owen {
    /// Starts with the whole image `[C, H, W]`: the scores of nothing and of everything.
    #[must_use]
    pub fn new(shape: [usize; 3], nothing: &[f64], everything: &[f64]) -> Self {
        let region = Region(shape.map(|n| (0, n)));
        let mut owen = Self { shape, queue: BinaryHeap::new(), pending: vec![], found: 0, settled: vec![] };
        owen.put(region, None, nothing.into(), everything.into(), 1.0);
        owen
    }

    fn put(&mut self, region: Region, without: Context, low: Rc<[f64]>, high: Rc<[f64]>, weight: f64) {
        let change = low.iter().zip(&*high).fold(0.0, |m: f64, (l, h)| m.max((h - l).abs()));
        self.found += 1;
        let place = self.found;
        self.queue.push(Contribution {
            priority: change * weight,
            place,
            region,
            without,
            low,
            high,
            weight,
        });
    }

    /// The largest change of a score times weight of what could be refined.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.queue.iter().filter(|p| p.region.size() > 1).fold(0.0, |m, p| m.max(p.priority))
    }

    /// The next masks to evaluate, one bit per value of the image: two per refined contribution, until there are `batch`,
    /// and until there are `left`: as in shap, the last contribution may take one more.
    pub fn take(&mut self, batch: usize, left: usize) -> BitRows {
        let mut masks = BitRows::new(self.shape.iter().product());
        let mut runs = vec![];
        while masks.len() < batch.min(left) {
            let Some(contribution) = self.queue.pop() else { break };
            let Some(halves) = contribution.region.halves() else {
                self.settled.push(contribution);
                continue;
            };
            for half in halves {
                runs.clear();
                half.runs(self.shape, |at, n| runs.push((at, n)));
                let mut context = &contribution.without;
                while let Some(shown) = context {
                    shown.region.runs(self.shape, |at, n| runs.push((at, n)));
                    context = &shown.rest;
                }
                masks.push_runs(&runs);
            }
            self.pending.push((contribution, halves));
        }
        masks
    }

    /// Takes the scores of the masks that [`Self::take`] gave, in their order.
    pub fn give(&mut self, scores: &[Rc<[f64]>]) {
        for ((contribution, [left, right]), scores) in
            std::mem::take(&mut self.pending).into_iter().zip(scores.chunks_exact(2))
        {
            let Contribution { without, low, high, weight, .. } = contribution;
            let (only_left, only_right, half) = (scores[0].clone(), scores[1].clone(), weight / 2.0);
            let (with_left, with_right) = (with(&without, left), with(&without, right));
            self.put(left, without.clone(), low.clone(), only_left.clone(), half);
            self.put(right, without, low, only_right.clone(), half);
            self.put(left, with_right, only_right, high.clone(), half);
            self.put(right, with_left, only_left, high, half);
        }
    }

    /// The values so far: one list a score, in the image's order.
    #[must_use]
    pub fn values(&self, scores: usize) -> Vec<Vec<f64>> {
        let mut regions: BTreeMap<Region, Vec<f64>> = BTreeMap::new();
        let mut contributions: Vec<&Contribution> =
            self.settled.iter().chain(&self.queue).chain(self.pending.iter().map(|p| &p.0)).collect();
        // The heap's own order is no promise.
        contributions.sort_by_key(|p| p.place);
        for contribution in contributions {
            let sums = regions.entry(contribution.region).or_insert_with(|| vec![0.0; scores]);
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum += (contribution.high[k] - contribution.low[k]) * contribution.weight;
            }
        }
        let mut values = vec![vec![0.0; self.shape.iter().product()]; scores];
        for (region, sums) in regions {
            for (values, sum) in values.iter_mut().zip(sums) {
                let each = sum / region.size() as f64;
                region.runs(self.shape, |at, n| values[at..at + n].iter_mut().for_each(|v| *v += each));
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    /// A game without structure: every coalition has a random worth.
    fn worth(bits: &[bool]) -> f64 {
        let number = bits.iter().fold(1u64, |n, &b| n << 1 | u64::from(b));
        crate::rng::for_sample(11, number).random_range(-1.0..1.0)
    }

    fn run(shape: [usize; 3], left: usize, batch: usize) -> (Vec<f64>, usize) {
        let n = shape.iter().product();
        let mut owen = Owen::new(shape, &[worth(&vec![false; n])], &[worth(&vec![true; n])]);
        let mut used = 0;
        loop {
            let masks = owen.take(batch, left.saturating_sub(used));
            if masks.is_empty() {
                break;
            }
            used += masks.len();
            let row = |i: usize| Rc::from([worth(&masks.row(i).collect::<Vec<_>>())]);
            owen.give(&(0..masks.len()).map(row).collect::<Vec<_>>());
        }
        (owen.values(1).remove(0), used)
    }

    /// Every order in which the tree can be read: at each node either half first.
    fn orders(region: Region, shape: [usize; 3]) -> Vec<Vec<usize>> {
        let Some([left, right]) = region.halves() else {
            let mut at = 0;
            region.runs(shape, |i, _| at = i);
            return vec![vec![at]];
        };
        let (lefts, rights) = (orders(left, shape), orders(right, shape));
        let mut all = vec![];
        for l in &lefts {
            for r in &rights {
                all.push([l.as_slice(), r].concat());
                all.push([r.as_slice(), l].concat());
            }
        }
        all
    }

    /// The mean of what each player adds over all orders that the tree allows: 32,768 of them for 16 players.
    #[test]
    fn equals_brute_force() {
        for shape in [[1, 4, 4], [3, 2, 2], [2, 1, 5], [1, 3, 5], [3, 1, 1]] {
            let n: usize = shape.iter().product();
            let all = orders(Region(shape.map(|n| (0, n))), shape);
            assert_eq!(all.len(), 1 << (n - 1));
            let mut expected = vec![0.0; n];
            for order in &all {
                let mut bits = vec![false; n];
                let mut before = worth(&bits);
                for &i in order {
                    bits[i] = true;
                    let after = worth(&bits);
                    expected[i] += (after - before) / all.len() as f64;
                    before = after;
                }
            }
            for batch in [1, 10, 1000] {
                let (got, _) = run(shape, usize::MAX, batch);
                assert!(got.iter().zip(&expected).all(|(g, e)| (g - e).abs() < 1e-9), "{shape:?}");
            }
        }
    }

    #[test]
    fn sums_are_exact_whatever_the_budget() {
        let n = 5 * 7 * 3;
        let whole = worth(&vec![true; n]) - worth(&vec![false; n]);
        for left in [0, 1, 2, 3, 50, 301] {
            let (values, used) = run([3, 5, 7], left, 10);
            assert_eq!(used, left.next_multiple_of(2));
            assert!((values.iter().sum::<f64>() - whole).abs() < 1e-12);
        }
    }

    #[test]
    fn halves_follow_the_longer_side_and_leave_channels_to_the_end() {
        let mut region = Region([(0, 3), (0, 4), (0, 5)]);
        let mut seen = vec![];
        while let Some([left, right]) = region.halves() {
            assert_eq!(left.size() + right.size(), region.size());
            seen.push(right.0.map(|(from, to)| to - from));
            region = right;
        }
        assert_eq!(seen[..4], [[3, 4, 2], [3, 2, 2], [3, 1, 2], [3, 1, 1]]);
        assert_eq!(seen[4..], [[1, 1, 1]]);
    }
}
