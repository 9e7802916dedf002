//! The choices when a file is read.

use std::fmt;

use super::Files;
use crate::error::{Error, Result};

/// The choices that a model's file leaves to whoever reads it; the default chooses nothing.
#[derive(Clone, Copy, Default)]
pub struct Reading<'a> {
    /// The files beside it, where it may keep its weights.
    pub files: Option<&'a dyn Files>,
    /// The output that has the scores; the one that looks like them where none is named.
    pub scores: Option<&'a str>,
    /// The height and width of its input.
    pub size: Option<[usize; 2]>,
    /// The height and width where the file leaves them open and [`Self::size`] does not choose.
    pub usual_size: Option<[usize; 2]>,
}

impl Reading<'_> {
    /// Refuses what no file can be read with.
    pub(super) fn check(&self) -> Result<()> {
        match self.size {
            Some([height, width]) if height == 0 || width == 0 => Err(Error::Argument(format!(
                "size is [{height},{width}], and should be height and width in pixels, each from 1"
            ))),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("scores", &self.scores)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The height and width of the image, where the file leaves them open.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputSize {
    /// The size that the caller wants; a file that fixes another size is refused.
    pub wanted: Option<[usize; 2]>,
    /// The size where the caller wants none; 224 x 224 where this is none either.
    pub usual: Option<[usize; 2]>,
}
