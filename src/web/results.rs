//! The maps of the last runs, for drawing them again and again.

use std::collections::VecDeque;

use crate::{
    attribution::Map,
    error::{Error, Result},
};

/// How many runs are kept: the one that is shown, and a few that are compared with it.
const KEPT: usize = 8;

/// The maps of the last runs.
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

    /// Keeps a run's maps, in place of its earlier ones.
    pub fn put(&mut self, id: u32, maps: Vec<Map>) {
        self.runs.retain(|(other, _)| *other != id);
        self.runs.push_back((id, maps));
        if self.runs.len() > KEPT {
            self.runs.pop_front();
        }
    }

    /// Whether a run has left maps.
    pub fn has(&self, id: u32) -> bool {
        self.runs.iter().any(|(other, _)| *other == id)
    }

    /// The map of target `k` of a run.
    pub fn get(&self, id: u32, k: usize) -> Result<&Map> {
        let maps = self.runs.iter().find(|(other, _)| *other == id).map(|(_, maps)| maps);
        maps.and_then(|m| m.get(k))
            .ok_or_else(|| Error::Argument(format!("map {k} of run {id} is no longer there")))
    }

    /// All maps of a run.
    pub fn all(&self, id: u32) -> Vec<Map> {
        self.runs.iter().find(|(other, _)| *other == id).map(|(_, maps)| maps.clone()).unwrap_or_default()
    }

    /// Forgets all: another picture was opened.
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}
