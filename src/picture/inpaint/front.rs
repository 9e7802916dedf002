//! The front that moves into the hole: distances from its rim, by fast marching.

use super::queue::Queue;

/// Indices of pixels: row by row, with a frame around the picture.
#[derive(Clone, Copy)]
pub struct FramedArea {
    pub height: usize,
    pub width: usize,
    /// Width of the frame.
    pub frame: usize,
}

impl FramedArea {
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

    /// The places of a row of the picture.
    #[inline]
    pub fn row(self, y: usize) -> std::ops::Range<usize> {
        self.at(y, 0)..self.at(y, self.width)
    }

    /// The neighbours: above, left, below, right; the frame's among them.
    #[inline]
    pub fn around(self, i: usize) -> [usize; 4] {
        [i - self.stride(), i - 1, i + self.stride(), i + 1]
    }
}

/// OpenCV's distance of what the front has not reached.
const FAR: f32 = 1e6;

/// The front.
pub struct Front {
    area: FramedArea,
    /// Places to be filled. What the front has reached is none, nor is the frame.
    hidden: Vec<bool>,
    times: Vec<f32>,
    queue: Queue,
    /// The pixels beside the hole, as it was at first.
    rim: Vec<usize>,
}

impl Front {
    pub fn new(area: FramedArea) -> Self {
        Self {
            area,
            hidden: vec![false; area.len()],
            times: vec![f32::INFINITY; area.len()],
            queue: Queue::new(),
            rim: vec![],
        }
    }

    /// Puts the front on the rim of a hole. Given a radius, known pixels that near the hole get their distances from
    /// the rim too, negative.
    pub fn start(&mut self, hidden: &[bool], outside: Option<usize>) {
        let area = self.area;
        self.times.fill(f32::INFINITY);
        for (y, row) in hidden.chunks_exact(area.width).enumerate() {
            self.hidden[area.row(y)].copy_from_slice(row);
        }
        self.find_rim();
        if let Some(radius) = outside {
            self.measure_outside(radius);
        }
        self.push_rim();
    }

    /// The known pixels beside the hole.
    pub fn rim(&self) -> &[usize] {
        &self.rim
    }

    /// The neighbours of a place.
    #[inline]
    pub fn around(&self, i: usize) -> [usize; 4] {
        self.area.around(i)
    }

    #[inline]
    pub fn is_hidden(&self, i: usize) -> bool {
        self.hidden[i]
    }

    /// The distance of every place.
    #[inline]
    pub fn times(&self) -> &[f32] {
        &self.times
    }

    /// The next place of the front.
    #[inline]
    pub fn pop(&mut self) -> Option<usize> {
        self.queue.pop()
    }

    /// Makes a place that has its distance part of the front.
    #[inline]
    pub fn push(&mut self, i: usize) {
        self.hidden[i] = false;
        self.queue.push(self.times[i], i);
    }

    fn push_rim(&mut self) {
        self.queue.clear();
        for &i in &self.rim {
            self.times[i] = 0.0;
            self.queue.push(0.0, i);
        }
    }

    fn find_rim(&mut self) {
        let (area, hidden) = (self.area, &self.hidden);
        let stride = area.stride();
        let mut beside = vec![false; area.width];
        self.rim.clear();
        for y in 0..area.height {
            let row = area.row(y);
            let shifted = |by: usize| &hidden[row.start + by - stride..row.end + by - stride];
            let sides = [shifted(0), shifted(stride - 1), shifted(stride + 1), shifted(2 * stride)];
            let here = shifted(stride);
            for x in 0..area.width {
                beside[x] = !here[x] & (sides[0][x] | sides[1][x] | sides[2][x] | sides[3][x]);
            }
            self.rim.extend(row.zip(&beside).filter(|(_, b)| **b).map(|(i, _)| i));
        }
    }

    /// The distances of known pixels near the hole from its rim, negative.
    fn measure_outside(&mut self, radius: usize) {
        self.push_rim();
        let mut ring = self.ring(radius);
        self.rim.iter().for_each(|&i| ring[i] = false);
        let mut reached = vec![];
        while let Some(from) = self.queue.pop() {
            reached.push(from);
            for i in self.area.around(from) {
                if std::mem::take(&mut ring[i]) {
                    let time = self.arrive(i);
                    self.queue.push(time, i);
                }
            }
        }
        reached.into_iter().for_each(|i| self.times[i] = -self.times[i]);
    }

    /// Pixels within a square of the hole but outside it.
    fn ring(&self, radius: usize) -> Vec<bool> {
        let (area, stride) = (self.area, self.area.stride());
        let mut beside = vec![false; area.len()];
        let mut near = vec![false; area.len()];
        spread(&self.hidden, &mut beside, area, radius, 1);
        spread(&beside, &mut near, area, radius, stride);
        near.iter_mut().zip(&self.hidden).for_each(|(n, h)| *n &= !h);
        near
    }

    /// When the front arrives: the least solution of |grad T| = 1 from the four corners, in OpenCV's precision. It grows
    /// with each of a corner's two times, so that it is that of the earliest ones.
    #[inline]
    pub fn arrive(&mut self, i: usize) -> f32 {
        let [up, left, down, right] = self.area.around(i).map(|j| self.times[j]);
        let (a, b) = (f64::from(up.min(down)), f64::from(left.min(right)));
        let time = if (a - b).abs() >= 1.0 {
            1.0 + a.min(b)
        } else {
            (a + b + (2.0 - (a - b) * (a - b)).sqrt()) / 2.0
        };
        self.times[i] = time as f32;
        time as f32
    }

    /// The slope of the distances at a place, down and across.
    #[inline]
    pub fn slope(&self, i: usize) -> [f32; 2] {
        let [up, left, down, right] = self.area.around(i);
        let slope = |before: usize, after: usize| {
            let (has_before, has_after) = (!self.hidden[before], !self.hidden[after]);
            let time = |is_known: bool, j: usize| self.times[if is_known { j } else { i }].min(FAR);
            let step = time(has_after, after) - time(has_before, before);
            step * if has_before & has_after { 0.5 } else { 1.0 }
        };
        [slope(up, down), slope(left, right)]
    }
}

/// Marks the picture's places that lie at most `radius` steps before or after a marked one.
fn spread(from: &[bool], to: &mut [bool], area: FramedArea, radius: usize, step: usize) {
    for y in 0..area.height {
        let row = area.row(y);
        for shift in 0..=2 * radius {
            let start = row.start + shift * step - radius * step;
            let (to, from) = (&mut to[row.clone()], &from[start..start + area.width]);
            to.iter_mut().zip(from).for_each(|(t, f)| *t |= f);
        }
    }
}
