//! The place of each value in the one buffer that all share: values that are never alive together may overlap.

/// A value: its size, and the first and last step at which it must be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// In units of the caller's.
    pub size: usize,
    /// The step that makes it.
    pub from: usize,
    /// The last step that reads it.
    pub to: usize,
}

impl Interval {
    fn meets(&self, other: &Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// Offsets for intervals, and how much they take together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// One an interval.
    pub offsets: Vec<usize>,
    /// The end of the last.
    pub size: usize,
}

fn aligned(size: usize, align: usize) -> usize {
    size.checked_next_multiple_of(align).unwrap_or(usize::MAX)
}

/// Places intervals one after the other, the largest first, each into the lowest gap that it fits
/// (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference": within a few
/// percent of the best on CNNs). Where they take more than can be counted, that is [`usize::MAX`].
#[must_use]
pub fn plan(intervals: &[Interval], align: usize) -> Layout {
    let mut order: Vec<usize> = (0..intervals.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(intervals[i].size), i));
    let mut offsets = vec![0_usize; intervals.len()];
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    let mut size = 0_usize;
    for i in order {
        let own = aligned(intervals[i].size, align);
        let mut offset = 0_usize;
        // `placed` is sorted by offset: the first gap that is wide enough is the lowest.
        for &other in placed.iter().filter(|&&o| intervals[o].meets(&intervals[i])) {
            if offset.saturating_add(own) <= offsets[other] {
                break;
            }
            offset = offset.max(offsets[other].saturating_add(aligned(intervals[other].size, align)));
        }
        offsets[i] = offset;
        size = size.max(offset.saturating_add(own));
        let at = placed.partition_point(|&o| offsets[o] <= offset);
        placed.insert(at, i);
    }
    Layout { offsets, size }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn overlap(intervals: &[Interval], layout: &Layout) -> bool {
        let end = |i: usize| layout.offsets[i] + intervals[i].size;
        (0..intervals.len()).any(|i| {
            (0..i).any(|j| {
                let meet = intervals[i].meets(&intervals[j]) && intervals[i].size * intervals[j].size > 0;
                meet && layout.offsets[i] < end(j) && layout.offsets[j] < end(i)
            })
        })
    }

    #[test]
    fn what_lives_together_never_overlaps() {
        let mut rng = crate::rng::for_sample(1, 0);
        for _ in 0..300 {
            let count = rng.random_range(0..40);
            let intervals: Vec<Interval> = (0..count)
                .map(|_| {
                    let from = rng.random_range(0..30);
                    Interval { size: rng.random_range(0..100), from, to: from + rng.random_range(0..8) }
                })
                .collect();
            let layout = plan(&intervals, 4);
            assert!(!overlap(&intervals, &layout));
            assert!(layout.offsets.iter().all(|o| o % 4 == 0));
            // Never more than everything side by side, never less than what one step needs.
            let step =
                |t| intervals.iter().filter(move |i| i.from <= t && t <= i.to).map(|i| i.size).sum::<usize>();
            assert!((0..40).all(|t| step(t) <= layout.size));
            assert!(layout.size <= intervals.iter().map(|i| i.size.next_multiple_of(4)).sum());
        }
    }

    #[test]
    fn a_chain_needs_two_buffers() {
        let chain: Vec<Interval> = (0..10).map(|i| Interval { size: 8, from: i, to: i + 1 }).collect();
        assert_eq!(plan(&chain, 1).size, 16);
    }

    #[test]
    fn the_test_can_fail() {
        let both = [Interval { size: 4, from: 0, to: 1 }; 2];
        assert!(overlap(&both, &Layout { offsets: vec![0, 3], size: 7 }));
    }
}
