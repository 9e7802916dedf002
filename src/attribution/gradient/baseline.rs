//! Baselines: the images at which the path of integrated gradients starts.

use image::{ImageBuffer, Luma, imageops};

use crate::{
    attribution::fill::Fill,
    error::{Error, Result},
    picture::Preprocessing,
    tensor::Tensor,
};

/// The baselines that can be named.
pub const NAMES: &[&str] = &["zero", "mean", "blur", "black", "white", CUSTOM];

/// The name of an image that the caller gives.
pub const CUSTOM: &str = "image";

/// The blur's deviation as a share of the image's longer side.
const BLUR: f32 = 0.08;

/// A named baseline for an image: `[C, H, W]`, normalised; `own` is the caller's.
///
/// `zero` is zero at the network's input (the preprocessing's mean colour), `mean` the image's own mean colour,
/// `blur` the image blurred by a Gaussian of 8 % of its longer side, `black` and `white` the colours, `image` the
/// caller's own.
///
/// # Errors
/// [`Error::Argument`] for another name, and where the caller's own is asked for and missing or of another shape.
pub fn baseline(
    name: &str,
    image: &Tensor,
    preprocessing: &Preprocessing,
    own: Option<&Tensor>,
) -> Result<Tensor> {
    let fill = match name {
        "zero" => Fill::Zero,
        "mean" => Fill::Mean,
        "black" => Fill::Colour([0; 3]),
        "white" => Fill::Colour([255; 3]),
        "blur" => return blurred(image),
        CUSTOM => return given(image, own),
        _ => {
            return Err(Error::Argument(format!(
                "there is no baseline {name:?}; choose one of {}",
                NAMES.join(", ")
            )));
        }
    };
    Ok(fill.image(image, preprocessing))
}

fn given(image: &Tensor, own: Option<&Tensor>) -> Result<Tensor> {
    let Some(own) = own else {
        return Err(Error::Argument(
            "there is no image to start from; give one, with --baseline FILE on the command line".into(),
        ));
    };
    if own.shape() != image.shape() {
        return Err(Error::Argument(format!(
            "the baseline is {:?}, and should be {:?} (channels, height, width)",
            own.shape(),
            image.shape()
        )));
    }
    Ok(own.clone())
}

fn blurred(image: &Tensor) -> Result<Tensor> {
    let [channels, height, width] = *image.shape() else {
        return Err(Error::Argument("a blur needs an image".into()));
    };
    let sigma = BLUR * height.max(width) as f32;
    let mut data = Vec::with_capacity(image.len());
    for c in 0..channels {
        // The image crate clamps what it blurs to 0..1, so each channel is brought there and back.
        let row = image.row(c);
        let (low, high) =
            row.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let span = (high - low).max(f32::MIN_POSITIVE);
        let unit: Vec<f32> = row.iter().map(|v| (v - low) / span).collect();
        let plane: ImageBuffer<Luma<f32>, Vec<f32>> =
            ImageBuffer::from_raw(width as u32, height as u32, unit)
                .ok_or_else(|| Error::Argument("the image is empty".into()))?;
        data.extend(imageops::blur(&plane, sigma).into_raw().into_iter().map(|v| v * span + low));
    }
    Tensor::new(image.shape(), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_mean_and_flattens() {
        let data: Vec<f32> = (0..3 * 32 * 32).map(|i| if i / 2 % 2 == 0 { -1.5 } else { 2.0 }).collect();
        let image = Tensor::new([3, 32, 32], data).unwrap();
        let soft = baseline("blur", &image, &Preprocessing::default(), None).unwrap();
        let spread = |t: &Tensor| t.range().1 - t.range().0;
        assert!(spread(&soft) < 0.95 * spread(&image), "{:?}", soft.range());
        assert!((soft.sum() - image.sum()).abs() / (3.0 * 32.0 * 32.0) < 0.1);
    }

    /// The blur of a step is the normal distribution's own curve: at one deviation from the step, 84.13 %.
    #[test]
    fn the_blur_s_deviation_is_eight_hundredths_of_the_longer_side() {
        for (height, width) in [(40, 100), (100, 40)] {
            let is_bright =
                |i: usize| if width > height { i % width >= 50 } else { i / width % height >= 50 };
            let values = (0..3 * 4000).map(|i| if is_bright(i) { 3.0 } else { -1.0 }).collect();
            let image = Tensor::new([3, height, width], values).unwrap();
            let soft = baseline("blur", &image, &Preprocessing::default(), None).unwrap();
            // The step lies between lines 49 and 50, and lines 57 and 58 lie about 8 behind it.
            let line = |at: usize| if width > height { 20 * width + at } else { at * width + 20 };
            let share =
                |at: usize| (soft.data()[4000 + line(at)] + soft.data()[4000 + line(at + 1)] + 2.0) / 8.0;
            assert!((share(57) - 0.8413).abs() < 0.01, "{}", share(57));
            assert!((share(41) - 0.1587).abs() < 0.01, "{}", share(41));
        }
    }

    #[test]
    fn white_is_white() {
        let preprocessing = Preprocessing { mean: [127.0; 3], std: [128.0; 3], ..Default::default() };
        let white = baseline("white", &Tensor::zeros([3, 2, 2]), &preprocessing, None).unwrap();
        assert!(white.data().iter().all(|v| *v == 1.0));
        assert_eq!(baseline("red", &white, &preprocessing, None).unwrap_err().code(), "argument");
    }

    #[test]
    fn an_image_of_the_callers_is_taken_as_it_is() {
        let (image, own) = (Tensor::zeros([3, 2, 2]), Tensor::full([3, 2, 2], 0.5));
        let start = |own: Option<&Tensor>| baseline("image", &image, &Preprocessing::default(), own);
        assert_eq!(start(Some(&own)).unwrap(), own);
        for wrong in [None, Some(&Tensor::zeros([3, 2, 1]))] {
            assert_eq!(start(wrong).unwrap_err().code(), "argument");
        }
    }
}
