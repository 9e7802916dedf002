//! Functions of one element with a slope of their own at every point: Sigmoid, HardSigmoid, HardSwish, Elu and their kin,
//! powers, exponentials and logarithms.
//!
//! SiLU needs no operator: exporters write it as a Sigmoid and a Mul.

mod kind;

pub use kind::Kind;
use kind::{apply, in_vectors, multiply_by_slope};
use tract_onnx::tract_core::{internal::OutletId, ops::nn};

use super::onnx::{Operand, Reader};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, Value, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear, targets},
};

/// The functions and their gradients.
pub static SMOOTH_ACTIVATION: Kernel =
    Kernel { name: "smooth_activation", source: include_str!("smooth_activation.wgsl"), snippets: &[THREAD] };

fn record(at: &mut Recording<'_>, kind: Kind, backward: bool) -> Result<()> {
    let (output, x) = (&at.output, at.inputs.last());
    let vectors = output.vectors();
    let (number, alpha, beta) = match kind {
        Kind::Sigmoid => (0, 0.0, 0.0),
        Kind::HardSigmoid { alpha, beta } => (1, alpha, beta),
        Kind::HardSwish => (2, 0.0, 0.0),
        Kind::Elu { alpha } => (3, alpha, 0.0),
        Kind::LeakyRelu { alpha } => (4, alpha, 0.0),
        Kind::Abs => (5, 0.0, 0.0),
        Kind::Softplus => (6, 0.0, 0.0),
        Kind::Softsign => (7, 0.0, 0.0),
        Kind::Tanh => (8, 0.0, 0.0),
        Kind::Erf => (9, 0.0, 0.0),
        Kind::Exp => (10, 0.0, 0.0),
        Kind::Log => (11, 0.0, 0.0),
        Kind::Power { exponent } => (12, exponent, 0.0),
        Kind::Sin => (13, 0.0, 0.0),
        Kind::Cos => (14, 0.0, 0.0),
        Kind::ThresholdedRelu { alpha } => (15, alpha, 0.0),
        Kind::Shrink { threshold, bias } => (16, threshold, bias),
    };
    let params = [
        [
            at.inputs[0].offset,
            output.offset,
            x.map_or(0, |x| x.offset),
            as_u32(output.plane() * output.blocks()),
        ],
        [x.map_or(1, |x| as_u32(targets(output, x))), as_u32(vectors), alpha.to_bits(), beta.to_bits()],
    ];
    let variant = vec![("LANES", LANES.into()), ("KIND", Value::Int(number)), ("BACKWARD", backward.into())];
    let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[128, vectors]) };
    at.dispatch(&SMOOTH_ACTIVATION, variant, &params, &[], launch)
}

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothActivation {
    /// The function.
    pub kind: Kind,
}

/// Reads an ONNX Sigmoid.
pub fn read_sigmoid(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Sigmoid)
}

/// Reads an ONNX HardSigmoid.
pub fn read_hard_sigmoid(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (alpha, beta) = (node.float("alpha", 0.2), node.float("beta", 0.5));
    read(node, Kind::HardSigmoid { alpha, beta })
}

/// Reads an ONNX HardSwish.
pub fn read_hard_swish(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::HardSwish)
}

/// Reads an ONNX Elu.
pub fn read_elu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let alpha = node.float("alpha", 1.0);
    read(node, Kind::Elu { alpha })
}

/// Reads an ONNX LeakyRelu.
pub fn read_leaky_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let alpha = node.float("alpha", 0.01);
    read(node, Kind::LeakyRelu { alpha })
}

/// Reads an ONNX Abs.
pub fn read_abs(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Abs)
}

/// Reads an ONNX Softplus.
pub fn read_softplus(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Softplus)
}

/// Reads an ONNX Softsign.
pub fn read_softsign(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Softsign)
}

/// Reads an ONNX Tanh.
pub fn read_tanh(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Tanh)
}

/// Reads an ONNX Erf.
pub fn read_erf(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Erf)
}

/// Reads an ONNX Exp.
pub fn read_exp(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Exp)
}

/// Reads an ONNX Log.
pub fn read_log(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Log)
}

/// Reads an ONNX Sin.
pub fn read_sin(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Sin)
}

/// Reads an ONNX Cos.
pub fn read_cos(node: &mut Reader<'_>) -> Result<Operand, String> {
    read(node, Kind::Cos)
}

/// Reads an ONNX ThresholdedRelu.
pub fn read_thresholded_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let alpha = node.float("alpha", 1.0);
    read(node, Kind::ThresholdedRelu { alpha })
}

/// Reads an ONNX Shrink.
pub fn read_shrink(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (threshold, bias) = (node.float("lambd", 0.5), node.float("bias", 0.0));
    match threshold >= 0.0 {
        true => read(node, Kind::Shrink { threshold, bias }),
        false => Err(format!("lambd {threshold} is negative")),
    }
}

fn read(node: &mut Reader<'_>, kind: Kind) -> Result<Operand, String> {
    let input = node.value(0)?;
    node.add(SmoothActivation { kind }, &[input])
}

impl Operator for SmoothActivation {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Sigmoid => "Sigmoid",
            Kind::HardSigmoid { .. } => "HardSigmoid",
            Kind::HardSwish => "HardSwish",
            Kind::Elu { .. } => "Elu",
            Kind::LeakyRelu { .. } => "LeakyRelu",
            Kind::Abs => "Abs",
            Kind::Softplus => "Softplus",
            Kind::Softsign => "Softsign",
            Kind::Tanh => "Tanh",
            Kind::Erf => "Erf",
            Kind::Exp => "Exp",
            Kind::Log => "Log",
            Kind::Power { .. } => "Pow",
            Kind::Sin => "Sin",
            Kind::Cos => "Cos",
            Kind::ThresholdedRelu { .. } => "ThresholdedRelu",
            Kind::Shrink { .. } => "Shrink",
        }
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        Ok(inputs[0].to_vec())
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, x) = (at.cotangent, at.inputs[0]);
        Ok(vec![at.add("gradient", SmoothActivationGradient { kind: self.kind }, &[g, x])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        match self.kind {
            // Tract's is a fit that is within a millionth of it, and takes a fraction of an exponential's time.
            Kind::Sigmoid => at.wire("", nn::sigmoid(), at.inputs),
            kind => at.element_wise(move |x| in_vectors!(kind, apply, x)),
        }
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, self.kind, false)
    }

    /// Powers, exponentials and logarithms are parts of normalisations.
    fn is_smooth_activation(&self) -> bool {
        !matches!(self.kind, Kind::Exp | Kind::Log | Kind::Power { .. })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].map(|x| self.kind.value_f64(x))
    }
}

/// `g * slope(x)`. Reads the gradient, whose rows count targets, and what the function read, whose rows may
/// count images.
#[derive(Clone, Copy, Debug)]
pub struct SmoothActivationGradient {
    /// The function.
    pub kind: Kind,
}

impl Operator for SmoothActivationGradient {
    fn name(&self) -> &'static str {
        "SmoothActivationGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err("gradient and input differ in shape".into())
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        match self.kind {
            Kind::Sigmoid => {
                let inputs = [at.inputs[0], at.wire(".value", nn::sigmoid(), &at.inputs[1..])?];
                let (name, model) = (at.name.clone(), &mut *at.model);
                let mut at = Lowering { model, inputs: &inputs, name, ..*at };
                at.each_in_place(|g, others| {
                    g.iter_mut().zip(others[0].floats()).for_each(|(g, y)| *g *= y * (1.0 - y));
                })
            }
            kind => at.each_in_place(move |g, others| {
                in_vectors!(kind, multiply_by_slope, (g, others[0].floats()))
            }),
        }
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, self.kind, true)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].zip(inputs[1], |g, x| g * self.kind.slope_f64(x))
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Kind, SmoothActivation};
    use crate::{
        graph::{Graph, Rows},
        ops::{
            affine::{Affine, Per},
            cases::{Case, finished, image_shape, off_the_kinks},
        },
        rng::Rng,
    };

    pub const ALL: &[Case] = &[
        Case::new("Sigmoid", &["QuickGelu", "Sigmoid", "Swish"], |rng| activation(rng, Kind::Sigmoid)),
        Case::new("HardSigmoid", &["HardSigmoid"], |rng| {
            activation(rng, Kind::HardSigmoid { alpha: 0.7, beta: 0.4 })
        }),
        Case::new("HardSwish", &["HardSwish"], |rng| activation(rng, Kind::HardSwish)),
        Case::new("Elu", &["Celu", "Elu", "Selu"], |rng| {
            let alpha = rng.random_range(1..64) as f32 / 16.0;
            activation(rng, Kind::Elu { alpha })
        }),
        Case::new("LeakyRelu", &["LeakyRelu", "PRelu"], |rng| {
            let alpha = rng.random_range(1..64) as f32 / 128.0;
            activation(rng, Kind::LeakyRelu { alpha })
        }),
        Case::new("Abs", &["Abs"], |rng| activation(rng, Kind::Abs)),
        Case::new("Softplus", &["Softplus"], |rng| activation(rng, Kind::Softplus)),
        Case::new("Softsign", &["Softsign"], |rng| activation(rng, Kind::Softsign)),
        Case::new("Tanh", &["FastGelu", "Mish", "Tanh"], |rng| activation(rng, Kind::Tanh)),
        Case::new("Erf", &["BiasGelu", "Erf", "Gelu"], |rng| activation(rng, Kind::Erf)),
        Case::new("Exp", &["Exp"], |rng| activation(rng, Kind::Exp)),
        Case::new("Log", &["Log"], |rng| positive(rng, Kind::Log)),
        Case::new("Reciprocal", &["Reciprocal", "Div"], |rng| positive(rng, Kind::Power { exponent: -1.0 })),
        Case::new("Sqrt", &["Sqrt"], |rng| positive(rng, Kind::Power { exponent: 0.5 })),
        Case::new("Sin", &["Sin"], |rng| activation(rng, Kind::Sin)),
        Case::new("Cos", &["Cos"], |rng| activation(rng, Kind::Cos)),
        Case::new("ThresholdedRelu", &["ThresholdedRelu"], |rng| {
            activation(rng, Kind::ThresholdedRelu { alpha: 0.7 })
        }),
        Case::new("Shrink", &["Shrink"], |rng| activation(rng, Kind::Shrink { threshold: 0.6, bias: 0.2 })),
        Case::new("Pow", &["GlobalLpPool", "LRN", "LpPool", "Pow"], |rng| {
            positive(rng, Kind::Power { exponent: 1.7 })
        }),
    ];

    /// A graph of numbers from 1 / 4 to 9 / 4, where logarithms and powers are smooth.
    fn positive(rng: &mut Rng, kind: Kind) -> Graph {
        let shape = image_shape(rng);
        let mut graph = Graph::new();
        let x = graph.input("x", shape.as_slice(), Rows::Images);
        let (scale, shift) = (vec![1.0; shape[0]], vec![1.25; shape[0]]);
        let moved = graph.add("moved", Affine { scale, shift, per: Per::Channel }, &[x]).unwrap();
        finished(graph, SmoothActivation { kind }, &[moved])
    }

    /// The input is wide enough to pass all kinks.
    fn activation(rng: &mut Rng, kind: Kind) -> Graph {
        off_the_kinks(&image_shape(rng), 4.0, SmoothActivation { kind })
    }
}
