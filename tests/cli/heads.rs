//! Probabilities where there are some, scores where not, and the choice between them.

use super::*;

fn model(name: &str) -> String {
    root().join(format!("tests/fixtures/heads/{name}.onnx")).display().to_string()
}

/// `classify` of the fixtures' input, with more arguments.
fn classify<'a>(model: &'a str, input: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["classify", input, "--model", model, "--backend", "cpu"], more].concat()
}

fn input() -> String {
    root().join("tests/fixtures/heads/input.npy").display().to_string()
}

/// Every class's logit and probability, in class order.
fn scores(report: &Value) -> Vec<(f64, Option<f64>)> {
    let mut classes = report["classes"].as_array().unwrap().clone();
    classes.sort_by_key(|c| c["index"].as_u64());
    classes.iter().map(|c| (c["logit"].as_f64().unwrap(), c["probability"].as_f64())).collect()
}

#[test]
fn a_sigmoid_s_probabilities_are_its_own() {
    let (model, input) = (model("sigmoid"), input());
    let report = json(&classify(&model, &input, &["--json"]));
    assert_eq!(report["head"], "sigmoid");
    assert_eq!(report["notes"].as_array().unwrap().len(), 0);
    let scores = scores(&report);
    assert_eq!(scores.len(), 5);
    for (z, p) in &scores {
        assert!((p.unwrap() - 1.0 / (1.0 + (-z).exp())).abs() < 1e-9);
    }
    assert!(scores.iter().map(|(_, p)| p.unwrap()).sum::<f64>() > 1.5);
}

#[test]
fn one_output_behind_a_sigmoid_is_two_answers() {
    let (model, input) = (model("sigmoid_binary"), input());
    let report = json(&classify(&model, &input, &["--json"]));
    let [(not, q), (yes, p)] = scores(&report)[..] else { panic!("{report}") };
    assert_eq!(not, -yes);
    assert!((p.unwrap() + q.unwrap() - 1.0).abs() < 1e-12 && p.unwrap() < 0.01, "{report}");
    assert!(report["notes"][0].as_str().unwrap().contains("two answers"), "{report}");

    let labels = folder("heads").join("one.txt");
    fs::write(&labels, "crack\n").unwrap();
    let labels = labels.display().to_string();
    let output = pellucid(&classify(&model, &input, &["--labels", &labels]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().next().unwrap().ends_with("  not crack") && text.contains(" 99.97 %"), "{text}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("note: The model has one output"));
}

#[test]
fn a_score_without_a_probability_is_shown_as_one() {
    let (model, input) = (model("raw_one"), input());
    let report = json(&classify(&model, &input, &["--json"]));
    assert_eq!(report["head"], "none");
    assert_eq!(scores(&report)[0].1, None);
    assert!(report["classes"][0].as_object().unwrap().contains_key("probability"));
    let output = pellucid(&classify(&model, &input, &[]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("-2.272") && !text.contains('%'), "{text}");
    let output =
        pellucid(&["explain", &input, "--model", &model, "--backend", "cpu", "--method", "saliency"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("(score -2.272)") && !text.contains('%'), "{text}");
    let asked = ["--method", "saliency", "--score", "probability"];
    let refused = error(&[&["explain", &input, "--model", &model, "--backend", "cpu"], &asked[..]].concat());
    assert!(
        refused.starts_with("error[argument]: the model gives scores without probabilities"),
        "{refused}"
    );
}

#[test]
fn a_head_is_chosen_where_the_file_does_not_say() {
    let (model_path, input) = (model("raw"), input());
    let report = json(&classify(&model_path, &input, &["--json"]));
    assert_eq!(report["head"], "softmax");
    assert!(report["notes"][0].as_str().unwrap().contains("softmax over all classes is assumed"), "{report}");
    let report = json(&classify(&model_path, &input, &["--json", "--head", "sigmoid"]));
    let (z, p) = scores(&report)[0];
    assert!((p.unwrap() - 1.0 / (1.0 + (-z).exp())).abs() < 1e-9);
    assert_eq!(
        (&report["head"], &report["notes"]),
        (&Value::from("sigmoid"), &Value::from(Vec::<Value>::new()))
    );
    let report = json(&classify(&model_path, &input, &["--json", "--head", "none"]));
    assert!(scores(&report).iter().all(|(_, p)| p.is_none()));

    let explain =
        ["explain", &input, "--model", &model_path, "--backend", "cpu", "--method", "saliency", "--json"];
    let report = json(&[&explain[..], &["--head", "sigmoid"]].concat());
    assert_eq!(report["head"], "sigmoid");

    let ends = model("softmax");
    let refused = error(&classify(&ends, &input, &["--head", "sigmoid"]));
    assert!(refused.contains("error[argument]") && refused.contains("ends in Softmax"), "{refused}");
    assert_eq!(pellucid(&classify(&ends, &input, &["--head", "softplus"])).status.code(), Some(2));
}

/// The shipped file says what it is.
#[test]
fn nothing_is_assumed_of_the_shipped_model() {
    let report = json(&["classify", &cat(), "--backend", "cpu", "--json"]);
    assert_eq!(report["head"], "softmax");
    assert!(!report["notes"].to_string().contains("assumed"), "{report}");
}
