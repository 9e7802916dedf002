//! Fully connected layers: Gemm and MatMul with constant weights.

use std::sync::Arc;

use tract_onnx::tract_core::internal::OutletId;

use super::matrix_vector::{columns_times, rows_times};

use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Elements, Lowering, Operator, Quantization, Shape, ValueId},
    ops::{
        arithmetic::affine,
        kernels::{Convolution, GatherAxis, convolve},
        linear_along::linear_along,
        matrix_product,
        onnx::{Operand, Reader},
        window::Window,
    },
};

/// `y[o] = bias[o] + sum over i of weights[o, i] * x[i]`. The product with the transpose, which is its gradient, has the
/// same weights: matrices of fully connected layers are the largest constants of many networks, and are held once.
#[derive(Clone, Debug)]
pub struct Dense {
    /// `[O, I]`, or `[I, O]` where they are transposed; int8 weights keep their integers and scales.
    pub weights: Arc<Constant>,
    /// True if the outputs are the second axis of the weights.
    pub is_transposed: bool,
    /// One value per output.
    pub bias: Option<Arc<Vec<f32>>>,
}

/// Reads an ONNX Gemm: `alpha * A B + beta * C`, where A depends on the image and B and C are constants.
pub fn read_gemm(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, dense) = (node.value(0)?, gemm(node)?);
    node.add(dense, &[input])
}

/// The same as [`read_gemm`], of a matrix per image.
pub(in crate::ops) fn read_gemm_of_rows(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, dense) = (node.value(0)?, gemm(node)?);
    if node.node(input).shape.len() != 2 {
        return Err("its input is no matrix".into());
    }
    let weights = if dense.is_transposed { transposed(&dense.weights)? } else { (*dense.weights).clone() };
    let product = linear_along(node, input, 1, weights)?;
    let Some(bias) = dense.bias else { return Ok(Operand::Value(product)) };
    let bias = Constant::floats([bias.len()], bias.to_vec());
    affine(node, product, (0, &bias), |c| (1.0, c)).map(Operand::Value)
}

/// The fully connected layer that a Gemm is.
fn gemm(node: &Reader<'_>) -> Result<Dense, String> {
    if node.int("transA", 0) != 0 {
        return Err("transA would mix the images of a batch".into());
    }
    let mut weights = node.constant(1)?;
    let is_transposed = node.int("transB", 0) == 0;
    let alpha = node.float("alpha", 1.0);
    if alpha != 1.0 {
        let scaled = weights.to_f32().iter().map(|w| w * alpha).collect();
        weights = Arc::new(Constant::floats(weights.shape.clone(), scaled));
    }
    let &[rows, columns] = weights.shape.as_slice() else {
        return Err(format!("only matrices are supported as weights; these are {:?}", weights.shape));
    };
    let outputs = if is_transposed { columns } else { rows };
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
    Ok(Dense { weights, is_transposed, bias })
}

/// Reads an ONNX MatMul of two values, or of a value and a constant matrix on either side.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    match (node.inputs.first(), node.inputs.get(1)) {
        (Some(Some(Operand::Value(_))), Some(Some(Operand::Value(_)))) => return matrix_product::read(node),
        (Some(Some(Operand::Constant(c))), Some(Some(Operand::Value(value)))) => {
            let (weights, value) = (matrix(c)?, *value);
            return match node.node(value).shape.len().checked_sub(2) {
                Some(axis) => linear_along(node, value, axis, (*weights).clone()).map(Operand::Value),
                None => Err("it would mix the images of a batch".into()),
            };
        }
        _ => {}
    }
    let input = node.value(0)?;
    let weights = matrix(&node.constant(1)?)?;
    let axes = node.node(input).shape.len();
    match axes {
        0 | 1 => node.add(Dense { weights, is_transposed: true, bias: None }, &[input]),
        _ => linear_along(node, input, axes - 1, transposed(&weights)?).map(Operand::Value),
    }
}

/// A constant matrix without axes of extent one in front.
fn matrix(constant: &Arc<Constant>) -> Result<Arc<Constant>, String> {
    if constant.shape.len() == 2 {
        return Ok(constant.clone());
    }
    let extra = constant.shape.len().saturating_sub(2);
    if constant.shape[..extra].iter().any(|&d| d != 1) {
        return Err(format!("only matrices are supported as weights; these are {:?}", constant.shape));
    }
    let quantization =
        constant.quantization.clone().map(|q| Quantization { axis: q.axis.saturating_sub(extra), ..q });
    Ok(Arc::new(Constant { shape: constant.shape[extra..].to_vec(), quantization, ..(**constant).clone() }))
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

impl Dense {
    /// The numbers of outputs and of inputs.
    fn extents(&self) -> Option<(usize, usize)> {
        let &[rows, columns] = self.weights.shape.as_slice() else { return None };
        Some(if self.is_transposed { (columns, rows) } else { (rows, columns) })
    }

    /// The weights as floats: the file's own where it has floats.
    fn floats(&self) -> Arc<Constant> {
        match (&self.weights.elements, &self.weights.quantization) {
            (Elements::F32(_), None) => self.weights.clone(),
            _ => Arc::new(Constant::floats(self.weights.shape.clone(), self.weights.to_f32())),
        }
    }
}

impl Operator for Dense {
    fn name(&self) -> &'static str {
        "Dense"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (outputs, features) = self.extents().ok_or("the weights are not a matrix")?;
        if inputs[0] != [features] {
            return Err(format!(
                "weights {outputs} x {features} do not fit an input of {:?} per image",
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
        let (weights, g) = (self.weights.clone(), at.cotangent);
        let transpose = Dense { weights, is_transposed: !self.is_transposed, bias: None };
        Ok(vec![at.add("gradient", transpose, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (weights, bias) = (self.floats(), self.bias.clone());
        let times = if self.is_transposed { columns_times } else { rows_times };
        at.floats(move |inputs, made| {
            let Elements::F32(matrix) = &weights.elements else { return };
            if let Some(bias) = &bias {
                made.copy_from_slice(bias);
            }
            times(matrix, inputs[0].floats(), made);
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        self.record_with(at, &[], &Epilogue::default())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn record_with(&self, at: &mut Recording<'_>, _: &[Step], epilogue: &Epilogue) -> Result<()> {
        let axis = GatherAxis::forward(&Window::new([1; 2]), 0, 1, 1);
        let (outputs, inputs) = self.extents().unwrap_or_default();
        let weights = self.floats();
        let Elements::F32(matrix) = &weights.elements else { return Ok(()) };
        let (per_output, per_input) = if self.is_transposed { (1, outputs) } else { (inputs, 1) };
        let weight = |o: usize, i: usize, _: usize, _: usize| matrix[o * per_output + i * per_input];
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
        let (outputs, features) = self.extents().unwrap();
        let weight = |o: usize, i: usize| {
            self.weights.real(if self.is_transposed { i * outputs + o } else { o * features + i })
        };
        let y = (0..outputs).map(|o| {
            let bias = self.bias.as_ref().map_or(0.0, |b| f64::from(b[o]));
            x.iter().enumerate().map(|(i, v)| v * weight(o, i)).sum::<f64>() + bias
        });
        crate::graph::reference::Array::new(&[outputs], y.collect())
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

    pub const ALL: &[Case] = &[Case::new("Dense", &["FusedGemm", "Gemm", "MatMulNBits"], dense)];

    fn dense(rng: &mut Rng) -> Graph {
        let (features, outputs) = (int(rng, 1, 90), int(rng, 1, 40));
        let is_transposed = rng.random::<bool>();
        let extents = if is_transposed { [features, outputs] } else { [outputs, features] };
        let weights = Arc::new(Constant::floats(extents, floats(rng, features * outputs)));
        let bias = rng.random::<bool>().then(|| Arc::new(floats(rng, outputs)));
        single(&[features], Dense { weights, is_transposed, bias })
    }
}
