//! Adebayo's sanity check on the shipped network: redraw its weights from the top down, and see which maps notice.

mod support;

use std::sync::Arc;

use pellucid::{
    Tensor,
    attribution::{Context, Question, Settings, Silent, method},
    backend::{Backend, cpu::CpuBackend},
    evaluation::{
        randomisation::{randomised, weighted_layers},
        rank::spearman,
    },
    network::Network,
    picture::Preprocessing,
};
use support::{bytes, fixture, npy};

/// One class is enough, and few steps: ranks of a whole map are steady.
const TARGET: usize = 282;
const STEPS: u64 = 5;

/// A method's signed map of the cat, as it is: neither absolute nor scaled.
fn map(backend: &mut CpuBackend, id: &str, image: &Tensor) -> Vec<f32> {
    let method = method(id).unwrap();
    let given = if id == "integrated-gradients" { vec![("steps".to_owned(), STEPS.into())] } else { vec![] };
    let settings = Settings::resolve(method.about().parameters, &given.into_iter().collect()).unwrap();
    let layer = backend.network().default_layer().filter(|_| method.needs_layer()).cloned();
    let question = Question { layer, ..Question::new(vec![TARGET], settings, Preprocessing::default()) };
    let mut observer = Silent;
    let mut context = Context::new(&question, image, backend, &mut observer);
    pollster::block_on(method.explain(&mut context)).unwrap().remove(0).values.into_data()
}

fn shipped() -> (Network, Tensor) {
    let model = bytes(&support::fixture("../../models/efficientnet-lite0-int8.onnx"));
    let crop = npy(&fixture("quantized/cat_crop.npy"));
    let [h, w, c] = *crop.shape() else { panic!("an image has three axes") };
    let at = |channel: usize| crop.data().iter().skip(channel).step_by(c).map(|v| (v - 127.0) / 128.0);
    let image = Tensor::new([c, h, w], (0..c).flat_map(at).collect()).unwrap();
    (Network::from_onnx(&model).unwrap(), image)
}

#[test]
fn maps_of_a_network_that_forgot_are_others_but_guided_ones() {
    let (network, image) = shipped();
    assert_eq!(weighted_layers(&network), 50);
    let forgetful = randomised(&network, 30, 1).unwrap();
    let [mut before, mut after] = [network, forgetful].map(|n| CpuBackend::new(Arc::new(n)).unwrap());
    let mut correlation = |id: &str| spearman(&map(&mut before, id, &image), &map(&mut after, id, &image));
    for id in ["saliency", "integrated-gradients", "grad-cam"] {
        let found = correlation(id);
        println!("{id}: {found:.3}");
        assert!(found.abs() < 0.3, "{id}: {found}");
    }
    // What the method's own description warns of: it shows the picture, whatever the network knows.
    let guided = correlation("guided-backprop");
    println!("guided-backprop: {guided:.3}");
    assert!(guided > 0.3, "{guided}");
    assert!(method("guided-backprop").unwrap().about().sentence.contains("random"));
}
