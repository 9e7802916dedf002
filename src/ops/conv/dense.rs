//! Fully connected layers: Gemm and MatMul with constant weights.

use std::sync::Arc;

use tract_onnx::tract_core::{
    internal::{Datum, OutletId},
    ops::{einsum::EinSum, math},
};

use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Elements, Lowering, Operator, Quantization, Shape, ValueId},
    ops::{
        kernels::{Convolution, GatherAxis, convolve},
        linear_along::linear_along,
        matrix_product,
        onnx::{Operand, Reader},
        window::Window,
    },
};

/// `y[o] = bias[o] + sum over i of weights[o, i] * x[i]`.
#[derive(Clone, Debug)]
pub struct Dense {
    /// `[O, I]`; int8 weights keep their integers and scales.
    pub weights: Arc<Constant>,
    /// One value per output.
    pub bias: Option<Arc<Vec<f32>>>,
}

/// Reads an ONNX Gemm: `alpha * A B + beta * C`, where A depends on the image and B and C are constants.
pub fn read_gemm(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    if node.int("transA", 0) != 0 {
        return Err("transA would mix the images of a batch".into());
    }
    let mut weights = node.constant(1)?;
    if node.int("transB", 0) == 0 {
        weights = Arc::new(transposed(&weights)?);
    }
    let alpha = node.float("alpha", 1.0);
    if alpha != 1.0 {
        let scaled = weights.to_f32().iter().map(|w| w * alpha).collect();
        weights = Arc::new(Constant::floats(weights.shape.clone(), scaled));
    }
    let &[outputs, _] = weights.shape.as_slice() else {
        return Err(format!("only matrices are supported as weights; these are {:?}", weights.shape));
    };
    let beta = node.float("beta", 1.0);
    let bias = match node.optional_constant(2)? {
        None => None,
        Some(c) => {
            if node.opset < 7 && node.int("broadcast", 0) == 0 && c.len() != 1 {
                return Err(format!(
                    "opset {} without broadcast=1 adds C as it is, to one image",
                    node.opset
                ));
            }
            let values = c.to_f32();
            let value = |i: usize| values.get(if values.len() == 1 { 0 } else { i }).copied();
            let all: Option<Vec<f32>> = (0..outputs).map(|i| value(i).map(|v| v * beta)).collect();
            let fits = values.len() == 1 || values.len() == outputs && c.shape.last() == Some(&outputs);
            Some(Arc::new(all.filter(|_| fits).ok_or_else(|| {
                format!("C {:?} cannot be added to {outputs} outputs of each image", c.shape)
            })?))
        }
    };
    node.add(Dense { weights, bias }, &[input])
}

/// Reads an ONNX MatMul of two values, or of a value and a constant matrix on either side.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    match (node.inputs.first(), node.inputs.get(1)) {
        (Some(Some(Operand::Value(_))), Some(Some(Operand::Value(_)))) => return matrix_product::read(node),
        (Some(Some(Operand::Constant(c))), Some(Some(Operand::Value(value)))) => {
            let (weights, value) = (matrix(c)?, *value);
            return match node.node(value).shape.len().checked_sub(2) {
                Some(axis) => linear_along(node, value, axis, weights).map(Operand::Value),
                None => Err("it would mix the images of a batch".into()),
            };
        }
        _ => {}
    }
    let input = node.value(0)?;
    let weights = transposed(&matrix(&*node.constant(1)?)?)?;
    let axes = node.node(input).shape.len();
    match axes {
        0 | 1 => node.add(Dense { weights: Arc::new(weights), bias: None }, &[input]),
        _ => linear_along(node, input, axes - 1, weights).map(Operand::Value),
    }
}

/// A constant matrix without axes of extent one in front.
fn matrix(constant: &Constant) -> Result<Constant, String> {
    let extra = constant.shape.len().saturating_sub(2);
    if constant.shape[..extra].iter().any(|&d| d != 1) {
        return Err(format!("only matrices are supported as weights; these are {:?}", constant.shape));
    }
    let quantization =
        constant.quantization.clone().map(|q| Quantization { axis: q.axis.saturating_sub(extra), ..q });
    Ok(Constant { shape: constant.shape[extra..].to_vec(), quantization, ..constant.clone() })
}

/// The transpose of a matrix; integers stay integers.
pub(in crate::ops) fn transposed(matrix: &Constant) -> Result<Constant, String> {
    let &[rows, columns] = matrix.shape.as_slice() else {
        return Err(format!("only matrices are supported as weights; these are {:?}", matrix.shape));
    };
    fn transposed_elements<T: Copy>(v: &[T], rows: usize, columns: usize) -> Vec<T> {
        (0..columns).flat_map(|c| (0..rows).map(move |r| v[r * columns + c])).collect()
    }
    let elements = match &matrix.elements {
        Elements::F32(v) => Elements::F32(transposed_elements(v, rows, columns)),
        Elements::I8(v) => Elements::I8(transposed_elements(v, rows, columns)),
        Elements::U8(v) => Elements::U8(transposed_elements(v, rows, columns)),
        Elements::I32(v) => Elements::I32(transposed_elements(v, rows, columns)),
        Elements::I64(v) => Elements::I64(transposed_elements(v, rows, columns)),
    };
    let quantization =
        matrix.quantization.as_ref().map(|q| Quantization { axis: 1 - q.axis.min(1), ..q.clone() });
    Ok(Constant { shape: vec![columns, rows], elements, quantization })
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        "Dense"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let &[outputs, features] = self.weights.shape.as_slice() else {
            return Err("the weights are not a matrix".into());
        };
        if inputs[0] != [features] {
            return Err(format!(
                "weights {outputs} x {features} do not fit an input of {:?} an image",
                inputs[0]
            ));
        }
        if self.bias.as_ref().is_some_and(|b| b.len() != outputs) {
            return Err(format!("the bias must have {outputs} values"));
        }
        Ok(vec![outputs])
    }

    fn work(&self, _: &[&[usize]], _: &[usize]) -> u64 {
        crate::limits::product(&self.weights.shape)
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let weights = transposed(&self.weights).map_err(crate::Error::Model)?;
        let g = at.cotangent;
        Ok(vec![at.add("gradient", Dense { weights: Arc::new(weights), bias: None }, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let [outputs, features] = self.weights.shape[..] else {
            return Err(at.failed(&"its weights are not a matrix"));
        };
        let weights = at.constant(".weights", &[outputs, features], &self.weights.to_f32())?;
        let axes = "oi,i->o".parse().map_err(|e| at.failed(&e))?;
        let product = EinSum { axes, operating_dt: f32::datum_type(), q_params: None };
        let input = at.inputs[0];
        let made = at.wire(".product", product, &[weights, input])?;
        let Some(bias) = &self.bias else { return Ok(made) };
        let bias = at.constant(".bias", &[outputs], bias)?;
        at.wire("", math::add(), &[made, bias])
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        self.record_with(at, &[], &Epilogue::default())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn record_with(&self, at: &mut Recording<'_>, _: &[Step], epilogue: &Epilogue) -> Result<()> {
        let axis = GatherAxis::forward(&Window::new([1; 2]), 0, 1, 1);
        let (outputs, inputs, weights) =
            (self.weights.shape[0], self.weights.shape[1], self.weights.to_f32());
        let weight = |o: usize, i: usize, _: usize, _: usize| weights[o * inputs + i];
        let bias = self.bias.as_ref().map(|b| b.as_slice());
        let phases = vec![[axis.clone(), axis]];
        let work = Convolution { phases, inputs, outputs, groups: 1, weight: &weight, bias, prologue: &[] };
        convolve(at, &work, epilogue)
    }

    fn weights(&self) -> Option<&Arc<Constant>> {
        Some(&self.weights)
    }

    fn with_weights(&self, weights: Arc<Constant>) -> Option<Arc<dyn Operator>> {
        Some(Arc::new(Self { weights, ..self.clone() }))
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let x = &inputs[0].data;
        let y = (0..self.weights.shape[0]).map(|o| {
            let bias = self.bias.as_ref().map_or(0.0, |b| f64::from(b[o]));
            x.iter().enumerate().map(|(i, v)| v * self.weights.real(o * x.len() + i)).sum::<f64>() + bias
        });
        crate::graph::reference::Array::new(&[self.weights.shape[0]], y.collect())
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Arc, Constant, Dense};
    use crate::{
        graph::Graph,
        ops::cases::{Case, floats, int, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Dense", &["FusedGemm", "Gemm"], dense)];

    fn dense(rng: &mut Rng) -> Graph {
        let (features, outputs) = (int(rng, 1, 90), int(rng, 1, 40));
        let weights = Arc::new(Constant::floats([outputs, features], floats(rng, features * outputs)));
        let bias = rng.random::<bool>().then(|| Arc::new(floats(rng, outputs)));
        single(&[features], Dense { weights, bias })
    }
}
