//! Checks of how far a map can be trusted: the randomisation of weights, and rank correlation between maps.
//!
//! [`randomisation`] takes away what a network has learnt, and [`rank`] tells how alike its maps are then and before. A
//! method whose maps stay the same shows the picture, not the reason.

pub mod randomisation;
pub mod rank;
