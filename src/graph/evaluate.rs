//! A small graph run once, while a file is read.

use tract_onnx::tract_core::{
    internal::{IntoTValue, Tensor, tvec},
    model::TypedModel,
    plan::SimplePlan,
};

use super::{Graph, lowering::lower, native::fact};
use crate::error::{Error, Result};

fn failed(why: &dyn std::fmt::Display) -> Error {
    Error::Model(format!("a constant cannot be computed: {why:#}"))
}

/// The output of a graph with one input and one output, for one row of the input.
///
/// # Errors
/// [`Error::Model`] where the graph is no such, or cannot be run.
pub fn evaluate(graph: &Graph, row: &[f32]) -> Result<Vec<f32>> {
    let (&[input], &[output]) = (graph.inputs(), graph.outputs()) else {
        return Err(failed(&"it has not one input and one output"));
    };
    let live = graph.live();
    let mut model = TypedModel::default();
    let mut outlets = vec![None; graph.nodes().len()];
    let of_input = graph.node(input);
    let source = model.add_source(&of_input.name, fact(&of_input.shape, of_input.storage));
    outlets[input.index()] = Some(source.map_err(|e| failed(&e))?);
    for (id, node) in graph.iter() {
        if live[id.index()] && outlets[id.index()].is_none() {
            outlets[id.index()] = Some(lower(graph, node, id, &mut model, &outlets)?);
        }
    }
    let made = outlets[output.index()].ok_or_else(|| failed(&"its output is not made"))?;
    model.select_output_outlets(&[made]).map_err(|e| failed(&e))?;
    let plan = model.into_optimized().and_then(SimplePlan::new).map_err(|e| failed(&e))?;
    let value = Tensor::from_shape(&of_input.shape, row).map_err(|e| failed(&e))?.into_tvalue();
    let made = plan.run(tvec![value]).map_err(|e| failed(&e))?;
    let first = made.first().ok_or_else(|| failed(&"it makes nothing"))?;
    let plain = first.try_as_plain_ram().map_err(|e| failed(&e))?;
    Ok(plain.as_slice::<f32>().map_err(|e| failed(&e))?.to_vec())
}
