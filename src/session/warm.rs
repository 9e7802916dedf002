//! Makes programs ready before anybody asks for them.

use super::Session;
use crate::{
    backend::Backend,
    error::Result,
    graph::Rule,
    network::{Program, Score},
};

impl Session {
    /// Makes ready one of the things that are asked for first: the classes, Grad-CAM, how many values are saturated,
    /// and saliency. Says whether more are left. Programs are optimised for the CPU; for a GPU their shaders are
    /// compiled and their weights uploaded. It may be left out, or given up between any two.
    ///
    /// # Errors
    /// Those of a backend that nothing can replace.
    pub async fn warm(&mut self) -> Result<bool> {
        let first = self.asked_first();
        if let Some(program) = first.get(self.warmed) {
            self.warmed += 1;
            self.backend.warm(program).await?;
        }
        Ok(self.warmed < first.len())
    }

    fn asked_first(&self) -> Vec<Program> {
        let gradient = |layer| Program::Gradient { score: Score::Logit, layer, rule: Rule::Plain };
        let cam = self.network.default_layer().map(|l| gradient(Some(l.value)));
        let saturation = (!self.network.quantized().is_empty()).then_some(Program::Saturation);
        let all = [Some(Program::Forward { layer: None }), cam, saturation, Some(gradient(None))];
        all.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        backend::fallback::Choice,
        session::{Options, Session},
    };

    #[test]
    fn it_ends() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let options = Options { backend: Choice::Cpu, ..Options::default() };
        let mut session = pollster::block_on(Session::open(model, options)).unwrap();
        let left: Vec<bool> = (0..6).map(|_| pollster::block_on(session.warm()).unwrap()).collect();
        assert_eq!(left, [true, true, true, false, false, false]);
    }
}
