//! Bad input and wrong usage: what is said of it, and how the program ends; and what it must not do.

use npyz::WriterBuilder;

use super::*;

#[test]
fn labels_cannot_steer_a_terminal() {
    let labels: String = (0..1000).map(|i| format!("\u{1b}[31mclass {i}\n")).collect();
    let path = folder("labels").join("labels.txt");
    fs::write(&path, labels).unwrap();
    let output = pellucid(&["classify", &cat(), "--labels", &path.display().to_string(), "--backend", "cpu"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("class 28") && !text.contains('\u{1b}'), "{text:?}");
}

/// An array in column order.
fn fortran() -> Vec<u8> {
    let mut bytes = vec![];
    let options = npyz::WriteOptions::<f32>::new().default_dtype().shape(&[1, 3, 2, 2]);
    let mut writer = options.order(npyz::Order::Fortran).writer(&mut bytes).begin_nd().unwrap();
    writer.extend([0.0; 12]).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn errors_say_what_and_what_to_do() {
    let folder = folder("errors");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let model = fs::read(root().join("models/efficientnet-lite0-int8.onnx")).unwrap();
    let photo = fs::read(cat()).unwrap();
    let (text, cut) = (file("text.png", b"hello"), file("cut.jpg", &photo[..photo.len() / 2]));
    // A folder without images.
    let nothing = folder.join("nothing");
    fs::create_dir_all(&nothing).unwrap();
    let nothing = nothing.display().to_string();
    let (half, labels) = (file("half.onnx", &model[..model.len() / 2]), file("labels.txt", b"one\ntwo\n"));
    // The decoder's own words for this one are two lines.
    let header = file("header.jpg", &photo[..200]);
    let fortran = file("fortran.npy", &fortran());
    let nowhere = folder.join("nowhere/map.npy").display().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["classify", &header], "error[image]"),
        (&["classify", &fortran], "error[image]"),
        (&["explain", &cat(), "--method", "saliency", "--background", &nothing], "error[argument]"),
        (&["explain", &cat(), "--method", "saliency", "--output", &nowhere], "error[io]"),
        (&["classify", &text], "error[image]"),
        (&["classify", &cut], "error[image]"),
        (&["classify", "nowhere.png"], "error[io]"),
        (&["classify", &cat(), "--model", &text], "error[model]"),
        (&["classify", &cat(), "--model", &half], "error[model]"),
        (&["classify", &cat(), "--labels", &labels], "error[argument]"),
        (&["explain", &cat(), "--method", "grad-cam", "--target", "1000"], "error[argument]"),
        (&["explain", &cat(), "--method", "grad-cam", "--target", "unicorn"], "error[argument]"),
        (&["explain", &cat(), "--method", "grad-cam", "--layer", "nowhere"], "error[argument]"),
        (&["explain", &cat(), "--method", "saliency", "--layer", "stem/conv"], "error[argument]"),
        (&["explain", &cat(), "--method", "saliency", "--target", "5", "--versus", "5"], "error[argument]"),
        (&["explain", &cat(), "--method", "occlusion", "--versus", "5"], "error[argument]"),
        (&["explain", &cat(), "--method", "expected-gradients", "--background", &nothing], "error[argument]"),
        (&["explain", &cat(), "--method", "expected-gradients", "--background", "nowhere"], "error[io]"),
        (&["explain", &cat(), "--method", "occlusion", "--set", "window=-1"], "error[argument]"),
        (&["explain", &cat(), "--method", "occlusion", "--set", "size=3"], "error[argument]"),
    ];
    for (arguments, code) in cases {
        let line = error(&[*arguments, &["--backend", "cpu"]].concat());
        assert!(line.starts_with(code), "{arguments:?}: {line}");
    }
}

#[test]
fn a_lying_png_is_refused_before_memory_is_taken() {
    // A PNG of 60 bytes whose header claims 100,000 x 100,000 pixels.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend([100_000u32.to_be_bytes(), 100_000u32.to_be_bytes()].concat());
    png.extend([8, 2, 0, 0, 0]);
    png.resize(60, 0);
    let path = folder("lying").join("lie.png");
    fs::write(&path, png).unwrap();
    let line = error(&["classify", &path.display().to_string(), "--backend", "cpu"]);
    assert!(line.starts_with("error[limit]") || line.starts_with("error[image]"), "{line}");
}

#[test]
fn unsupported_operators_are_named_with_their_nodes() {
    // The shipped model with one operator's name changed, to another of as many letters.
    let mut model = fs::read(root().join("models/efficientnet-lite0-int8.onnx")).unwrap();
    let place = model.windows(17).position(|w| w == b"GlobalAveragePool").unwrap();
    let name = model.windows(9).position(|w| w == b"head/pool").is_some();
    model[place..place + 17].copy_from_slice(b"GlobalMadnessPool");
    let path = folder("unsupported").join("model.onnx");
    fs::write(&path, model).unwrap();
    let line = error(&["classify", &cat(), "--backend", "cpu", "--model", &path.display().to_string()]);
    assert!(name && line.starts_with("error[unsupported]"), "{line}");
    assert!(line.contains("GlobalMadnessPool") && line.contains("head/pool"), "{line}");
}

#[test]
fn wrong_usage_exits_with_two() {
    for arguments in [
        &["explain", "x.png", "--method", "nonsense"][..],
        &["explain", "x.png", "--method", "saliency", "--output", "map.txt"],
        &["explain", "x.png", "--method", "occlusion", "--set", "window"],
        &["classify"],
        &["classify", "x.png", "--backend", "tpu"],
        &["classify", "x.png", "--mean", "1,2"],
        &["classify", "x.png", "--size", "0x0"],
        &["frobnicate"],
    ] {
        assert_eq!(pellucid(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

/// Each names what is wrong, what was given, and what is allowed.
#[test]
fn values_of_the_wrong_kind_are_named() {
    for (flags, said) in [
        (&["--display", "opacity=much"][..], r#"opacity is "much", and should be a number"#),
        (&["--display", "sign=plus"], r#"sign is "plus", and should be one of both, positive"#),
        (&["--display", "opaque=1"], r#"there is no display option "opaque"; give one of colours, opacity"#),
        (&["--display", "opacity=0.5"], "add --output FILE.png"),
        (
            &["--method", "eigen-cam", "--set", "foo=1"],
            r#"there is no parameter "foo"; the method takes none"#,
        ),
        (&["--target", "tabbi"], "did you mean tabby?"),
    ] {
        let line = error(&[&["explain", &cat(), "--backend", "cpu"], flags].concat());
        assert!(line.starts_with("error[argument]") && line.contains(said), "{line}");
    }
    for (flags, said) in [
        (&["--seed", "abc"][..], "give a whole number from 0"),
        (&["--channels", "grb"], r#"channels is "grb", and should be rgb or bgr"#),
        (&["--output", "map.txt"], "must end in .npy, .png or .json"),
    ] {
        let output = pellucid(&[&["explain", &cat()], flags].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains(said), "{text}");
    }
}

/// A file that cannot be written is told before the work, which here would end with another error.
#[cfg(target_os = "linux")]
#[test]
fn files_that_cannot_be_written_are_told_first() {
    // No file can be made there, not even by root.
    for command in ["explain", "segments"] {
        let line = error(&[command, "nowhere.png", "--backend", "cpu", "--output", "/proc/map.npy"]);
        assert!(line.starts_with("error[io]: /proc/map.npy cannot be written"), "{line}");
    }
}
