//! ONNX activations that are composed of others.

use super::{
    add::Add,
    affine::Affine,
    arithmetic::scaled,
    broadcast::broadcast,
    multiply::Multiply,
    onnx::{Operand, Reader},
    smooth_activation::{Kind, SmoothActivation},
};
use crate::graph::ValueId;

fn of_kind(node: &mut Reader<'_>, x: ValueId, kind: Kind) -> Result<ValueId, String> {
    node.value_of(SmoothActivation { kind }, &[x])
}

/// Reads an ONNX Selu: `gamma elu(x)`.
pub fn read_selu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (alpha, gamma) = (node.float("alpha", 1.673_263_2), node.float("gamma", 1.050_701));
    let x = node.value(0)?;
    let elu = of_kind(node, x, Kind::Elu { alpha })?;
    scaled(node, elu, gamma, 0.0).map(Operand::Value)
}

/// Reads an ONNX Celu: `alpha elu(x / alpha)` with 1 as the limit of the negative side.
pub fn read_celu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let alpha = node.float("alpha", 1.0);
    if alpha == 0.0 || !alpha.is_finite() {
        return Err(format!("alpha {alpha} is not supported"));
    }
    let x = node.value(0)?;
    let x = scaled(node, x, alpha.recip(), 0.0)?;
    let elu = of_kind(node, x, Kind::Elu { alpha: 1.0 })?;
    scaled(node, elu, alpha, 0.0).map(Operand::Value)
}

/// Reads an ONNX Mish: `x tanh(softplus(x))`.
pub fn read_mish(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let plus = of_kind(node, x, Kind::Softplus)?;
    let tanh = of_kind(node, plus, Kind::Tanh)?;
    node.add(Multiply, &[x, tanh])
}

/// Reads an ONNX Swish.
pub fn read_swish(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (x, alpha) = (node.value(0)?, node.float("alpha", 1.0));
    swish(node, x, alpha)
}

/// `x sigmoid(alpha x)`.
pub(super) fn swish(node: &mut Reader<'_>, x: ValueId, alpha: f32) -> Result<Operand, String> {
    let inner = if alpha == 1.0 { x } else { scaled(node, x, alpha, 0.0)? };
    let sigmoid = of_kind(node, inner, Kind::Sigmoid)?;
    node.add(Multiply, &[x, sigmoid])
}

/// The function `s` of a GELU `x (1 + s(x)) / 2`.
#[derive(Clone, Copy)]
pub(super) enum Share {
    /// `erf(x / sqrt 2)`.
    Erf,
    /// Its approximation by a hyperbolic tangent.
    Tanh,
}

/// Reads an ONNX Gelu.
pub fn read_gelu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    match node.text("approximate", "none").as_str() {
        "none" => gelu(node, x, Share::Erf),
        "tanh" => gelu(node, x, Share::Tanh),
        other => Err(format!("approximate {other:?} is not supported")),
    }
}

/// `x (1 + s(x)) / 2`.
pub(super) fn gelu(node: &mut Reader<'_>, x: ValueId, share: Share) -> Result<Operand, String> {
    let share = match share {
        Share::Erf => {
            let scaled = scaled(node, x, std::f32::consts::FRAC_1_SQRT_2, 0.0)?;
            of_kind(node, scaled, Kind::Erf)?
        }
        Share::Tanh => {
            let square = node.value_of(Multiply, &[x, x])?;
            let root = (2.0 / std::f32::consts::PI).sqrt();
            let slope = scaled(node, square, root * 0.044_715, root)?;
            let inner = node.value_of(Multiply, &[x, slope])?;
            of_kind(node, inner, Kind::Tanh)?
        }
    };
    let half = scaled(node, share, 0.5, 0.5)?;
    node.add(Multiply, &[x, half])
}

/// Reads an ONNX `PRelu` with constant slopes: `(1 + s) / 2 x + (1 - s) / 2 |x|`.
pub fn read_p_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let slopes = node.constant(1)?;
    let (slopes, per) = broadcast(node, (0, &slopes), x)?;
    if slopes.iter().all(|s| *s == slopes[0]) {
        return node.add(SmoothActivation { kind: Kind::LeakyRelu { alpha: slopes[0] } }, &[x]);
    }
    let shift = vec![0.0; slopes.len()];
    let part = |sign: f32| slopes.iter().map(|s| (1.0 + sign * s) / 2.0).collect();
    let line = node.value_of(Affine { scale: part(1.0), shift: shift.clone(), per }, &[x])?;
    let size = of_kind(node, x, Kind::Abs)?;
    let bend = node.value_of(Affine { scale: part(-1.0), shift, per }, &[size])?;
    node.add(Add, &[line, bend])
}
