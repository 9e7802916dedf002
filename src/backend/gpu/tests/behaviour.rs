//! Tests of more than one operator: masked pictures, batches, bad input, lost devices, memory.

use super::*;

/// The canary of all of the above: a wrong weight is noticed.
#[test]
fn the_bound_can_fail() {
    let rng = &mut for_sample(14, 0);
    let mut conv = conv(rng, [7, 7]);
    let graph = |conv: &Conv| {
        let mut graph = Graph::new();
        let x = graph.input("x", [conv.inputs(), 7, 7], Rows::Images);
        let y = graph.add("y", conv.clone(), &[x]).unwrap();
        graph.set_outputs([y]);
        graph
    };
    let x = tensor(rng, 1, &[conv.inputs(), 7, 7]);
    let right = graph(&conv);
    let made = on_gpu(&right, Images::Batch(&x), None).unwrap();
    assert!(excess(&right, &x, None, &made) <= 1.0);
    let mut wrong = conv.weights.to_f32();
    wrong[0] += 1e-2;
    conv.weights = Arc::new(Constant::floats(conv.weights.shape.clone(), wrong));
    assert!(excess(&graph(&conv), &x, None, &made) > 1.0);
}

/// A batch of one and a batch of many, in several chunks, give the same numbers on every kind of adapter, also where
/// several threads share a sum.
#[test]
fn batches_do_not_matter() {
    let rng = &mut for_sample(15, 0);
    let long =
        Conv { weights: weights(rng, [9, 170, 1, 1]), bias: None, groups: 1, window: Window::new([1; 2]) };
    for (conv, tiles) in
        [conv(rng, [9, 9]), long].into_iter().flat_map(|c| TileMemory::ALL.map(|t| (c.clone(), t)))
    {
        let graph = alone(conv.clone(), &[conv.inputs(), 9, 9]);
        let many = tensor(rng, 37, &[conv.inputs(), 9, 9]);
        let together = laid_out(Some(tiles), &graph, Images::Batch(&many), None).unwrap().remove(0);
        for i in [0, 17, 36] {
            let one = Tensor::stack(&[many.at(i)]).unwrap();
            let alone = laid_out(Some(tiles), &graph, Images::Batch(&one), None).unwrap().remove(0);
            for (a, b) in alone.data().iter().zip(together.row(i)) {
                assert!((a - b).abs() <= 1e-6 * b.abs() + 1e-9, "{tiles:?}: {a} alone, {b} together");
            }
        }
    }
}

/// After warming up, a first run finds all its pipelines.
#[test]
fn a_warm_backend_compiles_nothing_at_its_first_run() {
    let model = include_bytes!("../../../../models/efficientnet-lite0-int8.onnx");
    let network = Arc::new(crate::network::Network::from_onnx(model).unwrap());
    let gpu = pollster::block_on(Gpu::open(true)).unwrap();
    let mut backend = crate::backend::gpu::GpuBackend::on(gpu, network.clone());
    let forward = crate::network::Program::Forward { layer: None };
    assert_eq!(backend.device.pipelines(), 0);
    pollster::block_on(backend.warm(&forward)).unwrap();
    let warm = backend.device.pipelines();
    assert!(warm > 5, "{warm} pipelines");
    let image = Tensor::zeros([&[1], network.input()].concat());
    pollster::block_on(backend.run(&forward, Images::Batch(&image), None)).unwrap();
    assert_eq!(backend.device.pipelines(), warm);
}

#[test]
fn bad_input_and_lost_devices_are_named() {
    let mut graph = Graph::new();
    let x = graph.input("x", [1, 2, 2], Rows::Images);
    let y = graph.add("y", Add, &[x, x]).unwrap();
    graph.set_outputs([y]);
    let nan = Tensor::full([1, 1, 2, 2], f32::NAN);
    assert_eq!(on_gpu(&graph, Images::Batch(&nan), None).unwrap_err().code(), "not-finite");
    let huge = Tensor::full([1, 1, 2, 2], 3e38);
    assert_eq!(on_gpu(&graph, Images::Batch(&huge), None).unwrap_err().code(), "not-finite");
    let narrow = Tensor::zeros([1, 1, 2, 1]);
    assert_eq!(on_gpu(&graph, Images::Batch(&narrow), None).unwrap_err().code(), "argument");

    let mut device = SharedDevice::new(pollster::block_on(Gpu::open(true)).unwrap());
    let mut runner = Runner::new(Compiled::new(PROFILE, &graph, None).unwrap());
    let ones = Tensor::full([1, 1, 2, 2], 1.0);
    pollster::block_on(device.run(&mut runner, Images::Batch(&ones), None)).unwrap();
    device.gpu.lose();
    let error = pollster::block_on(device.run(&mut runner, Images::Batch(&ones), None)).unwrap_err();
    assert_eq!(error.code(), "gpu-lost", "{error}");
}

/// Activations that nothing needs any more make room, and masks are kept in their stead.
#[test]
fn a_gradient_keeps_bits_not_activations() {
    let rng = &mut for_sample(16, 0);
    let mut graph = Graph::new();
    let x = graph.input("x", [32, 16, 16], Rows::Images);
    // Small weights: sums that cancel would hide what is tested.
    let small = floats(rng, 32 * 32 * 9).iter().map(|w| w * 0.1).collect();
    let weights = Arc::new(Constant::floats([32, 32, 3, 3], small));
    let conv = Conv { weights, bias: None, groups: 1, window: Window::new([3; 2]) };
    let conv = Conv { window: Window { before: [1; 2], after: [1; 2], ..conv.window }, ..conv };
    let mut y = x;
    for i in 0..12 {
        y = graph.add(format!("conv{i}"), conv.clone(), &[y]).unwrap();
        let relu = Pointwise::one(Step::Clip(Clip { low: 0.0, high: f32::INFINITY }));
        y = graph.add(format!("relu{i}"), relu, &[y]).unwrap();
    }
    let gradient = crate::network::differentiate(&mut graph, y, x, crate::graph::Rule::Plain).unwrap();
    graph.set_outputs([gradient]);
    let compiled = Compiled::new(PROFILE, &graph, None).unwrap();
    let value = 32 * 16 * 16 / 4;
    let size = compiled.memory(Size { images: 1, targets: 1, ..Size::default() }).size;
    assert!(size < 4 * value, "{size} vec4s, where an activation has {value}");
    hold(&graph, rng);
}

/// A sweep: every layer's activation and gradient from one run, as the CPU has them.
#[test]
fn all_layers_at_once_are_as_on_the_cpu() {
    let model = include_bytes!("../../../../tests/fixtures/networks/densenet/model.onnx");
    let network = crate::network::Network::from_onnx(model).unwrap();
    let layers: Vec<ValueId> = network.live_layers().iter().map(|l| l.value).collect();
    let (score, rule) = (crate::network::Score::Logit, crate::graph::Rule::Plain);
    let graph =
        network.graph_for(&crate::network::Program::Layers { score, layers: layers.clone(), rule }).unwrap();
    let mut rng = for_sample(5, 0);
    let image = tensor(&mut rng, 1, network.input());
    let cotangents = tensor(&mut rng, 2, &[network.classes()]);
    let made = on_gpu(&graph, Images::Batch(&image), Some(&cotangents)).unwrap();
    let expected = crate::backend::cpu::run_graph(&graph, &[image, cotangents]).unwrap();
    assert_eq!(made.len(), 1 + 2 * layers.len());
    for (got, want) in made.iter().zip(&expected) {
        assert_eq!(got.shape(), want.shape());
        let size = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let gap: Vec<f32> = got.data().iter().zip(want.data()).map(|(a, b)| a - b).collect();
        assert!(size(&gap) <= 1e-4 * size(want.data()) + 1e-6, "{} of {}", size(&gap), size(want.data()));
    }
}
