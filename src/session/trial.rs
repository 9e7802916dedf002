//! Trials: what the network would see if the picture were prepared in another way.

use super::{Class, PreprocessingOptions, Session, Target, best_first, scaling};
use crate::{
    backend::{Backend, Images},
    error::{Error, Result},
    network::{Head, Program},
    picture::Picture,
    tensor::Tensor,
};

/// The answers under options that the model was not opened with.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Every class, the best first.
    pub classes: Vec<Class>,
    /// The function that made probabilities of the logits.
    pub head: Head,
    /// Notes on the options.
    pub notes: Vec<String>,
}

impl Session {
    /// The scores of every class for a picture that is prepared with other options, under another head; what these leave
    /// out is the file's, or a guess. The session stays as it is.
    ///
    /// # Errors
    /// The errors of opening the model with these options, and whatever the network fails with.
    pub async fn try_out(
        &mut self,
        picture: &Picture,
        options: &PreprocessingOptions,
        head: Option<Head>,
    ) -> Result<Trial> {
        let found = scaling::preprocessing(&self.network, options)?;
        let [channels, height, width] = *self.network.input() else {
            return Err(Error::Model("the model's input is not an image".into()));
        };
        let image = found.preprocessing.fit(picture, height, width)?;
        let batch = Tensor::stack(&[found.preprocessing.normalise(&image, channels)?])?;
        // A head that does not fit is refused before anything is computed.
        self.network.logits_under(head, &[])?;
        let outputs =
            self.backend.run(&Program::Forward { layer: None }, Images::Batch(&batch), None).await?;
        let (head, logits) = self.network.logits_under(head, outputs.first().map_or(&[], |t| t.data()))?;
        let probabilities = head.probabilities(&logits);
        let class = |(index, &logit): (usize, &f32)| {
            let probability = probabilities.as_ref().map(|p| p[index]);
            Class { target: self.target_of(index, logits.len()), logit, probability }
        };
        let classes = best_first(logits.iter().enumerate().map(class).collect());
        Ok(Trial { classes, head, notes: [found.notes, found.guess.into_iter().collect()].concat() })
    }

    /// The class of an index where there are so many: one output makes one answer or two.
    fn target_of(&self, index: usize, count: usize) -> Target {
        match (count, self.network.classes()) {
            (1, 2) => Target { index, ..self.target(1) },
            (2, 1) if index == 1 => Target { index, ..self.target(0) },
            (2, 1) => Target { index, label: format!("not {}", self.target(0).label) },
            _ => self.target(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{network_with, silent_network};
    use super::*;
    use crate::{backend::fallback::Choice, picture::Preset, session::Options};

    /// A picture that is of no symmetry.
    fn picture() -> Picture {
        let rgb = (0..48 * 40 * 3).map(|i| (i * 89 % 251) as u8).collect();
        Picture::new(48, 40, rgb).unwrap()
    }

    fn open(preprocessing: PreprocessingOptions, head: Option<Head>) -> Session {
        let options = Options { backend: Choice::Cpu, preprocessing, head, ..<_>::default() };
        pollster::block_on(Session::with_network(silent_network(), options)).unwrap()
    }

    /// A trial is what the model says when it is opened so, whatever it was opened with.
    #[test]
    fn a_trial_is_what_opening_so_would_give() {
        let options = [
            PreprocessingOptions::default(),
            PreprocessingOptions { preset: Some(Preset::KerasCaffe), ..<_>::default() },
            PreprocessingOptions { mean: Some([1.0, 2.0, 3.0]), std: Some([50.0; 3]), ..<_>::default() },
        ];
        let heads = [None, Some(Head::Sigmoid), Some(Head::None), Some(Head::Softmax)];
        let mut session = open(options[2].clone(), Some(Head::Sigmoid));
        let before = pollster::block_on(session.classify(&session.see(&picture()).unwrap().1)).unwrap();
        for (options, head) in options.iter().flat_map(|options| heads.map(|head| (options, head))) {
            let trial = pollster::block_on(session.try_out(&picture(), options, head)).unwrap();
            let mut wanted = open(options.clone(), head);
            let image = wanted.see(&picture()).unwrap().1;
            assert_eq!(
                trial.classes,
                pollster::block_on(wanted.classify(&image)).unwrap(),
                "{options:?} {head:?}"
            );
            assert_eq!(trial.head, wanted.network().head());
            assert_eq!(trial.notes.iter().any(|note| note.contains("guess")), wanted.guess().is_some());
        }
        let after = pollster::block_on(session.classify(&session.see(&picture()).unwrap().1)).unwrap();
        assert_eq!(before, after, "the session stays as it was");
    }

    #[test]
    fn what_the_file_says_of_its_head_is_kept() {
        let network = network_with(&[("head", "sigmoid")]);
        let options = Options { backend: Choice::Cpu, head: Some(Head::None), ..<_>::default() };
        let mut session = pollster::block_on(Session::with_network(network, options)).unwrap();
        let trial =
            pollster::block_on(session.try_out(&picture(), &PreprocessingOptions::default(), None)).unwrap();
        assert_eq!(trial.head, Head::Sigmoid);
    }
}
