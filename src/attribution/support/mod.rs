//! What several methods share.

pub mod background;
pub mod baseline;
pub mod cam;
pub mod fill;
pub mod gradient;
pub mod linear;
pub mod masker;
pub mod moments;
pub mod noise;
#[cfg(test)]
pub mod oracle;
pub mod owen;
pub mod perturb;
pub mod quadrature;
pub mod regression;
pub mod segments;
pub mod shapley;
