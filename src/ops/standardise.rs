//! Mean 0 and variance 1 along one axis, which layer, group and instance normalisation are made of.

use tract_onnx::tract_core::internal::OutletId;

use super::softmax::groups;
use crate::{
    error::Result,
    gpu::{Kernel, Recording},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId, native::Slice},
    ops::kernels::{ALONG_AXIS, AlongAxis, THREAD},
    simd,
};

/// Both directions.
pub static STANDARDISE: Kernel =
    Kernel { name: "standardise", source: include_str!("standardise.wgsl"), snippets: &[THREAD, ALONG_AXIS] };

/// `(x - mean) / sqrt(variance + epsilon)` along an axis of an image's value; the variance is the mean square of what is
/// left without the mean.
#[derive(Clone, Copy, Debug)]
pub struct Standardise {
    /// The axis, the batch axis not counted.
    pub axis: usize,
    /// The summand of the variance.
    pub epsilon: f32,
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct Params {
    places: [u32; 10],
    elements: f32,
    epsilon: f32,
}

impl Standardise {
    fn record(self, at: &mut Recording<'_>, is_backward: bool) -> Result<()> {
        let AlongAxis { mut variant, params: places, launch } = AlongAxis::new(at, self.axis, 32);
        variant.push(("BACKWARD", is_backward.into()));
        let extent = at.output.shape.get(self.axis).copied().unwrap_or(1);
        let params = Params { places, elements: extent as f32, epsilon: self.epsilon };
        at.dispatch(&STANDARDISE, variant, &params, &[], launch)
    }

    /// The mean of some numbers, and one over their deviation.
    #[inline(always)]
    fn moments(self, x: &[f32]) -> [f32; 2] {
        let mean = mean(
            x,
            x,
            #[inline(always)]
            |x, _| x,
        );
        let variance = f64::from(self::mean(
            x,
            x,
            #[inline(always)]
            |x, _| (x - mean) * (x - mean),
        ));
        [mean, (variance + f64::from(self.epsilon)).sqrt().recip() as f32]
    }

    #[inline(always)]
    fn apply(self, x: &[f32], y: &mut [f32]) {
        let [mean, factor] = self.moments(x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = (x - mean) * factor;
        }
    }

    #[inline(always)]
    fn apply_gradient(self, g: &[f32], x: &[f32], made: &mut [f32]) {
        let [centre, factor] = self.moments(x);
        let [of_g, of_gy] = [
            mean(
                g,
                x,
                #[inline(always)]
                |g, _| g,
            ),
            mean(
                g,
                x,
                #[inline(always)]
                |g, x| g * ((x - centre) * factor),
            ),
        ];
        for ((made, g), x) in made.iter_mut().zip(g).zip(x) {
            *made = (g - of_g - (x - centre) * factor * of_gy) * factor;
        }
    }

    /// One group, forward of `[x]` or backward of `[g, x]`.
    #[inline(always)]
    fn group(self, inputs: [&[f32]; 2], is_backward: bool, made: &mut [f32]) {
        match is_backward {
            false => self.apply(inputs[0], made),
            true => self.apply_gradient(inputs[0], inputs[1], made),
        }
    }

    /// All groups along an axis of a shape.
    #[inline(always)]
    fn run(self, (shape, axis): (&[usize], usize), inputs: [&[f32]; 2], is_backward: bool, made: &mut [f32]) {
        let extent = shape.get(axis).copied().unwrap_or(1);
        let mut lines = [vec![0.0; extent], vec![0.0; extent]];
        let mut line = vec![0.0; extent];
        for (first, step, count) in groups(shape, axis) {
            if step == 1 {
                let all = first..first + count;
                self.group(inputs.map(|x| &x[all.clone()]), is_backward, &mut made[all]);
                continue;
            }
            for (line, input) in lines.iter_mut().zip(inputs) {
                line.iter_mut().enumerate().for_each(|(i, v)| *v = input[first + i * step]);
            }
            self.group([&lines[0], &lines[1]], is_backward, &mut line);
            line.iter().enumerate().for_each(|(i, v)| made[first + i * step] = *v);
        }
    }

    fn lower(self, at: &mut Lowering<'_>, is_backward: bool) -> Result<OutletId> {
        let (mut shape, mut axis) = (at.node.shape.clone(), self.axis);
        let is_turned = axis == 0 && shape.len() == 3;
        if is_turned {
            shape.rotate_left(1);
            axis = 2;
        }
        let each = move |read: &[Slice<'_>], made: &mut [f32]| {
            let last = usize::from(is_backward);
            let inputs = [read[0].floats(), read[last].floats()];
            simd::widest(
                #[inline(always)]
                || self.run((&shape, axis), inputs, is_backward, made),
            );
        };
        if is_turned { at.channels_last(each) } else { at.floats(each) }
    }
}

/// The mean of a function of pairs. It adds in an order of its own, which no processor's vectors change, and in double
/// precision where there are many.
#[inline(always)]
fn mean(a: &[f32], b: &[f32], of: impl Fn(f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let mut total = 0.0;
    for (a, b) in a.chunks(LANES * 256).zip(b.chunks(LANES * 256)) {
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        let mut sums = [0.0; LANES];
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                sums[i] += of(a[i], b[i]);
            }
        }
        sums.iter_mut().zip(a_rest).zip(b_rest).for_each(|((sum, &a), &b)| *sum += of(a, b));
        total += sums.into_iter().map(f64::from).sum::<f64>();
    }
    (total / a.len() as f64) as f32
}

impl Operator for Standardise {
    fn name(&self) -> &'static str {
        "Standardise"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        match self.axis < inputs[0].len() {
            true => Ok(inputs[0].to_vec()),
            false => Err("its axis is out of range".into()),
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, x) = (at.cotangent, at.inputs[0]);
        Ok(vec![at.add("gradient", StandardiseGradient(*self), &[g, x])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        self.lower(at, false)
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        Self::record(*self, at, false)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let mut y = inputs[0].clone();
        for (first, step, count) in groups(&inputs[0].shape, self.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let mean = places().map(|i| y.data[i]).sum::<f64>() / count as f64;
            let variance = places().map(|i| (y.data[i] - mean).powi(2)).sum::<f64>() / count as f64;
            let deviation = (variance + f64::from(self.epsilon)).sqrt();
            places().for_each(|i| y.data[i] = (y.data[i] - mean) / deviation);
        }
        y
    }
}

/// `(g - mean of g - y * mean of g * y) / deviation` along the axis, where `y` is the standardised `x`. Reads the gradient,
/// whose rows count targets, and `x`, whose rows may count images.
#[derive(Clone, Copy, Debug)]
pub struct StandardiseGradient(pub Standardise);

impl Operator for StandardiseGradient {
    fn name(&self) -> &'static str {
        "StandardiseGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        match inputs[0] == inputs[1] {
            true => Ok(inputs[0].to_vec()),
            false => Err("gradient and input differ in shape".into()),
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        self.0.lower(at, true)
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        Standardise::record(self.0, at, true)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (g, x) = (inputs[0], inputs[1]);
        let y = self.0.evaluate(&[x]);
        let mut made = g.clone();
        for (first, step, count) in groups(&g.shape, self.0.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let mean = |of: &dyn Fn(usize) -> f64| places().map(of).sum::<f64>() / count as f64;
            let centre = mean(&|i| x.data[i]);
            let variance = mean(&|i| (x.data[i] - centre).powi(2));
            let deviation = (variance + f64::from(self.0.epsilon)).sqrt();
            let (of_g, of_gy) = (mean(&|i| g.data[i]), mean(&|i| g.data[i] * y.data[i]));
            places().for_each(|i| made.data[i] = (g.data[i] - of_g - y.data[i] * of_gy) / deviation);
        }
        made
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::Standardise;
    use crate::{
        graph::Graph,
        ops::cases::{Case, shape_and_axis, single},
        rng::Rng,
    };

    const READ: &[&str] = &[
        "GroupNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "MeanVarianceNormalization",
        "SkipLayerNormalization",
    ];

    pub const ALL: &[Case] = &[Case::new("Standardise", READ, standardise)];

    /// With an epsilon as large as a variance: where an axis has one place, or nearly equal numbers, the slope is as steep
    /// as one over its root.
    fn standardise(rng: &mut Rng) -> Graph {
        let (shape, axis) = shape_and_axis(rng);
        single(&shape, Standardise { axis, epsilon: 0.25 })
    }
}
