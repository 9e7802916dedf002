//! What turns logits into probabilities, for every kind of ending, against onnxruntime; see
//! `tests/reference/make_heads.py`.

mod support;

use pellucid::{
    Tensor,
    attribution::Silent,
    backend::fallback::Choice,
    network::{Head, Network, Score},
    session::{Class, Options, Request, Session},
};
use prost::Message;
use serde_json::Value;
use support::{bytes, fixture, json, npy, relative_l2};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

const BACKENDS: [Choice; 2] = [Choice::Cpu, Choice::Gpu];

fn model(name: &str) -> Vec<u8> {
    bytes(&fixture(&format!("heads/{name}.onnx")))
}

/// A model with metadata of its own.
fn with_metadata(name: &str, key: &str, value: &str) -> Vec<u8> {
    let mut proto = ModelProto::decode(model(name).as_slice()).unwrap();
    proto.metadata_props.push(StringStringEntryProto { key: key.into(), value: value.into() });
    proto.encode_to_vec()
}

fn image() -> Tensor {
    npy(&fixture("heads/input.npy")).at(0)
}

fn session(model: &[u8], options: Options) -> Session {
    pollster::block_on(Session::open(model, options)).unwrap()
}

fn on(name: &str, backend: Choice) -> Session {
    session(&model(name), Options { backend, ..Options::default() })
}

/// In class order.
fn classify(session: &mut Session) -> Vec<Class> {
    let mut classes = pollster::block_on(session.classify(&image())).unwrap();
    classes.sort_by_key(|c| c.target.index);
    classes
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn near(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 2e-5 * want.abs().max(0.1), "{what}: {got}, not {want}");
}

#[test]
fn every_ending_is_what_onnxruntime_says() {
    let expected = json(&fixture("heads/expected.json"));
    let cases = expected.as_object().unwrap();
    assert_eq!(cases.len(), 15);
    for backend in BACKENDS {
        for (name, entry) in cases {
            let mut session = on(name, backend);
            let (mut logits, mut probabilities) = (numbers(&entry["logits"]), None);
            if !entry["probabilities"].is_null() {
                probabilities = Some(numbers(&entry["probabilities"]));
            }
            if name == "sigmoid_binary" {
                logits.insert(0, -logits[0]);
                probabilities = probabilities.map(|p| vec![1.0 - p[0], p[0]]);
            }
            if name == "raw" {
                let sum: f64 = logits.iter().map(|z| z.exp()).sum();
                probabilities = Some(logits.iter().map(|z| z.exp() / sum).collect());
            }
            let head = session.network().head();
            assert_eq!(head.id(), entry["head"], "{name}");
            let classes = classify(&mut session);
            assert_eq!(classes.len(), logits.len(), "{name}");
            for (i, class) in classes.iter().enumerate() {
                near(class.logit.into(), logits[i], name);
                match &probabilities {
                    None => assert_eq!(class.probability, None, "{name}"),
                    Some(p) => near(class.probability.unwrap(), p[i], name),
                }
            }
        }
    }
}

/// The reader is told what was taken where the file does not say it, and only there.
#[test]
fn notes_say_what_was_taken() {
    let notes = |name: &str| Network::from_onnx(model(name)).unwrap().notes().join(" ");
    for (name, wanted) in [
        ("raw", "a softmax over all classes is assumed"),
        ("raw_one", "without a probability"),
        ("sigmoid_binary", "two answers"),
        ("hard_sigmoid", "HardSigmoid"),
        ("softmax_parts", "only a part of its outputs"),
        ("sigmoids_beside", "several heads"),
    ] {
        assert!(notes(name).contains(wanted), "{name}: {}", notes(name));
    }
    for name in ["softmax", "softmax_two", "logsoftmax", "sigmoid", "sigmoid_two", "sigmoid_reshaped"] {
        assert_eq!(notes(name), "", "{name}");
    }
}

#[test]
fn a_choice_wins_over_metadata_and_metadata_over_a_guess() {
    let sigmoid = with_metadata("raw", "pellucid.head", "sigmoid");
    assert_eq!(Network::from_onnx(&sigmoid).unwrap().head(), Head::Sigmoid);
    assert!(Network::from_onnx(&sigmoid).unwrap().notes().is_empty());
    let options = Options { backend: Choice::Cpu, head: Some(Head::None), ..Options::default() };
    let mut session = session(&sigmoid, options);
    assert!(classify(&mut session).iter().all(|c| c.probability.is_none()));
    assert!(session.network().notes().is_empty(), "what was chosen is not assumed");

    let one = with_metadata("raw_one", "pellucid.head", "sigmoid");
    let network = Network::from_onnx(&one).unwrap();
    assert_eq!(network.classes(), 2);
    let network = network.with_head(Head::None).unwrap();
    assert_eq!((network.classes(), network.head()), (1, Head::None));
    assert!(!network.notes().iter().any(|n| n.contains("two answers")), "{:?}", network.notes());

    let wrong = with_metadata("softmax", "pellucid.head", "sigmoid");
    assert_eq!(Network::from_onnx(&wrong).unwrap_err().code(), "model");
    let error = Network::from_onnx(model("softmax")).unwrap().with_head(Head::Sigmoid).unwrap_err();
    assert!(error.code() == "argument" && error.to_string().contains("ends in Softmax"), "{error}");
}

#[test]
fn one_label_names_the_second_of_two_answers() {
    let labels = |labels: &[&str]| {
        let labels = Some(labels.iter().map(|l| (*l).to_owned()).collect());
        let options = Options { backend: Choice::Cpu, labels, ..Options::default() };
        let mut session = session(&model("sigmoid_binary"), options);
        let names: Vec<String> = classify(&mut session).into_iter().map(|c| c.target.label).collect();
        assert_eq!(session.find_target(&names[1], &mut vec![]).unwrap(), 1);
        names
    };
    assert_eq!(labels(&["crack"]), ["not crack", "crack"]);
    assert_eq!(labels(&["cat", "dog"]), ["cat", "dog"]);
    let in_file = with_metadata("sigmoid_binary", "pellucid.labels", "crack");
    let mut session = session(&in_file, Options { backend: Choice::Cpu, ..Options::default() });
    assert_eq!(classify(&mut session)[0].target.label, "not crack");
}

fn explain(session: &mut Session, request: &Request, at: &Tensor) -> pellucid::session::Explanation {
    pollster::block_on(session.explain(at, request, &mut Silent)).unwrap()
}

/// A step along the gradient changes the probability by the gradient's length, on both backends.
#[test]
fn the_gradient_of_a_probability_is_its_slope() {
    for backend in BACKENDS {
        for (name, target) in [
            ("softmax", 4),
            ("sigmoid", 1),
            ("sigmoid_binary", 0),
            ("sigmoid_binary", 1),
            ("logsoftmax_middle", 2),
        ] {
            let mut session = on(name, backend);
            let request = Request {
                method: "saliency".into(),
                targets: vec![target],
                score: Some(Score::Probability),
                ..Request::default()
            };
            let x = image();
            let gradient = explain(&mut session, &request, &x).targets.remove(0).map.values;
            let length = gradient.data().iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
            let step = 2e-3 / gradient.data().iter().fold(0.0_f32, |m, g| m.max(g.abs()));
            let mut moved = |sign: f32| {
                let values = x.data().iter().zip(gradient.data()).map(|(x, g)| x + sign * step * g);
                let moved = Tensor::new(x.shape().to_vec(), values.collect()).unwrap();
                let classes = pollster::block_on(session.classify(&moved)).unwrap();
                classes.iter().find(|c| c.target.index == target).unwrap().probability.unwrap()
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step) * length);
            assert!(
                (slope / length - 1.0).abs() < 0.01,
                "{name} {target} {backend:?}: {length}, not {slope}"
            );
        }
    }
}

/// The two answers of one output are each other's negatives, logit and probability alike.
#[test]
fn two_answers_oppose_each_other() {
    for backend in BACKENDS {
        let mut session = on("sigmoid_binary", backend);
        // Where p is near 1, float32 rounds 1 - p.
        let cases = [
            ("saliency", Score::Logit, 1e-5),
            ("saliency", Score::Probability, 1e-3),
            ("hires-cam", Score::Logit, 1e-5),
        ];
        for (method, score, bound) in cases {
            let request = Request {
                method: method.into(),
                targets: vec![0, 1],
                score: Some(score),
                ..Request::default()
            };
            let both = explain(&mut session, &request, &image()).targets;
            let negative: Vec<f32> = both[0].map.values.data().iter().map(|v| -v).collect();
            assert!(relative_l2(&negative, both[1].map.values.data()) < bound, "{method} {score:?}");
            // One rather than the other: twice the one.
            let request = Request { targets: vec![1], versus: Some(0), ..request };
            let apart = explain(&mut session, &request, &image()).targets.remove(0).map.values;
            let twice: Vec<f32> = both[1].map.values.data().iter().map(|v| 2.0 * v).collect();
            assert!(relative_l2(apart.data(), &twice) < bound, "{method} {score:?}");
        }
    }
}

/// Methods that explain probabilities by default explain the score where there is none, and say so.
#[test]
fn without_probabilities_the_score_is_explained() {
    let mut session = on("raw_one", Choice::Cpu);
    for id in ["lime", "kernel-shap", "shap-partition", "rise"] {
        let parameters = if id == "shap-partition" { ("max_evals", 20) } else { ("samples", 20) };
        let parameters = [(parameters.0.to_owned(), Value::from(parameters.1))].into();
        let request = Request { method: id.into(), parameters, ..Request::default() };
        let report = explain(&mut session, &request, &image()).to_json();
        assert_eq!((&report["score"], &report["head"]), (&"logit".into(), &"none".into()), "{id}");
        assert!(report["probability"].is_null() && report["logit"].is_f64(), "{id}");
        let notes = report["notes"].to_string();
        assert!(notes.contains("explains probabilities by default"), "{id}: {notes}");
        let asked = Request { score: Some(Score::Probability), ..request };
        let refused = pollster::block_on(session.explain(&image(), &asked, &mut Silent)).unwrap_err();
        assert_eq!(refused.code(), "argument", "{id}");
    }
}
