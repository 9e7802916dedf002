//! Inpainting: filling a hole of a picture from its rim inwards.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::picture::Picture;

/// How a pixel is made from the known ones around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Telea, "An Image Inpainting Technique Based on the Fast Marching Method", 2004.
    Telea,
    /// After Bertalmio, Bertozzi and Sapiro, "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting",
    /// 2001: along the lines of equal brightness.
    NavierStokes,
}

/// Fills the hidden pixels of a picture from those within `radius`, the nearest to the rim first; the result of
/// OpenCV's `inpaint` but for rounding. A picture without a pixel that shows stays as it is.
#[must_use]
pub fn inpaint(picture: &Picture, hidden: &[bool], radius: usize, scheme: Scheme) -> Picture {
    let mut front = Front::new(picture, hidden);
    if scheme == Scheme::Telea {
        front.measure_outside(radius);
    }
    front.start();
    while let Some((y, x)) = front.pop() {
        for (v, u) in front.around(y, x) {
            if front.state[front.at(v, u)] != State::Inside {
                continue;
            }
            let time = front.arrival(v, u);
            let i = front.at(v, u);
            front.times[i] = time;
            let rgb = match scheme {
                Scheme::Telea => front.telea(v, u, radius),
                Scheme::NavierStokes => front.navier_stokes(v, u, radius),
            };
            front.pixels[i] = rgb;
            front.state[i] = State::Band;
            front.push(v, u, time);
        }
    }
    let rgb = (1..=picture.height)
        .flat_map(|y| (1..=picture.width).map(move |x| (y, x)))
        .flat_map(|(y, x)| front.pixels[front.at(y, x)].map(|v| v as u8))
        .collect();
    Picture { width: picture.width, height: picture.height, rgb }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Has its value, and the front has passed.
    Known,
    /// Has its value; the front is there.
    Band,
    /// To be filled.
    Inside,
}

/// What the front has not reached.
const FAR: f32 = 1e6;

/// The front that moves into the hole: distances from its rim, by fast marching. The arrays have a frame of one
/// pixel, which is never filled.
struct Front {
    height: usize,
    width: usize,
    state: Vec<State>,
    times: Vec<f32>,
    pixels: Vec<[f32; 3]>,
    /// The band, the smallest distance first, then the oldest.
    heap: BinaryHeap<Reverse<(u32, u64, usize)>>,
    pushed: u64,
}

impl Front {
    fn new(picture: &Picture, hidden: &[bool]) -> Self {
        let (height, width) = (picture.height, picture.width);
        let mut front = Self {
            height,
            width,
            state: vec![State::Known; (height + 2) * (width + 2)],
            times: vec![FAR; (height + 2) * (width + 2)],
            pixels: vec![[0.0; 3]; (height + 2) * (width + 2)],
            heap: BinaryHeap::new(),
            pushed: 0,
        };
        for y in 0..height {
            for x in 0..width {
                let i = front.at(y + 1, x + 1);
                front.pixels[i] = picture.pixel(x, y).map(f32::from);
                if hidden[y * width + x] {
                    front.state[i] = State::Inside;
                }
            }
        }
        front
    }

    fn at(&self, y: usize, x: usize) -> usize {
        y * (self.width + 2) + x
    }

    fn is_inside(&self, y: usize, x: usize) -> bool {
        self.state[self.at(y, x)] == State::Inside
    }

    /// The neighbours that are part of the picture.
    fn around(&self, y: usize, x: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (height, width) = (self.height, self.width);
        [(y.wrapping_sub(1), x), (y, x.wrapping_sub(1)), (y + 1, x), (y, x + 1)]
            .into_iter()
            .filter(move |&(v, u)| (1..=height).contains(&v) && (1..=width).contains(&u))
    }

    fn push(&mut self, y: usize, x: usize, time: f32) {
        // Distances are not negative here, so that their bits are in their order.
        let entry = (time.max(0.0).to_bits(), self.pushed, self.at(y, x));
        self.heap.push(Reverse(entry));
        self.pushed += 1;
    }

    fn pop(&mut self) -> Option<(usize, usize)> {
        let Reverse((_, _, i)) = self.heap.pop()?;
        self.state[i] = State::Known;
        Some((i / (self.width + 2), i % (self.width + 2)))
    }

    /// The known pixels beside the hole.
    fn rim(&self) -> Vec<(usize, usize)> {
        let all = (1..=self.height).flat_map(|y| (1..=self.width).map(move |x| (y, x)));
        all.filter(|&(y, x)| !self.is_inside(y, x) && self.around(y, x).any(|(v, u)| self.is_inside(v, u)))
            .collect()
    }

    /// Puts the front on the rim.
    fn start(&mut self) {
        for (y, x) in self.rim() {
            let i = self.at(y, x);
            self.state[i] = State::Band;
            self.times[i] = 0.0;
            self.push(y, x, 0.0);
        }
    }

    /// The distances of known pixels near the hole from its rim, negative.
    fn measure_outside(&mut self, radius: usize) {
        let holes: Vec<bool> = self.state.iter().map(|s| *s == State::Inside).collect();
        let near = |y: usize, x: usize| {
            let rows = y.saturating_sub(radius).max(1)..=(y + radius).min(self.height);
            rows.into_iter().any(|v| {
                (x.saturating_sub(radius).max(1)..=(x + radius).min(self.width)).any(|u| holes[self.at(v, u)])
            })
        };
        let mut outside = vec![State::Known; self.state.len()];
        for y in 1..=self.height {
            for x in 1..=self.width {
                if !holes[self.at(y, x)] && near(y, x) {
                    outside[self.at(y, x)] = State::Inside;
                }
            }
        }
        let rim = self.rim();
        let before = std::mem::replace(&mut self.state, outside);
        for &(y, x) in &rim {
            let i = self.at(y, x);
            self.state[i] = State::Band;
            self.times[i] = 0.0;
            self.push(y, x, 0.0);
        }
        let mut reached = vec![];
        while let Some((y, x)) = self.pop() {
            reached.push(self.at(y, x));
            for (v, u) in self.around(y, x) {
                if self.is_inside(v, u) {
                    let time = self.arrival(v, u);
                    let i = self.at(v, u);
                    (self.times[i], self.state[i]) = (time, State::Band);
                    self.push(v, u, time);
                }
            }
        }
        reached.into_iter().for_each(|i| self.times[i] = -self.times[i]);
        self.state = before;
    }

    /// When the front arrives: the least solution of |grad T| = 1 from the four corners.
    fn arrival(&self, y: usize, x: usize) -> f32 {
        let corner = |(v, u): (usize, usize), (t, s): (usize, usize)| {
            let (a, b) = (self.times[self.at(v, u)], self.times[self.at(t, s)]);
            match (self.is_inside(v, u), self.is_inside(t, s)) {
                (false, false) if (a - b).abs() >= 1.0 => 1.0 + a.min(b),
                (false, false) => (a + b + (2.0 - (a - b) * (a - b)).sqrt()) / 2.0,
                (false, true) => 1.0 + a,
                (true, false) => 1.0 + b,
                (true, true) => 1.0 + a.min(b),
            }
        };
        let (up, down, left, right) = ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1));
        corner(up, left).min(corner(down, left)).min(corner(up, right)).min(corner(down, right))
    }

    /// The known pixels of the picture within `radius` of a pixel, with their offsets (rows, columns).
    fn known(&self, y: usize, x: usize, radius: usize) -> Vec<(usize, usize, f32, f32)> {
        let mut known = vec![];
        for v in y.saturating_sub(radius).max(1)..=(y + radius).min(self.height) {
            for u in x.saturating_sub(radius).max(1)..=(x + radius).min(self.width) {
                let (dy, dx) = (v as f32 - y as f32, u as f32 - x as f32);
                if !self.is_inside(v, u) && dy * dy + dx * dx <= (radius * radius) as f32 {
                    known.push((v, u, dy, dx));
                }
            }
        }
        known
    }

    /// The pixels before and after along an axis, none where there is nothing known; the picture's edge is
    /// continued.
    fn sides(&self, y: usize, x: usize, down: bool) -> [Option<usize>; 2] {
        let (before, after) = if down { ((y - 1, x), (y + 1, x)) } else { ((y, x - 1), (y, x + 1)) };
        [before, after].map(|(v, u)| {
            let known = !self.is_inside(v, u);
            known.then(|| self.at(v.clamp(1, self.height), u.clamp(1, self.width)))
        })
    }

    /// The slope of the arrival times.
    fn time_slope(&self, y: usize, x: usize, down: bool) -> f32 {
        let here = self.times[self.at(y, x)];
        let (before, after) = if down { ((y - 1, x), (y + 1, x)) } else { ((y, x - 1), (y, x + 1)) };
        let time = |(v, u): (usize, usize)| (!self.is_inside(v, u)).then(|| self.times[self.at(v, u)]);
        match (time(before), time(after)) {
            (Some(b), Some(a)) => (a - b) / 2.0,
            (None, Some(a)) => a - here,
            (Some(b), None) => here - b,
            (None, None) => 0.0,
        }
    }

    /// Telea's mean of what the known pixels around predict, weighted by direction, distance and level.
    fn telea(&self, y: usize, x: usize, radius: usize) -> [f32; 3] {
        let here = self.times[self.at(y, x)];
        let slope = [self.time_slope(y, x, true), self.time_slope(y, x, false)];
        let (mut sum, mut tilt, mut total) = ([0.0f32; 3], [[0.0f32; 2]; 3], 1e-20f32);
        for (v, u, dy, dx) in self.known(y, x, radius) {
            let square = dy * dy + dx * dx;
            let distance = 1.0 / (square * square.sqrt());
            let level = 1.0 / (1.0 + (self.times[self.at(v, u)] - here).abs());
            let mut direction = -(dy * slope[0] + dx * slope[1]);
            if direction.abs() <= 0.01 {
                direction = 1e-6;
            }
            let weight = (distance * level * direction).abs();
            let pixel = self.pixels[self.at(v, u)];
            for (axis, offset) in [(0, dy), (1, dx)] {
                let [before, after] = self.sides(v, u, axis == 0).map(|i| i.map(|i| self.pixels[i]));
                for c in 0..3 {
                    // OpenCV's slope between two neighbours is four times the mean one.
                    let slope = match (before, after) {
                        (Some(b), Some(a)) => (a[c] - b[c]) * 2.0,
                        (None, Some(a)) => a[c] - pixel[c],
                        (Some(b), None) => pixel[c] - b[c],
                        (None, None) => 0.0,
                    };
                    tilt[c][axis] += weight * slope * offset;
                }
            }
            (0..3).for_each(|c| sum[c] += weight * pixel[c]);
            total += weight;
        }
        std::array::from_fn(|c| {
            let [a, b] = tilt[c];
            let step = (a + b) / ((a * a + b * b).sqrt() + 1e-20);
            (sum[c] / total + step + 0.5).round_ties_even().clamp(0.0, 255.0)
        })
    }

    /// The mean of the known pixels around, weighted by how much each lies along its own line of equal brightness.
    fn navier_stokes(&self, y: usize, x: usize, radius: usize) -> [f32; 3] {
        let (mut sum, mut total) = ([0.0f32; 3], [1e-20f32; 3]);
        for (v, u, dy, dx) in self.known(y, x, radius) {
            let square = dy * dy + dx * dx;
            let pixel = self.pixels[self.at(v, u)];
            let sides = [true, false].map(|down| self.sides(v, u, down).map(|i| i.map(|i| self.pixels[i])));
            for c in 0..3 {
                let [down, across] = sides.map(|[before, after]| {
                    let step = |p: [f32; 3]| (p[c] - pixel[c]).abs();
                    match (before, after) {
                        (Some(b), Some(a)) => step(a) + step(b),
                        (None, Some(one)) | (Some(one), None) => 2.0 * step(one),
                        (None, None) => 0.0,
                    }
                });
                let along = dy * across - dx * down;
                let direction = if along.abs() <= 0.01 {
                    1e-6
                } else {
                    (along / (square * (down * down + across * across)).sqrt()).abs()
                };
                let weight = direction / (square * square + 1.0);
                sum[c] += weight * pixel[c];
                total[c] += weight;
            }
        }
        std::array::from_fn(|c| (sum[c] / total[c]).round_ties_even().clamp(0.0, 255.0))
    }
}

#[cfg(test)]
#[path = "inpaint_tests.rs"]
mod tests;
