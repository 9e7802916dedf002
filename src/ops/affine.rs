//! Scale and shift by constants: BatchNormalization at inference, ImageScaler, and Add or Mul of a constant.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    onnx::{Operand, Reader},
    window::image,
};
use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, OnMasks, Operator, Shape, ValueId, native::Slice},
    ops::kernels::{Scaling, elementwise},
    simd,
};

/// The refusal of operators that act otherwise in training.
pub const TRAINING: &str = "it is in training mode; call model.eval() before the export";

/// The axes that an [`Affine`]'s constants run along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One pair per channel, the first axis of an image's value.
    Channel,
    /// One pair per element.
    Element,
}

/// `y = scale * x + shift`.
#[derive(Clone, Debug)]
pub struct Affine {
    /// The factors.
    pub scale: Vec<f32>,
    /// The summands; as many as factors.
    pub shift: Vec<f32>,
    /// The axes that both run along.
    pub per: Per,
}

/// Reads an ONNX BatchNormalization in inference mode.
pub fn read_batch_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    let [scale, shift] = normalisation(node)?;
    node.add(Affine { scale, shift, per: Per::Channel }, &[input])
}

/// The same as [`read_batch_normalization`], of a value whose channels are the axis `axis` of ONNX's; the batch's is the
/// first.
pub(super) fn read_batch_normalization_of(node: &mut Reader<'_>, axis: usize) -> Result<Operand, String> {
    let input = node.value(0)?;
    let shape = node.node(input).shape.clone();
    let [scale, shift] = normalisation(node)?;
    let inner = match shape.get(axis - 1) {
        Some(&channels) if channels == scale.len() => shape[axis..].iter().product::<usize>(),
        _ => return Err(format!("{} channels are not those of {shape:?}", scale.len())),
    };
    let elements = shape.iter().product();
    node.repeat(elements)?;
    let [scale, shift] =
        [scale, shift].map(|numbers| (0..elements).map(|i| numbers[i / inner % numbers.len()]).collect());
    node.add(Affine { scale, shift, per: Per::Element }, &[input])
}

/// Reads an `ImageScaler`, which ONNX had before opset 10 and converters from Core ML write: one factor, and a summand for
/// each channel.
pub fn read_image_scaler(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    let (channels, _) = image(&node.node(input).shape)?;
    let shift = node.attribute("bias").map(|a| a.floats.clone()).unwrap_or_default();
    if shift.len() != channels {
        return Err(format!("{} numbers in bias are not one for each of {channels} channels", shift.len()));
    }
    let scale = vec![node.float("scale", 1.0); channels];
    if scale.iter().chain(&shift).any(|v| !v.is_finite()) {
        return Err("its scale and bias must be numbers".into());
    }
    node.add(Affine { scale, shift, per: Per::Channel }, &[input])
}

/// The factor and the summand of each channel in a BatchNormalization.
fn normalisation(node: &Reader<'_>) -> Result<[Vec<f32>; 2], String> {
    // The first opsets have an attribute for it, opset 14 another one; between them only the statistics tell that are made.
    let makes_statistics = node.proto.output.iter().skip(1).any(|o| !o.is_empty());
    let is_training = node.int("training_mode", 0) != 0 || node.opset < 7 && node.int("is_test", 0) == 0;
    if is_training || makes_statistics {
        return Err(TRAINING.into());
    }
    if node.int("spatial", 1) == 0 {
        return Err("spatial=0, statistics of each element, is not supported".into());
    }
    let values = |i| node.constant(i).map(|c| c.to_f32());
    let (gamma, beta, mean, variance) = (values(1)?, values(2)?, values(3)?, values(4)?);
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    if [beta.len(), mean.len(), variance.len()] != [gamma.len(); 3] {
        return Err("scale, bias, mean and variance differ in length".into());
    }
    let factor: Vec<f64> =
        gamma.iter().zip(&variance).map(|(&g, &v)| f64::from(g) / (f64::from(v) + epsilon).sqrt()).collect();
    let shift =
        (0..gamma.len()).map(|i| (f64::from(beta[i]) - f64::from(mean[i]) * factor[i]) as f32).collect();
    Ok([factor.iter().map(|&f| f as f32).collect(), shift])
}

impl Affine {
    /// The index of the pair for element `i` of a value of this shape.
    #[must_use]
    pub fn index(&self, shape: &[usize], i: usize) -> usize {
        match self.per {
            Per::Channel => i / shape.iter().skip(1).product::<usize>(),
            Per::Element => i,
        }
    }
}

impl Operator for Affine {
    fn name(&self) -> &'static str {
        "Affine"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let wanted = match self.per {
            Per::Channel => inputs[0].first().copied().unwrap_or(1),
            Per::Element => inputs[0].iter().product(),
        };
        if self.scale.len() == wanted && self.shift.len() == wanted {
            Ok(inputs[0].to_vec())
        } else {
            Err(format!("{} constants do not fit an input of {:?} per image", self.scale.len(), inputs[0]))
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let g = at.cotangent;
        if self.scale.iter().all(|&s| s == 1.0) {
            return Ok(vec![g]);
        }
        let back = Self { shift: vec![0.0; self.shift.len()], ..self.clone() };
        Ok(vec![at.add("gradient", back, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let own = self.clone();
        let make = move |read: &[Slice<'_>], made: &mut [f32]| {
            let rows = read[0].floats().chunks_exact(own.scale.len());
            simd::widest(
                #[inline(always)]
                || {
                    for (y, x) in made.chunks_exact_mut(own.scale.len()).zip(rows) {
                        for ((y, x), (scale, shift)) in
                            y.iter_mut().zip(x).zip(own.scale.iter().zip(&own.shift))
                        {
                            *y = scale * x + shift;
                        }
                    }
                },
            );
        };
        match self.per {
            Per::Channel => at.channels_last(make),
            Per::Element => at.floats(make),
        }
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        self.record_with(at, &[], &Epilogue::default())
    }

    fn on_masks(&self) -> OnMasks {
        OnMasks::Affine
    }

    fn scale_and_shift(&self) -> Option<(&[f32], &[f32])> {
        (self.per == Per::Channel).then_some((&self.scale, &self.shift))
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn record_with(&self, at: &mut Recording<'_>, _: &[Step], epilogue: &Epilogue) -> Result<()> {
        let scaling =
            Scaling { scale: &self.scale, shift: &self.shift, per_element: self.per == Per::Element };
        elementwise(at, Some(scaling), epilogue)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let mut y = inputs[0].clone();
        let shape = y.shape.clone();
        for (i, v) in y.data.iter_mut().enumerate() {
            let k = self.index(&shape, i);
            *v = *v * f64::from(self.scale[k]) + f64::from(self.shift[k]);
        }
        y
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Affine, Per};
    use crate::{
        graph::Graph,
        ops::cases::{Case, floats, image_shape, single},
        rng::Rng,
    };

    pub const ALL: &[Case] =
        &[Case::new("Affine", &["BatchNormalization", "ImageScaler", "Mean", "Neg", "Where"], affine)];

    fn affine(rng: &mut Rng) -> Graph {
        let shape = image_shape(rng);
        let (per, n) =
            if rng.random() { (Per::Channel, shape[0]) } else { (Per::Element, shape.iter().product()) };
        single(&shape, Affine { scale: floats(rng, n), shift: floats(rng, n), per })
    }
}
