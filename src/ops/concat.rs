//! Concatenation along the channels, and its gradient, which takes some of them.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    affine::{Affine, Per},
    onnx::{Operand, Reader, axis_of},
    rearrange::{IndexMap, check_axes, placed},
};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, View, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear},
};

/// Moves channels from one value to another.
pub static CONCAT: Kernel =
    Kernel { name: "concat", source: include_str!("concat.wgsl"), snippets: &[THREAD] };

/// Records how `count` channels of `input` become channels of the output.
fn record(at: &mut Recording<'_>, input: &View, [from, to]: [usize; 2], count: usize) -> Result<()> {
    let output = &at.output;
    let threads = output.pixels() * ((to + count).div_ceil(4) - to / 4);
    let places = [input.offset, output.offset, as_u32(input.blocks()), as_u32(output.blocks())];
    let params = [places, [from, to, count, threads].map(as_u32)];
    let launch = Launch { groups: linear(threads), page: 0, flops: flops(&[64, threads]) };
    at.dispatch(&CONCAT, vec![("LANES", LANES.into())], &params, &[], launch)
}

/// The channels of all inputs, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Concat;

/// Reads an ONNX Concat of values along any axis but the batch's.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let first = node.inputs.iter().flatten().find_map(|input| match input {
        Operand::Value(value) => Some(*value),
        Operand::Constant(_) => None,
    });
    let first = first.ok_or("it has no inputs")?;
    let axes = node.node(first).shape.len();
    if node.opset >= 4 && node.attribute("axis").is_none() {
        return Err("it does not say along which axis".into());
    }
    let axis = axis_of(node.int("axis", 1), axes + 1)?;
    let inputs =
        (0..node.inputs.len()).map(|i| operand(node, i, first, axis)).collect::<Result<Vec<_>, _>>()?;
    match axis {
        0 => Err("a concatenation along axis 0 would mix the images of a batch".into()),
        1 => node.add(Concat, &inputs),
        axis => along(node, &inputs, axis - 1, axes),
    }
}

/// The `i`-th input as a value. A constant is added to zeros that stand where none of another value's elements do.
fn operand(node: &mut Reader<'_>, i: usize, other: ValueId, axis: usize) -> Result<ValueId, String> {
    let Some(Some(Operand::Constant(constant))) = node.inputs.get(i).cloned() else { return node.value(i) };
    let whole = [&[1], node.node(other).shape.as_slice()].concat();
    let is_alike = constant.shape.len() == whole.len()
        && (0..whole.len()).all(|a| a == axis || constant.shape[a] == whole[a]);
    if axis == 0 || !is_alike {
        return Err(format!(
            "a constant of {:?} beside {:?} per image is not supported",
            constant.shape,
            &whole[1..]
        ));
    }
    check_axes(&constant.shape)?;
    let zeros = IndexMap::take_or_fill(&whole[1..], axis - 1, vec![None; constant.shape[axis]]);
    let zeros = placed(node, other, zeros)?;
    node.repeat(constant.len())?;
    let shift = constant.to_f32();
    node.value_of(Affine { scale: vec![1.0; shift.len()], shift, per: Per::Element }, &[zeros])
}

/// Along another axis than the first, which is made the first and then put back.
fn along(node: &mut Reader<'_>, inputs: &[ValueId], axis: usize, axes: usize) -> Result<Operand, String> {
    let order: Vec<usize> = std::iter::once(axis).chain((0..axes).filter(|&i| i != axis)).collect();
    let mut moved = vec![];
    for &input in inputs {
        let shape = node.node(input).shape.clone();
        check_axes(&shape)?;
        if shape.len() != axes {
            return Err("its inputs differ in their number of axes".into());
        }
        moved.push(placed(node, input, IndexMap::transpose(&shape, &order))?);
    }
    let made = node.value_of(Concat, &moved)?;
    let shape = node.node(made).shape.clone();
    let back: Vec<usize> = (1..=axis).chain([0]).chain(axis + 1..axes).collect();
    placed(node, made, IndexMap::transpose(&shape, &back)).map(Operand::Value)
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let [first, rest @ ..] = inputs else { return Err("it has no inputs".into()) };
        if first.is_empty() || rest.iter().any(|s| s.get(1..) != first.get(1..)) {
            return Err("its inputs differ in more than their channels".into());
        }
        let mut shape = first.to_vec();
        let channels = inputs.iter().try_fold(0, |sum: usize, s| sum.checked_add(s[0]));
        shape[0] = channels.ok_or("it would have more channels than can be counted")?;
        Ok(shape)
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, mut start, mut parts) = (at.cotangent, 0, vec![]);
        for i in 0..at.inputs.len() {
            let count = at.input_shape(i)[0];
            parts.push(at.add(&format!("gradient.{i}"), SliceChannels { start, count }, &[g])?);
            start += count;
        }
        Ok(parts)
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (all, each): (usize, Vec<usize>) = (at.node.shape[0], at.shapes.iter().map(|s| s[0]).collect());
        at.channels_last(move |read, made| {
            let mut first = 0;
            for (part, &count) in read.iter().zip(&each) {
                let rows = part.floats().chunks_exact(count);
                for (to, from) in made.chunks_exact_mut(all).zip(rows) {
                    to[first..first + count].copy_from_slice(from);
                }
                first += count;
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let mut start = 0;
        for input in at.inputs.clone() {
            if input.rows != at.output.rows {
                let why = "a concatenation of values of different batches is not supported";
                return Err(crate::Error::Model(why.into()));
            }
            record(at, &input, [0, start], input.channels())?;
            start += input.channels();
        }
        Ok(())
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let shapes: Vec<&[usize]> = inputs.iter().map(|a| a.shape.as_slice()).collect();
        let data = inputs.iter().flat_map(|a| a.data.iter().copied()).collect();
        crate::graph::reference::Array::new(&self.shape(&shapes).unwrap(), data)
    }
}

/// Channels `start .. start + count`.
#[derive(Clone, Copy, Debug)]
pub struct SliceChannels {
    /// The first channel.
    pub start: usize,
    /// How many.
    pub count: usize,
}

impl Operator for SliceChannels {
    fn name(&self) -> &'static str {
        "SliceChannels"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let mut shape = inputs[0].to_vec();
        match shape.first_mut() {
            Some(channels) if self.start.checked_add(self.count).is_some_and(|end| end <= *channels) => {
                *channels = self.count
            }
            _ => return Err("there are not so many channels".into()),
        }
        Ok(shape)
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (own, all) = (*self, at.shapes[0][0]);
        at.channels_last(move |read, made| {
            let rows = read[0].floats().chunks_exact(all);
            for (to, from) in made.chunks_exact_mut(own.count).zip(rows) {
                to.copy_from_slice(&from[own.start..own.start + own.count]);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let input = at.inputs[0].clone();
        record(at, &input, [self.start, 0], self.count)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let plane: usize = inputs[0].shape[1..].iter().product();
        let data = inputs[0].data[self.start * plane..(self.start + self.count) * plane].to_vec();
        crate::graph::reference::Array::new(&self.shape(&[&inputs[0].shape]).unwrap(), data)
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::Concat;
    use crate::{
        graph::{Graph, Rows},
        ops::cases::{Case, finished, image_shape, other},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Concat", &["Concat"], concat)];

    /// The input among values that follow from it, so that the gradient of each operand counts.
    fn concat(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let x = graph.input("x", image_shape(rng), Rows::Images);
        let (a, b) = (other(&mut graph, x, "a", rng), other(&mut graph, x, "b", rng));
        finished(graph, Concat, &[a, x, b, x])
    }
}
