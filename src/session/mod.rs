//! A session, which the page and the command line share: a model on a backend, ready to classify and explain.
//!
//! | to | call |
//! |---|---|
//! | open a model | [`Session::open`], or [`Session::with_network`] for one that is read already |
//! | make the image of a picture | [`Session::see`]; [`Session::crop`] is the part that it takes |
//! | score the classes | [`Session::classify`]; under other options [`Session::try_out`] |
//! | name classes | [`Session::find_targets`], [`Session::target`] |
//! | explain | [`Session::explain`] |
//! | explain at every layer | [`Session::sweep`] plans it, [`Session::explain_at_layers`] does it |
//! | give images to compare with | [`Session::set_background`], [`Session::set_baseline`] |
//! | hide parts by hand | [`Session::segment_image`], [`Session::scores_with_hidden`] |
//! | learn what to tell a reader | [`Session::notes`], [`Session::guess`], [`Session::take_events`] |
//! | compile before it is asked | [`Session::warm`] |
//! | share the work with others | [`Session::set_helpers`], [`Session::work`] |
//!
//! A [`Request`] is a question in the words of users; it is resolved to an [`attribution::Question`] and checked before
//! anything is computed. An [`Explanation`] has the maps with their figures, also where the run was stopped.
//!
//! [`attribution::Question`]: crate::attribution::Question

mod reference_images;
mod report;
mod request;
mod results;
mod saturation;
mod scaling;
mod stopped;
mod sweep;
mod targets;
#[cfg(test)]
mod tests;
mod trial;
mod warm;
mod what_if;

use std::{borrow::Cow, collections::BTreeMap, rc::Rc, sync::Arc};

use serde::Serialize;
use serde_json::Value;

pub use report::{Explained, Explanation};
pub use request::Request;
pub use results::Results;
pub use saturation::Saturation;
pub use scaling::PreprocessingOptions;
pub use trial::Trial;
pub use what_if::SegmentedImage;

use crate::{
    attribution::{Observer, Settings, perturbation::segments},
    backend::{
        Backend, Description, Images, Segmentation,
        fallback::{Choice, FallbackBackend},
        work_stealing::{Helpers, Job},
    },
    error::{Error, Result},
    network::{Head, Network, Program, labels},
    picture::{Picture, Preprocessing},
    tensor::Tensor,
};

/// How to open a model: all that its file does not say, or that the caller knows better.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which backend to use.
    pub backend: Choice,
    /// How pictures become the network's input.
    pub preprocessing: PreprocessingOptions,
    /// The class names, in class order.
    pub labels: Option<Vec<String>>,
    /// The function that turns the network's outputs into probabilities, where its file does not say.
    pub head: Option<Head>,
    /// Notes on these choices for a reader of results.
    pub notes: Vec<String>,
}

/// A class and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The index among the network's outputs.
    pub index: usize,
    /// The label, or the index in words where there are no labels.
    pub label: String,
}

/// A class with its scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Class {
    /// Which class.
    #[serde(flatten)]
    pub target: Target,
    /// Its score before the network's head.
    pub logit: f32,
    /// Its score after the head; nothing where the network has none.
    pub probability: Option<f64>,
}

/// A model on a backend.
pub struct Session {
    network: Arc<Network>,
    backend: FallbackBackend,
    preprocessing: Preprocessing,
    guess: Option<String>,
    labels: Option<Vec<String>>,
    /// Notes on how the model was opened, for a reader of results.
    notes: Vec<String>,
    /// `[N, C, H, W]`, normalised; made when it is first needed.
    background: Option<Tensor>,
    /// `[C, H, W]`, normalised.
    baseline: Option<Tensor>,
    /// Cache: the last image that was classified, and every class's scores for it, in class order. An explanation nearly
    /// always follows the classification of the same image.
    classified: Option<(Tensor, Vec<Class>)>,
    /// The answer for the last image that was asked about.
    saturation: Option<(Tensor, Saturation)>,
    /// How many programs have been made ready.
    warmed: usize,
}

impl Session {
    /// Reads a model and opens a backend for it.
    ///
    /// # Errors
    /// Those of [`Network::from_onnx`] and [`FallbackBackend::open`] fail with, and [`Error::Argument`] when labels or
    /// preprocessing do not fit the model.
    pub async fn open<'a>(model: impl Into<Cow<'a, [u8]>>, options: Options) -> Result<Self> {
        Self::with_network(Network::from_onnx(model)?, options).await
    }

    /// Opens a backend for a network. The file that it was read from need not be kept until then.
    ///
    /// # Errors
    /// Those of [`Self::open`], but for those of reading.
    pub async fn with_network(network: Network, options: Options) -> Result<Self> {
        let network = Arc::new(match options.head {
            Some(head) => network.with_head(head)?,
            None => network,
        });
        let scaling::Found { preprocessing, notes: told, guess } =
            scaling::preprocessing(&network, &options.preprocessing)?;
        let labels = options.labels.or_else(|| network.metadata().labels.clone());
        let labels = labels.map(|l| network.class_names(l));
        let guessed = if labels.is_none() { labels::imagenet(network.classes()) } else { None };
        let of_labels = guessed.as_ref().map(|_| labels::IMAGENET_NOTE.to_owned());
        let labels = labels.or(guessed);
        if let Some(labels) = &labels {
            labels::check_count(labels, network.classes())?;
        }
        let backend = FallbackBackend::open(network.clone(), options.backend).await?;
        Ok(Self {
            notes: [network.notes(), &options.notes, &told, of_labels.as_slice()].concat(),
            network,
            backend,
            preprocessing,
            guess,
            labels,
            background: None,
            baseline: None,
            classified: None,
            saturation: None,
            warmed: 0,
        })
    }

    /// Gives helpers, who hold the same model and take parts of what the CPU runs.
    pub fn set_helpers(&mut self, helpers: Rc<dyn Helpers>) {
        self.backend.set_helpers(helpers);
    }

    /// Does an image of another session's work, as one of its helpers; see [`Job::work`].
    ///
    /// # Errors
    /// Whatever the network fails with.
    pub async fn work(&mut self, job: &Job<'_>, image: usize) -> Result<Vec<u8>> {
        self.backend.work(job, image).await
    }

    /// Gives a clock (milliseconds) where the platform has none; see [`Backend::set_clock`].
    pub fn set_clock(&mut self, clock: fn() -> f64) {
        self.backend.set_clock(clock);
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Which backend runs it now.
    #[must_use]
    pub fn backend(&self) -> &Description {
        self.backend.description()
    }

    /// How pixels become the network's input.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Notes for a reader of results on how the model was opened: on its network, and on the scale of its input.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The note on pictures where their scaling is a guess; `None` where the caller or the file says it.
    #[must_use]
    pub fn guess(&self) -> Option<&str> {
        self.guess.as_deref()
    }

    /// Takes out what has happened to the backend: why the CPU is used, that a GPU was lost.
    pub fn take_events(&mut self) -> Vec<String> {
        self.backend.take_events()
    }

    /// Whether classes have names, be they guessed.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        self.labels.is_some()
    }

    /// The class at an index, with its label.
    #[must_use]
    pub fn target(&self, index: usize) -> Target {
        let label = self.labels.as_ref().and_then(|l| l.get(index)).cloned();
        Target { index, label: label.unwrap_or_else(|| format!("class {index}")) }
    }

    /// A picture as the network sees it: the resized centre crop, and the normalised `[C, H, W]`.
    pub fn see(&self, picture: &Picture) -> Result<(Picture, Tensor)> {
        let [channels, height, width] = *self.network.input() else {
            return Err(Error::Model("the model's input is not an image".into()));
        };
        let seen = self.preprocessing.fit(picture, height, width)?;
        let tensor = self.preprocessing.normalise(&seen, channels)?;
        Ok((seen, tensor))
    }

    /// The note on a picture that is mostly outside what [`Session::see`] keeps; see
    /// [`Preprocessing::outside`].
    pub fn outside(&self, picture: &Picture) -> Result<Option<String>> {
        match *self.network.input() {
            [_, height, width] => self.preprocessing.outside(picture, height, width),
            _ => Ok(None),
        }
    }

    /// The part of a picture that [`Session::see`] keeps; see [`Preprocessing::crop`].
    pub fn crop(&self, picture: &Picture) -> Result<[f64; 4]> {
        match *self.network.input() {
            [_, height, width] => self.preprocessing.crop(picture, height, width),
            _ => Err(Error::Model("the model's input is not an image".into())),
        }
    }

    /// The scores of every class, the best first.
    pub async fn classify(&mut self, image: &Tensor) -> Result<Vec<Class>> {
        Ok(best_first(self.scores(image).await?))
    }

    /// The scores of every class, in class order.
    async fn scores(&mut self, image: &Tensor) -> Result<Vec<Class>> {
        if image.shape() != self.network.input() {
            let (got, want) = (image.shape(), self.network.input());
            return Err(Error::Argument(format!(
                "the input is {got:?}, and the model reads {want:?} (channels, height, width)"
            )));
        }
        let batch = Tensor::stack(std::slice::from_ref(image))?;
        let classes = self.scores_of(Images::Batch(&batch)).await?;
        self.classified = Some((image.clone(), classes.clone()));
        Ok(classes)
    }

    /// The scores of every class for the only image, in class order.
    async fn scores_of(&mut self, image: Images<'_>) -> Result<Vec<Class>> {
        let outputs = self.backend.run(&Program::Forward { layer: None }, image, None).await?;
        let logits = outputs.first().map_or(&[][..], |t| t.data());
        let probabilities = self.network.head().probabilities(logits);
        let class = |(index, &logit): (usize, &f32)| {
            let probability = probabilities.as_ref().map(|p| p[index]);
            Class { target: self.target(index), logit, probability }
        };
        Ok(logits.iter().enumerate().map(class).collect())
    }

    /// Cuts an image, `[C, H, W]` and normalised, into segments; the parameters, as text or JSON values, are those
    /// that methods on segments have for it. Also returned complete.
    pub fn segments(
        &self,
        image: &Tensor,
        parameters: &BTreeMap<String, Value>,
    ) -> Result<(Segmentation, Settings)> {
        let settings = Settings::resolve(segments::PARAMETERS, parameters)?;
        Ok((segments::image(image, &self.preprocessing, &settings)?, settings))
    }

    /// Explains an image, `[C, H, W]` and normalised.
    ///
    /// If `observer` stops the method, by [`Error::Cancelled`], the answer has the last maps that were shown to it,
    /// and [`Explanation::stopped`] says so.
    ///
    /// # Errors
    /// [`Error::Argument`] when the request does not fit the model, [`Error::Cancelled`] when the method is stopped before
    /// it has a map, [`Error::NotFinite`], and whatever the network fails with.
    pub async fn explain(
        &mut self,
        image: &Tensor,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<Explanation> {
        let resolved = self.resolve(image, request).await?;
        resolved.explain(&mut self.backend, image, observer).await
    }
}

fn best_first(mut classes: Vec<Class>) -> Vec<Class> {
    classes.sort_by(|a, b| b.logit.total_cmp(&a.logit).then(a.target.index.cmp(&b.target.index)));
    classes
}
