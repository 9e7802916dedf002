use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use super::*;
use crate::{
    backend::{
        BitRows, Grids, Inpainted, Inpainting, LayerInput, Masked, Masks, Rectangle, Segmentation, cases,
        cpu::CpuBackend,
    },
    graph::{Graph, Rows, Rule},
    network::{Network, Score},
    ops::{conv::Conv, global_average_pool::GlobalAveragePool, reshape::Reshape, window::Window},
    picture::{Preprocessing, inpaint::Scheme},
};

const SHAPE: [usize; 3] = [3, 6, 7];

fn network() -> Arc<Network> {
    let mut rng = cases::rng("assignment", 0);
    let mut graph = Graph::new();
    let image = graph.input("image", SHAPE, Rows::Images);
    let weights = crate::graph::Constant::floats([3, 3, 3, 3], cases::floats(&mut rng, 81)).into();
    let conv = Conv { weights, bias: None, groups: 1, window: Window::new([3, 3]) };
    let mut at = graph.add("conv", conv, &[image]).unwrap();
    at = graph.add("pool", GlobalAveragePool, &[at]).unwrap();
    at = graph.add("scores", Reshape { shape: vec![3] }, &[at]).unwrap();
    Arc::new(Network::from_graph(graph, image, at))
}

/// A helper in this thread.
struct Hand {
    backend: RefCell<CpuBackend>,
    /// How many images it does while the other side does one.
    pace: usize,
    /// After how many images it fails.
    fails_after: usize,
    /// Its job, the next image of it, and where it ends.
    job: RefCell<Option<(Job<'static>, usize, usize)>>,
    done: Cell<usize>,
}

impl Hand {
    fn new(pace: usize) -> Self {
        let backend = RefCell::new(CpuBackend::new(network()).unwrap());
        Self { backend, pace, fails_after: usize::MAX, job: RefCell::default(), done: Cell::new(0) }
    }

    fn left(&self) -> usize {
        self.job.borrow().as_ref().map_or(0, |(_, next, end)| end.saturating_sub(*next))
    }

    /// The outputs of its next image, if there is one; after a failure it does no more.
    fn bring(&self) -> Option<Option<Vec<u8>>> {
        let mut held = self.job.borrow_mut();
        let (job, next, _) = held.as_mut().filter(|(_, next, end)| next < end)?;
        self.done.set(self.done.get() + 1);
        if self.done.get() > self.fails_after {
            *held = None;
            return Some(None);
        }
        *next += 1;
        Some(Some(pollster::block_on(job.work(&mut *self.backend.borrow_mut(), *next - 1)).unwrap()))
    }
}

/// Helpers with numbers from ten on.
struct Team {
    hands: Vec<Hand>,
    jobs: Cell<usize>,
    /// How many of them are there, and whether another comes each time.
    there: Cell<usize>,
    grows: bool,
    /// Whether they do what they have even if they are told not to.
    stubborn: bool,
    /// How often the run may go on.
    patience: Cell<usize>,
}

impl Team {
    fn new(paces: &[usize]) -> Self {
        Self {
            hands: paces.iter().map(|&pace| Hand::new(pace)).collect(),
            jobs: Cell::new(0),
            there: Cell::new(paces.len()),
            grows: false,
            stubborn: false,
            patience: Cell::new(usize::MAX),
        }
    }

    fn hand(&self, helper: u32) -> &Hand {
        &self.hands[helper as usize - 10]
    }

    fn done(&self) -> Vec<usize> {
        self.hands.iter().map(|hand| hand.done.get()).collect()
    }
}

#[async_trait(?Send)]
impl Helpers for Team {
    fn wanted(&self) -> usize {
        self.hands.len()
    }

    fn ready(&self) -> Vec<u32> {
        (10..).take(self.there.get()).collect()
    }

    fn submit(&self, helper: u32, job: Vec<u8>) {
        self.jobs.set(self.jobs.get() + 1);
        let job = Job::read(&job).unwrap();
        let count = job.count();
        self.hand(helper).job.replace(Some((job, 0, count)));
    }

    fn truncate(&self, helper: u32, end: usize) {
        if let Some(job) = self.hand(helper).job.borrow_mut().as_mut().filter(|_| !self.stubborn) {
            job.2 = end;
        }
    }

    async fn poll(&self, wait: bool) -> Result<Vec<Completion>> {
        self.patience.set(self.patience.get().checked_sub(1).ok_or(Error::Cancelled)?);
        if self.grows {
            self.there.set(self.hands.len().min(self.there.get() + 1));
        }
        let mut completion = vec![];
        for (number, hand) in (10..).zip(&self.hands) {
            let pace = if wait { hand.pace.max(1) } else { hand.pace };
            completion.extend((0..pace).map_while(|_| hand.bring()).map(|outputs| (number, outputs)));
        }
        Ok(completion)
    }
}

fn image(seed: u64) -> Tensor {
    Tensor::new(SHAPE, cases::floats(&mut cases::rng("image", seed), SHAPE.iter().product())).unwrap()
}

fn rows(bits: usize) -> BitRows {
    let mut rows = BitRows::new(bits);
    (0..7).for_each(|r| rows.push((0..bits).map(|i| (i * 3 + r) % 4 > 1)));
    rows
}

/// Seven masks whose holes are filled in. All channels of a pixel show, or none does.
fn inpainting() -> (Inpainting, BitRows) {
    let made = Inpainting::new(image(9), image(10), Preprocessing::default(), Scheme::Telea).unwrap();
    let mut shown = BitRows::new(126);
    (0..7).for_each(|r| shown.push((0..126).map(|i| (i % 42 + r) % 5 > 1)));
    (made, shown)
}

/// Seven masks of every form.
fn masks() -> Vec<Masks> {
    let rectangle = |i: usize| Rectangle { top: i % 4, left: i % 3, bottom: i % 4 + 2, right: i % 3 + 3 };
    let labels: Vec<i64> = (0..42).map(|i| i % 5).collect();
    let grids = Grids {
        cells: [2, 2],
        enlarged: [12, 12],
        values: (0..28u8).map(|i| f32::from(i % 3) / 2.0).collect(),
        shifts: (0..7).map(|i| [i % 6, i % 5]).collect(),
    };
    vec![
        Masks::Rectangles((0..7).map(rectangle).collect()),
        Masks::Segments(Arc::new(Segmentation::new(6, 7, &labels).unwrap()), rows(5)),
        Masks::Elements(rows(126)),
        Masks::Grids(grids),
    ]
}

#[test]
fn helpers_change_nothing_but_who_works() {
    let batch = Tensor::stack(&(0..7).map(image).collect::<Vec<_>>()).unwrap();
    let (whole, fill, masks) = (image(9), image(10), masks());
    let masked = masks.iter().map(|masks| Images::Masked(Masked { image: &whole, fill: &fill, masks }));
    let (by, shown) = inpainting();
    let inpainted = Images::Inpainted(Inpainted { by: &by, shown: &shown });
    let cotangents = Tensor::new([14, 3], cases::floats(&mut cases::rng("c", 0), 42)).unwrap();
    let gradient = Program::Gradient { score: Score::Probability, layer: None, rule: Rule::Plain };
    let forward = Program::Forward { layer: None };
    let mut alone = CpuBackend::new(network()).unwrap();
    for images in masked.chain([Images::Batch(&batch), inpainted]) {
        for (program, cotangents) in [(&forward, None), (&gradient, Some(&cotangents))] {
            let expected = pollster::block_on(alone.run(program, images, cotangents)).unwrap();
            for paces in [&[1][..], &[0], &[3], &[1, 1], &[0, 5], &[1; 9]] {
                let team = Team::new(paces);
                let got = pollster::block_on(run(&mut alone, &team, program, images, cotangents)).unwrap();
                assert_eq!(got, expected, "{images:?} with helpers of {paces:?}");
                assert!(team.jobs.get() > 0);
            }
        }
    }
}

/// The outputs of twelve images that a team is given, and of the same without it.
fn twelve(team: &Team) -> (Result<Vec<Tensor>>, Vec<Tensor>) {
    let batch = Tensor::stack(&(0..12).map(image).collect::<Vec<_>>()).unwrap();
    let (images, forward) = (Images::Batch(&batch), Program::Forward { layer: None });
    let mut alone = CpuBackend::new(network()).unwrap();
    let expected = pollster::block_on(alone.run(&forward, images, None)).unwrap();
    (pollster::block_on(run(&mut alone, team, &forward, images, None)), expected)
}

#[test]
fn each_does_as_much_as_it_can() {
    for (paces, assignments) in
        [(&[1][..], &[6][..]), (&[0], &[1]), (&[3], &[9]), (&[2, 3], &[5, 5]), (&[0, 5], &[1, 8])]
    {
        let team = Team::new(paces);
        let (got, expected) = twelve(&team);
        assert_eq!(got.unwrap(), expected);
        assert_eq!(team.done(), assignments, "of helpers that do {paces:?} while one is done here");
    }
}

#[test]
fn what_a_lost_one_had_is_redone() {
    for after in [0, 2] {
        let mut team = Team::new(&[1, 1]);
        team.hands[0].fails_after = after;
        let (got, expected) = twelve(&team);
        assert_eq!(got.unwrap(), expected);
        assert_eq!(team.done()[0], after + 1, "it is asked no more");
    }
}

#[test]
fn one_who_comes_later_has_a_part_of_it() {
    let mut team = Team::new(&[1, 1]);
    (team.grows, team.there) = (true, Cell::new(0));
    let (got, expected) = twelve(&team);
    assert_eq!(got.unwrap(), expected);
    assert!(team.done().iter().all(|&done| done > 1), "{:?}", team.done());
}

#[test]
fn what_comes_too_late_does_not_count() {
    let mut team = Team::new(&[1, 2]);
    team.stubborn = true;
    let (got, expected) = twelve(&team);
    assert_eq!(got.unwrap(), expected);
}

#[test]
fn a_stop_is_heard_after_an_image_and_ends_the_helpers_work() {
    let team = Team::new(&[1, 1]);
    team.patience.set(2);
    assert_eq!(twelve(&team).0.unwrap_err().code(), "cancelled");
    assert_eq!(team.done(), [2, 2]);
    assert!(team.hands.iter().all(|hand| hand.left() == 0), "nobody waits for the rest");
}

#[test]
fn a_layer_s_values_are_shared_out_too() {
    let from = network().default_layer().unwrap().value;
    let shape = network().default_layer().unwrap().shape.clone();
    let row = |i| cases::floats(&mut cases::rng("points", i), shape.iter().product());
    let points: Vec<Tensor> = (0..5).map(|i| Tensor::new(shape.clone(), row(i)).unwrap()).collect();
    let (points, image) = (Tensor::stack(&points).unwrap(), image(0));
    let (mut alone, team) = (CpuBackend::new(network()).unwrap(), Team::new(&[1, 1]));
    let (head, at) = (Program::Head { from }, Images::AtLayer(LayerInput { points: &points, image: &image }));
    let expected = pollster::block_on(alone.run(&head, at, None)).unwrap();
    assert_eq!(pollster::block_on(run(&mut alone, &team, &head, at, None)).unwrap(), expected);
    assert!(team.jobs.get() > 0);
}

#[test]
fn batches_grow_with_the_hands_there_can_be() {
    let (forward, rule) = (Program::Forward { layer: None }, Rule::Plain);
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule };
    assert_eq!(batch(1, &forward, 1, &Team::new(&[])), 1);
    let team = Team::new(&[1; 3]);
    assert_eq!(batch(1, &forward, 1, &team), 4 * PASSES_PER_ROUND);
    assert_eq!(batch(1, &gradient, 1, &team), 4 * PASSES_PER_ROUND / 2);
    assert_eq!(batch(1, &gradient, 1000, &team), 4, "one image each at least");
}

#[test]
fn one_image_and_a_damaged_job() {
    let mut alone = CpuBackend::new(network()).unwrap();
    let team = Team::new(&[1]);
    let one = Tensor::stack(&[image(0)]).unwrap();
    let forward = Program::Forward { layer: None };
    pollster::block_on(run(&mut alone, &team, &forward, Images::Batch(&one), None)).unwrap();
    assert_eq!(team.jobs.get(), 0, "one image is not worth a message");
    assert_eq!(Job::read(&[250, 1, 2]).err().map(|e| e.code()), Some("argument"));
    let (program, cotangents) = (&forward, None);
    let job = Job::new(&RunArgs { program, images: Images::Batch(&one), cotangents }, 0..1);
    assert_eq!(pollster::block_on(job.work(&mut alone, 1)).unwrap_err().code(), "argument");
}
