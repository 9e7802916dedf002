//! Hiding: what the network would see if a part of the picture were hidden.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{Class, Session, best_first};
use crate::{
    attribution::{
        Settings, method,
        perturbation::{self, segments},
    },
    backend::{BitRows, Images, Masked, Masks, Segmentation},
    error::{Error, Result},
    tensor::Tensor,
};

/// An image cut into segments, each of which can be hidden.
#[derive(Clone, Debug)]
pub struct SegmentedImage {
    image: Tensor,
    fill: Tensor,
    segments: Arc<Segmentation>,
}

impl SegmentedImage {
    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &Segmentation {
        &self.segments
    }

    /// The fill, which shows where a segment is hidden: `[C, H, W]`, normalised.
    #[must_use]
    pub fn fill(&self) -> &Tensor {
        &self.fill
    }
}

impl Session {
    /// Segments an image, `[C, H, W]` and normalised, as a method would that hides segments, with the method's
    /// parameters, as text or JSON values.
    ///
    /// # Errors
    /// [`Error::Argument`] when the method hides no segments, or a parameter is not one of its own.
    pub fn segment_image(
        &self,
        image: &Tensor,
        id: &str,
        parameters: &BTreeMap<String, Value>,
    ) -> Result<SegmentedImage> {
        let method = method(id)?;
        if !method.takes_segments() {
            return Err(Error::Argument(format!("{id} hides no segments; choose lime or kernel-shap")));
        }
        let settings = Settings::resolve(method.about().parameters, parameters)?;
        let segments = Arc::new(segments::image(image, self.preprocessing(), &settings)?);
        let fill = perturbation::segment_fill(image, self.preprocessing(), &segments, &settings)?;
        Ok(SegmentedImage { image: image.clone(), fill, segments })
    }

    /// The scores of every class with some segments hidden, the best first.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is no such segment, and whatever the network fails with.
    pub async fn scores_with_hidden(
        &mut self,
        segmented: &SegmentedImage,
        hidden: &[usize],
    ) -> Result<Vec<Class>> {
        let count = segmented.segments.count();
        if let Some(bad) = hidden.iter().find(|&&s| s >= count) {
            return Err(Error::Argument(format!("there is no segment {bad}; there are {count}, from 0")));
        }
        let mut shown = vec![true; count];
        hidden.iter().for_each(|&s| shown[s] = false);
        let mut rows = BitRows::new(count);
        rows.push(shown);
        let masks = Masks::Segments(segmented.segments.clone(), rows);
        let masked = Masked { image: &segmented.image, fill: &segmented.fill, masks: &masks };
        Ok(best_first(self.scores_of(Images::Masked(masked)).await?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{backend::fallback::Choice, session::Options};

    #[test]
    fn hiding_is_the_network_on_the_mixed_image() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let options = Options { backend: Choice::Cpu, ..Options::default() };
        let mut session = pollster::block_on(Session::open(model, options)).unwrap();
        let values = (0..3 * 224 * 224_u32).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
        let image = Tensor::new([3, 224, 224], values).unwrap();
        let parameters = [("algorithm", json!("grid")), ("segments", json!(4)), ("fill", json!("zero"))];
        let parameters = parameters.map(|(k, v)| (k.to_owned(), v)).into();
        let segmented = session.segment_image(&image, "lime", &parameters).unwrap();
        assert_eq!(segmented.segments().count(), 4);
        let mut mixed = image.clone();
        for (i, value) in mixed.data_mut().iter_mut().enumerate() {
            let label = segmented.segments().labels()[i % (224 * 224)];
            *value = if [1, 2].contains(&label) { 0.0 } else { *value };
        }
        let expected = pollster::block_on(session.classify(&mixed)).unwrap();
        assert_eq!(pollster::block_on(session.scores_with_hidden(&segmented, &[2, 1])).unwrap(), expected);
        let whole = pollster::block_on(session.classify(&image)).unwrap();
        assert_eq!(pollster::block_on(session.scores_with_hidden(&segmented, &[])).unwrap(), whole);
        assert_ne!(expected, whole);
        assert_eq!(
            pollster::block_on(session.scores_with_hidden(&segmented, &[4])).unwrap_err().code(),
            "argument"
        );
        assert_eq!(session.segment_image(&image, "saliency", &parameters).unwrap_err().code(), "argument");
    }
}
