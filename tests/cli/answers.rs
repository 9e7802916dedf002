//! What is printed and written, and that it is what was asked for.

use base64::prelude::{BASE64_STANDARD, Engine};
use npyz::WriterBuilder;

use super::*;

#[test]
fn classify_names_the_cat() {
    let report = json(&["classify", &cat(), "--backend", "cpu", "--top", "3", "--json"]);
    assert_eq!(report["backend"], "cpu");
    assert!(report["elapsed_ms"].as_f64().unwrap() > 0.0);
    let classes = report["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 3);
    assert_eq!(keys(&classes[0]), ["index", "label", "logit", "probability"]);
    assert!(classes.iter().any(|c| c["label"] == "tiger cat"));
    let p: Vec<f64> = classes.iter().map(|c| c["probability"].as_f64().unwrap()).collect();
    assert!(p[0] >= p[1] && p[1] >= p[2] && p.iter().sum::<f64>() < 1.0);
    let text = pellucid(&["classify", &cat(), "--backend", "cpu"]);
    assert_eq!(String::from_utf8(text.stdout).unwrap().lines().count(), 5);
}

#[test]
fn explain_reports_and_writes_one_target() {
    let folder = folder("one");
    let path = |name: &str| folder.join(name).display().to_string();
    let (npy, png, report_path) = (path("map.npy"), path("map.png"), path("map.json"));
    let report = json(&[
        "explain",
        &cat(),
        "--method",
        "grad-cam",
        "--target",
        "tiger cat",
        "--layer",
        "stem/conv",
        "--backend",
        "cpu",
        "--seed",
        "7",
        "--output",
        &npy,
        "--output",
        &png,
        "--output",
        &report_path,
        "--json",
    ]);
    for key in [
        "method",
        "target",
        "logit",
        "probability",
        "layer",
        "parameters",
        "seed",
        "backend",
        "adapter",
        "evaluations",
        "elapsed_ms",
        "sum",
        "min",
        "max",
        "unit",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!(report["target"], serde_json::json!({ "index": 282, "label": "tiger cat" }));
    assert_eq!((report["layer"].as_str(), report["seed"].as_u64()), (Some("stem/conv"), Some(7)));
    assert_eq!(report["parameters"]["relu"], false);
    let (shape, values) = array(Path::new(&npy));
    assert_eq!(shape, [112, 112]);
    let sum: f64 = values.iter().map(|&v| f64::from(v)).sum();
    assert!((sum - report["sum"].as_f64().unwrap()).abs() < 1e-6);
    let drawn = image::open(&png).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (224, 224));
    let mut written: Value = serde_json::from_str(&fs::read_to_string(&report_path).unwrap()).unwrap();
    let stored = BASE64_STANDARD.decode(written["values"].as_str().unwrap()).unwrap();
    let stored: Vec<f32> =
        stored.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(stored, values);
    assert_eq!(written["display"]["sign"], "positive");
    assert_eq!(written["crop"].as_array().unwrap().len(), 4);
    assert_eq!(written["label"], "Grad-CAM");
    for drawn_with in ["values", "display", "crop", "label"] {
        written.as_object_mut().unwrap().remove(drawn_with);
    }
    assert_eq!(written, report);
}

#[test]
fn several_targets_stand_in_a_list() {
    let npy = folder("several").join("map.npy");
    let report = json(&[
        "explain",
        &cat(),
        "--method",
        "saliency",
        "--target",
        "282,tabby,285",
        "--backend",
        "cpu",
        "--output",
        &npy.display().to_string(),
        "--json",
    ]);
    let targets = report["targets"].as_array().unwrap();
    let indices: Vec<u64> = targets.iter().map(|t| t["target"]["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, [282, 281, 285]);
    assert!(report.get("sum").is_none() && targets[0].get("sum").is_some());
    assert_eq!(array(&npy).0, [3, 3, 224, 224]);
    // Each target's map is what it is alone.
    let alone = folder("several-alone").join("alone.npy");
    json(&[
        "explain",
        &cat(),
        "--method",
        "saliency",
        "--target",
        "281",
        "--backend",
        "cpu",
        "--output",
        &alone.display().to_string(),
        "--json",
    ]);
    let (all, one) = (array(&npy).1, array(&alone).1);
    assert_eq!(all[one.len()..2 * one.len()], one);
}

/// The last panel of an overlay: as wide as it is high.
fn last_panel(png: &Path) -> image::RgbImage {
    let drawn = image::open(png).unwrap().to_rgb8();
    let (width, height) = drawn.dimensions();
    image::imageops::crop_imm(&drawn, width - height, 0, height, height).to_image()
}

/// A colour means the same value in all panels: a class that the network does not see is drawn faint beside one that it
/// sees, and in full colours alone.
#[test]
fn panels_share_one_scale() {
    let folder = folder("panels");
    let draw = |targets: &str, name: &str| {
        let (png, picture) = (folder.join(name), cat());
        let path = png.display().to_string();
        let how = ["--method", "grad-cam", "--score", "probability", "--backend", "cpu"];
        // All that is to be seen of the second class speaks against it.
        let what = ["--target", targets, "--display", "sign=both", "--output", &path, "--json"];
        json(&[&["explain", &picture][..], &how, &what].concat());
        png
    };
    let (pair, alone) = (draw("282,0", "pair.png"), draw("0", "alone.png"));
    let (beside, alone) = (last_panel(&pair), last_panel(&alone));
    assert_eq!(beside.dimensions(), alone.dimensions());
    let steps = beside.as_raw().iter().zip(alone.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    let mean = steps.sum::<f64>() / beside.len() as f64;
    assert!(mean > 10.0, "the panels differ by {mean} grey levels");
}

#[test]
fn arrays_are_taken_as_they_are() {
    let fixtures = root().join("tests/fixtures/networks/vgg");
    let (model, input) = (fixtures.join("model.onnx"), fixtures.join("input.npy"));
    let report = json(&[
        "classify",
        &input.display().to_string(),
        "--model",
        &model.display().to_string(),
        "--backend",
        "cpu",
        "--top",
        "10",
        "--json",
    ]);
    let (_, logits) = array(&fixtures.join("logits.npy"));
    for class in report["classes"].as_array().unwrap() {
        let want = logits[class["index"].as_u64().unwrap() as usize];
        assert!((class["logit"].as_f64().unwrap() - f64::from(want)).abs() < 1e-4);
    }
}

#[test]
fn score_and_parameters_are_honoured() {
    let report = json(&[
        "explain",
        &cat(),
        "--method",
        "occlusion",
        "--score",
        "probability",
        "--set",
        "window=112",
        "--set",
        "stride=112",
        "--set",
        "fill=#808080",
        "--backend",
        "cpu",
        "--json",
    ]);
    assert_eq!(report["unit"], "probability");
    assert_eq!(report["parameters"], serde_json::json!({ "window": 112, "stride": 112, "fill": "#808080" }));
    // The image itself, and four windows.
    assert_eq!(report["evaluations"], 5);
    assert_eq!(report["layer"], Value::Null);
}

#[test]
fn one_class_is_held_against_another() {
    let report = json(&[
        "explain",
        &cat(),
        "--method",
        "grad-cam",
        "--target",
        "tabby",
        "--versus",
        "tiger cat",
        "--backend",
        "cpu",
        "--json",
    ]);
    assert_eq!(report["target"]["index"], 281);
    assert_eq!(report["versus"], serde_json::json!({ "index": 282, "label": "tiger cat" }));
    // Before pooling Grad-CAM adds up to the difference of the logits, their biases aside.
    assert!(report["sum"].as_f64().unwrap() < 1.0);
    let saturation = &report["saturation"];
    let (cut, all) = (saturation["saturated"].as_u64().unwrap(), saturation["values"].as_u64().unwrap());
    assert!(0 < cut && cut < all && all > 1_000_000, "{saturation}");
    let notes = report["notes"].as_array().unwrap();
    assert!(notes.iter().any(|n| n.as_str().unwrap().contains(&cut.to_string())), "{notes:?}");
}

#[test]
fn expected_gradients_take_a_background() {
    let fixtures = root().join("tests/fixtures/networks/vgg");
    let path = |name: &str| fixtures.join(name).display().to_string();
    let (input, model, background) = (path("input.npy"), path("model.onnx"), path("background.npy"));
    let npy = folder("background").join("map.npy").display().to_string();
    let common = ["explain", &input, "--model", &model, "--method", "expected-gradients", "--backend", "cpu"];
    let run = |more: &[&str]| {
        json(&[&common[..], &["--set", "samples=4", "--output", &npy, "--json"], more].concat())
    };
    let given = run(&["--background", &background]);
    assert_eq!(given["evaluations"], 1 + 6 + 4);
    assert!(given["standard_error"].as_f64().unwrap() > 0.0 && given["delta"].is_f64());
    assert_eq!(array(Path::new(&npy)).0.len(), 3);
    let shipped = run(&[]);
    assert_eq!(shipped["evaluations"], 1 + 12 + 4);
    let photographs = root().join("models/background").display().to_string();
    assert_eq!(run(&["--background", &photographs])["sum"], shipped["sum"]);
    let last = run(&["--layer", "node_relu_4"]);
    assert_eq!(last["layer"], "node_relu_4");
    assert_eq!(array(Path::new(&npy)).0.len(), 2);
}

#[test]
fn integrated_gradients_start_from_an_image_of_ones_own() {
    let cat = cat();
    let common =
        ["explain", &cat, "--method", "integrated-gradients", "--backend", "cpu", "--set", "steps=2"];
    let run = |more: &[&str]| json(&[&common[..], &["--json"], more].concat());
    let coffee = root().join("www/samples/coffee.jpg").display().to_string();
    let from_coffee = run(&["--baseline", &coffee]);
    assert_eq!(from_coffee["parameters"]["baseline"], "image");
    let gap = |report: &Value| report["sum"].as_f64().unwrap() - report["delta"].as_f64().unwrap();
    let logit = |path: &str, index: &Value| {
        let all = json(&["classify", path, "--top", "1000", "--backend", "cpu", "--json"]);
        let class = all["classes"].as_array().unwrap().iter().find(|c| c["index"] == *index).cloned();
        class.unwrap()["logit"].as_f64().unwrap()
    };
    let index = &from_coffee["target"]["index"];
    let expected = logit(&cat, index) - logit(&coffee, index);
    assert!((gap(&from_coffee) - expected).abs() < 1e-3, "{} {expected}", gap(&from_coffee));
    assert!((gap(&run(&[])) - expected).abs() > 0.1, "the zero baseline is another");
    let from_itself = run(&["--baseline", &cat]);
    assert_eq!((from_itself["min"].as_f64(), from_itself["max"].as_f64()), (Some(0.0), Some(0.0)));
    let two = error(&[&common[..], &["--baseline", &coffee, "--set", "baseline=zero"]].concat());
    assert!(two.contains("error[argument]") && two.contains("two baselines"), "{two}");
    let missing = error(&[&common[..], &["--set", "baseline=image"]].concat());
    assert!(missing.contains("error[argument]") && missing.contains("baseline"), "{missing}");
}

#[test]
fn methods_and_layers_are_listed() {
    let methods = json(&["methods", "--json"]);
    let occlusion =
        methods["methods"].as_array().unwrap().iter().find(|m| m["id"] == "occlusion").unwrap().clone();
    assert_eq!(occlusion["parameters"][0]["key"], "window");
    assert_eq!(occlusion["default_score"], "logit");
    assert_eq!((&occlusion["layer"], &occlusion["contrasts"]), (&"none".into(), &false.into()));
    let layers = json(&["layers", "--backend", "cpu", "--json"]);
    assert_eq!(layers["default"], "head/conv/relu6");
    let stem = &layers["layers"][0];
    assert_eq!((stem["name"].as_str(), stem["operator"].as_str()), (Some("stem/conv"), Some("Conv")));
    assert_eq!(stem["shape"], serde_json::json!([32, 112, 112]));
}

#[test]
fn segments_are_written_and_taken_back() {
    let folder = folder("segments");
    let (seg, samples) = (folder.join("seg.npy"), folder.join("samples.npy"));
    let seg = seg.display().to_string();
    let report = json(&[
        "segments",
        &cat(),
        "--set",
        "algorithm=grid",
        "--set",
        "segments=4",
        "--output",
        &seg,
        "--json",
        "--backend",
        "cpu",
    ]);
    assert_eq!((report["segments"].as_u64(), &report["shape"]), (Some(4), &serde_json::json!([224, 224])));
    let bytes = fs::read(&seg).unwrap();
    let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!((npy.shape(), npy.dtype().descr()), (&[224, 224][..], "'<i4'".to_owned()));
    let labels = npy.into_vec::<i32>().unwrap();
    assert_eq!((labels[0], labels[223], labels[224 * 224 - 1]), (0, 1, 3));
    let rows = [[1u8, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0], [0, 0, 1, 1]];
    let mut bytes = vec![];
    let mut writer =
        npyz::WriteOptions::<u8>::new().default_dtype().shape(&[6, 4]).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(rows.concat()).unwrap();
    writer.finish().unwrap();
    fs::write(&samples, bytes).unwrap();
    let report = json(&[
        "explain",
        &cat(),
        "--method",
        "lime",
        "--segments",
        &seg,
        "--samples",
        &samples.display().to_string(),
        "--set",
        "fill=#808080",
        "--backend",
        "cpu",
        "--json",
    ]);
    assert_eq!((report["segments"].as_u64(), report["evaluations"].as_u64()), (Some(4), Some(6)));
    assert_eq!(report["weights"].as_array().unwrap().len(), 4);
    let used = &report["parameters"];
    assert_eq!((used["samples"].as_u64(), used.get("algorithm")), (Some(6), None));
    assert!(report["intercept"].is_f64() && report["r2"].as_f64().unwrap() <= 1.0);
    let wrong: &[&[&str]] = &[
        &["explain", &cat(), "--method", "lime", "--segments", &samples.display().to_string()],
        &["explain", &cat(), "--method", "lime", "--samples", &seg],
        &["explain", &cat(), "--method", "saliency", "--segments", &seg],
        &["explain", &cat(), "--method", "shap-partition", "--set", "masker=fog"],
        &["segments", &cat(), "--set", "samples=3"],
    ];
    for arguments in wrong {
        let line = error(&[*arguments, &["--backend", "cpu"]].concat());
        assert!(line.starts_with("error[argument]"), "{arguments:?}: {line}");
    }
    assert_eq!(pellucid(&["segments", &cat(), "--output", "seg.png"]).status.code(), Some(2));
}

/// Without a method it is the page's own; the image comes from stdin; the output has letters that are no text.
#[cfg(target_os = "linux")]
#[test]
fn stdin_is_an_image_and_names_may_be_of_any_bytes() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Stdio};
    let path = folder("bytes").join(OsStr::from_bytes(b"m\xffap.npy"));
    let explain = |input: &str, stdin: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
        command.args(["explain", input, "--backend", "cpu", "--json", "--output"]).arg(&path);
        let output = command.stdin(Stdio::from(fs::File::open(stdin).unwrap())).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["method"], "grad-cam");
        array(&path)
    };
    let named = explain(&cat(), Path::new("/dev/null"));
    assert_eq!(explain("-", Path::new(&cat())), named);
    // An array is known by its first bytes.
    let input = folder("stdin").join("input.npy");
    let mut bytes = vec![];
    let options = npyz::WriteOptions::<f32>::new().default_dtype().shape(&[1, 3, 224, 224]);
    let mut writer = npyz::WriterBuilder::begin_nd(options.writer(&mut bytes)).unwrap();
    writer.extend((0..150_528).map(|i| (i % 7) as f32)).unwrap();
    writer.finish().unwrap();
    fs::write(&input, bytes).unwrap();
    assert_eq!(explain("-", &input), explain(&input.display().to_string(), Path::new("/dev/null")));
}
