//! What would the network see if a part of the picture were hidden?

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
pub struct Cut {
    image: Tensor,
    fill: Tensor,
    segments: Arc<Segmentation>,
}

impl Cut {
    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &Segmentation {
        &self.segments
    }

    /// What shows where a segment is hidden: `[C, H, W]`, normalised.
    #[must_use]
    pub fn fill(&self) -> &Tensor {
        &self.fill
    }
}

impl Session {
    /// Cuts an image, `[C, H, W]` and normalised, into the segments that a method would hide, with the method's
    /// parameters, as text or JSON values.
    ///
    /// # Errors
    /// [`Error::Argument`] when the method hides no segments, or a parameter is not one of its own.
    pub fn cut(&self, image: &Tensor, id: &str, parameters: &BTreeMap<String, Value>) -> Result<Cut> {
        let method = method(id)?;
        if !method.takes_segments() {
            return Err(Error::Argument(format!("{id} hides no segments; choose lime or kernel-shap")));
        }
        let settings = Settings::resolve(method.about().parameters, parameters)?;
        let segments = Arc::new(segments::image(image, self.preprocessing(), &settings)?);
        let fill = perturbation::segment_fill(image, self.preprocessing(), &segments, &settings)?;
        Ok(Cut { image: image.clone(), fill, segments })
    }

    /// The scores of every class with some segments hidden, the best first.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is no such segment, and whatever the network fails with.
    pub async fn hide(&mut self, cut: &Cut, hidden: &[usize]) -> Result<Vec<Class>> {
        let count = cut.segments.count();
        if let Some(bad) = hidden.iter().find(|&&s| s >= count) {
            return Err(Error::Argument(format!("there is no segment {bad}; there are {count}, from 0")));
        }
        let mut shown = vec![true; count];
        hidden.iter().for_each(|&s| shown[s] = false);
        let mut rows = BitRows::new(count);
        rows.push(shown);
        let masks = Masks::Segments(cut.segments.clone(), rows);
        let masked = Masked { image: &cut.image, fill: &cut.fill, masks: &masks };
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
        let cut = session.cut(&image, "lime", &parameters).unwrap();
        assert_eq!(cut.segments().count(), 4);
        let mut mixed = image.clone();
        for (i, value) in mixed.data_mut().iter_mut().enumerate() {
            let label = cut.segments().labels()[i % (224 * 224)];
            *value = if [1, 2].contains(&label) { 0.0 } else { *value };
        }
        let expected = pollster::block_on(session.classify(&mixed)).unwrap();
        assert_eq!(pollster::block_on(session.hide(&cut, &[2, 1])).unwrap(), expected);
        let whole = pollster::block_on(session.classify(&image)).unwrap();
        assert_eq!(pollster::block_on(session.hide(&cut, &[])).unwrap(), whole);
        assert_ne!(expected, whole);
        assert_eq!(pollster::block_on(session.hide(&cut, &[4])).unwrap_err().code(), "argument");
        assert_eq!(session.cut(&image, "saliency", &parameters).unwrap_err().code(), "argument");
    }
}
