//! Forms that files take: scores with more axes than one, initialisers that are inputs, axes that are scalars, images that
//! are not square and have other channels than three.

use std::sync::Arc;

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    network::{Network, Program},
};
use prost::Message as _;
use tract_onnx::pb::ModelProto;

use crate::{
    models::{floats, ints, longs, node, value},
    semantics::scores,
    twins::{assert_near, graph, plain},
};

/// The plain network, whose scores a Reshape gives other axes.
fn reshaped(dims: &[i64]) -> ModelProto {
    let mut written = plain();
    let graph = graph(&mut written);
    graph.node.push(node("Reshape", &["scores", "dims"], "reshaped", vec![]));
    graph.initializer.push(longs("dims", dims));
    graph.output = vec![value("reshaped", dims)];
    written
}

#[test]
fn scores_may_have_other_axes() {
    let _turn = crate::turn();
    let forms: [&[i64]; 6] = [&[5], &[1, 5], &[1, 1, 5], &[1, 1, 1, 5], &[-1, 1, 1, 5], &[-1, 5, 1, 1]];
    for dims in forms {
        assert_eq!(scores(&reshaped(dims)), scores(&plain()), "{dims:?}");
    }
}

/// As TensorFlow writes a classifier whose last layer is a convolution: `[N, 1, 1, K]`.
#[test]
fn a_convolution_with_channels_last_may_make_the_scores() {
    let _turn = crate::turn();
    let mut written = plain();
    let graph = graph(&mut written);
    let (from, to) = (vec![ints("perm", &[0, 3, 1, 2])], vec![ints("perm", &[0, 2, 3, 1])]);
    graph.node.truncate(3);
    graph.node.extend([
        node("Transpose", &["pooled"], "pooled_last", to.clone()),
        node("Transpose", &["pooled_last"], "pooled_first", from),
        node("Conv", &["pooled_first", "d"], "y", vec![]),
        node("Transpose", &["y"], "scores", to),
    ]);
    graph.initializer[1].dims = vec![5, 4, 1, 1];
    graph.output = vec![value("scores", &[1, 1, 1, 5])];
    assert_near(&scores(&written), &scores(&plain()));
}

#[test]
fn initializers_may_be_inputs() {
    let _turn = crate::turn();
    let mut written = plain();
    (written.ir_version, written.opset_import[0].version) = (3, 7);
    let graph = graph(&mut written);
    let declared: Vec<_> = graph.initializer.iter().map(|t| value(&t.name, &t.dims)).collect();
    // The image is neither the first nor the last.
    graph.input.insert(0, declared[0].clone());
    graph.input.push(declared[1].clone());
    assert_eq!(scores(&written), scores(&plain()));
}

#[test]
fn axes_may_be_scalars() {
    let _turn = crate::turn();
    let mut written = plain();
    let graph = graph(&mut written);
    let mut axis = longs("axis", &[2]);
    axis.dims.clear();
    graph.initializer.push(axis);
    let flatten = graph.node.iter().position(|n| n.op_type == "Flatten").unwrap();
    let squeezes =
        [node("Squeeze", &["pooled", "axis"], "row", vec![]), node("Squeeze", &["row", "axis"], "f", vec![])];
    graph.node.splice(flatten..=flatten, squeezes);
    assert_eq!(scores(&written), scores(&plain()));
}

/// The plain network of an image `[C, H, W]`, written out: scores of `image`.
fn by_loops(image: &Tensor, weights: [&[f32]; 2], [c, h, w]: [usize; 3]) -> Vec<f32> {
    let at = |k: usize, y: usize, x: usize| image.data()[(k * h + y) * w + x];
    let pooled = |out: usize| {
        let mut sum = 0.0;
        for (y, x) in (0..h - 2).flat_map(|y| (0..w - 2).map(move |x| (y, x))) {
            let mut value = 0.0;
            for (k, i) in (0..c).flat_map(|k| (0..9).map(move |i| (k, i))) {
                value += f64::from(weights[0][(out * c + k) * 9 + i] * at(k, y + i / 3, x + i % 3));
            }
            sum += value.max(0.0);
        }
        sum / ((h - 2) * (w - 2)) as f64
    };
    let pooled: Vec<f64> = (0..4).map(pooled).collect();
    let score = |class: usize| (0..4).map(|i| f64::from(weights[1][class * 4 + i]) * pooled[i]).sum::<f64>();
    (0..5).map(|class| score(class) as f32).collect()
}

#[test]
fn images_may_have_any_channels_and_not_be_square() {
    let _turn = crate::turn();
    for (c, h, w) in [(1, 6, 9), (2, 9, 6), (4, 5, 11), (6, 12, 7)] {
        let mut written = plain();
        let graph = graph(&mut written);
        graph.input = vec![value("x", &[1, c as i64, h as i64, w as i64])];
        graph.initializer[0] = floats("w", &[4, c as i64, 3, 3]);
        let weights = [0, 1].map(|i| graph.initializer[i].float_data.clone());
        let data = (0..c * h * w).map(|i| (i * i % 17) as f32 / 17.0 - 0.5).collect();
        let image = Tensor::new([1, c, h, w], data).unwrap();
        let truth = by_loops(&image, [&weights[0], &weights[1]], [c, h, w]);
        let network = Arc::new(Network::from_onnx(written.encode_to_vec()).unwrap());
        assert_eq!(network.input(), [c, h, w]);
        let gpu = pollster::block_on(GpuBackend::open(network.clone(), true)).unwrap();
        let backends: [Box<dyn Backend>; 2] = [Box::new(CpuBackend::new(network).unwrap()), Box::new(gpu)];
        for mut backend in backends {
            let program = Program::Forward { layer: None };
            let made = pollster::block_on(backend.run(&program, Images::Batch(&image), None)).unwrap();
            assert_near(made[0].data(), &truth);
        }
    }
}
