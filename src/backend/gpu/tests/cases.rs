//! Every operator's cases on the device: values, gradients and masks against the oracle, gradients against finite
//! differences.

use super::*;
use crate::{
    backend::cases::{array, compare, each, inputs, near, setting, slope, with_gradient},
    graph::Rule,
};

const BOUND: (f64, f64) = (1e-5, 1e-4);

/// The graph with two outputs: the value, and its gradient with respect to the input.
fn value_and_gradient(graph: &Graph, rule: Rule) -> Graph {
    let mut graph = with_gradient(graph, rule);
    let outputs = graph.outputs()[..2].to_vec();
    graph.set_outputs(outputs);
    graph
}

#[test]
fn operators_and_their_gradients_match_the_oracle() {
    each(|what, _, graph, rng| {
        let rule = if rng.random() { Rule::Plain } else { Rule::Guided };
        let graph = value_and_gradient(graph, rule);
        // Now and then so many that tiles become wider.
        let images = if rng.random_bool(0.25) { MANY } else { rng.random_range(1..=3) };
        let targets = rng.random_range(1..=3);
        let given = inputs(&graph, images, targets, rng);
        let tiles = TileMemory::ALL[rng.random_range(0..3)];
        let made = laid_out(Some(tiles), &graph, Images::Batch(&given[0]), Some(&given[1])).unwrap();
        compare(&graph, &given, &made, (images, targets), BOUND).unwrap_or_else(|e| panic!("{what}: {e}"));
    });
}

#[test]
fn gradients_on_the_gpu_are_adjoint() {
    each(|what, case, graph, rng| {
        if !case.is_derivative {
            return;
        }
        let (mut with, given, v, u) = setting(graph, rng);
        with.set_outputs([with.outputs()[1]]);
        let back = on_gpu(&with, Images::Batch(&given[0]), Some(&given[1])).unwrap().swap_remove(0);
        let back = array(&back.shape()[1..], back.row(0));
        let jv = slope(graph, &given[..1], &v, &u);
        let scale = back.data.iter().zip(&v.data).map(|(g, v)| (g * v).abs()).sum::<f64>().max(1e-2);
        assert!(near(jv, back.dot(&v), scale, 1e-5), "{what}: <Jv,u> = {jv}, <v,J'u> = {}", back.dot(&v));
    });
}
