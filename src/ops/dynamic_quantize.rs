//! Quantization by a scale that follows from the image: DynamicQuantizeLinear.
//!
//! The range of an image's values, zero among them, is divided into 255 steps. Each image of a batch has its own. Scale
//! and zero point count as constants on the way back, and no value lies outside the range, so the gradient is
//! straight-through everywhere.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    arithmetic::scaled,
    onnx::{Operand, Reader},
    reduce::largest_over,
    reshape::Reshape,
};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, Value, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear, targets},
};

/// The quantities of a quantization, and its gradient.
pub static DYNAMIC_QUANTIZE: Kernel =
    Kernel { name: "dynamic_quantize", source: include_str!("dynamic_quantize.wgsl"), snippets: &[THREAD] };

/// The results of a dynamic quantization of `x`, from its largest value and its smallest one, negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// From `[high, -low]`: the scale, in reals per step.
    Scale,
    /// From `[high, -low]`: the integer that stands for zero.
    ZeroPoint,
    /// From `[x, high, -low]`: the integers, from 0 to 255.
    Integers,
    /// From `[x, high, -low]`: the integers less their zero point.
    Steps,
    /// From `[g, high, -low]`: the gradient, `g` over the scale.
    Slope,
}

/// One of the quantities of a dynamic quantization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicQuantize {
    /// Which.
    pub quantity: Quantity,
}

/// Scale and zero point, from the largest value and the smallest one, negated.
fn parameters(high: f32, negated_low: f32) -> (f32, f32) {
    let (high, low) = (high.max(0.0), -negated_low.max(0.0));
    let scale = if high == low { 1.0 } else { (high - low) / 255.0 };
    (scale, (-low / scale).clamp(0.0, 255.0).round_ties_even())
}

/// Reads an ONNX `DynamicQuantizeLinear`: integers, scale and zero point, each of an image.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    if node.batch > 1 {
        return Err(format!(
            "it has one scale for {} images; export with a batch of one or an open one, or use static quantization",
            node.batch
        ));
    }
    let high = largest(node, x)?;
    let negated = scaled(node, x, -1.0, 0.0)?;
    let negated_low = largest(node, negated)?;
    for quantity in [Quantity::Scale, Quantity::ZeroPoint] {
        let made = node.add(DynamicQuantize { quantity }, &[high, negated_low])?;
        node.others.push(made);
    }
    node.add(DynamicQuantize { quantity: Quantity::Integers }, &[x, high, negated_low])
}

/// The largest of a value's elements, as a value without axes.
fn largest(node: &mut Reader<'_>, mut x: ValueId) -> Result<ValueId, String> {
    let axes: Vec<usize> = (1..=node.node(x).shape.len()).collect();
    // A plane is pooled as it lies.
    if axes.len() == 3 {
        x = largest_over(node, x, &axes[1..])?;
    }
    x = largest_over(node, x, &axes)?;
    match node.node(x).shape.is_empty() {
        true => Ok(x),
        false => node.value_of(Reshape { shape: vec![] }, &[x]),
    }
}

/// The steps, where integers and zero point are those of one dynamic quantization.
pub(super) fn steps(
    node: &mut Reader<'_>,
    integers: ValueId,
    zero: ValueId,
) -> Option<Result<ValueId, String>> {
    let [integers, zero] = [integers, zero].map(|value| node.node(value).clone());
    let quantity = |node: &crate::graph::Node| node.as_op::<DynamicQuantize>().map(|op| op.quantity);
    let is_one = (quantity(&integers), quantity(&zero))
        == (Some(Quantity::Integers), Some(Quantity::ZeroPoint))
        && integers.inputs[1..] == zero.inputs[..];
    is_one.then(|| node.value_of(DynamicQuantize { quantity: Quantity::Steps }, &integers.inputs))
}

impl Operator for DynamicQuantize {
    fn name(&self) -> &'static str {
        "DynamicQuantizeLinear"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        match inputs {
            [[], []] => Ok(vec![]),
            [x, [], []] => Ok(x.to_vec()),
            _ => Err("its range should be two numbers".into()),
        }
    }

    /// None for what the range is made of: scale and zero point count as constants.
    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        match at.inputs[..] {
            [_, high, low] => Ok(vec![at.add(
                "gradient",
                Self { quantity: Quantity::Slope },
                &[at.cotangent, high, low],
            )?]),
            _ => Ok(vec![]),
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let quantity = self.quantity;
        at.floats(move |read, made| {
            let range = &read[read.len() - 2..];
            let (scale, zero) = parameters(range[0].floats()[0], range[1].floats()[0]);
            let steps = |x: f32| (x / scale).round_ties_even().clamp(-zero, 255.0 - zero);
            let each = |made: &mut [f32], of: &dyn Fn(f32) -> f32| {
                made.iter_mut().zip(read[0].floats()).for_each(|(y, x)| *y = of(*x));
            };
            match quantity {
                Quantity::Scale => made.fill(scale),
                Quantity::ZeroPoint => made.fill(zero),
                Quantity::Integers => each(made, &|x| steps(x) + zero),
                Quantity::Steps => each(made, &steps),
                Quantity::Slope => each(made, &|g| g / scale),
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let output = &at.output;
        let vectors = output.vectors();
        let [x, high, low] = match &at.inputs[..] {
            [x, high, low] => [x, high, low],
            [high, low] => [high, high, low],
            _ => return Err(crate::Error::Model("no range to quantize; please report this".into())),
        };
        let shared = [high, x].map(|input| as_u32(targets(output, input)));
        let params = [
            [high.offset, low.offset, x.offset, output.offset],
            [as_u32(output.plane() * output.blocks()), as_u32(vectors), shared[0], shared[1]],
        ];
        let kind = match self.quantity {
            Quantity::Scale => 0,
            Quantity::ZeroPoint => 1,
            Quantity::Integers => 2,
            Quantity::Steps => 3,
            Quantity::Slope => 4,
        };
        let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[64, vectors]) };
        let variant = vec![("LANES", LANES.into()), ("KIND", Value::Int(kind))];
        at.dispatch(&DYNAMIC_QUANTIZE, variant, &params, &[], launch)
    }

    fn is_layer(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let range = &inputs[inputs.len() - 2..];
        let (high, low) = (range[0].data[0].max(0.0), -range[1].data[0].max(0.0));
        let scale = if high == low { 1.0 } else { (high - low) / 255.0 };
        let zero = (-low / scale).round_ties_even();
        let steps = |x: f64| (x / scale).round_ties_even().clamp(-zero, 255.0 - zero);
        match self.quantity {
            Quantity::Scale => inputs[0].map(|_| scale),
            Quantity::ZeroPoint => inputs[0].map(|_| zero),
            Quantity::Integers => inputs[0].map(|x| steps(x) + zero),
            Quantity::Steps => inputs[0].map(steps),
            Quantity::Slope => inputs[0].map(|g| g / scale),
        }
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::{DynamicQuantize, Quantity};
    use crate::{
        graph::{Graph, Rows},
        ops::{
            affine::{Affine, Per},
            cases::{Case, finished, image_shape, int},
            max_pool::MaxPool,
            reshape::Reshape,
            window::Window,
        },
        rng::Rng,
    };

    const ONNX: &[&str] = &[
        "ConvInteger",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulInteger",
        "MatMulIntegerToFloat",
    ];

    pub const ALL: &[Case] = &[Case { is_derivative: false, ..Case::new("DynamicQuantize", ONNX, quantize) }];

    /// One quantity of the quantization of the input, by its own range.
    fn quantize(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let shape = image_shape(rng);
        let count = shape.iter().product();
        let x = graph.input("x", shape, Rows::Images);
        let flat = graph.add("flat", Reshape { shape: vec![1, count, 1] }, &[x]).unwrap();
        let mut bound = |sign: f32| {
            let affine = Affine { scale: vec![sign], shift: vec![0.0], per: Per::Channel };
            let signed = graph.add("signed", affine, &[flat]).unwrap();
            let pool = MaxPool { window: Window::new([count, 1]) };
            let pooled = graph.add("pooled", pool, &[signed]).unwrap();
            graph.add("number", Reshape { shape: vec![] }, &[pooled]).unwrap()
        };
        let (high, low) = (bound(1.0), bound(-1.0));
        match int(rng, 0, 1) {
            0 => finished(graph, DynamicQuantize { quantity: Quantity::Integers }, &[x, high, low]),
            _ => finished(graph, DynamicQuantize { quantity: Quantity::Steps }, &[x, high, low]),
        }
    }
}
