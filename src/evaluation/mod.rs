//! How far a map can be trusted.

pub mod randomisation;
pub mod rank;
