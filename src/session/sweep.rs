//! A method at every layer of the network, for the price of a look or two.

use async_trait::async_trait;

use super::{Explanation, Request, Session};
use crate::{
    attribution::{Silent, method},
    backend::{Backend, Description, Images},
    error::{Error, Result},
    graph::{Rule, ValueId},
    network::{Layer, Network, Program, Score},
    tensor::Tensor,
};

/// How many values one pass may bring back, activations and gradients together: 64 MiB.
const PASS: usize = 16 << 20;

impl Session {
    /// The layers that a request can be answered at, in groups that [`Session::explain_at_layers`] answers at once: the
    /// group of the request's own layer first, then those that are nearer to it.
    ///
    /// # Errors
    /// [`Error::Argument`] when the method's map does not follow from a layer's activation and gradient alone.
    pub fn sweep(&self, request: &Request) -> Result<Vec<Vec<Layer>>> {
        let method = method(&request.method)?;
        if !method.sweeps() {
            let id = &request.method;
            return Err(Error::Argument(format!("{id} looks at one layer at a time; name it")));
        }
        let from = self.layer_for(method, request.layer.as_deref())?.map(|l| l.value);
        let targets = request.targets.len().max(1);
        let mut groups: Vec<Vec<Layer>> = vec![];
        let mut room = 0;
        for layer in self.network.live_layers() {
            let size = layer.shape.iter().product::<usize>() * (1 + targets);
            if size > room || groups.is_empty() {
                groups.push(vec![]);
                room = PASS;
            }
            room = room.saturating_sub(size);
            groups.last_mut().into_iter().for_each(|g| g.push(layer.clone()));
        }
        let own = groups.iter().position(|g| g.iter().any(|l| Some(l.value) == from)).unwrap_or_default();
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|i| i.abs_diff(own));
        Ok(order.into_iter().map(|i| std::mem::take(&mut groups[i])).collect())
    }

    /// Explains an image at several layers, from one pass forward and one back per target.
    ///
    /// # Errors
    /// Those of [`Session::explain`].
    pub async fn explain_at_layers(
        &mut self,
        image: &Tensor,
        request: &Request,
        layers: &[Layer],
    ) -> Result<Vec<Explanation>> {
        let mut resolved = self.resolve(image, request).await?;
        let score = resolved.question.score;
        let values: Vec<ValueId> = layers.iter().map(|l| l.value).collect();
        let program = Program::Layers { score, layers: values, rule: Rule::Plain };
        let cotangents = resolved.question.cotangents(self.network.classes(), 1)?;
        let batch = Tensor::stack(std::slice::from_ref(image))?;
        let mut outputs =
            self.backend.run(&program, Images::Batch(&batch), Some(&cotangents)).await?.into_iter();
        let logits = outputs.next().ok_or_else(silent)?;
        let (activations, gradients): (Vec<_>, Vec<_>) = {
            let all: Vec<Tensor> = outputs.collect();
            let (activations, gradients) = all.split_at(layers.len());
            (activations.to_vec(), gradients.to_vec())
        };
        let mut made = vec![];
        for ((layer, activation), gradient) in layers.iter().zip(activations).zip(gradients) {
            let outputs = [logits.clone(), activation, gradient];
            let mut known =
                CachedGradients { backend: &mut self.backend, layer: layer.value, score, outputs };
            resolved.question.layer = Some(layer.clone());
            made.push(resolved.explain(&mut known, image, &mut Silent).await?);
        }
        Ok(made)
    }
}

fn silent() -> Error {
    Error::Model("the backend gave no gradient; please report this".into())
}

/// A backend that knows one layer's activation and gradients for the image already.
struct CachedGradients<'a> {
    backend: &'a mut dyn Backend,
    layer: ValueId,
    score: Score,
    /// Gradients as [`Program::Gradient`] gives them.
    outputs: [Tensor; 3],
}

#[async_trait(?Send)]
impl Backend for CachedGradients<'_> {
    fn description(&self) -> &Description {
        self.backend.description()
    }

    fn network(&self) -> &Network {
        self.backend.network()
    }

    async fn batch(&mut self, program: &Program, targets: usize) -> Result<usize> {
        self.backend.batch(program, targets).await
    }

    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        let own = Program::Gradient { score: self.score, layer: Some(self.layer), rule: Rule::Plain };
        if *program == own && images.len() == 1 {
            return Ok(self.outputs.to_vec());
        }
        self.backend.run(program, images, cotangents).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Options;

    fn session() -> (Session, Tensor) {
        let model = include_bytes!("../../tests/fixtures/networks/densenet/model.onnx");
        let options = Options { backend: crate::backend::fallback::Choice::Cpu, ..Options::default() };
        let session = pollster::block_on(Session::open(model, options)).unwrap();
        let shape = session.network().input().to_vec();
        let values = (0..shape.iter().product()).map(|i: usize| ((i * 37 % 101) as f32 - 50.0) / 40.0);
        let image = Tensor::new(shape, values.collect()).unwrap();
        (session, image)
    }

    fn request(method: &str) -> Request {
        Request { method: method.into(), targets: vec![3, 1], ..Request::default() }
    }

    /// Every layer's maps are those of a run at that layer alone.
    #[test]
    fn a_sweep_is_a_run_at_each_layer() {
        let (mut session, image) = session();
        for id in ["grad-cam", "grad-cam++", "hires-cam", "layer-cam", "xgrad-cam"] {
            let asked = request(id);
            let groups = session.sweep(&asked).unwrap();
            let layers: Vec<Layer> = groups.into_iter().flatten().collect();
            assert_eq!(layers.len(), session.network().live_layers().len());
            let swept = pollster::block_on(session.explain_at_layers(&image, &asked, &layers)).unwrap();
            for (i, layer) in layers.iter().enumerate().step_by(7) {
                let alone = Request { layer: Some(layer.name.clone()), ..asked.clone() };
                let alone = pollster::block_on(session.explain(&image, &alone, &mut Silent)).unwrap();
                assert_eq!(swept[i].layer, alone.layer);
                for (a, b) in swept[i].targets.iter().zip(&alone.targets) {
                    assert_eq!(a.class, b.class);
                    let close = a.map.values.data().iter().zip(b.map.values.data());
                    let most = b.map.values.data().iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                    let gap = close.map(|(x, y)| (x - y).abs()).fold(0.0_f32, f32::max);
                    assert!(gap <= 1e-4 * most.max(1e-6), "{id} at {}: {gap} of {most}", layer.name);
                }
            }
        }
    }

    #[test]
    fn methods_that_run_the_network_at_each_layer_are_refused() {
        let (session, _) = session();
        for id in ["score-cam", "ablation-cam", "eigen-cam", "expected-gradients", "saliency"] {
            assert_eq!(session.sweep(&request(id)).unwrap_err().code(), "argument", "{id}");
        }
    }

    /// The layer that is looked at comes first.
    #[test]
    fn a_sweep_starts_where_the_reader_is() {
        let (session, _) = session();
        let layer = session.network().live_layers()[5].name.clone();
        let groups = session.sweep(&Request { layer: Some(layer.clone()), ..request("grad-cam") }).unwrap();
        assert!(groups[0].iter().any(|l| l.name == layer));
    }
}
