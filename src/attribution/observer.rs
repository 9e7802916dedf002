//! How a method reports its progress, and is stopped.

use async_trait::async_trait;

use super::Map;
use crate::error::Result;

/// Hears of a method's progress.
#[async_trait(?Send)]
pub trait Observer {
    /// `done` of `total` steps are done; `partial` is what the maps would be now, for methods that sharpen.
    /// An error, [`Cancelled`](crate::Error::Cancelled) for one, stops the method.
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()>;
}

/// An observer that does not care.
pub struct Silent;

#[async_trait(?Send)]
impl Observer for Silent {
    async fn progress(&mut self, _: u64, _: u64, _: Option<&[Map]>) -> Result<()> {
        Ok(())
    }
}
