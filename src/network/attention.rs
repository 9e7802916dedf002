//! Attention in a file's graph, as vision transformers have it.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto};

/// Operators that are attention, or come with it alone.
const OWN: [&str; 4] = ["Attention", "MultiHeadAttention", "GroupQueryAttention", "SkipLayerNormalization"];
const PRODUCTS: [&str; 3] = ["MatMul", "FusedMatMul", "Einsum"];
/// Operators that may stand between the products and the softmax: scales, masks, changes of shape and type.
const BETWEEN: [&str; 16] = [
    "Add",
    "Cast",
    "Concat",
    "Div",
    "Dropout",
    "Expand",
    "Identity",
    "Mul",
    "Pad",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
    "Where",
];
/// Most nodes between a product and the softmax.
const STEPS: usize = 8;

/// Whether a graph has attention: by name, or written out, as a softmax of a product that goes into a product. A softmax
/// that is not of a product, as LambdaNet's or a gate's, is none, and neither is a head's.
pub fn is_in(graph: &GraphProto) -> bool {
    if graph.node.iter().any(|node| OWN.contains(&node.op_type.as_str())) {
        return true;
    }
    let makers: Makers<'_> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let is_product = |node: &NodeProto| PRODUCTS.contains(&node.op_type.as_str());
    let weighs = |node: &NodeProto| above(&makers, node, STEPS, &is_product);
    let is_of_product = |node: &NodeProto| node.op_type == "Softmax" && weighs(node);
    graph.node.iter().filter(|&node| is_product(node)).any(|node| above(&makers, node, STEPS, &is_of_product))
}

type Makers<'a> = HashMap<&'a str, &'a NodeProto>;

/// Whether one of the nodes that a node reads is found, or one that these read, so long as they only scale and rearrange.
fn above(makers: &Makers<'_>, node: &NodeProto, steps: usize, is_found: &dyn Fn(&NodeProto) -> bool) -> bool {
    node.input.iter().take(3).filter_map(|name| makers.get(name.as_str())).any(|maker| {
        is_found(maker)
            || steps > 0
                && BETWEEN.contains(&maker.op_type.as_str())
                && above(makers, maker, steps - 1, is_found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes "OPERATOR INPUT... > OUTPUT".
    fn graph(nodes: &[&str]) -> GraphProto {
        let node = |text: &&str| {
            let (operands, output) = text.split_once(" > ").unwrap();
            let mut words = operands.split(' ').map(str::to_owned);
            NodeProto {
                op_type: words.next().unwrap(),
                input: words.collect(),
                output: vec![output.into()],
                ..<_>::default()
            }
        };
        GraphProto { node: nodes.iter().map(node).collect(), ..<_>::default() }
    }

    #[test]
    fn attention_is_a_softmax_between_products() {
        let written_out = [
            "Reshape x > t",
            "MatMul t wq > q",
            "MatMul t wk > k",
            "MatMul t wv > v",
            "MatMul q k > p",
            "Mul p s > m",
            "Add mask m > a",
            "Softmax a > w",
            "Dropout w > d",
            "MatMul d v > y",
        ];
        assert!(is_in(&graph(&written_out)));
        assert!(is_in(&graph(&["MultiHeadAttention x > y"])));
        // LambdaNet: a softmax of a convolution. A head: a softmax that nothing multiplies. ConvNeXt.
        assert!(!is_in(&graph(&["Conv x wk > k", "Softmax k > w", "MatMul w v > y", "MatMul q y > z"])));
        assert!(!is_in(&graph(&["MatMul x w > s", "Add s b > l", "Softmax l > p", "MatMul x w2 > y"])));
        assert!(!is_in(&graph(&["Conv x w > y", "LayerNormalization y s > z", "MatMul z w1 > l"])));
    }
}
