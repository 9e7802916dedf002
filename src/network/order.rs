//! The order of a file's nodes. ONNX wants each behind what it reads; converters to 16 bits append theirs at the end, and
//! onnxruntime takes any order.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    mem,
};

use tract_onnx::pb::GraphProto;

use super::import::read;

/// Moves nodes behind what they read, and else leaves them in their order. Nodes that wait for each other, or for what
/// nobody makes, come last: they are refused when they are read.
pub(super) fn sort(file: &mut GraphProto) {
    let waits = waits(file);
    if waits.iter().enumerate().all(|(node, before)| before.iter().all(|&maker| maker < node)) {
        return;
    }
    let mut readers = vec![vec![]; waits.len()];
    for (node, before) in waits.iter().enumerate() {
        before.iter().for_each(|&maker| readers[maker].push(node));
    }
    let mut missing: Vec<usize> = waits.iter().map(HashSet::len).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..waits.len()).filter(|&n| missing[n] == 0).map(Reverse).collect();
    let mut nodes: Vec<_> = mem::take(&mut file.node).into_iter().map(Some).collect();
    while let Some(Reverse(node)) = ready.pop() {
        file.node.extend(nodes[node].take());
        for &reader in &readers[node] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    file.node.extend(nodes.into_iter().flatten());
}

/// For each node the others that make what it reads.
fn waits(file: &GraphProto) -> Vec<HashSet<usize>> {
    let mut makers = HashMap::new();
    for (i, node) in file.node.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            // A name that is made twice is refused later.
            makers.entry(output.as_str()).or_insert(i);
        }
    }
    let waits = |(i, node)| {
        let mut names = HashSet::new();
        read(node, &mut names);
        names.iter().filter_map(|name| makers.get(name).copied()).filter(|&maker| maker != i).collect()
    };
    file.node.iter().enumerate().map(waits).collect()
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::NodeProto;

    use super::*;

    /// A graph of nodes that read one name each and make another.
    fn graph(nodes: &[(&str, &str)]) -> GraphProto {
        let node = |&(input, output): &(&str, &str)| NodeProto {
            input: vec![input.into()],
            output: vec![output.into()],
            ..NodeProto::default()
        };
        GraphProto { node: nodes.iter().map(node).collect(), ..GraphProto::default() }
    }

    fn sorted(nodes: &[(&str, &str)]) -> Vec<String> {
        let mut graph = graph(nodes);
        sort(&mut graph);
        graph.node.iter().map(|node| node.output[0].clone()).collect()
    }

    #[test]
    fn nodes_stand_behind_what_they_read() {
        assert_eq!(sorted(&[("b", "c"), ("x", "a"), ("c", "d"), ("a", "b")]), ["a", "b", "c", "d"]);
    }

    #[test]
    fn an_order_that_is_right_stays() {
        assert_eq!(sorted(&[("x", "b"), ("x", "a"), ("b", "d"), ("a", "c")]), ["b", "a", "d", "c"]);
    }

    #[test]
    fn circles_lose_no_node() {
        assert_eq!(sorted(&[("b", "a"), ("a", "b"), ("x", "c"), ("e", "e")]), ["c", "e", "a", "b"]);
    }
}
