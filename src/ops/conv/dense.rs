//! Fully connected layers: Gemm and MatMul with constant weights.

use std::sync::Arc;

use tract_onnx::tract_core::internal::OutletId;

use super::matrix_vector::{columns_times, rows_times};

use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Elements, Lowering, Operator, Shape, ValueId},
    ops::{
        kernels::{Convolution, GatherAxis, convolve},
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
