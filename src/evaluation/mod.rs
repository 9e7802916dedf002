//! Checks of how far a map can be trusted: the randomisation of weights, and rank correlation between maps.

pub mod randomisation;
pub mod rank;
