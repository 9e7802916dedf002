//! A request, checked and completed for one image, and its answer.

use std::sync::Arc;

use super::{Class, Explained, Explanation, Request, Saturation, Session, Target, report::empty_note};
use crate::{
    attribution::{About, Map, Method, Observer, Run, Settings, cotangents, method, perturbation::segments},
    backend::{Backend, BitRows, Segmentation},
    error::{Error, Result},
    network::{Head, Layer, Network, Score},
    picture::Preprocessing,
    tensor::Tensor,
};

/// What is asked of one image: all but the layer.
pub(super) struct Asked {
    pub(super) method: &'static dyn Method,
    pub(super) score: Score,
    pub(super) targets: Vec<usize>,
    network: Arc<Network>,
    preprocessing: Preprocessing,
    settings: Settings,
    /// Every class's scores for the image, in class order.
    classes: Vec<Class>,
    versus: Option<Target>,
    background: Option<Tensor>,
    baseline: Option<Tensor>,
    saturation: Option<Saturation>,
    segments: Option<Segmentation>,
    samples: Option<BitRows>,
    seed: u64,
    /// Why another score is explained than the method's default.
    instead: Option<String>,
    /// What is said of the session, before what is said of the answer.
    notes: Vec<String>,
}

impl Session {
    /// Checks a request and completes it for an image.
    pub(super) async fn asked(&mut self, image: &Tensor, request: &Request) -> Result<Asked> {
        let method = method(&request.method)?;
        let about = method.about();
        let mut settings = Settings::resolve(about.parameters, &request.parameters)?;
        method.complete(&mut settings, self.network.input());
        self.layer_for(method, request.layer.as_deref())?;
        let head = self.network.head();
        let score = head.score(request.score, about.default_score)?;
        let samples = own(request, method)?;
        if let Some(samples) = &samples {
            settings.adjust("samples", samples.len());
        }
        if request.segments.is_some() {
            settings.forget(segments::PARAMETERS);
        }
        let classes = match &self.classified {
            Some((seen, classes)) if seen == image => classes.clone(),
            _ => self.scores(image).await?,
        };
        let targets = targets(request, &classes)?;
        self.check_versus(method, &targets, request.versus)?;
        let background = if method.needs_background() { Some(self.background()?) } else { None };
        let saturation = if method.differentiates() { self.saturation(image).await? } else { None };
        Ok(Asked {
            method,
            score,
            targets,
            network: self.network.clone(),
            preprocessing: self.preprocessing.clone(),
            settings,
            classes,
            versus: request.versus.map(|v| self.target(v)),
            background,
            baseline: self.baseline.clone(),
            saturation,
            segments: request.segments.clone(),
            samples,
            seed: request.seed,
            instead: instead(head, about, request.score),
            notes: self.notes.clone(),
        })
    }
}

impl Asked {
    /// What to differentiate of one image: a row a target.
    pub(super) fn cotangents(&self) -> Result<Tensor> {
        let versus = self.versus.as_ref().map(|v| v.index);
        cotangents(self.network.classes(), 1, &self.targets, versus)
    }

    /// Asks the method, at a layer if one is given.
    pub(super) async fn answer(
        &self,
        backend: &mut dyn Backend,
        image: &Tensor,
        layer: Option<Layer>,
        observer: &mut dyn Observer,
    ) -> Result<Explanation> {
        let mut run = Run {
            versus: self.versus.as_ref().map(|v| v.index),
            layer: layer.as_ref(),
            background: self.background.as_ref(),
            baseline: self.baseline.as_ref(),
            score: self.score,
            seed: self.seed,
            segments: self.segments.as_ref(),
            samples: self.samples.as_ref(),
            ..Run::new(backend, image, &self.preprocessing, &self.targets, &self.settings, observer)
        };
        let maps = self.method.explain(&mut run).await?;
        let (evaluations, said) = (run.evaluations, std::mem::take(&mut run.notes));
        let backend = run.backend.description().clone();
        let mut notes = self.notes.clone();
        notes.extend(said);
        notes.extend(self.instead.clone());
        notes.extend(self.saturation.map(Saturation::note));
        notes.extend(maps.iter().filter_map(|m| empty_note(m, &self.classes[m.target].target.label)));
        for map in &maps {
            map.values.check_finite("a value of the attribution")?;
        }
        let explained = |map: Map| Explained { class: self.classes[map.target].clone(), map };
        Ok(Explanation {
            method: self.method.about().id,
            map: self.method.map(layer.as_ref()),
            targets: maps.into_iter().map(explained).collect(),
            versus: self.versus.clone(),
            layer: layer.map(|l| l.name),
            score: self.score,
            head: self.network.head(),
            parameters: self.settings.clone(),
            seed: self.seed,
            evaluations,
            backend,
            saturation: self.saturation,
            notes,
        })
    }
}

/// What is said where a method would explain probabilities and the network has none.
fn instead(head: Head, about: &About, asked: Option<Score>) -> Option<String> {
    let missing = head == Head::None && asked.is_none() && about.default_score == Score::Probability;
    missing.then(|| {
        format!(
            "{} explains probabilities by default; this model has none, so its score is explained.",
            about.label
        )
    })
}

/// The classes that are asked for, or else the best.
fn targets(request: &Request, classes: &[Class]) -> Result<Vec<usize>> {
    if request.targets.is_empty() {
        let better =
            |a: &&Class, b: &&Class| a.logit.total_cmp(&b.logit).then(b.target.index.cmp(&a.target.index));
        return Ok(classes.iter().max_by(better).map(|c| c.target.index).into_iter().collect());
    }
    if let Some(&bad) = request.targets.iter().find(|&&t| t >= classes.len()) {
        return Err(Error::Argument(format!(
            "class {bad} is out of range; the model has {}, from 0",
            classes.len()
        )));
    }
    Ok(request.targets.clone())
}

/// The caller's own samples as bits; segments and samples are refused where the method has no use for them.
fn own(request: &Request, method: &dyn Method) -> Result<Option<BitRows>> {
    let refuse = |what: &str| {
        Err(Error::Argument(format!("{} takes no {what} of the caller; leave them out", request.method)))
    };
    if request.segments.is_some() && !method.takes_segments() {
        return refuse("segments");
    }
    if request.samples.is_some() && !method.takes_samples() {
        return refuse("samples");
    }
    request.samples.as_deref().map(BitRows::from_samples).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::resilient::Choice, session::Options};

    /// Marked scores come back for the image that they were kept for, and for no other.
    #[test]
    fn an_image_is_classified_once() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let options = Options { backend: Choice::Cpu, ..Options::default() };
        let mut session = pollster::block_on(Session::open(model, options)).unwrap();
        let (image, other) =
            (Tensor::zeros([3, 224, 224]), Tensor::new([3, 224, 224], vec![0.5; 150_528]).unwrap());
        pollster::block_on(session.classify(&image)).unwrap();
        session.classified.as_mut().unwrap().1[7].logit = 1234.0;
        let request = Request { method: "grad-cam".into(), ..Request::default() };
        let mut best = |image| pollster::block_on(session.asked(image, &request)).unwrap().targets;
        assert_eq!(best(&image), [7]);
        assert_ne!(best(&other), [7]);
        assert_ne!(best(&image), [7], "another image came between");
    }
}
