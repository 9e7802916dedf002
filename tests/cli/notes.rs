//! Choices that the program makes for people are told, in JSON and on stderr, with the way to choose otherwise.

use super::{
    small_model::{SIDE, small_model},
    *,
};

/// A folder with a small model of five classes and a grey picture, and their paths.
fn small(name: &str) -> (PathBuf, String, String) {
    let folder = folder(name);
    let (model, picture) = (folder.join("small.onnx"), folder.join("grey.png"));
    fs::write(&model, small_model(5, &[])).unwrap();
    image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(4 * x) as u8, (4 * y) as u8, 60]))
        .save(&picture)
        .unwrap();
    (folder, model.display().to_string(), picture.display().to_string())
}

fn notes(report: &Value) -> Vec<&str> {
    report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect()
}

/// What an explanation says, in JSON and, to people, on stderr; stdout holds the answer alone.
fn told(arguments: &[&str]) -> Vec<String> {
    let all = [&["explain"], arguments, &["--method", "saliency", "--backend", "cpu"]].concat();
    let report = json(&[&all[..], &["--json"]].concat());
    let output = pellucid(&all);
    let (text, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let said: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("note: ")).collect();
    assert_eq!(said, notes(&report), "{errors}");
    assert!(!text.contains("note:"), "{text}");
    notes(&report).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_name_that_is_a_number_and_two_of_one_name_are_told() {
    let (folder, model, picture) = small("ambiguous");
    let labels = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (numbers, twice) =
        (labels("numbers.txt", "1\n10\n2\n3\n4\n"), labels("twice.txt", "cat\ncrane\ndog\ncrane\nfox\n"));
    let about = |labels: &str, target: &str| {
        let common = [picture.as_str(), "--model", &model, "--labels", labels, "--target", target];
        let report = json(
            &[&["explain"], &common[..], &["--method", "saliency", "--backend", "cpu", "--json"]].concat(),
        );
        (report["target"]["index"].as_u64().unwrap(), told(&common).join(" "))
    };
    let (index, note) = about(&numbers, "1");
    assert!(index == 0 && note.contains("name of class 0") && note.contains("index:1"), "{index} {note}");
    assert_eq!(about(&numbers, "index:1"), (1, String::new()));
    let (index, note) = about(&twice, "crane");
    assert!(index == 1 && note.contains("index 1, 3") && note.contains("index:3"), "{index} {note}");
    assert_eq!(about(&twice, "index:3"), (3, String::new()));
}

#[test]
fn numbers_of_the_unit_scale_are_taken_times_255() {
    let (_, model, picture) = small("scale");
    let answer = |mean: &str, std: &str| {
        let report = json(&[
            "classify",
            &picture,
            "--model",
            &model,
            "--backend",
            "cpu",
            "--mean",
            mean,
            "--std",
            std,
            "--json",
        ]);
        (report["classes"].clone(), notes(&report).join(" "))
    };
    let (unit, note) = answer("0.485,0.456,0.406", "0.229,0.224,0.225");
    assert!(note.contains("times 255") && note.contains("123.675"), "{note}");
    let (large, silence) = answer("123.675,116.28,103.53", "58.395,57.12,57.375");
    assert_eq!(silence, "");
    for (a, b) in unit.as_array().unwrap().iter().zip(large.as_array().unwrap()) {
        let gap = a["logit"].as_f64().unwrap() - b["logit"].as_f64().unwrap();
        assert!(a["index"] == b["index"] && gap.abs() < 1e-5, "{a} {b}");
    }
    let (raw, _) = answer("0,0,0", "1,1,1");
    let (unit, _) = answer("0,0,0", "255,255,255");
    let logit = |classes: &Value| classes[0]["logit"].as_f64().unwrap();
    assert!((logit(&raw) / logit(&unit) - 255.0).abs() < 0.1, "a network that reads bytes gets them");
    assert!(told(&[&picture, "--model", &model, "--mean", "0.5", "--std", "0.5"])[0].contains("times 255"));
}

#[test]
fn a_subject_outside_the_crop_is_told() {
    let (folder, model, _) = small("crop");
    let wide = folder.join("wide.png").display().to_string();
    image::RgbImage::from_pixel(1200, 300, image::Rgb([9, 9, 9])).save(&wide).unwrap();
    let report = json(&["classify", &wide, "--model", &model, "--backend", "cpu", "--json"]);
    assert!(
        notes(&report)[0].contains("outside the crop") && notes(&report)[0].contains("crop the picture"),
        "{report}"
    );
    assert!(told(&[&wide, "--model", &model])[0].contains("1200 pixels of its width"));
    let text = pellucid(&["classify", &wide, "--model", &model, "--backend", "cpu"]);
    assert!(String::from_utf8(text.stderr).unwrap().starts_with("note: "));
    assert_eq!(notes(&json(&["classify", &cat(), "--backend", "cpu", "--json"])), Vec::<&str>::new());
}

#[test]
fn a_jpeg_without_its_end_is_told_and_a_cut_one_refused() {
    let folder = folder("no-end");
    let path = folder.join("no_end.jpg").display().to_string();
    let photo = fs::read(cat()).unwrap();
    fs::write(&path, &photo[..photo.len() - 2]).unwrap();
    let (part, whole) = (&["--backend", "cpu", "--json"], &cat());
    let cut = json(&[&["classify", &path], &part[..]].concat());
    assert!(notes(&cut)[0].contains("end marker"), "{cut}");
    assert_eq!(cut["classes"], json(&[&["classify", whole.as_str()], &part[..]].concat())["classes"]);
}

/// Label files are read by their structure, or refused with the file's name and the reason.
#[test]
fn label_files_of_any_kind() {
    let (folder, model, picture) = small("label-files");
    let path = folder.join("labels").display().to_string();
    let classify = ["classify", &picture, "--model", &model, "--backend", "cpu", "--labels", &path];
    let label_of_2 = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let report = json(&[&classify[..], &["--json"]].concat());
        let classes = report["classes"].as_array().unwrap().clone();
        classes.iter().find(|class| class["index"] == 2).unwrap()["label"].as_str().unwrap().to_owned()
    };
    let wide: Vec<u8> = "\u{feff}a\nb\nc\nd\ne\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [
        b"a\nb\nc\nd\ne\n\n".as_slice(),
        br#"{"e": 4, "d": 3, "c": 2, "b": 1, "a": 0}"#,
        br#"{"id2label": {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}}"#,
        b"{0: 'a', 1: 'b', 2: \"c\", 3: 'd', 4: 'e'}",
        b"id,name\n4,e\n3,d\n2,c\n1,b\n0,a\n",
        b"n01440764 a\nn01443537 b\nn01484850 c\nn01491361 d\nn01494475 e\n",
        &wide,
    ] {
        assert_eq!(label_of_2(content), "c", "{}", String::from_utf8_lossy(content));
    }
    for (content, why) in [
        (&b"{0: 'a', 1: b}"[..], "neither JSON"),
        (b"x\na\nb\nc\nd\ne", "6 labels for 5 classes: is the first a background class?"),
        (b"\"one word\"", "1 label for 5 classes"),
        (b"{\"0\": \"a\", \"2\": \"b\"}", "index 1 is missing"),
    ] {
        fs::write(&path, content).unwrap();
        let line = error(&classify);
        assert!(line.starts_with("error[argument]") && line.contains(why), "{line}");
    }
}

/// The driver's words do not reach the user, whatever the session's folder is called, and what was chosen for want of
/// an order is told on demand.
#[test]
fn a_call_is_quiet_unless_asked() {
    let (_, model, picture) = small("quiet");
    for session in [None, Some(""), Some("nowhere"), Some("/nonexistent")] {
        let run = |more: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
            command.args(["classify", &picture, "--model", &model]).args(more);
            match session {
                Some(folder) => command.env("XDG_RUNTIME_DIR", folder),
                None => command.env_remove("XDG_RUNTIME_DIR"),
            };
            let output = command.output().unwrap();
            assert!(output.status.success());
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        assert_eq!(run(&[]).1, "", "{session:?}");
        let report: Value = serde_json::from_str(&run(&["--json"]).0).unwrap();
        let said: String = notes(&report)
            .iter()
            .filter(|n| n.starts_with("The CPU"))
            .map(|n| format!("note: {n}\n"))
            .collect();
        assert_eq!(report["backend"] == "cpu", !said.is_empty(), "{report}");
        assert_eq!(run(&["--verbose"]).1, said, "{session:?}");
    }
}

/// A background is a folder, an array, or pictures in their order.
#[test]
fn a_background_of_single_pictures() {
    let (folder, model, picture) = small("pictures");
    let other = folder.join("other.bmp").display().to_string();
    image::RgbImage::from_pixel(40, 40, image::Rgb([200, 10, 90])).save(&other).unwrap();
    let sum = |background: &[&str]| {
        let common = [
            "explain",
            &picture,
            "--model",
            &model,
            "--method",
            "expected-gradients",
            "--backend",
            "cpu",
            "--json",
        ];
        let report = json(&[&common[..], &["--set", "samples=4"], background].concat());
        (report["evaluations"].as_u64().unwrap(), report["sum"].as_f64().unwrap())
    };
    let (evaluations, both) = sum(&["--background", &other, "--background", &picture]);
    assert_eq!(evaluations, 1 + 2 + 4);
    let apart = folder.join("apart");
    fs::create_dir_all(&apart).unwrap();
    for (name, from) in [("1.bmp", &other), ("2.png", &picture)] {
        fs::copy(from, apart.join(name)).unwrap();
    }
    assert_eq!(sum(&["--background", &apart.display().to_string()]).1, both);
    assert_eq!(sum(&["--background", &other]).0, 1 + 1 + 4);
}

/// The overlay is drawn as the page draws it, unless something else is chosen.
#[test]
fn the_overlay_has_the_look_that_is_chosen() {
    let (folder, model, picture) = small("look");
    let png = folder.join("map.png").display().to_string();
    let draw = |display: &[&str]| {
        let common = [
            "explain",
            &picture,
            "--model",
            &model,
            "--method",
            "grad-cam",
            "--backend",
            "cpu",
            "--output",
            &png,
        ];
        json(&[&common[..], &["--json"], display].concat());
        let drawn = image::open(&png).unwrap().into_rgb8();
        assert_eq!(i64::from(drawn.width()), SIDE);
        drawn
    };
    let usual = draw(&[]);
    assert_eq!(
        usual,
        draw(&["--display", "colours=inferno", "--display", "sign=positive"]),
        "as CAMs are shown"
    );
    assert_ne!(usual, draw(&["--display", "colours=viridis"]));
    assert_ne!(usual, draw(&["--display", "opacity=0.1"]));
    for wrong in ["colour=viridis", "opacity=2", "colours=pink"] {
        let line =
            error(&["explain", &picture, "--model", &model, "--method", "grad-cam", "--display", wrong]);
        assert!(line.starts_with("error[argument]"), "{line}");
    }
}

#[test]
fn as_many_classes_as_imagenet_has_are_called_as_its_are() {
    let (folder, _, picture) = small("imagenet");
    for (classes, tench) in [(1000, 0), (1001, 1)] {
        let model = folder.join(format!("{classes}.onnx"));
        fs::write(&model, small_model(classes, &[])).unwrap();
        let model = model.display().to_string();
        let common = ["explain", &picture, "--model", &model, "--target", "tench", "--method", "saliency"];
        let report = json(&[&common[..], &["--backend", "cpu", "--json"]].concat());
        assert_eq!(report["target"], serde_json::json!({ "index": tench, "label": "tench" }));
        assert!(notes(&report).iter().any(|note| note.contains("ImageNet") && note.contains("guess")));
    }
}

/// How gradients of a quantized network are taken is told where one is taken.
#[test]
fn notes_on_gradients_are_for_methods_that_take_them() {
    let about_gradients = |method: &[&str]| {
        let report = json(&[&["explain", &cat(), "--backend", "cpu", "--json"], method].concat());
        notes(&report).iter().filter(|note| note.contains("gradients are")).count()
    };
    assert_eq!(about_gradients(&["--method", "saliency"]), 1);
    assert_eq!(about_gradients(&["--method", "occlusion", "--set", "window=112", "--set", "stride=112"]), 0);
}
