use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use super::*;
use crate::{
    backend::{BitRows, Grids, Rectangle, Segmentation, cases, cpu::CpuBackend},
    graph::{Graph, Rows, Rule},
    network::{Network, Score},
    ops::{conv::Conv, global_average_pool::GlobalAveragePool, reshape::Reshape, window::Window},
};

const SHAPE: [usize; 3] = [2, 6, 7];

fn network() -> Arc<Network> {
    let mut rng = cases::rng("share", 0);
    let mut graph = Graph::new();
    let image = graph.input("image", SHAPE, Rows::Images);
    let weights = crate::graph::Constant::floats([3, 2, 3, 3], cases::floats(&mut rng, 54)).into();
    let conv = Conv { weights, bias: None, groups: 1, window: Window::new([3, 3]) };
    let mut at = graph.add("conv", conv, &[image]).unwrap();
    at = graph.add("pool", GlobalAveragePool, &[at]).unwrap();
    at = graph.add("scores", Reshape { shape: vec![3] }, &[at]).unwrap();
    Arc::new(Network::from_graph(graph, image, at))
}

/// Helpers in this thread, some of whom bring nothing back.
struct Team {
    hands: Vec<RefCell<CpuBackend>>,
    lazy: Option<usize>,
    jobs: Cell<usize>,
}

impl Team {
    fn new(hands: usize, lazy: Option<usize>) -> Self {
        let hand = || RefCell::new(CpuBackend::new(network()).unwrap());
        Self { hands: (0..hands).map(|_| hand()).collect(), lazy, jobs: Cell::new(0) }
    }
}

#[async_trait(?Send)]
impl Helpers for Team {
    fn wanted(&self) -> usize {
        self.hands.len()
    }

    fn ready(&self) -> usize {
        self.hands.len()
    }

    fn ask(&self, i: usize, job: Vec<u8>) -> Answer {
        self.jobs.set(self.jobs.get() + 1);
        let outputs = pollster::block_on(work(&mut *self.hands[i].borrow_mut(), &job)).unwrap();
        Box::pin(std::future::ready((self.lazy != Some(i)).then_some(outputs)))
    }

    async fn rest(&self) {}
}

fn image(seed: u64) -> Tensor {
    Tensor::new(SHAPE, cases::floats(&mut cases::rng("image", seed), SHAPE.iter().product())).unwrap()
}

/// Seven masks of every form.
fn masks() -> Vec<Masks> {
    let rectangle = |i: usize| Rectangle { top: i % 4, left: i % 3, bottom: i % 4 + 2, right: i % 3 + 3 };
    let labels: Vec<i64> = (0..42).map(|i| i % 5).collect();
    let rows = |bits: usize| {
        let mut rows = BitRows::new(bits);
        (0..7).for_each(|r| rows.push((0..bits).map(|i| (i * 3 + r) % 4 > 1)));
        rows
    };
    let grids = Grids {
        cells: [2, 2],
        enlarged: [12, 12],
        values: (0..28u8).map(|i| f32::from(i % 3) / 2.0).collect(),
        shifts: (0..7).map(|i| [i % 6, i % 5]).collect(),
    };
    vec![
        Masks::Rectangles((0..7).map(rectangle).collect()),
        Masks::Segments(Arc::new(Segmentation::new(6, 7, &labels).unwrap()), rows(5)),
        Masks::Elements(rows(84)),
        Masks::Grids(grids),
    ]
}

#[test]
fn helpers_change_nothing_but_who_works() {
    let batch = Tensor::stack(&(0..7).map(image).collect::<Vec<_>>()).unwrap();
    let (whole, fill, masks) = (image(9), image(10), masks());
    let masked = masks.iter().map(|masks| Images::Masked(Masked { image: &whole, fill: &fill, masks }));
    let cotangents = Tensor::new([14, 3], cases::floats(&mut cases::rng("c", 0), 42)).unwrap();
    let gradient = Program::Gradient { score: Score::Probability, layer: None, rule: Rule::Plain };
    let forward = Program::Forward { layer: None };
    let mut alone = CpuBackend::new(network()).unwrap();
    for images in masked.chain([Images::Batch(&batch)]) {
        for (program, cotangents) in [(&forward, None), (&gradient, Some(&cotangents))] {
            let expected = pollster::block_on(alone.run(program, images, cotangents)).unwrap();
            for (hands, lazy) in [(1, None), (2, None), (9, None), (2, Some(0)), (1, Some(0))] {
                let team = Team::new(hands, lazy);
                let got = pollster::block_on(run(&mut alone, &team, program, images, cotangents)).unwrap();
                assert_eq!(got, expected, "{images:?} with {hands} helpers");
                assert!(team.jobs.get() > 0);
            }
        }
    }
}

#[test]
fn a_layer_s_values_are_shared_out_too() {
    let from = network().default_layer().unwrap().value;
    let shape = network().default_layer().unwrap().shape.clone();
    let row = |i| cases::floats(&mut cases::rng("points", i), shape.iter().product());
    let points: Vec<Tensor> = (0..5).map(|i| Tensor::new(shape.clone(), row(i)).unwrap()).collect();
    let (points, image) = (Tensor::stack(&points).unwrap(), image(0));
    let (mut alone, team) = (CpuBackend::new(network()).unwrap(), Team::new(2, None));
    let (head, at) = (Program::Head { from }, Images::At(At { points: &points, image: &image }));
    let expected = pollster::block_on(alone.run(&head, at, None)).unwrap();
    assert_eq!(pollster::block_on(run(&mut alone, &team, &head, at, None)).unwrap(), expected);
    assert!(team.jobs.get() > 0);
}

#[test]
fn batches_grow_with_the_hands_there_can_be() {
    assert_eq!(batch(1, &Team::new(0, None)), 1);
    assert_eq!(batch(1, &Team::new(3, None)), 32);
}

#[test]
fn one_image_and_a_damaged_job() {
    let mut alone = CpuBackend::new(network()).unwrap();
    let team = Team::new(1, None);
    let one = Tensor::stack(&[image(0)]).unwrap();
    let forward = Program::Forward { layer: None };
    pollster::block_on(run(&mut alone, &team, &forward, Images::Batch(&one), None)).unwrap();
    assert_eq!(team.jobs.get(), 0, "one image is not worth a message");
    let error = pollster::block_on(work(&mut alone, &[250, 1, 2])).unwrap_err();
    assert_eq!(error.code(), "argument");
}
