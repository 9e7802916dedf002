//! Products of two matrices that both depend on the image, as attention has them.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    arithmetic::to_shape,
    onnx::{Operand, Reader},
    rearrange::check_axes,
    reshape::Reshape,
};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    limits,
    ops::kernels::{LANES, THREAD, flops, linear, targets},
    simd,
};

/// Products of matrices.
pub static MATRIX_PRODUCT: Kernel =
    Kernel { name: "matrix_product", source: include_str!("matrix_product.wgsl"), snippets: &[THREAD] };

/// For each index of the first axis, `A B`, of `[B, M, K]` and `[B, K, N]`, either of them transposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatrixProduct {
    /// `A` is kept as `[B, K, M]`, `B` as `[B, N, K]`.
    pub transposed: [bool; 2],
}

/// The product of two values along their last axes; axes before them broadcast.
pub(super) fn product(node: &mut Reader<'_>, a: ValueId, b: ValueId) -> Result<ValueId, String> {
    let [mut own, mut other] = [a, b].map(|value| node.node(value).shape.clone());
    let refuse = |a: &[usize], b: &[usize]| format!("matrices of {a:?} and {b:?} per image have no product");
    let axes = own.len();
    if axes < 2 || other.len() != axes {
        return Err(refuse(&own, &other));
    }
    for axis in 0..axes - 2 {
        match (own[axis], other[axis]) {
            (a, b) if a == b => {}
            (1, b) => own[axis] = b,
            (a, 1) => other[axis] = a,
            _ => return Err(refuse(&own, &other)),
        }
    }
    let mut matrices = vec![];
    for (operand, shape) in [a, b].into_iter().zip([&own, &other]) {
        check_axes(shape)?;
        let whole = to_shape(node, operand, shape)?;
        let stacked = [shape[..axes - 2].iter().product(), shape[axes - 2], shape[axes - 1]];
        matrices.push(shaped(node, whole, &stacked)?);
    }
    let made = node.value_of(MatrixProduct::default(), &matrices)?;
    let result = [&own[..axes - 1], &other[axes - 1..]].concat();
    shaped(node, made, &result)
}

fn shaped(node: &mut Reader<'_>, value: ValueId, shape: &[usize]) -> Result<ValueId, String> {
    match node.node(value).shape == shape {
        true => Ok(value),
        false => node.value_of(Reshape { shape: shape.to_vec() }, &[value]),
    }
}

/// Reads a `MatMul` of two values.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (a, b) = (node.value(0)?, node.value(1)?);
    product(node, a, b).map(Operand::Value)
}

impl MatrixProduct {
    /// The extents `[batch, M, K, N]`.
    fn extents(self, a: &[usize], b: &[usize]) -> Option<[usize; 4]> {
        let (&[batch, m, k], &[other, inner, n]) = (a, b) else { return None };
        let (m, k) = if self.transposed[0] { (k, m) } else { (m, k) };
        let (inner, n) = if self.transposed[1] { (n, inner) } else { (inner, n) };
        (batch == other && inner == k).then_some([batch, m, k, n])
    }

    /// The steps of `A` along `M` and `K`, and of `B` along `K` and `N`.
    fn steps(self, [_, m, k, n]: [usize; 4]) -> [usize; 4] {
        let [a, b] = [(self.transposed[0], m, k), (self.transposed[1], k, n)]
            .map(|(is_transposed, rows, columns)| if is_transposed { [1, rows] } else { [columns, 1] });
        [a[0], a[1], b[0], b[1]]
    }

    fn run(self, extents: [usize; 4], a: &[f32], b: &[f32], made: &mut [f32]) {
        let ([_, m, k, n], [by_m, by_k, from_k, from_n]) = (extents, self.steps(extents));
        let matrices = made.chunks_exact_mut(m * n).zip(a.chunks_exact(m * k)).zip(b.chunks_exact(k * n));
        for ((made, a), b) in matrices {
            // Rows of B side by side, so that compilers make vectors of the innermost loop.
            let rows: Vec<f32> =
                (0..k).flat_map(|k| (0..n).map(move |n| b[k * from_k + n * from_n])).collect();
            simd::widest(
                #[inline(always)]
                || {
                    for (row, made) in made.chunks_exact_mut(n).enumerate() {
                        made.fill(0.0);
                        for (k, b) in rows.chunks_exact(n).enumerate() {
                            let factor = a[row * by_m + k * by_k];
                            made.iter_mut().zip(b).for_each(|(sum, b)| *sum += factor * b);
                        }
                    }
                },
            );
        }
    }
}

impl Operator for MatrixProduct {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let [batch, m, _, n] = self
            .extents(inputs[0], inputs[1])
            .ok_or_else(|| format!("matrices of {:?} and {:?} have no product", inputs[0], inputs[1]))?;
        Ok(vec![batch, m, n])
    }

    fn work(&self, inputs: &[&[usize]], output: &[usize]) -> u64 {
        let inner = self.extents(inputs[0], inputs[1]).map_or(1, |[_, _, k, _]| k);
        limits::product(output).saturating_mul(inner as u64)
    }

    /// `G B'` and `A' G`, and their transposes of operands that are transposed.
    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let ([a, b], g) = ([at.inputs[0], at.inputs[1]], at.cotangent);
        let [of_a, of_b] = self.transposed;
        let first = match of_a {
            false => at.add("gradient.0", Self { transposed: [false, !of_b] }, &[g, b])?,
            true => at.add("gradient.0", Self { transposed: [of_b, true] }, &[b, g])?,
        };
        let second = match of_b {
            false => at.add("gradient.1", Self { transposed: [!of_a, false] }, &[a, g])?,
            true => at.add("gradient.1", Self { transposed: [true, of_a] }, &[g, a])?,
        };
        Ok(vec![first, second])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let extents = self.extents(at.shapes[0], at.shapes[1]);
        let (own, extents) = (*self, extents.ok_or_else(|| at.failed(&"its matrices have no product"))?);
        at.floats(move |read, made| own.run(extents, read[0].floats(), read[1].floats(), made))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let (a, b, output) = (&at.inputs[0], &at.inputs[1], &at.output);
        let Some(extents) = self.extents(&a.shape, &b.shape) else {
            return Err(crate::Error::Model("matrices without a product; please report this".into()));
        };
        let [_, m, k, n] = extents;
        let shared = [a, b].map(|v| as_u32(targets(output, v)));
        let vectors = output.vectors();
        let params = [
            [a.offset, b.offset, output.offset, as_u32(output.blocks())],
            [as_u32(m), as_u32(k), as_u32(n), as_u32(vectors)],
            self.steps(extents).map(as_u32),
            [shared[0], shared[1], 0, 0],
        ];
        let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[8, vectors, k]) };
        at.dispatch(&MATRIX_PRODUCT, vec![("LANES", LANES.into())], &params, &[], launch)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let extents = self.extents(&inputs[0].shape, &inputs[1].shape).unwrap();
        let ([batch, m, k, n], [by_m, by_k, from_k, from_n]) = (extents, self.steps(extents));
        let mut made = crate::graph::reference::Array::zeros(&[batch, m, n]);
        for (i, sum) in made.data.iter_mut().enumerate() {
            let (of, row, column) = (i / (m * n), i / n % m, i % n);
            let a = |k_: usize| inputs[0].data[of * m * k + row * by_m + k_ * by_k];
            let b = |k_: usize| inputs[1].data[of * k * n + k_ * from_k + column * from_n];
            *sum = (0..k).map(|k| a(k) * b(k)).sum();
        }
        made
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::MatrixProduct;
    use crate::{
        graph::{Graph, Rows},
        ops::{
            cases::{Case, finished, int, other},
            rearrange::{IndexMap, Rearrange},
        },
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("MatrixProduct", &["Einsum", "FusedMatMul", "MatMul"], product)];

    /// The product of the input and of a transpose of another value, either of them marked as transposed or not.
    fn product(rng: &mut Rng) -> Graph {
        let mut graph = Graph::new();
        let shape = vec![int(rng, 1, 9), int(rng, 1, 13), int(rng, 1, 13)];
        let a = graph.input("x", shape.clone(), Rows::Images);
        let mut b = other(&mut graph, a, "other", rng);
        let transposed = match int(rng, 0, 3) {
            0 => [true, false],
            1 => [false, true],
            mode => {
                let map = IndexMap::transpose(&shape, &[0, 2, 1]);
                b = graph.add("transposed", Rearrange { map }, &[b]).unwrap();
                [mode == 3; 2]
            }
        };
        let operands = if rng.random() && transposed == [true, true] { [b, a] } else { [a, b] };
        finished(graph, MatrixProduct { transposed }, &operands)
    }
}
