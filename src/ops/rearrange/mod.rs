//! Operators that put elements at other places, repeat them or leave some out: Transpose, Slice, Split, Pad, Expand, Tile,
//! Gather and Flip by constants, DepthToSpace, SpaceToDepth; and their way back, which sums what was repeated.
//!
//! All of them are one operator with an [`IndexMap`]. Its adjoint is made of sums and of another map, and the adjoint of
//! those is a map again, so the family needs two kernels.

mod below;
mod index_map;
mod onnx;
mod sums;
#[cfg(test)]
mod tests;

pub(in crate::ops) use below::in_order;
pub use below::{below_transposes, transposed};
pub use index_map::{IndexMap, PadMode};
pub(in crate::ops) use onnx::{check_axes, of_constant, placed};
pub use onnx::{
    is_for_maxima, read_depth_to_space, read_expand, read_gather, read_pad, read_slice, read_space_to_depth,
    read_split, read_tile, read_transpose,
};
pub use sums::Sums;
use tract_onnx::tract_core::internal::OutletId;

use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, View, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear},
};

/// Elements at other places.
pub static REARRANGE: Kernel =
    Kernel { name: "rearrange", source: include_str!("rearrange.wgsl"), snippets: &[THREAD] };

/// Sums of groups along an axis.
pub static SUMS: Kernel = Kernel { name: "sums", source: include_str!("sums.wgsl"), snippets: &[THREAD] };

/// Most factors of a map, as the kernel has them.
pub const MOST_FACTORS: usize = 8;

/// The elements of a value at other places.
#[derive(Clone, Debug, PartialEq)]
pub struct Rearrange {
    /// Which element goes where.
    pub map: IndexMap,
}

/// The parameters of every kernel of the family: where values stand, and how.
fn places(input: &View, output: &View) -> [[u32; 4]; 2] {
    [
        [input.offset, output.offset, as_u32(input.blocks()), as_u32(input.plane())],
        [output.blocks(), output.plane(), output.channels(), output.vectors()].map(as_u32),
    ]
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct RearrangeParams {
    places: [[u32; 4]; 2],
    fill: f32,
    unused: [u32; 3],
    factors: [[u32; 4]; MOST_FACTORS],
}

/// The first term and the step, where terms have one.
fn affine(terms: &[Option<usize>]) -> Option<[usize; 2]> {
    let first = (*terms.first()?)?;
    let step = match terms.get(1) {
        Some(second) => (*second)?.checked_sub(first)?,
        None => 0,
    };
    let fits = terms.iter().enumerate().all(|(i, term)| *term == Some(first + i * step));
    fits.then_some([first, step])
}

impl Operator for Rearrange {
    fn name(&self) -> &'static str {
        "Rearrange"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0].iter().product::<usize>() == self.map.input_len() {
            Ok(self.map.shape().to_vec())
        } else {
            Err(format!("it rearranges {} elements, and {:?} has others", self.map.input_len(), inputs[0]))
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (mut g, (sums, map)) = (at.cotangent, self.map.adjoint());
        for (i, sums) in sums.into_iter().enumerate() {
            g = at.add(&format!("gradient.sum{i}"), SumGroups { sums, shape: None }, &[g])?;
        }
        let map = map.with_shape(&at.input_shape(0));
        Ok(vec![at.add("gradient", Self { map }, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let map = self.map.clone();
        at.floats(move |read, made| map.apply(read[0].floats(), made, map.fill()))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let terms = self.map.terms();
        let what = "the number of axes that a rearrangement moves";
        crate::limits::check(what, terms.len() as u64, MOST_FACTORS as u64)?;
        let (slot, tables) = at.constants(0, |block| {
            let table = |terms: &Vec<Option<usize>>| match affine(terms) {
                Some(_) => 0,
                None => block.push(&terms.iter().flat_map(|term| encoded(*term)).collect::<Vec<_>>()),
            };
            terms.iter().map(table).collect()
        })?;
        let mut factors = [[1, 0, 0, 0]; MOST_FACTORS];
        for ((factor, terms), table) in factors.iter_mut().zip(&terms).zip(tables) {
            *factor = match affine(terms) {
                Some([first, step]) => [as_u32(terms.len()), as_u32(first), as_u32(step), 0],
                None => [as_u32(terms.len()), 0, 0, table + 1],
            };
        }
        let places = places(&at.inputs[0], &at.output);
        let params = RearrangeParams { places, fill: self.map.fill(), unused: [0; 3], factors };
        let vectors = at.output.vectors();
        let variant = vec![("LANES", LANES.into()), ("FACTORS", terms.len().into())];
        let launch = Launch { groups: linear(vectors), page: slot.page, flops: flops(&[256, vectors]) };
        at.dispatch(&REARRANGE, variant, &params, &[], launch)
    }

    fn is_layer(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        tests::rearranged(&self.map, inputs[0])
    }
}

/// A term as two numbers that floats hold exactly; negative where it is the fill.
fn encoded(term: Option<usize>) -> [f32; 2] {
    match term {
        Some(term) => [(term / 4096) as f32, (term % 4096) as f32],
        None => [-1.0, 0.0],
    }
}

/// Sums of groups of a value's elements.
#[derive(Clone, Debug, PartialEq)]
pub struct SumGroups {
    /// Which elements are summed.
    pub sums: Sums,
    /// The result's shape; `[outer, groups, inner]` where there is none.
    pub shape: Option<Shape>,
}

impl Operator for SumGroups {
    fn name(&self) -> &'static str {
        "SumGroups"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let Sums { outer, from, inner, groups } = &self.sums;
        if inputs[0].iter().product::<usize>() != outer * from * inner {
            return Err(format!(
                "it sums {outer} by {from} by {inner} elements, and {:?} has others",
                inputs[0]
            ));
        }
        Ok(self.shape.clone().unwrap_or_else(|| vec![*outer, groups.len(), *inner]))
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let map = IndexMap::adjoint_of(&self.sums).with_shape(&at.input_shape(0));
        Ok(vec![at.add("gradient", Rearrange { map }, &[at.cotangent])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let sums = self.sums.clone();
        at.floats(move |read, made| sums.apply(read[0].floats(), made))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let Sums { from, inner, groups, .. } = &self.sums;
        let (slot, tables) = at.constants(0, |block| {
            let mut starts = vec![0.0];
            let mut members = vec![];
            for group in groups {
                members.extend(group.iter().map(|&i| i as f32));
                starts.push(members.len() as f32);
            }
            vec![block.push(&starts), block.push(&members)]
        })?;
        let [a, b] = places(&at.inputs[0], &at.output);
        let [groups, inner, extent] = [groups.len(), *inner, *from].map(as_u32);
        let own = [groups, inner, extent, tables[0], tables[1]];
        let mut params = [0; 13];
        params.iter_mut().zip(a.into_iter().chain(b).chain(own)).for_each(|(to, v)| *to = v);
        let vectors = at.output.vectors();
        let launch = Launch { groups: linear(vectors), page: slot.page, flops: flops(&[64, vectors, *from]) };
        at.dispatch(&SUMS, vec![("LANES", LANES.into())], &params, &[], launch)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let shape = self.shape(&[&inputs[0].shape]).unwrap();
        let mut sum = crate::graph::reference::Array::zeros(&shape);
        let Sums { outer, from, inner, groups } = &self.sums;
        for o in 0..*outer {
            for (g, group) in groups.iter().enumerate() {
                for i in 0..*inner {
                    sum.data[(o * groups.len() + g) * inner + i] =
                        group.iter().map(|m| inputs[0].data[(o * from + m) * inner + i]).sum();
                }
            }
        }
        sum
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::{IndexMap, Rearrange, SumGroups, Sums, tests};
    use crate::{
        graph::Graph,
        ops::cases::{Case, image_shape, int, single},
        rng::Rng,
    };

    const REARRANGED: &[&str] = &[
        "DepthToSpace",
        "Expand",
        "Gather",
        "GatherND",
        "Pad",
        "Resize",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Tile",
        "Transpose",
        "Upsample",
    ];

    const SUMMED: &[&str] = &[
        "LpNormalization",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceSum",
        "ReduceSumSquare",
    ];

    pub const ALL: &[Case] =
        &[Case::new("Rearrange", REARRANGED, rearrange), Case::new("SumGroups", SUMMED, sum_groups)];

    fn rearrange(rng: &mut Rng) -> Graph {
        let mut maps = tests::maps();
        let (shape, map): (Vec<usize>, IndexMap) = maps.swap_remove(int(rng, 0, maps.len() - 1));
        single(&shape, Rearrange { map })
    }

    fn sum_groups(rng: &mut Rng) -> Graph {
        let shape = image_shape(rng);
        let [outer, from, inner] = shape[..] else { unreachable!("an image has three axes") };
        let mut groups = vec![vec![]; int(rng, 1, 4)];
        // Some elements are in no group.
        for i in 0..from {
            let count = groups.len();
            if let Some(group) = groups.get_mut(int(rng, 0, count)) {
                group.push(i);
            }
        }
        single(&shape, SumGroups { sums: Sums { outer, from, inner, groups }, shape: None })
    }
}
