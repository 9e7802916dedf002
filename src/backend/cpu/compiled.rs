//! A graph as two tract models: the forward pass, run once an image, and the backward pass, run once a target
//! with what the forward pass left for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tract_onnx::tract_core::{
    internal::{IntoTValue, OutletId, SimpleState, SpecialOps, TValue, Tensor as TractTensor},
    model::{TypedModel, TypedSimplePlan},
    ops::change_axes::AxisOp,
    plan::SimplePlan,
};

use crate::{
    error::{Error, Result},
    graph::{Graph, Rows, Storage, ValueId, lowering::lower, native::fact},
};

type State =
    SimpleState<tract_onnx::tract_core::internal::TypedFact, Box<dyn tract_onnx::tract_core::ops::TypedOp>>;

/// A graph, ready to run one row at a time.
#[derive(Debug)]
pub struct Compiled {
    forward: Model,
    backward: Option<Model>,
    /// The source of each of the graph's outputs.
    outputs: Vec<Source>,
    /// The shapes of the graph's outputs.
    shapes: Vec<Vec<usize>>,
    has_run: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    rows: Rows,
    /// Which output of its model.
    place: usize,
}

/// One tract model.
#[derive(Debug)]
struct Model {
    plan: Arc<TypedSimplePlan>,
    /// Which of the values that it is offered it takes, in its own order.
    takes: Vec<ValueId>,
    gives: Vec<ValueId>,
}

/// The state of one thread that runs a [`Compiled`].
pub struct Runner<'a> {
    compiled: &'a Compiled,
    forward: State,
    backward: Option<State>,
}

/// The values that an image's forward pass left.
pub struct Image {
    values: Vec<TValue>,
}

impl Compiled {
    /// Builds both models. The graph's inputs are the image's first, in their order, then the targets'.
    pub fn new(graph: &Graph) -> Result<Self> {
        let live = graph.live();
        let mut read_later = vec![false; graph.nodes().len()];
        for (id, node) in graph.iter() {
            if live[id.index()] && node.rows == Rows::Targets {
                node.inputs.iter().for_each(|i| read_later[i.index()] = true);
            }
        }
        let outputs = graph.outputs();
        let wanted = |rows: Rows| {
            let read = |id: &ValueId| outputs.contains(id) || rows == Rows::Images && read_later[id.index()];
            graph
                .iter()
                .filter(move |(id, node)| node.rows == rows && read(id))
                .map(|(id, _)| id)
                .collect::<Vec<_>>()
        };
        let (kept, given) = (wanted(Rows::Images), wanted(Rows::Targets));
        // Masks that only the backward pass reads stay in HWC at the boundary, without a transpose.
        let is_turned = |id: ValueId| {
            let node = graph.node(id);
            let is_mask = node.storage != Storage::Float && node.shape.len() == 3;
            is_mask && read_later[id.index()] && !outputs.contains(&id)
        };
        let is_turned: Vec<bool> = graph.iter().map(|(id, _)| is_turned(id)).collect();
        let inputs = |rows: Rows| graph.inputs().iter().copied().filter(move |i| graph.node(*i).rows == rows);
        let forward =
            Model::new(graph, Rows::Images, inputs(Rows::Images).collect(), kept.clone(), &is_turned)?;
        let remembered = kept.iter().copied().filter(|k| read_later[k.index()]);
        let needed: Vec<ValueId> = remembered.chain(inputs(Rows::Targets)).collect();
        let backward = if given.is_empty() {
            None
        } else {
            Some(Model::new(graph, Rows::Targets, needed, given.clone(), &is_turned)?)
        };
        let source = |id: &ValueId| {
            let rows = graph.node(*id).rows;
            let list = if rows == Rows::Images { &kept } else { &given };
            list.iter().position(|k| k == id).map(|place| Source { rows, place })
        };
        let outputs: Option<Vec<Source>> = graph.outputs().iter().map(source).collect();
        let outputs = outputs.ok_or_else(|| Error::Model("an output of the graph is not made".into()))?;
        let shapes = graph.outputs().iter().map(|o| graph.node(*o).shape.clone()).collect();
        Ok(Self { forward, backward, outputs, shapes, has_run: AtomicBool::new(false) })
    }

    /// The number of inputs that have a row per image.
    pub fn image_inputs(&self) -> usize {
        self.forward.takes.len()
    }

    /// For each output, what its rows count and the shape of one.
    pub fn outputs(&self) -> impl Iterator<Item = (Rows, &[usize])> {
        self.outputs.iter().map(|s| s.rows).zip(self.shapes.iter().map(Vec::as_slice))
    }

    /// How many bytes the outputs of one image are, with so many targets.
    pub fn output_bytes(&self, targets: usize) -> usize {
        let count = |rows| if rows == Rows::Targets { targets } else { 1 };
        let size =
            |(rows, shape): (_, &[usize])| count(rows) * shape.iter().product::<usize>() * size_of::<f32>();
        self.outputs().map(size).sum()
    }

    /// Whether anything was run yet.
    pub fn has_run(&self) -> bool {
        self.has_run.load(Ordering::Relaxed)
    }

    /// The state of one thread.
    pub fn runner(&self) -> Result<Runner<'_>> {
        self.has_run.store(true, Ordering::Relaxed);
        let backward = self.backward.as_ref().map(Model::spawn).transpose()?;
        Ok(Runner { compiled: self, forward: self.forward.spawn()?, backward })
    }
}

impl Runner<'_> {
    /// Runs the forward pass of one image, given the image's inputs.
    pub fn image(&mut self, inputs: &[TValue]) -> Result<Image> {
        let values = run(&mut self.forward, inputs.iter().cloned())?;
        Ok(Image { values })
    }

    /// Runs the backward pass of one target, given the target's inputs; nothing where there is none.
    pub fn target(&mut self, image: &Image, inputs: &[TValue]) -> Result<Vec<TValue>> {
        let (Some(state), Some(model)) = (&mut self.backward, &self.compiled.backward) else {
            return Ok(vec![]);
        };
        let forward = &self.compiled.forward.gives;
        let remembered = |id: &ValueId| forward.iter().position(|g| g == id).map(|i| image.values[i].clone());
        let taken = model.takes.iter().filter_map(remembered).chain(inputs.iter().cloned());
        run(state, taken)
    }

    /// The image's outputs of the graph: output, values.
    pub fn image_outputs<'a>(&'a self, image: &'a Image) -> impl Iterator<Item = (usize, &'a TValue)> {
        self.of(Rows::Images, &image.values)
    }

    /// The target's outputs of the graph: output, values.
    pub fn target_outputs<'a>(&'a self, values: &'a [TValue]) -> impl Iterator<Item = (usize, &'a TValue)> {
        self.of(Rows::Targets, values)
    }

    fn of<'a>(&'a self, rows: Rows, values: &'a [TValue]) -> impl Iterator<Item = (usize, &'a TValue)> {
        let of_rows = self.compiled.outputs.iter().enumerate().filter(move |(_, s)| s.rows == rows);
        of_rows.map(|(i, s)| (i, &values[s.place]))
    }
}

fn run(state: &mut State, inputs: impl Iterator<Item = TValue>) -> Result<Vec<TValue>> {
    let made = state.run(inputs.collect()).map_err(|e| failed(&e))?;
    Ok(made.into_iter().collect())
}

fn failed(why: &dyn std::fmt::Display) -> Error {
    Error::Model(format!("the network cannot be run on the CPU: {why:#}"))
}

/// One row of a tensor as tract takes it.
pub fn value(shape: &[usize], data: &[f32]) -> Result<TValue> {
    Ok(TractTensor::from_shape(shape, data).map_err(|e| failed(&e))?.into_tvalue())
}

/// The floats of a value (bits and bytes as numbers).
pub fn floats(value: &TValue) -> Result<Vec<f32>> {
    let plain = value.try_as_plain_ram().map_err(|e| failed(&e))?;
    match plain.as_slice::<u8>() {
        Ok(bytes) => Ok(bytes.iter().map(|&b| b.into()).collect()),
        Err(_) => Ok(plain.as_slice::<f32>().map_err(|e| failed(&e))?.to_vec()),
    }
}

impl Model {
    /// Values that `is_turned` are taken and given as `[H, W, C]`.
    fn new(
        graph: &Graph,
        rows: Rows,
        takes: Vec<ValueId>,
        gives: Vec<ValueId>,
        is_turned: &[bool],
    ) -> Result<Self> {
        let live = graph.live();
        let mut model = TypedModel::default();
        let mut outlets: Vec<Option<OutletId>> = vec![None; graph.nodes().len()];
        for &id in &takes {
            let node = graph.node(id);
            let name = format!("{}#{}", node.name, id.index());
            let mut source =
                |shape: &[usize]| model.add_source(&*name, fact(shape, node.storage)).map_err(|e| failed(&e));
            outlets[id.index()] = Some(match *node.shape {
                [c, h, w] if is_turned[id.index()] => {
                    let source = source(&[h, w, c])?;
                    transpose(&mut model, &name, AxisOp::Move(2, 0), source)?
                }
                _ => source(&node.shape)?,
            });
        }
        for (id, node) in graph.iter() {
            if live[id.index()] && node.rows == rows && outlets[id.index()].is_none() {
                outlets[id.index()] = Some(lower(graph, node, id, &mut model, &outlets)?);
            }
        }
        let mut given = vec![];
        for id in &gives {
            let made = outlets[id.index()];
            let made = made.ok_or_else(|| Error::Model("a value is read before it is made".into()))?;
            given.push(match is_turned[id.index()] {
                true => transpose(&mut model, &graph.node(*id).name, AxisOp::Move(0, 2), made)?,
                false => made,
            });
        }
        model.select_output_outlets(&given).map_err(|e| failed(&e))?;
        let model = model.into_optimized().map_err(|e| failed(&e))?;
        let plan = SimplePlan::new(model).map_err(|e| failed(&e))?;
        Ok(Self { plan, takes, gives })
    }

    fn spawn(&self) -> Result<State> {
        self.plan.spawn().map_err(|e| failed(&e))
    }
}

/// Moves an axis of a value.
fn transpose(model: &mut TypedModel, name: &str, axes: AxisOp, value: OutletId) -> Result<OutletId> {
    let name = format!("{name}#{}.turned", value.node);
    Ok(model.wire_node(name, axes, &[value]).map_err(|e| failed(&e))?[0])
}
