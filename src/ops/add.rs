//! Elementwise sums.

use tract_onnx::tract_core::{internal::OutletId, ops::math};

use super::{
    affine::{Affine, Per},
    onnx::{Operand, Reader},
};
use crate::{
    chain::Epilogue,
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Lowering, Operator, Shape, ValueId},
    ops::kernels::elementwise,
};

/// `a + b`, of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Add;

/// Reads an ONNX Add of two values, or of a value and a constant that broadcasts to it.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let constant = match node.inputs.as_slice() {
        [Some(Operand::Value(_)), Some(Operand::Constant(c))] => Some((0, c.clone())),
        [Some(Operand::Constant(c)), Some(Operand::Value(_))] => Some((1, c.clone())),
        _ => None,
    };
    let Some((place, constant)) = constant else {
        let inputs = [node.value(0)?, node.value(1)?];
        check_values(node, inputs)?;
        return node.add(Add, &inputs);
    };
    let input = node.value(place)?;
    let (shift, per) = broadcast(node, (place, &constant), input)?;
    node.add(Affine { scale: vec![1.0; shift.len()], shift, per }, &[input])
}

/// The values of a node's constant for each channel, or for each element, of the node's other input; that is the
/// `place`-th.
pub fn broadcast(
    node: &mut Reader<'_>,
    (place, constant): (usize, &Constant),
    input: ValueId,
) -> Result<(Vec<f32>, Per), String> {
    let shape = node.node(input).shape.clone();
    let own = &aligned(node, place, &constant.shape, &shape)?;
    let channels = shape.first().copied().unwrap_or(1);
    if constant.len() == 1 {
        node.repeat(channels)?;
        return Ok((vec![constant.to_f32()[0]; channels], Per::Channel));
    }
    let elements = shape.iter().product::<usize>();
    if constant.len() < elements {
        node.repeat(elements)?;
    }
    spread(own, &constant.to_f32(), &shape)
}

/// The extents that a constant has by today's rule, which aligns last axes. Before opset 7 the second operand was
/// broadcast to the first if `broadcast` was set, its first axis at `axis`.
fn aligned(node: &Reader<'_>, place: usize, own: &[usize], shape: &[usize]) -> Result<Vec<usize>, String> {
    let rank = shape.len() + 1;
    let axis = node.attribute("axis").map(|a| a.i);
    if node.opset >= 7 || own.iter().all(|&d| d == 1) {
        return Ok(own.to_vec());
    }
    let refuse = |why: &str| Err(format!("opset {} with broadcast and axis {axis:?}: {why}", node.opset));
    if node.int("broadcast", 0) == 0 && own.get(1..) != Some(shape) {
        return refuse("operands of different shapes need broadcast=1");
    }
    if place == 1 {
        return refuse("the first operand cannot be a constant that is broadcast");
    }
    let last = rank_i64(rank) - rank_i64(own.len());
    let first = axis.map_or(last, |a| if a < 0 { a.saturating_add(rank_i64(rank)) } else { a });
    match usize::try_from(last - first) {
        Ok(_) if first == 0 && own.first() != Some(&1) => refuse("it would mix the images of a batch"),
        Ok(behind) if (0..=last).contains(&first) => Ok([own, &vec![1; behind]].concat()),
        _ => refuse("the constant does not fit there"),
    }
}

/// Fails where two values of an image are broadcast by the rule before opset 7.
pub fn check_values(node: &Reader<'_>, [a, b]: [ValueId; 2]) -> Result<(), String> {
    match node.attribute("axis") {
        Some(axis) if node.opset < 7 && node.node(a).shape != node.node(b).shape => {
            Err(format!("opset {} with axis {} of two values is not supported", node.opset, axis.i))
        }
        _ => Ok(()),
    }
}

fn rank_i64(rank: usize) -> i64 {
    rank as i64
}

fn spread(own: &[usize], values: &[f32], shape: &[usize]) -> Result<(Vec<f32>, Per), String> {
    // Numpy's rule aligns last axes; a constant with an axis for the batch must have it of extent one.
    let refuse = || format!("a constant of shape {own:?} does not broadcast to {shape:?} an image");
    let extra = own.len().saturating_sub(shape.len());
    if extra > 1 || own[..extra].iter().any(|&d| d != 1) {
        return Err(refuse());
    }
    let own = &own[extra..];
    let lead = shape.len() - own.len();
    let extent = |axis: usize| if axis < lead { 1 } else { own[axis - lead] };
    if (0..shape.len()).any(|a| extent(a) != 1 && extent(a) != shape[a]) {
        return Err(refuse());
    }
    if lead == 0 && own[1..].iter().all(|&d| d == 1) {
        return Ok((values.to_vec(), Per::Channel));
    }
    let elements = shape.iter().product::<usize>();
    let source = |mut i: usize| {
        let (mut place, mut step) = (0, 1);
        for axis in (0..shape.len()).rev() {
            let at = i % shape[axis];
            i /= shape[axis];
            if extent(axis) != 1 {
                place += at * step;
                step *= extent(axis);
            }
        }
        place
    };
    Ok(((0..elements).map(|i| values[source(i)]).collect(), Per::Element))
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err(format!(
                "shapes {:?} and {:?} an image differ; broadcasting is not supported",
                inputs[0], inputs[1]
            ))
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        Ok(vec![at.cotangent; 2])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let inputs = at.inputs.to_vec();
        at.wire("", math::add(), &inputs)
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        elementwise(at, None, &Epilogue::sum())
    }

    fn as_epilogue(&self) -> Option<Epilogue> {
        Some(Epilogue::sum())
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].zip(inputs[1], |a, b| a + b)
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::Add;
    use crate::{
        graph::{Graph, Rows},
        ops::cases::{Case, finished, image_shape, other},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Add", &["Add"], add)];

    fn add(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let x = graph.input("x", image_shape(rng), Rows::Images);
        let a = other(&mut graph, x, "a", rng);
        finished(graph, Add, &[x, a])
    }
}
