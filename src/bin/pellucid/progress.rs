//! A progress bar on a terminal's stderr.

use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressStyle};
use pellucid::{
    Result,
    attribution::{Map, Observer, spread},
};

/// Shows how far a method is; silent where stderr is no terminal.
pub struct Bar(ProgressBar);

impl Bar {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:32} {pos}/{len}  {elapsed} elapsed, {eta} left{msg}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

#[async_trait(?Send)]
impl Observer for Bar {
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()> {
        self.0.set_length(total);
        self.0.set_position(done);
        if let Some(error) = partial.and_then(spread) {
            self.0.set_message(format!(", error up to {error:.2e}"));
        }
        Ok(())
    }
}
