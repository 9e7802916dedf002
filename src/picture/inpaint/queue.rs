//! Which place comes next: a queue of distances that only grow.

/// Buckets to a pixel's width.
const FINE: f32 = 64.0;
/// Buckets in all, used in turn: what waits is at most one pixel further than what was taken last.
const BUCKETS: usize = 128;

/// Hands out the nearest place first, and of equally near ones that which came first.
pub struct Queue {
    /// Each sorted, the nearest first.
    buckets: Vec<Vec<(f32, u32)>>,
    /// The bucket in hand, counted from zero distance.
    bucket: usize,
    /// The number of its items that are taken.
    taken: usize,
    waiting: usize,
}

impl Queue {
    pub fn new() -> Self {
        Self { buckets: vec![vec![]; BUCKETS], bucket: 0, taken: 0, waiting: 0 }
    }

    /// Starts again from zero distance; what waited is forgotten.
    pub fn clear(&mut self) {
        self.buckets.iter_mut().for_each(Vec::clear);
        (self.bucket, self.taken, self.waiting) = (0, 0, 0);
    }

    /// Adds a place. Its distance is finite, not negative, and at most one pixel more than that of the last one taken.
    #[inline]
    pub fn push(&mut self, distance: f32, place: usize) {
        let bucket = ((distance * FINE) as usize).max(self.bucket);
        debug_assert!(bucket < self.bucket + BUCKETS, "{distance} is too far from {}", self.bucket);
        let entries = &mut self.buckets[bucket % BUCKETS];
        let first = if bucket == self.bucket { self.taken } else { 0 };
        let mut at = entries.len();
        while at > first && entries[at - 1].0 > distance {
            at -= 1;
        }
        entries.insert(at, (distance, place as u32));
        self.waiting += 1;
    }

    #[inline]
    pub fn pop(&mut self) -> Option<usize> {
        self.waiting = self.waiting.checked_sub(1)?;
        loop {
            let entries = &mut self.buckets[self.bucket % BUCKETS];
            if let Some(&(_, place)) = entries.get(self.taken) {
                self.taken += 1;
                return Some(place as usize);
            }
            entries.clear();
            (self.bucket, self.taken) = (self.bucket + 1, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    use crate::rng;

    /// The order is that of a stable sort, whatever is added while the queue is emptied.
    #[test]
    fn hands_out_the_nearest_first_and_of_equals_the_oldest() {
        let mut rng = rng::for_sample(7, 0);
        let mut queue = Queue::new();
        for _ in 0..2 {
            queue.clear();
            let mut waiting: Vec<(f32, usize)> = (0..40).map(|place| (0.0, place)).collect();
            waiting.iter().for_each(|&(distance, place)| queue.push(distance, place));
            for place in 40..5000 {
                let nearest = waiting.iter().map(|w| w.0).fold(f32::INFINITY, f32::min);
                let oldest = waiting.iter().position(|w| w.0 == nearest).unwrap();
                assert_eq!(queue.pop(), Some(waiting.remove(oldest).1));
                // Steps of a tenth: many are equally far.
                let distance = nearest + f32::from(rng.random_range(0..=10u8)) / 10.0;
                waiting.push((distance, place));
                queue.push(distance, place);
            }
        }
    }
}
