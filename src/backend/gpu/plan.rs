//! A graph made ready for batches of one size: where each value lies, and the dispatches that make them.

use super::fuse::{fuse, masked_values};
use crate::{
    error::{Error, GpuFault, Result},
    gpu::{Constants, DeviceProfile, Dispatch, Mask, MaskEncoding, Recording, View, arena, as_u32},
    graph::{Graph, Producer, Rows, Storage, ValueId},
};

/// Offsets are multiples of so many vec4s.
const ALIGN: usize = 16;

/// How many images, how many targets for each, and how large the masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Images.
    pub images: usize,
    /// Targets per image.
    pub targets: usize,
    /// The size of the masks of pictures.
    pub masks: MaskSize,
}

/// How much masks take, in vec4s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MaskSize {
    /// The part that all of them share.
    pub shared: usize,
    /// Each one's own.
    pub own: usize,
}

impl Size {
    fn rows(self, rows: Rows) -> usize {
        match rows {
            Rows::Images => self.images,
            Rows::Targets => self.images * self.targets,
        }
    }
}

/// A graph as the GPU runs it, for any batch.
pub struct Compiled {
    graph: Graph,
    /// The encoding of masks; none where the first input is a batch of pictures.
    encoding: Option<MaskEncoding>,
    /// The values that are one picture under many masks.
    masked: Vec<bool>,
    /// The program's constants.
    pub constants: Constants,
    profile: DeviceProfile,
}

/// The arena's layout for batches of one size.
pub struct Memory {
    /// The place of each value.
    pub views: Vec<View>,
    /// vec4s of zeros, at the start.
    pub zeros: usize,
    /// vec4s in all.
    pub size: usize,
}

impl Compiled {
    /// Prepares a graph; with an encoding, its first input is one picture under many masks of that encoding.
    pub fn new(profile: DeviceProfile, graph: &Graph, encoding: Option<MaskEncoding>) -> Result<Self> {
        let graph = fuse(graph, encoding)?;
        let none = || vec![false; graph.nodes().len()];
        let masked = encoding.map_or_else(none, |encoding| masked_values(&graph, encoding));
        Ok(Self { graph, encoding, masked, constants: Constants::new(profile.page_bytes), profile })
    }

    /// The graph, fused.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The value that a value's elements are kept in: itself, unless it only renames another's shape.
    fn homes(&self) -> Vec<usize> {
        let mut homes: Vec<usize> = (0..self.graph.nodes().len()).collect();
        for (id, node) in self.graph.iter().filter(|(_, n)| n.operator().is_some_and(|op| op.is_view())) {
            let from = self.graph.node(node.inputs[0]);
            let pixel = |shape: &[usize]| shape.iter().skip(1).product::<usize>() == 1;
            if from.shape == node.shape || pixel(&from.shape) && pixel(&node.shape) {
                homes[id.index()] = homes[node.inputs[0].index()];
            }
        }
        homes
    }

    /// Plans the arena.
    #[must_use]
    pub fn memory(&self, size: Size) -> Memory {
        let nodes = self.graph.nodes();
        let homes = self.homes();
        let blank = |node: &crate::graph::Node| View {
            offset: 0,
            shape: node.shape.clone(),
            rows: size.rows(node.rows),
            mask: None,
        };
        let mut views: Vec<View> = nodes.iter().map(blank).collect();
        let mut intervals: Vec<arena::Interval> = (0..nodes.len())
            .map(|i| {
                let made = if matches!(nodes[i].producer, Producer::Input) { 0 } else { i };
                let length =
                    if homes[i] == i { length(&views[i], nodes[i].storage, self.masked[i]) } else { 0 };
                arena::Interval { size: length, from: made, to: i }
            })
            .collect();
        for (reader, node) in nodes.iter().enumerate() {
            for input in &node.inputs {
                let home = homes[input.index()];
                intervals[home].to = intervals[home].to.max(reader);
            }
        }
        for output in self.graph.outputs() {
            intervals[homes[output.index()]].to = nodes.len();
        }
        // The picture and its masks are kept throughout: what does not change is not uploaded again.
        for input in self.graph.inputs().iter().filter(|input| self.masked[input.index()]) {
            intervals[homes[input.index()]].to = nodes.len();
        }
        let masks = self
            .encoding
            .map_or(0, |_| size.masks.own.saturating_mul(size.images).saturating_add(size.masks.shared));
        intervals.push(arena::Interval { size: masks, from: 0, to: nodes.len() });
        let layout = arena::plan(&intervals, ALIGN);
        let zeros = views.iter().map(View::blocks).max().unwrap_or(1).next_multiple_of(ALIGN);
        let place = |i: usize| as_u32(zeros.saturating_add(layout.offsets[i]));
        let shared = place(nodes.len());
        for (i, view) in views.iter_mut().enumerate() {
            view.offset = place(homes[i]);
            if let Some(encoding) = self.encoding.filter(|_| self.masked[i]) {
                let fill = view.offset.saturating_add(as_u32(picture(view)));
                let (masks, stride) =
                    (shared.saturating_add(as_u32(size.masks.shared)), as_u32(size.masks.own));
                view.mask = Some(Mask { encoding, fill, shared, masks, stride });
            }
        }
        Memory { views, zeros, size: zeros.saturating_add(layout.size) }
    }

    /// Records the dispatches of one batch.
    pub fn record(&mut self, memory: &Memory) -> Result<Vec<Dispatch>> {
        let mut dispatches = vec![];
        if u32::try_from(memory.size).map_or(true, |size| size == u32::MAX) {
            return Err(Error::gpu(
                GpuFault::OutOfMemory,
                "a batch needs more memory than a GPU can address",
            ));
        }
        let homes = self.homes();
        for (id, node) in self.graph.iter() {
            let Producer::Operator(op) = &node.producer else { continue };
            if homes[id.index()] != id.index() {
                continue;
            }
            let view = |id: &ValueId| memory.views[id.index()].clone();
            let mut at = Recording {
                node: id.index(),
                inputs: node.inputs.iter().map(view).collect(),
                output: view(&id),
                profile: self.profile,
                zeros: 0,
                constants: &mut self.constants,
                dispatches: &mut dispatches,
            };
            op.record(&mut at).map_err(|error| named(error, &node.name))?;
        }
        Ok(dispatches)
    }
}

/// A layer's constants do not know its name.
fn named(error: Error, name: &str) -> Error {
    match error {
        Error::NotFinite(what) => Error::NotFinite(format!("{what} (node {name:?})")),
        other => other,
    }
}

/// vec4s of one picture, aligned.
fn picture(view: &View) -> usize {
    (view.plane() * view.blocks()).next_multiple_of(ALIGN)
}

/// How many vec4s a value takes.
fn length(view: &View, storage: Storage, masked: bool) -> usize {
    if masked {
        return 2 * picture(view);
    }
    match storage {
        Storage::Float => view.vectors(),
        Storage::Bit => view.vectors().div_ceil(32),
        Storage::Byte => view.vectors().div_ceil(4),
    }
}
