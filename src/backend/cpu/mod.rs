//! The CPU backend: tract runs the graph, one row at a time.
//!
//! A row is never computed together with another, so results are equal to the bit however images are grouped
//! into batches, and natively the rows of a batch are spread over threads.

mod compiled;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use compiled::{Compiled, Runner};
use tract_onnx::tract_core::internal::TValue;

use super::{Backend, Description, Images};
use crate::{
    error::{Error, Result},
    graph::{Graph, Rows},
    network::{Network, Program},
    tensor::Tensor,
};

/// How many compiled programs are kept: the four that are made ready before anybody asks, or the two or three that a
/// method asks for in turn.
const KEPT: usize = 4;

/// Images per thread between two synchronisation points. Starting threads, reserving their memory and waiting for the
/// last of them would be felt if it came with every image.
const IMAGES_PER_ROUND: usize = 8;

/// How many bytes a batch's outputs may take when it is larger than it has to be.
const OUTPUTS: usize = 64 << 20;

/// Runs programs of a network with tract.
pub struct CpuBackend {
    network: Arc<Network>,
    description: Description,
    /// The programs used last, the latest at the end.
    compiled: Vec<(Program, Arc<Compiled>)>,
}

impl CpuBackend {
    /// A backend for a network; classification, the first thing that anybody asks for, is compiled at once.
    ///
    /// # Errors
    /// [`Error::Model`] when tract refuses the network.
    pub fn new(network: Arc<Network>) -> Result<Self> {
        let adapter = format!("{} with tract", std::env::consts::ARCH);
        let description = Description { kind: "cpu", adapter, fallback: false };
        let mut backend = Self { network, description, compiled: vec![] };
        backend.compiled(&Program::Forward { layer: None })?;
        Ok(backend)
    }

    fn compiled(&mut self, program: &Program) -> Result<Arc<Compiled>> {
        let entry = match self.compiled.iter().position(|(p, _)| p == program) {
            Some(place) => self.compiled.remove(place),
            None => (program.clone(), Arc::new(Compiled::new(&self.network.graph_for(program)?)?)),
        };
        let found = entry.1.clone();
        self.compiled.push(entry);
        if self.compiled.len() > KEPT {
            self.compiled.remove(0);
        }
        Ok(found)
    }
}

#[async_trait(?Send)]
impl Backend for CpuBackend {
    fn description(&self) -> &Description {
        &self.description
    }

    fn network(&self) -> &Network {
        &self.network
    }

    async fn batch(&mut self, program: &Program, targets: usize) -> Result<usize> {
        let bytes = self.compiled(program)?.output_bytes(targets);
        Ok(at_once(threads(), targets, bytes))
    }

    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        let compiled = self.compiled(program)?;
        let shape = self.network.takes(program);
        images.check(shape, Some(self.network.input()))?;
        let held = match &images {
            _ if compiled.image_inputs() == 1 => None,
            Images::AtLayer(at) => Some(compiled::value(at.image.shape(), at.image.data())?),
            _ => return Err(Error::Argument("the image gets past the layer, and must be given too".into())),
        };
        let image = |i: usize| {
            let own = compiled::value(shape, &images.written(i))?;
            Ok(held.iter().cloned().chain([own]).collect())
        };
        let (targets, cotangents) = match cotangents {
            None => (0, None),
            Some(c) => (per_image(c, images.len())?, Some(c)),
        };
        let target = |row: usize| {
            cotangents.map_or(Ok(vec![]), |c| Ok(vec![compiled::value(&c.shape()[1..], c.row(row))?]))
        };
        run_rows(&compiled, images.len(), targets, &image, &target)
    }

    /// Runs the program on nothing, too: browsers compile well only what has run for a while.
    async fn warm(&mut self, program: &Program) -> Result<()> {
        let compiled = self.compiled(program)?;
        if compiled.has_run() {
            return Ok(());
        }
        let zeros = |shape: &[usize]| compiled::value(shape, &vec![0.0; shape.iter().product()]);
        let image = |_| Ok(vec![zeros(self.network.takes(program))?]);
        let cotangents = |_| Ok(vec![zeros(&[self.network.classes()])?]);
        run_rows(&compiled, 1, 1, &image, &cotangents).map(drop)
    }
}

/// Runs any graph on batches: one tensor an input, `[N, ...]` for those whose rows count images, `[N * K, ...]`
/// image-major for those whose rows count targets; the outputs likewise.
///
/// # Errors
/// [`Error::Argument`] when the inputs do not fit, [`Error::NotFinite`] when an input or output is not finite.
pub fn run_graph(graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let nodes = graph.inputs().iter().map(|i| graph.node(*i));
    let of = |rows: Rows| {
        let pairs = nodes.clone().zip(inputs).filter(move |(node, _)| node.rows == rows);
        pairs.map(|(_, tensor)| tensor).collect::<Vec<_>>()
    };
    if inputs.len() != graph.inputs().len() {
        return Err(Error::Argument(format!(
            "the graph has {} inputs, not {}",
            graph.inputs().len(),
            inputs.len()
        )));
    }
    for (node, tensor) in nodes.clone().zip(inputs) {
        if tensor.shape().get(1..) != Some(node.shape.as_slice()) {
            return Err(Error::Argument(format!(
                "{:?} takes {:?} a row, not {:?}",
                node.name,
                node.shape,
                tensor.shape()
            )));
        }
        tensor.check_finite(&node.name)?;
    }
    let (per_image, per_target) = (of(Rows::Images), of(Rows::Targets));
    let count = per_image.first().map_or(1, |t| t.shape()[0]);
    let targets = per_target.first().map_or(Ok(0), |t| self::per_image(t, count))?;
    let row = |tensors: &[&Tensor], i: usize| {
        tensors.iter().map(|t| compiled::value(&t.shape()[1..], t.row(i))).collect::<Result<Vec<_>>>()
    };
    let compiled = Compiled::new(graph)?;
    run_rows(&compiled, count, targets, &|i| row(&per_image, i), &|r| row(&per_target, r))
}

/// How many targets each image has.
fn per_image(cotangents: &Tensor, images: usize) -> Result<usize> {
    cotangents.check_finite("the cotangent")?;
    let rows = cotangents.shape().first().copied().unwrap_or(0);
    if images == 0 || !rows.is_multiple_of(images) {
        return Err(Error::Argument(format!("{rows} cotangents do not spread over {images} images")));
    }
    Ok(rows / images)
}

/// Makes the inputs of an image or of a target.
type Inputs<'a> = dyn Fn(usize) -> Result<Vec<TValue>> + Sync + 'a;

/// Runs every image, and for each its targets, and lays the outputs side by side.
fn run_rows(
    compiled: &Compiled,
    images: usize,
    targets: usize,
    image: &Inputs<'_>,
    target: &Inputs<'_>,
) -> Result<Vec<Tensor>> {
    let rows = |of: Rows| if of == Rows::Images { images } else { images * targets };
    let outputs: Vec<(Rows, Vec<usize>)> =
        compiled.outputs().map(|(rows, shape)| (rows, shape.to_vec())).collect();
    let mut data: Vec<Vec<Vec<f32>>> = outputs.iter().map(|(of, _)| vec![vec![]; rows(*of)]).collect();
    let threads = threads().min(images * targets.max(1)).max(1);
    if images >= threads {
        let work = |runner: &mut Runner<'_>, i: usize| one_image(runner, i, targets, image, target);
        for made in spread(compiled, threads, images, &work)? {
            made.into_iter().for_each(|(output, row, values)| data[output][row] = values);
        }
    } else {
        // Few images: the forward pass alone, then its targets side by side.
        for i in 0..images {
            let mut runner = compiled.runner()?;
            let left = runner.image(&image(i)?)?;
            for (output, value) in runner.image_outputs(&left) {
                data[output][i] = compiled::floats(value)?;
            }
            let work = |runner: &mut Runner<'_>, t: usize| {
                let row = i * targets + t;
                let values = runner.target(&left, &target(row)?)?;
                runner.target_outputs(&values).map(|(o, v)| Ok((o, row, compiled::floats(v)?))).collect()
            };
            for made in spread(compiled, threads.min(targets), targets, &work)? {
                made.into_iter().for_each(|(output, row, values)| data[output][row] = values);
            }
        }
    }
    let join = |((of, shape), rows_of): (&(Rows, Vec<usize>), Vec<Vec<f32>>)| {
        let shape: Vec<usize> = std::iter::once(rows(*of)).chain(shape.iter().copied()).collect();
        let tensor = Tensor::new(shape, rows_of.concat())?;
        tensor.check_finite("what the network makes of it")?;
        Ok(tensor)
    };
    outputs.iter().zip(data).map(join).collect()
}

/// An output's place, its row, its values.
type Made = Vec<(usize, usize, Vec<f32>)>;

fn one_image(
    runner: &mut Runner<'_>,
    i: usize,
    targets: usize,
    image: &Inputs<'_>,
    target: &Inputs<'_>,
) -> Result<Made> {
    let left = runner.image(&image(i)?)?;
    let mut made: Made = vec![];
    for (output, value) in runner.image_outputs(&left) {
        made.push((output, i, compiled::floats(value)?));
    }
    for row in i * targets..(i + 1) * targets {
        let values = runner.target(&left, &target(row)?)?;
        for (output, value) in runner.target_outputs(&values) {
            made.push((output, row, compiled::floats(value)?));
        }
    }
    Ok(made)
}

/// How many images make a batch, where each leaves so many bytes.
fn at_once(threads: usize, targets: usize, bytes: usize) -> usize {
    let least = threads.div_ceil(targets.max(1));
    if threads == 1 { 1 } else { (IMAGES_PER_ROUND * least).min(OUTPUTS / bytes.max(1)).max(least) }
}

fn threads() -> usize {
    if cfg!(target_arch = "wasm32") { 1 } else { std::thread::available_parallelism().map_or(1, Into::into) }
}

/// Does `0..count` on several threads, each with a runner of its own; results in order.
fn spread(
    compiled: &Compiled,
    threads: usize,
    count: usize,
    work: &(dyn Fn(&mut Runner<'_>, usize) -> Result<Made> + Sync),
) -> Result<Vec<Made>> {
    if threads <= 1 {
        let mut runner = compiled.runner()?;
        return (0..count).map(|i| work(&mut runner, i)).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<Made>>>> = Mutex::new((0..count).map(|_| None).collect());
    let one = || {
        let mut runner = compiled.runner();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return;
            }
            let made = match &mut runner {
                Ok(runner) => work(runner, i),
                Err(e) => Err(e.clone()),
            };
            results.lock().unwrap_or_else(PoisonError::into_inner)[i] = Some(made);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(one);
        }
        one();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|r| r.unwrap_or_else(|| Err(Error::Model("a row was left out".into())))).collect()
}
