//! The context in which a method explains an image: the question, the image, the backend, and what the method reports.

use super::{Observer, Question};
use crate::{
    backend::{Backend, Images},
    error::{Error, Result},
    network::{Layer, Program},
    tensor::Tensor,
};

/// The context in which a method explains one image.
pub struct Context<'a> {
    /// The question.
    pub question: &'a Question,
    /// `[C, H, W]`, normalised.
    pub image: &'a Tensor,
    /// Runs the network.
    pub backend: &'a mut dyn Backend,
    /// Hears of progress.
    pub observer: &'a mut dyn Observer,
    /// The number of images that the network has been run on.
    pub evaluations: u64,
    /// Notes for a reader of the maps.
    pub notes: Vec<String>,
}

impl<'a> Context<'a> {
    /// The context of a method that has not begun.
    pub fn new(
        question: &'a Question,
        image: &'a Tensor,
        backend: &'a mut dyn Backend,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self { question, image, backend, observer, evaluations: 0, notes: vec![] }
    }

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
    pub fn layer(&self) -> Result<&'a Layer> {
        self.question
            .layer
            .as_ref()
            .ok_or_else(|| Error::Argument("the network has no layer with height and width".into()))
    }

    /// The image as a batch of one.
    pub fn batch_of_one(&self) -> Result<Tensor> {
        Tensor::stack(std::slice::from_ref(self.image))
    }

    /// Adds a note for a reader of the maps, once.
    pub fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|n| n == text) {
            self.notes.push(text.to_owned());
        }
    }

    /// The targets' scores for each image: `[N, K]`.
    pub async fn scores(&mut self, images: Images<'_>) -> Result<Tensor> {
        let logits = self.run(&Program::Forward { layer: None }, images, None).await?.swap_remove(0);
        self.scores_from(&logits)
    }

    /// The targets' scores, less that of the class that they are held against, from logits `[N, classes]`: `[N, K]`.
    pub fn scores_from(&self, logits: &Tensor) -> Result<Tensor> {
        let (n, k) = (logits.shape()[0], self.question.targets.len());
        let head = self.backend.network().head();
        let mut scores = Vec::with_capacity(n * k);
        for i in 0..n {
            let row = head.scores(logits.row(i), self.question.score)?;
            let other = self.question.versus.map_or(0.0, |v| row[v]);
            scores.extend(self.question.targets.iter().map(|&t| row[t] - other));
        }
        Tensor::new([n, k], scores)
    }

    /// Cotangents for every image and target; see [`Question::cotangents`].
    pub fn cotangents(&self, images: usize) -> Result<Tensor> {
        self.question.cotangents(self.backend.network().classes(), images)
    }
}
