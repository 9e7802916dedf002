//! The maps of the last runs, for drawing them again and again.

use std::collections::VecDeque;

use crate::{
    attribution::Map,
    error::{Error, Result},
};

/// How many values are kept, 4 bytes each: enough for a map of every method side by side, also of large images.
const KEPT: usize = 16 << 20;

/// The maps of the last runs, the least recently used first.
#[derive(Default)]
pub struct Results {
    last: u32,
    runs: VecDeque<(u32, Vec<Map>)>,
}

impl Results {
    /// An id for a new run.
    pub fn reserve(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// Keeps a run's maps, in place of its earlier ones; those that were used longest ago make room.
    pub fn put(&mut self, id: u32, maps: Vec<Map>) {
        self.runs.retain(|(other, _)| *other != id);
        self.runs.push_back((id, maps));
        let size = |maps: &[Map]| maps.iter().map(|m| m.values.len()).sum::<usize>();
        let mut total: usize = self.runs.iter().map(|(_, maps)| size(maps)).sum();
        while total > KEPT && self.runs.len() > 1 {
            total -= self.runs.pop_front().map_or(0, |(_, maps)| size(&maps));
        }
    }

    /// Notes that a run is in use.
    pub fn touch(&mut self, id: u32) {
        if let Some(at) = self.runs.iter().position(|(other, _)| *other == id)
            && let Some(run) = self.runs.remove(at)
        {
            self.runs.push_back(run);
        }
    }

    /// Whether a run has left maps.
    #[must_use]
    pub fn has(&self, id: u32) -> bool {
        self.runs.iter().any(|(other, _)| *other == id)
    }

    /// The map of target `k` of a run.
    ///
    /// # Errors
    /// [`Error::Argument`] when others have taken its place.
    pub fn get(&self, id: u32, k: usize) -> Result<&Map> {
        let maps = self.runs.iter().find(|(other, _)| *other == id).map(|(_, maps)| maps);
        maps.and_then(|m| m.get(k))
            .ok_or_else(|| Error::Argument(format!("map {k} of run {id} is no longer there")))
    }

    /// All maps of a run; none where it has left none.
    #[must_use]
    pub fn all(&self, id: u32) -> &[Map] {
        self.runs.iter().find(|(other, _)| *other == id).map_or(&[], |(_, maps)| maps)
    }

    /// Forgets all: another picture was opened.
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    fn maps(values: usize) -> Vec<Map> {
        vec![Map::new(0, Tensor::zeros([1, values]), "logit")]
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut results = Results::default();
        let ids: Vec<u32> = (0..4).map(|_| results.reserve()).collect();
        for &id in &ids[..3] {
            results.put(id, maps(KEPT / 3));
        }
        results.touch(ids[0]);
        results.put(ids[3], maps(KEPT / 3));
        let kept: Vec<bool> = ids.iter().map(|&id| results.has(id)).collect();
        assert_eq!(kept, [true, false, true, true]);
        assert_eq!(results.get(ids[1], 0).unwrap_err().code(), "argument");
    }

    #[test]
    fn the_newest_run_is_kept_whatever_its_size() {
        let mut results = Results::default();
        let (small, large) = (results.reserve(), results.reserve());
        results.put(small, maps(1));
        results.put(large, maps(KEPT + 1));
        assert!(results.has(large) && !results.has(small));
    }
}
