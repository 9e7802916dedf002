//! Images of the caller's, which methods compare with or start from.

use super::Session;
use crate::{
    attribution::gradient::background,
    error::{Error, Result},
    picture::Picture,
    tensor::Tensor,
};

impl Session {
    /// Gives the images that expected gradients compare with: `[N, C, H, W]`, normalised.
    ///
    /// # Errors
    /// [`Error::Argument`] when they do not fit the network, [`Error::NotFinite`].
    pub fn set_background(&mut self, images: Tensor) -> Result<()> {
        let (got, want) = (images.shape(), self.network.input());
        if got.get(1..) != Some(want) || got[0] == 0 {
            return Err(Error::Argument(format!(
                "the background is {got:?}, and should be some images of {want:?} (channels, height, width)"
            )));
        }
        images.check_finite("a value of the background")?;
        self.background = Some(images);
        Ok(())
    }

    /// Gives the image that `baseline=image` starts from: `[C, H, W]`, normalised.
    ///
    /// # Errors
    /// [`Error::Argument`] when it does not fit the network, [`Error::NotFinite`].
    pub fn set_baseline(&mut self, image: Tensor) -> Result<()> {
        let (got, want) = (image.shape(), self.network.input());
        if got != want {
            return Err(Error::Argument(format!(
                "the baseline is {got:?}, and should be {want:?} (channels, height, width)"
            )));
        }
        image.check_finite("a value of the baseline")?;
        self.baseline = Some(image);
        Ok(())
    }

    /// Several pictures as the network sees them: `[N, C, H, W]`, normalised.
    pub fn see_all(&self, pictures: &[Picture]) -> Result<Tensor> {
        let seen = pictures.iter().map(|p| Ok(self.see(p)?.1)).collect::<Result<Vec<_>>>()?;
        Tensor::stack(&seen)
    }

    /// The background, which is the shipped photographs unless another was given.
    pub(super) fn background(&mut self) -> Result<Tensor> {
        if self.background.is_none() {
            let photographs = background::PHOTOGRAPHS;
            if photographs.is_empty() {
                return Err(Error::Argument(
                    "there is no background; give some images to compare with".into(),
                ));
            }
            let pictures: Vec<Picture> =
                photographs.iter().map(|bytes| Picture::decode(bytes)).collect::<Result<_>>()?;
            self.background = Some(self.see_all(&pictures)?);
        }
        self.background.clone().ok_or_else(|| Error::Argument("there is no background".into()))
    }
}
