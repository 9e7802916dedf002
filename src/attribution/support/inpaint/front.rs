//! The front that moves into the hole: distances from its rim, by fast marching.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Where pixels lie: row by row, with a frame around the picture.
#[derive(Clone, Copy)]
pub struct Grid {
    pub height: usize,
    pub width: usize,
    /// How wide the frame is.
    pub frame: usize,
}

impl Grid {
    /// From one row to the next.
    #[inline]
    pub fn stride(self) -> usize {
        self.width + 2 * self.frame
    }

    /// Pixels and frame, and some behind, so that a row of eight can begin anywhere.
    pub fn len(self) -> usize {
        self.stride() * (self.height + 2 * self.frame) + 8
    }

    /// The place of a pixel of the picture.
    #[inline]
    pub fn at(self, y: usize, x: usize) -> usize {
        (y + self.frame) * self.stride() + x + self.frame
    }

    /// The neighbours: above, left, below, right; the frame's among them.
    #[inline]
    pub fn around(self, i: usize) -> [usize; 4] {
        [i - self.stride(), i - 1, i + self.stride(), i + 1]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Has its value; the front is there or has passed. So is the frame.
    Known,
    /// To be filled.
    Inside,
}

/// What the front has not reached.
const FAR: f32 = 1e6;

/// The front.
pub struct Front {
    grid: Grid,
    state: Vec<State>,
    times: Vec<f32>,
    /// The band, the smallest distance first, then the oldest: distance and age in one number, and the place.
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    pushed: u32,
}

impl Front {
    /// A front that has not started.
    pub fn new(grid: Grid, hidden: &[bool]) -> Self {
        let mut state = vec![State::Known; grid.len()];
        for (y, row) in hidden.chunks_exact(grid.width).enumerate() {
            for (state, _) in state[grid.at(y, 0)..].iter_mut().zip(row).filter(|(_, h)| **h) {
                *state = State::Inside;
            }
        }
        Self { grid, state, times: vec![FAR; grid.len()], heap: BinaryHeap::new(), pushed: 0 }
    }

    #[inline]
    pub fn is_inside(&self, i: usize) -> bool {
        self.state[i] == State::Inside
    }

    /// The distance of every place.
    #[inline]
    pub fn times(&self) -> &[f32] {
        &self.times
    }

    /// Makes a place part of the band.
    #[inline]
    pub fn push(&mut self, i: usize, time: f32) {
        self.state[i] = State::Known;
        self.times[i] = time;
        // Distances are not negative here, so that their bits are in their order.
        let key = u64::from(time.max(0.0).to_bits()) << 32 | u64::from(self.pushed);
        self.heap.push(Reverse((key, u32::try_from(i).unwrap_or(u32::MAX))));
        self.pushed += 1;
    }

    /// Takes the nearest of the band.
    #[inline]
    pub fn pop(&mut self) -> Option<usize> {
        self.heap.pop().map(|Reverse((_, i))| i as usize)
    }

    /// The known pixels beside the hole.
    fn rim(&self) -> Vec<usize> {
        let grid = self.grid;
        let all = (0..grid.height).flat_map(|y| grid.at(y, 0)..grid.at(y, grid.width));
        all.filter(|&i| !self.is_inside(i) && grid.around(i).iter().any(|&j| self.is_inside(j))).collect()
    }

    /// Puts the front on the rim.
    pub fn start(&mut self) {
        self.pushed = 0;
        for i in self.rim() {
            self.push(i, 0.0);
        }
    }

    /// The distances of known pixels near the hole from its rim, negative.
    pub fn measure_outside(&mut self, radius: usize) {
        let rim = self.rim();
        let ring = self.ring(radius);
        let before = std::mem::replace(&mut self.state, ring);
        for &i in &rim {
            self.push(i, 0.0);
        }
        let mut reached = vec![];
        while let Some(from) = self.pop() {
            reached.push(from);
            for i in self.grid.around(from) {
                if self.is_inside(i) {
                    let time = self.arrive(i);
                    self.push(i, time);
                }
            }
        }
        reached.into_iter().for_each(|i| self.times[i] = -self.times[i]);
        self.state = before;
    }

    /// As a hole, what lies within a square of the hole but outside.
    fn ring(&self, radius: usize) -> Vec<State> {
        let grid = self.grid;
        // Along rows, then along columns: how many places one is past the last place of the hole.
        let mut beside = vec![false; grid.len()];
        for y in 0..grid.height {
            let row = grid.at(y, 0)..grid.at(y, grid.width);
            let spread = |places: &mut dyn Iterator<Item = usize>, near: &mut [bool]| {
                let mut past = usize::MAX;
                for i in places {
                    past = if self.is_inside(i) { 0 } else { past.saturating_add(1) };
                    near[i] |= past <= radius;
                }
            };
            spread(&mut row.clone(), &mut beside);
            spread(&mut row.rev(), &mut beside);
        }
        let mut near = vec![State::Known; grid.len()];
        for y in 0..grid.height {
            for v in y.saturating_sub(radius)..=(y + radius).min(grid.height - 1) {
                let (to, from) = (grid.at(y, 0), grid.at(v, 0));
                for x in 0..grid.width {
                    if beside[from + x] {
                        near[to + x] = State::Inside;
                    }
                }
            }
        }
        near.iter_mut()
            .zip(&self.state)
            .filter(|(_, s)| **s == State::Inside)
            .for_each(|(n, _)| *n = State::Known);
        near
    }

    /// When the front arrives: the least solution of |grad T| = 1 from the four corners, in OpenCV's precision.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub fn arrive(&mut self, i: usize) -> f32 {
        let [up, left, down, right] =
            self.grid.around(i).map(|j| (f64::from(self.times[j]), self.is_inside(j)));
        let corner = |(a, hidden): (f64, bool), (b, other): (f64, bool)| match (hidden, other) {
            (false, false) if (a - b).abs() >= 1.0 => 1.0 + a.min(b),
            (false, false) => (a + b + (2.0 - (a - b) * (a - b)).sqrt()) / 2.0,
            (false, true) => 1.0 + a,
            (true, false) => 1.0 + b,
            (true, true) => 1.0 + a.min(b),
        };
        let time = corner(up, left).min(corner(down, left)).min(corner(up, right)).min(corner(down, right));
        self.times[i] = time as f32;
        time as f32
    }

    /// The slope of the distances at a place, down and across.
    #[inline]
    pub fn slope(&self, i: usize) -> [f32; 2] {
        let here = self.times[i];
        let [up, left, down, right] =
            self.grid.around(i).map(|j| (!self.is_inside(j)).then(|| self.times[j]));
        [(up, down), (left, right)].map(|sides| match sides {
            (Some(b), Some(a)) => (a - b) / 2.0,
            (None, Some(a)) => a - here,
            (Some(b), None) => here - b,
            (None, None) => 0.0,
        })
    }
}
