//! One run of a method: what it is asked, whom it asks, and what it says.

use super::{Observer, Settings};
use crate::{
    backend::{Backend, BitRows, Images, Segmentation},
    error::{Error, Result},
    network::{Layer, Program, Score},
    picture::Preprocessing,
    tensor::Tensor,
};

/// One run of a method: what it is asked, and whom it asks.
pub struct Run<'a> {
    /// Runs the network.
    pub backend: &'a mut dyn Backend,
    /// `[C, H, W]`, normalised.
    pub image: &'a Tensor,
    /// The preprocessing that made the image, which says what colours mean at the network's input.
    pub preprocessing: &'a Preprocessing,
    /// The classes to explain.
    pub targets: &'a [usize],
    /// The class that every target is held against: the difference of their scores is explained.
    pub versus: Option<usize>,
    /// The layer, for methods that look at one.
    pub layer: Option<&'a Layer>,
    /// `[N, C, H, W]`, normalised: other images, for methods that compare with them.
    pub background: Option<&'a Tensor>,
    /// `[C, H, W]`, normalised: an image of the caller's, for methods that start from one.
    pub baseline: Option<&'a Tensor>,
    /// The score to explain.
    pub score: Score,
    /// The parameters, checked and complete.
    pub settings: &'a Settings,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The caller's own segments, for methods that hide segments.
    pub segments: Option<&'a Segmentation>,
    /// The caller's own samples, one bit per segment, for methods that draw them.
    pub samples: Option<&'a BitRows>,
    /// Hears of progress.
    pub observer: &'a mut dyn Observer,
    /// The number of images that the network has been run on.
    pub evaluations: u64,
    /// Notes for a reader of the maps.
    pub notes: Vec<String>,
}

impl<'a> Run<'a> {
    /// A run that asks for nothing in particular: of the logit, at the input, without anything of the caller's.
    pub fn new(
        backend: &'a mut dyn Backend,
        image: &'a Tensor,
        preprocessing: &'a Preprocessing,
        targets: &'a [usize],
        settings: &'a Settings,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self {
            backend,
            image,
            preprocessing,
            targets,
            versus: None,
            layer: None,
            background: None,
            baseline: None,
            score: Score::Logit,
            settings,
            seed: 0,
            segments: None,
            samples: None,
            observer,
            evaluations: 0,
            notes: vec![],
        }
    }
}

impl Run<'_> {
    /// Runs a program and counts its images.
    pub async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        self.evaluations += images.len() as u64;
        self.backend.run(program, images, cotangents).await
    }

    /// The layer, for methods that need one.
    pub fn layer(&self) -> Result<&'_ Layer> {
        self.layer.ok_or_else(|| Error::Argument("the network has no layer with height and width".into()))
    }

    /// The image as a batch of one.
    pub fn batch_of_one(&self) -> Result<Tensor> {
        Tensor::stack(std::slice::from_ref(self.image))
    }

    /// Says something of the maps, once.
    pub fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|n| n == text) {
            self.notes.push(text.to_owned());
        }
    }

    /// The targets' scores for each image: `[N, K]`.
    pub async fn scores(&mut self, images: Images<'_>) -> Result<Tensor> {
        let logits = self.run(&Program::Forward { layer: None }, images, None).await?.swap_remove(0);
        self.chosen(&logits)
    }

    /// The targets' scores, less that of the class they are held against, of logits `[N, classes]`: `[N, K]`.
    pub fn chosen(&self, logits: &Tensor) -> Result<Tensor> {
        let (n, k) = (logits.shape()[0], self.targets.len());
        let head = self.backend.network().head();
        let mut chosen = Vec::with_capacity(n * k);
        for i in 0..n {
            let row = head.scores(logits.row(i), self.score)?;
            let other = self.versus.map_or(0.0, |v| row[v]);
            chosen.extend(self.targets.iter().map(|&t| row[t] - other));
        }
        Tensor::new([n, k], chosen)
    }

    /// Cotangents for every image and target: one at the target, minus one at the class that it is held
    /// against; `[N * K, classes]`.
    pub fn cotangents(&self, images: usize) -> Result<Tensor> {
        cotangents(self.backend.network().classes(), images, self.targets, self.versus)
    }
}

/// Cotangents over `classes` for every image and target; see [`Run::cotangents`].
pub fn cotangents(classes: usize, images: usize, targets: &[usize], versus: Option<usize>) -> Result<Tensor> {
    let mut data = vec![0.0; images * targets.len() * classes];
    for (row, values) in data.chunks_exact_mut(classes).enumerate() {
        values[targets[row % targets.len()]] += 1.0;
        if let Some(versus) = versus {
            values[versus] -= 1.0;
        }
    }
    Tensor::new([images * targets.len(), classes], data)
}
