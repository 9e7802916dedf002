//! A request as it is given, and as it is resolved for one image.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{
    Class, Explained, Explanation, Saturation, Session, Target, report::empty_note, stopped::LatestMaps,
};
use crate::{
    attribution::{
        About, Context, Map, Method, Observer, Question, Settings, method, perturbation::segments,
    },
    backend::{Backend, BitRows, Description, Segmentation},
    error::{Error, Result},
    network::{Head, Layer, QUANTIZED, Score},
    tensor::Tensor,
};

/// A request: what is to be explained, and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method's id.
    pub method: String,
    /// The classes; the top one where there are none.
    #[serde(default)]
    pub targets: Vec<usize>,
    /// The class that every target is held against, for methods that can.
    #[serde(default)]
    pub versus: Option<usize>,
    /// The layer's name, for methods that look at one; where one is needed, the last before global pooling where there
    /// is none.
    #[serde(default)]
    pub layer: Option<String>,
    /// The score; the method's own default where there is none.
    #[serde(default)]
    pub score: Option<Score>,
    /// The method's parameters, as text or JSON values.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// The seed of random numbers.
    #[serde(default)]
    pub seed: u64,
    /// The caller's own segments, for methods that hide segments.
    #[serde(default)]
    pub segments: Option<Segmentation>,
    /// The caller's own samples for such methods: which segments show (1) in each.
    #[serde(default)]
    pub samples: Option<Vec<Vec<u8>>>,
}

/// A request that is checked and completed for one image.
pub(super) struct ResolvedRequest {
    pub(super) method: &'static dyn Method,
    pub(super) question: Question,
    head: Head,
    /// Every class's scores for the image, in class order.
    classes: Vec<Class>,
    versus: Option<Target>,
    saturation: Option<Saturation>,
    /// Notes on the session, which go before those on the answer.
    session_notes: Vec<String>,
    /// Why another score is explained than the method's default.
    score_note: Option<String>,
}

impl Session {
    /// Checks a request and completes it for an image.
    pub(super) async fn resolve(&mut self, image: &Tensor, request: &Request) -> Result<ResolvedRequest> {
        let method = method(&request.method)?;
        let about = method.about();
        let mut settings = Settings::resolve(about.parameters, &request.parameters)?;
        method.complete(&mut settings, self.network.input());
        let layer = self.layer_for(method, request.layer.as_deref())?;
        let head = self.network.head();
        let score = head.score(request.score, about.default_score)?;
        let samples = supplied_samples(request, method)?;
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
        let question = Question {
            versus: request.versus,
            layer,
            score,
            seed: request.seed,
            background: if method.needs_background() { Some(self.background()?) } else { None },
            baseline: self.baseline.clone(),
            segments: request.segments.clone().map(Arc::new),
            samples,
            ..Question::new(targets, settings, self.preprocessing.clone())
        };
        Ok(ResolvedRequest {
            method,
            question,
            head,
            classes,
            versus: request.versus.map(|v| self.target(v)),
            saturation: if method.differentiates() { self.saturation(image).await? } else { None },
            session_notes: self.notes_for(method),
            score_note: score_note(head, about, request.score),
        })
    }

    pub(super) fn layer_for(&self, method: &dyn Method, wanted: Option<&str>) -> Result<Option<Layer>> {
        match wanted {
            Some(name) if method.takes_layer() => self.network.layer(name).map(Some),
            Some(_) => Err(Error::Argument(
                "this method explains the input, and takes no layer; leave it out".into(),
            )),
            None if method.needs_layer() => Ok(self.network.default_layer().cloned()),
            None => Ok(None),
        }
    }

    /// The notes on the session that concern a method: how gradients are taken does not, where none is.
    fn notes_for(&self, method: &dyn Method) -> Vec<String> {
        let concerns = |note: &&String| method.differentiates() || *note != QUANTIZED;
        self.notes.iter().filter(concerns).cloned().collect()
    }

    fn check_versus(&self, method: &dyn Method, targets: &[usize], versus: Option<usize>) -> Result<()> {
        let Some(versus) = versus else { return Ok(()) };
        let classes = self.network.classes();
        let wrong = if !method.contrasts() {
            format!("{} cannot hold one class against another; choose a gradient method", method.about().id)
        } else if versus >= classes {
            format!("class {versus} is out of range; the model has {classes}, from 0")
        } else if targets.contains(&versus) {
            format!("class {versus} cannot be held against itself; choose two classes")
        } else {
            return Ok(());
        };
        Err(Error::Argument(wrong))
    }
}

impl ResolvedRequest {
    /// Runs the method, and reports its maps, or where it is stopped the last that it has shown.
    pub(super) async fn explain(
        &self,
        backend: &mut dyn Backend,
        image: &Tensor,
        observer: &mut dyn Observer,
    ) -> Result<Explanation> {
        let mut latest = LatestMaps::new(observer);
        let mut context = Context::new(&self.question, image, backend, &mut latest);
        let outcome = self.method.explain(&mut context).await;
        let (evaluations, notes) = (context.evaluations, std::mem::take(&mut context.notes));
        let backend = context.backend.description().clone();
        let (maps, stopped) = match (outcome, latest.maps) {
            (Err(Error::Cancelled), Some(maps)) => (maps, true),
            (outcome, _) => (outcome?, false),
        };
        for map in &maps {
            map.values.check_finite("a value of the attribution")?;
        }
        Ok(Explanation { stopped, evaluations, ..self.report(maps, &notes, backend) })
    }

    /// The report on maps, with the notes of the method.
    fn report(&self, maps: Vec<Map>, said: &[String], backend: Description) -> Explanation {
        let question = &self.question;
        let mut notes = [&self.session_notes[..], said].concat();
        notes.extend(self.score_note.clone());
        notes.extend(self.saturation.map(Saturation::note));
        notes.extend(maps.iter().filter_map(|m| empty_note(m, &self.classes[m.target].target.label)));
        let explained = |map: Map| Explained { class: self.classes[map.target].clone(), map };
        Explanation {
            method: self.method.about().id,
            map_kind: self.method.map_kind(question.layer.as_ref()),
            targets: maps.into_iter().map(explained).collect(),
            versus: self.versus.clone(),
            layer: question.layer.as_ref().map(|l| l.name.clone()),
            score: question.score,
            head: self.head,
            parameters: question.settings.clone(),
            seed: question.seed,
            evaluations: 0,
            backend,
            saturation: self.saturation,
            stopped: false,
            notes,
        }
    }
}

/// The note on a method that would explain probabilities, where the network has none.
fn score_note(head: Head, about: &About, asked: Option<Score>) -> Option<String> {
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
fn supplied_samples(request: &Request, method: &dyn Method) -> Result<Option<BitRows>> {
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
    use crate::{backend::fallback::Choice, session::Options};

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
        let mut best = |image| pollster::block_on(session.resolve(image, &request)).unwrap().question.targets;
        assert_eq!(best(&image), [7]);
        assert_ne!(best(&other), [7]);
        assert_ne!(best(&image), [7], "another image came between");
    }
}
