//! The one trait that attribution methods see, [`Backend`], and what implements it.
//!
//! | backend | runs a program |
//! |---|---|
//! | [`gpu`] | as WGSL compute shaders: operators fused, one arena of memory |
//! | [`cpu`] | with tract, row by row, natively on several threads |
//! | [`fallback`] | on one of these; on the CPU, with a note, once the GPU is lost |
//!
//! Both answer the same questions with the same numbers, within the tolerances of `docs/numerics.md`. [`Images`] is what
//! a program is run on: a batch, activations of a layer, or one image under many [`Masks`], of which no masked copy is
//! made. [`work_stealing`] deals the images of a batch out to helpers that have the same network.

mod bit_rows;
#[cfg(test)]
pub mod cases;
pub mod cpu;
pub mod fallback;
pub mod gpu;
mod images;
mod inpainted;
mod masks;
pub mod work_stealing;

use async_trait::async_trait;

pub use bit_rows::BitRows;
pub use images::{Images, ImagesPart, LayerInput};
pub use inpainted::{Inpainted, Inpainting};
pub use masks::{Grids, Masked, Masks, Rectangle, Segmentation};

use crate::{
    error::Result,
    network::{Network, Program},
    tensor::Tensor,
};

/// Which backend runs a network, and on what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// `gpu` or `cpu`.
    pub kind: &'static str,
    /// The adapter's name as the driver gives it, or what the CPU backend runs on.
    pub adapter: String,
    /// Whether the adapter is a software one.
    pub fallback: bool,
}

/// Runs programs of one network.
///
/// The same images give the same numbers in whatever batches they come: bit-equal on the CPU, within 1e-6
/// relative on one GPU.
#[async_trait(?Send)]
pub trait Backend {
    /// Which backend this is.
    fn description(&self) -> &Description;

    /// The network that it runs.
    fn network(&self) -> &Network;

    /// How many images are best given to one [`Backend::run`] of a program, with `targets` targets each.
    async fn batch(&mut self, program: &Program, targets: usize) -> Result<usize>;

    /// Runs a program on any number of images, and returns its outputs, batched along the first axis.
    ///
    /// `cotangents` is `[N * K, classes]`, image-major, for programs that take a gradient: each row says how
    /// the scores are combined into the number whose gradient is taken (one-hot for a class).
    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>>;

    /// Makes ready what a program takes on one image, so that its first run does not wait for it.
    async fn warm(&mut self, _program: &Program) -> Result<()> {
        Ok(())
    }

    /// Gives a clock (milliseconds) where the platform has none: work is then cut to the pace of the device.
    fn set_clock(&mut self, _clock: fn() -> f64) {}
}
