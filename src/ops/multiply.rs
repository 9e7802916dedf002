//! Elementwise products: of two values of one shape, or of a value and one number per channel.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    affine::{Affine, Per},
    global_average_pool::GlobalAveragePool,
    rearrange::{SumGroups, Sums},
};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear, targets},
};

/// Products of two values.
pub static MULTIPLY: Kernel =
    Kernel { name: "multiply", source: include_str!("multiply.wgsl"), snippets: &[THREAD] };

/// `a * b`; `b` may be `[C, 1, 1]` (squeeze and excitation). Either input's rows may count images where the
/// other's count targets.
#[derive(Clone, Copy, Debug)]
pub struct Multiply;

/// True if `b` has one number for each channel of `a`.
fn per_channel(a: &[usize], b: &[usize]) -> bool {
    a != b && a.len() == b.len() && a.first() == b.first() && b[1..].iter().all(|&d| d == 1)
}

impl Operator for Multiply {
    fn name(&self) -> &'static str {
        "Mul"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (a, b) = (inputs[0], inputs[1]);
        if a == b || per_channel(a, b) {
            return Ok(a.to_vec());
        }
        Err(format!("shapes {a:?} and {b:?} per image do not broadcast; only one number per channel does"))
    }

    /// `g b` and `g a`, the latter summed over each plane where `b` has one number per channel.
    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, a, b) = (at.cotangent, at.inputs[0], at.inputs[1]);
        let first = at.add("gradient.0", Self, &[g, b])?;
        let mut second = at.add("gradient.1", Self, &[g, a])?;
        let (shape, other) = (at.input_shape(0), at.input_shape(1));
        if per_channel(&shape, &other) {
            let (outer, from) = (shape[0], shape[1..].iter().product::<usize>());
            second = match shape.len() {
                3 => {
                    let (scale, shift) = (vec![from as f32; outer], vec![0.0; outer]);
                    let mean = at.add("gradient.mean", GlobalAveragePool, &[second])?;
                    at.add("gradient.sum", Affine { scale, shift, per: Per::Channel }, &[mean])?
                }
                _ => {
                    let sums = Sums { outer, from, inner: 1, groups: vec![(0..from).collect()] };
                    at.add("gradient.sum", SumGroups { sums, shape: Some(other) }, &[second])?
                }
            };
        }
        Ok(vec![first, second])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        if at.shapes[0] == at.shapes[1] {
            return at
                .each_in_place(|a, others| a.iter_mut().zip(others[0].floats()).for_each(|(a, b)| *a *= b));
        }
        at.channels_last(|read, made| {
            let (a, b) = (read[0].floats(), read[1].floats());
            for (y, a) in made.chunks_exact_mut(b.len()).zip(a.chunks_exact(b.len())) {
                y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a * b);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let (a, b, output) = (&at.inputs[0], &at.inputs[1], &at.output);
        let vectors = output.vectors();
        let shared = [a, b].map(|v| as_u32(targets(output, v)));
        let params = [
            [a.offset, b.offset, output.offset, as_u32(output.blocks())],
            [as_u32(output.plane()), as_u32(vectors), shared[0], shared[1]],
        ];
        let one_a_channel = per_channel(&a.shape, &b.shape);
        let variant = vec![("LANES", LANES.into()), ("PER_CHANNEL", one_a_channel.into())];
        let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[96, vectors]) };
        at.dispatch(&MULTIPLY, variant, &params, &[], launch)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (a, b) = (inputs[0], inputs[1]);
        let step = a.data.len() / b.data.len();
        let data = a.data.iter().enumerate().map(|(i, v)| v * b.data[i / step]).collect();
        crate::graph::reference::Array::new(&a.shape, data)
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::Multiply;
    use crate::{
        graph::{Graph, Rows},
        ops::{
            cases::{Case, finished, image_shape, other},
            global_average_pool::GlobalAveragePool,
        },
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Multiply", &["Mul"], multiply)];

    /// The product of two values of one shape, or of a value and one number per channel.
    fn multiply(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let x = graph.input("x", image_shape(rng), Rows::Images);
        let mut a = other(&mut graph, x, "a", rng);
        if rng.random() {
            a = graph.add("pooled", GlobalAveragePool, &[a]).unwrap();
        }
        finished(graph, Multiply, &[x, a])
    }
}
