//! Convolutions and pools of more planes than images: windows and heads stand in the batch axis, as attention within
//! windows leaves them. Such a value is `[N, C, H, W]`.

use super::{
    conv,
    entry::Read,
    onnx::{Operand, Reader},
    rearrange::{IndexMap, PadMode, check_axes, placed},
    reshape::shaped,
    window::Window,
};
use crate::graph::ValueId;

/// Reads a pool, which treats every plane alike.
pub(super) fn read_pool(
    node: &mut Reader<'_>,
    value: ValueId,
    [n, c, h, w]: [usize; 4],
    pool: Read,
) -> Result<Operand, String> {
    let mut inputs = node.inputs.clone();
    inputs[0] = Some(Operand::Value(shaped(node, value, &[n * c, h, w])?));
    let mut inner = node.again(node.proto, inputs);
    let made = pool(&mut inner);
    node.over = inner.over.take();
    let Operand::Value(made) = made? else { return Err("it does not depend on the image".into()) };
    let [h, w] = [1, 2].map(|axis| node.node(made).shape[axis]);
    shaped(node, made, &[n, c, h, w]).map(Operand::Value)
}

/// Reads a convolution as one of a single high plane: the planes stand below each other, each with its padding, and what
/// windows make that begin in one plane and end in the next is left out.
pub(super) fn read_conv(
    node: &mut Reader<'_>,
    value: ValueId,
    [n, c, h, w]: [usize; 4],
) -> Result<Operand, String> {
    let mut conv = conv::of_node(node, [h, w])?;
    let [rows, columns] = conv.window.output([h, w])?;
    let (before, after, step) = (conv.window.before[0], conv.window.after[0], conv.window.strides[0]);
    let high = (h + before + after).next_multiple_of(step);
    check_axes(&[n.saturating_mul(high)])?;
    let mut value = placed(node, value, IndexMap::transpose(&[n, c, h, w], &[1, 0, 2, 3]))?;
    let margins = [before, high - h - before].map(usize::cast_signed);
    let pad = IndexMap::pad(&[c, n, h, w], &[[0; 2], [0; 2], margins, [0; 2]], PadMode::Constant(0.0));
    value = placed(node, value, pad)?;
    value = shaped(node, value, &[c, n * high, w])?;
    conv.window =
        Window { before: [0, conv.window.before[1]], after: [0, conv.window.after[1]], ..conv.window };
    let outputs = conv.outputs();
    value = node.value_of(conv, &[value])?;
    let kept = (0..n).flat_map(|plane| (0..rows).map(move |row| plane * high / step + row));
    value = placed(node, value, IndexMap::take(&node.node(value).shape.clone(), 1, kept))?;
    value = shaped(node, value, &[outputs, n, rows, columns])?;
    let back = IndexMap::transpose(&[outputs, n, rows, columns], &[1, 0, 2, 3]);
    value = placed(node, value, back)?;
    shaped(node, value, &[n, outputs, rows, columns]).map(Operand::Value)
}
