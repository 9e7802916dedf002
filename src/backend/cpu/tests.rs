//! Every operator on the CPU against the oracle, and every gradient rule against finite differences.

use std::sync::Arc;

use super::{CpuBackend, IMAGES_PER_ROUND, OUTPUTS, at_once, run_graph};
use crate::{
    backend::Backend,
    backend::cases::{
        self, SHAPES, array, compare, each, inputs, near, oracle, setting, slope, with_gradient,
    },
    chain::{Clip, Step, apply, is_uniform},
    error::Result,
    graph::{Graph, Lowering, Operator, Rows, Rule, Shape, ValueId, reference::Array},
    network::{Network, Program, Score, differentiate},
    ops::{
        conv::cases::conv,
        pointwise::{Pointwise, quantize::cases::random_quantizer},
    },
    simd::tests::on_each_set,
    tensor::Tensor,
};

const BOUND: (f64, f64) = (1e-5, 1e-4);

#[test]
fn operators_and_their_gradients_match_the_oracle() {
    each(|what, _, graph, rng| {
        for rule in [Rule::Plain, Rule::Guided] {
            let graph = with_gradient(graph, rule);
            let given = inputs(&graph, 2, 2, rng);
            let made = run_graph(&graph, &given).unwrap_or_else(|e| panic!("{what}: {e}"));
            compare(&graph, &given, &made, (2, 2), BOUND).unwrap_or_else(|e| panic!("{what}: {e}"));
        }
    });
}

#[test]
fn a_wrong_number_is_found() {
    let mut rng = cases::rng("canary", 0);
    let graph = with_gradient(&conv(&mut rng), Rule::Plain);
    let given = inputs(&graph, 1, 1, &mut rng);
    let made = run_graph(&graph, &given).unwrap();
    compare(&graph, &given, &made, (1, 1), BOUND).unwrap();
    for output in 0..2 {
        for wrong in [1.001, f32::NAN] {
            let mut made = made.clone();
            let largest =
                made[output].data_mut().iter_mut().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
            *largest *= wrong;
            assert!(compare(&graph, &given, &made, (1, 1), BOUND).is_err());
        }
    }
}

#[test]
fn gradient_rules_match_central_differences() {
    each(|what, case, graph, rng| {
        if !case.is_derivative {
            return;
        }
        let (with, given, mut v, u) = setting(graph, rng);
        let gradient = oracle(&with, &given, 0, 0, 1).swap_remove(1);
        let plain = &given[..graph.inputs().len()];
        for element in 0..v.data.len().min(6) + 1 {
            // First the random direction, then single elements.
            if element > 0 {
                v.data.fill(0.0);
                let n = v.data.len();
                v.data[(element - 1) * (n - 1) / 5.max(n.min(6) - 1)] = 1.0;
            }
            let (truth, got) = (slope(graph, plain, &v, &u), gradient.dot(&v));
            let scale = gradient.data.iter().zip(&v.data).map(|(g, v)| (g * v).abs()).sum::<f64>().max(1e-3);
            assert!(near(truth, got, scale, 1e-6), "{what}: {got}, not {truth}");
        }
    });
}

#[test]
fn gradients_on_the_cpu_are_adjoint() {
    each(|what, case, graph, rng| {
        if !case.is_derivative {
            return;
        }
        let (with, given, v, u) = setting(graph, rng);
        let back = run_graph(&with, &given).unwrap().swap_remove(1);
        let back = array(&back.shape()[1..], back.row(0));
        let jv = slope(graph, &given[..graph.inputs().len()], &v, &u);
        let scale = back.data.iter().zip(&v.data).map(|(g, v)| (g * v).abs()).sum::<f64>().max(1e-2);
        assert!(near(jv, back.dot(&v), scale, 1e-5), "{what}: <Jv,u> = {jv}, <v,J'u> = {}", back.dot(&v));
    });
}

#[test]
fn a_wrong_gradient_is_found() {
    let mut rng = cases::rng("canary", 1);
    let graph = conv(&mut rng);
    let (with, given, v, u) = setting(&graph, &mut rng);
    let gradient = oracle(&with, &given, 0, 0, 1).swap_remove(1);
    let truth = slope(&graph, &given[..1], &v, &u);
    let scale = gradient.data.iter().zip(&v.data).map(|(g, v)| (g * v).abs()).sum::<f64>();
    assert!(near(truth, gradient.dot(&v), scale, 1e-6));
    let wrong = gradient.map(|g| g * 1.0001);
    assert!(!near(truth, wrong.dot(&v), scale.min(truth.abs()), 1e-5));
    assert!(!near(truth, gradient.dot(&v.map(|v| v + 0.01)), truth.abs(), 1e-5));
}

#[test]
fn quantizers_let_through_what_they_do_not_saturate() {
    for i in 0..SHAPES {
        let mut rng = cases::rng("straight through", i);
        let quantizer = random_quantizer(&mut rng, 3);
        let mut graph = Graph::new();
        let x = graph.input("x", [3, 4, 5], Rows::Images);
        let y = graph.add("q", Pointwise::one(Step::FakeQuantize(quantizer.clone())), &[x]).unwrap();
        graph.set_outputs([y]);
        let graph = with_gradient(&graph, Rule::Plain);
        let given = inputs(&graph, 1, 1, &mut rng);
        let made = run_graph(&graph, &given).unwrap();
        for k in 0..60 {
            let c = if quantizer.params.scales.len() == 1 { 0 } else { k / 20 };
            let (scale, zero) = (quantizer.params.scales[c], quantizer.params.zero_points[c]);
            let q = (given[0].data()[k] / scale).round_ties_even() + zero;
            let inside = (quantizer.low..=quantizer.high).contains(&q);
            let expected = if inside { given[1].data()[k] } else { 0.0 };
            assert_eq!(made[1].data()[k].to_bits(), expected.to_bits());
            assert_eq!(made[0].data()[k], (q.clamp(quantizer.low, quantizer.high) - zero) * scale);
        }
    }
}

#[test]
fn the_guided_rule_keeps_what_passed_and_is_positive() {
    let mut rng = cases::rng("guided", 0);
    let mut graph = Graph::new();
    let x = graph.input("x", [50], Rows::Images);
    let y = graph.add("relu6", Pointwise::one(Step::Clip(Clip { low: 0.0, high: 0.75 })), &[x]).unwrap();
    graph.set_outputs([y]);
    let graph = with_gradient(&graph, Rule::Guided);
    let given = inputs(&graph, 1, 3, &mut rng);
    let made = run_graph(&graph, &given).unwrap();
    let mut kept = 0;
    for row in 0..3 {
        for (k, (&x, &g)) in given[0].row(0).iter().zip(given[1].row(row)).enumerate() {
            let expected = if 0.0 < x && x < 0.75 && g > 0.0 { g } else { 0.0 };
            assert_eq!(made[1].row(row)[k], expected);
            kept += usize::from(expected > 0.0);
        }
    }
    assert!((5..100).contains(&kept), "{kept}");
}

#[test]
fn what_was_made_ready_is_kept() {
    let model = include_bytes!("../../../models/efficientnet-lite0-int8.onnx");
    let network = Arc::new(Network::from_onnx(model).unwrap());
    let gradient = |layer| Program::Gradient { score: Score::Logit, layer, rule: Rule::Plain };
    let layer = network.default_layer().map(|l| l.value);
    let mut backend = CpuBackend::new(network).unwrap();
    let programs = [gradient(layer), Program::Saturation, gradient(None)];
    programs.iter().for_each(|program| pollster::block_on(backend.warm(program)).unwrap());
    let kept: Vec<Program> = backend.compiled.iter().map(|(program, _)| program.clone()).collect();
    assert_eq!(kept, [&[Program::Forward { layer: None }], programs.as_slice()].concat());
    let ran: Vec<bool> = backend.compiled.iter().map(|(_, compiled)| compiled.has_run()).collect();
    assert_eq!(ran, [false, true, true, true], "what is made ready is run once");
}

#[test]
fn batches_keep_threads_busy_and_outputs_small() {
    assert_eq!(at_once(1, 1, 0), 1, "a stop is heard, and progress seen, between any two images");
    assert_eq!(at_once(2, 1, 600_000), 2 * IMAGES_PER_ROUND);
    assert_eq!(at_once(4, 3, 600_000), 2 * IMAGES_PER_ROUND, "targets are done side by side too");
    assert_eq!(at_once(2, 1, OUTPUTS / 3), 3);
    assert_eq!(at_once(2, 1, OUTPUTS * 2), 2, "an image a thread at least");
}

#[test]
fn results_do_not_depend_on_the_batch() {
    each(|what, _, graph, rng| {
        let graph = with_gradient(graph, Rule::Plain);
        let given = inputs(&graph, 3, 2, rng);
        let whole = run_graph(&graph, &given).unwrap();
        for image in 0..3 {
            for target in 0..2 {
                let row = |(id, t): (&ValueId, &Tensor)| {
                    let per_image = graph.node(*id).rows == Rows::Images;
                    Tensor::stack(&[t.at(if per_image { image } else { image * 2 + target })]).unwrap()
                };
                let alone: Vec<Tensor> = graph.inputs().iter().zip(&given).map(row).collect();
                let alone = run_graph(&graph, &alone).unwrap();
                let rows = graph.outputs().iter().zip(&whole).map(row);
                for (alone, row) in alone.iter().zip(rows) {
                    let bits = |t: &Tensor| t.data().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(alone), bits(&row), "{what}");
                }
            }
        }
    });
}

fn bits(tensors: &[Tensor]) -> Vec<u32> {
    tensors.iter().flat_map(|t| t.data().iter().map(|v| v.to_bits())).collect()
}

#[test]
fn operators_are_the_same_on_every_instruction_set() {
    each(|what, _, graph, rng| {
        for rule in [Rule::Plain, Rule::Guided] {
            let graph = with_gradient(graph, rule);
            // One row: a batch would go to threads, which do not know the set.
            let given = inputs(&graph, 1, 1, rng);
            on_each_set(what, || bits(&run_graph(&graph, &given).unwrap()));
        }
    });
}

#[test]
fn the_shipped_model_is_the_same_on_every_instruction_set() {
    let model = include_bytes!("../../../models/efficientnet-lite0-int8.onnx");
    let network = Network::from_onnx(model).unwrap();
    let program = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    let graph = network.graph_for(&program).unwrap();
    let chains = graph.nodes().iter().filter_map(|node| Some((node, node.operator()?.chain()?)));
    let mut rng = cases::rng("shipped", 0);
    let mut count = 0;
    for (node, steps) in chains {
        let plane = if is_uniform(steps) { 3000 } else { 50 };
        let channels = if is_uniform(steps) { 1 } else { node.shape[0] };
        let mut values = cases::floats(&mut rng, channels * plane);
        values.iter_mut().for_each(|v| *v *= 8.0);
        on_each_set(&format!("{} {steps:?}", node.name), || {
            let mut made = values.clone();
            apply(steps, plane, &mut made);
            made.into_iter().map(f32::to_bits).collect()
        });
        count += 1;
    }
    assert!(count > 40, "{count} chains");
    let given = inputs(&graph, 1, 1, &mut rng);
    on_each_set("the gradient of the shipped model", || bits(&run_graph(&graph, &given).unwrap()));
}

#[test]
fn what_is_not_finite_is_refused() {
    let mut rng = cases::rng("finite", 0);
    let graph = conv(&mut rng);
    let mut given = inputs(&graph, 1, 1, &mut rng);
    given[0].data_mut()[0] = f32::NAN;
    assert_eq!(run_graph(&graph, &given).unwrap_err().code(), "not-finite");
    given[0].data_mut().fill(f32::MAX);
    assert_eq!(run_graph(&graph, &given).unwrap_err().code(), "not-finite");
}

/// An operator without a gradient rule.
#[derive(Debug)]
struct Opaque;

impl Operator for Opaque {
    fn name(&self) -> &'static str {
        "Opaque"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        Ok(inputs[0].to_vec())
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<tract_onnx::tract_core::internal::OutletId> {
        Ok(at.inputs[0])
    }

    fn record(&self, _: &mut crate::gpu::Recording<'_>) -> Result<()> {
        Ok(())
    }

    fn evaluate(&self, inputs: &[&Array]) -> Array {
        inputs[0].clone()
    }
}

#[test]
fn a_missing_gradient_rule_names_operator_and_node() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3], Rows::Images);
    let y = graph.add("the node", Opaque, &[x]).unwrap();
    let error = differentiate(&mut graph, y, x, Rule::Plain).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), "unsupported");
    assert!(text.contains("Opaque") && text.contains("the node"), "{text}");
}
