//! A small network on a backend that runs in double precision: what methods are tested on.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use rand::RngExt;
use serde_json::Value;

use crate::{
    attribution::{Context, Map, Question, Settings, Silent, method},
    backend::{Backend, BitRows, Description, Images, LayerInput, Masked, Masks, Rectangle, Segmentation},
    chain,
    error::Result,
    graph::{Constant, Graph, Producer, Rows, reference},
    network::{Head, Network, Program, Score},
    ops::{
        conv::{Conv, dense::Dense},
        global_average_pool::GlobalAveragePool,
        pointwise,
        reshape::Reshape,
        window::Window,
    },
    picture::Preprocessing,
    tensor::Tensor,
};

/// Runs programs with the reference interpreter, one image and target at a time.
pub struct Oracle {
    network: Network,
    description: Description,
    batch: usize,
    /// Images that went forward only, and images whose gradient was taken.
    passes: [u64; 2],
}

impl Oracle {
    /// `held` is the image, for programs that start at a layer which it gets past.
    fn run_one(
        &self,
        program: &Program,
        held: Option<&Tensor>,
        image: &[f32],
        cotangent: Option<&[f32]>,
    ) -> Vec<reference::Array> {
        let graph = self.network.graph_for(program).unwrap();
        let own = 1 + usize::from(cotangent.is_some());
        let held = held.filter(|_| graph.inputs().len() > own).map(Tensor::data);
        let given = held.into_iter().map(Some).chain([Some(image), cotangent]);
        let inputs: Vec<_> = graph
            .inputs()
            .iter()
            .zip(given.flatten())
            .map(|(&id, v)| {
                (id, reference::Array::new(&graph.node(id).shape, v.iter().map(|&x| f64::from(x)).collect()))
            })
            .collect();
        reference::run(&graph, &inputs, graph.outputs()).unwrap()
    }
}

/// The images of a batch, masks applied.
fn expand(images: Images<'_>) -> Vec<Vec<f32>> {
    match images {
        Images::Masked(Masked { image, fill, masks: Masks::Rectangles(all) }) => {
            all.iter().map(|r| hide(image, fill, r).into_data()).collect()
        }
        _ => (0..images.len()).map(|i| images.written(i).into_owned()).collect(),
    }
}

fn hide(image: &Tensor, fill: &Tensor, hidden: &Rectangle) -> Tensor {
    let mut out = image.clone();
    let [c, h, w] = *image.shape() else { panic!("an image") };
    for (i, v) in out.data_mut().iter_mut().enumerate().take(c * h * w) {
        let (y, x) = (i / w % h, i % w);
        if (hidden.top..hidden.bottom).contains(&y) && (hidden.left..hidden.right).contains(&x) {
            *v = fill.data()[i];
        }
    }
    out
}

#[async_trait(?Send)]
impl Backend for Oracle {
    fn description(&self) -> &Description {
        &self.description
    }

    fn network(&self) -> &Network {
        &self.network
    }

    async fn batch(&mut self, program: &Program, _: usize) -> Result<usize> {
        self.network.graph_for(program)?;
        Ok(self.batch)
    }

    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        let held = if let Images::AtLayer(LayerInput { image, .. }) = images { Some(image) } else { None };
        let images = expand(images);
        self.passes[usize::from(cotangents.is_some())] += images.len() as u64;
        let targets = cotangents.map_or(1, |c| c.shape()[0] / images.len());
        let graph = self.network.graph_for(program)?;
        let mut outputs: Vec<Vec<Tensor>> = vec![vec![]; graph.outputs().len()];
        for row in 0..images.len() * targets {
            let made = self.run_one(program, held, &images[row / targets], cotangents.map(|c| c.row(row)));
            for ((slot, value), &id) in outputs.iter_mut().zip(made).zip(graph.outputs()) {
                if graph.node(id).rows == Rows::Targets || row % targets == 0 {
                    let data = value.data.iter().map(|&v| v as f32).collect();
                    slot.push(Tensor::new(value.shape, data)?);
                }
            }
        }
        outputs.iter().map(|rows| Tensor::stack(rows)).collect()
    }
}

/// A network of two convolutions, ReLUs, global pooling and a linear layer, with an image.
pub struct Case {
    pub image: Tensor,
    pub preprocessing: Preprocessing,
    pub seed: u64,
    pub segments: Option<Segmentation>,
    pub samples: Option<BitRows>,
    pub evaluations: u64,
    /// The notes of the last explanation.
    pub notes: Vec<String>,
    pub versus: Option<usize>,
    background: Tensor,
    at_layer: bool,
    oracle: Oracle,
    score: Score,
    given: BTreeMap<String, Value>,
}

impl Case {
    pub fn new(score: Score) -> Self {
        Self::with_relu(score, true)
    }

    /// The network without its ReLUs: its scores are linear in the image.
    pub fn linear() -> Self {
        Self::with_relu(Score::Logit, false)
    }

    fn with_relu(score: Score, relu: bool) -> Self {
        let mut rng = crate::rng::for_sample(7, 0);
        let mut draw = |shape: &[usize], scale: f32| {
            let n = shape.iter().product();
            Constant::floats(shape, (0..n).map(|_| rng.random_range(-scale..scale)).collect())
        };
        let mut graph = Graph::new();
        let image = graph.input("image", [3, 9, 11], Rows::Images);
        let mut at = image;
        for (name, inputs, stride) in [("first", 3, 1), ("second", 6, 2)] {
            let mut window = Window::new([3, 3]);
            (window.strides, window.before, window.after) = ([stride; 2], [1; 2], [1; 2]);
            let weights = draw(&[6, inputs, 3, 3], 0.5).into();
            let bias = Some(draw(&[6], 0.3).to_f32().into());
            at = graph.add(name, Conv { weights, bias, groups: 1, window }, &[at]).unwrap();
            let low = if relu { 0.0 } else { f32::NEG_INFINITY };
            let relu = chain::Clip { low, high: f32::INFINITY };
            let chain = pointwise::Pointwise::one(chain::Step::Clip(relu));
            at = graph.add(format!("{name}/relu"), chain, &[at]).unwrap();
        }
        at = graph.add("pool", GlobalAveragePool, &[at]).unwrap();
        at = graph.add("flat", Reshape { shape: vec![6] }, &[at]).unwrap();
        let dense = Dense {
            weights: draw(&[5, 6], 2.0).into(),
            is_transposed: false,
            bias: Some(draw(&[5], 0.5).to_f32().into()),
        };
        at = graph.add("scores", dense, &[at]).unwrap();
        let pixels = draw(&[3, 9, 11], 1.0);
        let background = Tensor::new([4, 3, 9, 11], draw(&[4, 3, 9, 11], 1.0).to_f32()).unwrap();
        Self {
            background,
            at_layer: false,
            versus: None,
            image: Tensor::new([3, 9, 11], pixels.to_f32()).unwrap(),
            preprocessing: Preprocessing { mean: [127.0; 3], std: [128.0; 3], ..Default::default() },
            oracle: Oracle {
                network: Network::from_graph(graph, image, at),
                description: Description { kind: "cpu", adapter: "double precision".into(), fallback: false },
                batch: 3,
                passes: [0; 2],
            },
            seed: 0,
            segments: None,
            samples: None,
            evaluations: 0,
            notes: vec![],
            score,
            given: BTreeMap::new(),
        }
    }

    /// The network with another head.
    pub fn with_head(mut self, head: Head) -> Self {
        self.oracle.network = self.oracle.network.with_head(head).unwrap();
        self
    }

    pub fn set(&mut self, key: &str, value: &str) -> &mut Self {
        self.given.insert(key.into(), value.into());
        self
    }

    /// How many images the backend asks for at once.
    pub fn batch(&mut self, images: usize) {
        self.oracle.batch = images;
    }

    /// Forward passes and gradients so far.
    pub fn passes(&self) -> [u64; 2] {
        self.oracle.passes
    }

    /// Gives the last layer to methods that can do without one.
    pub fn at_layer(&mut self) {
        self.at_layer = true;
    }

    pub fn explain(&mut self, id: &str, targets: &[usize]) -> Vec<Map> {
        let method = method(id).unwrap();
        let mut settings = Settings::resolve(method.about().parameters, &self.given).unwrap();
        method.complete(&mut settings, self.image.shape());
        let layer = self.oracle.network.default_layer().cloned();
        let question = Question {
            versus: self.versus,
            layer: layer.filter(|_| method.needs_layer() || self.at_layer),
            background: Some(self.background.clone()),
            score: self.score,
            seed: self.seed,
            segments: self.segments.clone().map(Arc::new),
            samples: self.samples.clone(),
            ..Question::new(targets.to_vec(), settings, self.preprocessing.clone())
        };
        let mut observer = Silent;
        let mut context = Context::new(&question, &self.image, &mut self.oracle, &mut observer);
        let maps = pollster::block_on(method.explain(&mut context)).unwrap();
        self.evaluations = context.evaluations;
        self.notes = context.notes;
        maps
    }

    pub fn score_of(&self, target: usize, image: &Tensor) -> f64 {
        let forward = Program::Forward { layer: None };
        let logits = &self.oracle.run_one(&forward, None, image.data(), None)[0].data;
        match (self.score, self.oracle.network.head()) {
            (Score::Logit, _) => logits[target],
            (Score::Probability, Head::Softmax) => {
                logits[target].exp() / logits.iter().map(|z| z.exp()).sum::<f64>()
            }
            (Score::Probability, Head::Sigmoid) => logits[target].exp() / (1.0 + logits[target].exp()),
            (Score::Probability, Head::None) => panic!("there is no probability"),
        }
    }

    pub fn score(&self, target: usize) -> f64 {
        self.score_of(target, &self.image)
    }

    pub fn score_hidden(&self, target: usize, hidden: &Rectangle, fill: &Tensor) -> f64 {
        self.score_of(target, &hide(&self.image, fill, hidden))
    }

    /// The score's slope along input `i`, by central differences.
    pub fn slope(&self, target: usize, i: usize) -> f64 {
        let step = 1.0 / 1024.0;
        let at = |sign: f32| {
            let mut moved = self.image.clone();
            moved.data_mut()[i] += sign * step;
            let width = f64::from(moved.data()[i]) - f64::from(self.image.data()[i]);
            (self.score_of(target, &moved), width)
        };
        let ((up, a), (down, b)) = (at(1.0), at(-1.0));
        (up - down) / (a - b)
    }

    /// The last layer's bias for a class.
    pub fn bias(&self, target: usize) -> f64 {
        let graph = self.oracle.network.graph();
        let last = graph.nodes().iter().rev().find(|n| matches!(n.producer, Producer::Operator(_))).unwrap();
        f64::from(last.as_op::<Dense>().unwrap().bias.as_ref().unwrap()[target])
    }
}
