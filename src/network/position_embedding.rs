//! The size of the image that a vision transformer was trained with, where its file leaves that open: it has one position
//! embedding for each patch.

use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// Most tokens besides the patches': the class's, the distillation's, and registers.
const OTHER_TOKENS: usize = 8;

/// Height and width, where the first convolution cuts an image into patches and a tensor of the file embeds the positions
/// of a square of them.
pub(super) fn image_size(file: &GraphProto) -> Option<[usize; 2]> {
    let patches = file.node.iter().find(|node| node.op_type == "Conv")?;
    let weights = tensor(file, patches.input.get(1)?)?;
    let &[width, _, patch, _] = &weights.dims[..] else { return None };
    let is_patch = |name: &str| attribute(patches, name).is_some_and(|a| a.ints == [patch, patch]);
    if patch < 2
        || !is_patch("strides")
        || attribute(patches, "kernel_shape").is_some_and(|a| a.ints != [patch; 2])
    {
        return None;
    }
    let embeds = |tensor: &TensorProto| match tensor.dims[..] {
        [1, tokens, channels] if channels == width => side_of(usize::try_from(tokens).ok()?),
        // Without an axis for the batch it could be any weights, but for its name.
        [tokens, channels] if channels == width && tensor.name.contains("position") => {
            side_of(usize::try_from(tokens).ok()?)
        }
        _ => None,
    };
    let constants = file.node.iter().flat_map(|node| &node.attribute).filter_map(|a| a.t.as_ref());
    let side = file.initializer.iter().chain(constants).find_map(embeds)?;
    Some([side.checked_mul(usize::try_from(patch).ok()?)?; 2])
}

/// How many patches lie along each side of an image that gives this many tokens.
fn side_of(tokens: usize) -> Option<usize> {
    let side = tokens.isqrt();
    (side > 1 && tokens - side * side <= OTHER_TOKENS.min(side)).then_some(side)
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|a| a.name == name)
}

fn tensor<'a>(file: &'a GraphProto, name: &str) -> Option<&'a TensorProto> {
    file.initializer.iter().find(|tensor| tensor.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, dims: &[i64]) -> TensorProto {
        TensorProto { name: name.into(), dims: dims.to_vec(), ..TensorProto::default() }
    }

    /// A network whose first convolution has this stride, with a tensor of these extents.
    fn file(stride: i64, embedding: &[i64]) -> GraphProto {
        let strides =
            AttributeProto { name: "strides".into(), ints: vec![stride; 2], ..AttributeProto::default() };
        let conv = NodeProto {
            op_type: "Conv".into(),
            input: vec!["image".into(), "weights".into()],
            attribute: vec![strides],
            ..NodeProto::default()
        };
        GraphProto {
            node: vec![conv],
            initializer: vec![tensor("weights", &[48, 3, 16, 16]), tensor("positions", embedding)],
            ..GraphProto::default()
        }
    }

    #[test]
    fn the_size_is_that_of_the_patches_that_have_positions() {
        assert_eq!(image_size(&file(16, &[1, 577, 48])), Some([384; 2]), "with a token for the class");
        assert_eq!(
            image_size(&file(16, &[1, 198, 48])),
            Some([224; 2]),
            "with a token for the distillation too"
        );
        assert_eq!(image_size(&file(16, &[1, 256, 48])), Some([256; 2]), "of patches alone");
        assert_eq!(image_size(&file(16, &[1, 577, 64])), None, "of other channels");
        assert_eq!(image_size(&file(16, &[1, 220, 48])), None, "of no square");
        assert_eq!(image_size(&file(8, &[1, 577, 48])), None, "patches overlap");
        assert_eq!(image_size(&file(16, &[577, 48])), Some([384; 2]), "by its name");
        assert_eq!(image_size(&file(16, &[1, i64::MIN, 48])), None);
    }
}
