//! Elementwise sums.

use tract_onnx::tract_core::{internal::OutletId, ops::math};

use crate::{
    chain::Epilogue,
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::elementwise,
};

/// `a + b`, of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Add;

impl Operator for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err(format!(
                "shapes {:?} and {:?} per image differ; broadcasting is not supported",
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

    pub const ALL: &[Case] = &[Case::new("Add", &["Add", "Max", "Min", "Sub", "Sum"], add)];

    fn add(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let x = graph.input("x", image_shape(rng), Rows::Images);
        let a = other(&mut graph, x, "a", rng);
        finished(graph, Add, &[x, a])
    }
}
