use super::*;

fn read(json: &str) -> Config {
    Config::read(json.as_bytes()).unwrap()
}

fn refused(json: &str) -> String {
    let error = Config::read(json.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "argument");
    error.to_string()
}

const SCALE: &str = r#""image_mean": [0.5, 0.4, 0.3], "image_std": 0.25"#;

fn transformers(rest: &str) -> String {
    format!("{{{SCALE}, {rest}}}")
}

#[test]
fn sizes_are_read_in_every_form() {
    let resize = |rest: &str| {
        let config = read(&transformers(rest));
        (config.preprocessing.resize.to_string(), config.size)
    };
    let vit = r#""image_processor_type": "ViTImageProcessor", "size":"#;
    assert_eq!(resize(&format!("{vit} 64")), ("squash".into(), Some([64, 64])));
    assert_eq!(resize(&format!(r#"{vit} {{"height": 64, "width": 96}}"#)), ("squash".into(), Some([64, 96])));
    let clip = r#""feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 200"#;
    assert_eq!(resize(clip), ("224".into(), Some([200, 200])));
    let square = r#""size": {"height": 256, "width": 256}, "do_center_crop": true, "crop_size": 224"#;
    assert_eq!(resize(square), ("squash 256".into(), Some([224, 224])));
    let edge = r#""size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": {"height": 224, "width": 192}"#;
    assert_eq!(resize(edge), ("256".into(), Some([224, 192])));
    assert_eq!(resize(r#""do_resize": false, "size": 3"#), ("keep".into(), None));
}

#[test]
fn convnext_crops_below_384_and_squashes_from_there() {
    let resize = |edge: u32| {
        let rest = format!(
            r#""image_processor_type": "ConvNextImageProcessor", "size": {{"shortest_edge": {edge}}}"#
        );
        read(&transformers(&rest)).preprocessing.resize.to_string()
    };
    assert_eq!(resize(224), "256");
    assert_eq!(resize(383), "437");
    assert_eq!(resize(384), "squash 384");
    let rest = r#""image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}, "crop_pct": 0.95"#;
    assert_eq!(read(&transformers(rest)).preprocessing.resize.to_string(), "235");
}

#[test]
fn scales_come_to_bytes() {
    let scale = |json: &str| {
        let made = read(json).preprocessing;
        (made.mean[0], made.std[0])
    };
    assert_eq!(scale(&transformers(r#""size": 8"#)), (127.5, 63.75));
    assert_eq!(scale(&transformers(r#""size": 8, "do_rescale": false"#)), (0.5, 0.25));
    assert_eq!(scale(&transformers(r#""size": 8, "do_normalize": false"#)), (0.0, 255.0));
    assert_eq!(scale(r#"{"size": 8, "do_normalize": false, "do_rescale": false}"#), (0.0, 1.0));
    let offset =
        r#""size": 8, "rescale_factor": 0.0078431372549, "rescale_offset": true, "do_normalize": false"#;
    let (mean, std) = scale(&transformers(offset));
    assert!((mean - 127.5).abs() < 1e-3 && (std - 127.5).abs() < 1e-3);
    let flipped = read(&transformers(r#""size": 8, "do_flip_channel_order": true"#));
    assert_eq!(flipped.preprocessing.channels, Channels::Bgr);
}

#[test]
fn filters_have_pillows_numbers() {
    let filter = |rest: &str| read(&transformers(&format!(r#""size": 8{rest}"#))).preprocessing.interpolation;
    assert_eq!(filter(r#", "resample": 0"#), Interpolation::Nearest);
    assert_eq!(filter(r#", "resample": 1"#), Interpolation::Lanczos3);
    assert_eq!(filter(r#", "resample": 2"#), Interpolation::Bilinear);
    assert_eq!(filter(r#", "resample": 3"#), Interpolation::Bicubic);
    assert_eq!(filter(""), Interpolation::Bilinear);
    for (number, name) in [(4, "box"), (5, "hamming"), (6, "none of Pillow's")] {
        let why = refused(&transformers(&format!(r#""size": 8, "resample": {number}"#)));
        assert!(why.contains(name) && why.contains("resample"), "{why}");
    }
}

#[test]
fn timm_is_read_whole_or_in_part() {
    let inner = r#"{"input_size": [3, 64, 64], "interpolation": "bicubic", "crop_pct": 0.95, "mean": [0.5, 0.5, 0.5]}"#;
    for json in [inner.to_owned(), format!(r#"{{"architecture": "resnet18", "pretrained_cfg": {inner}}}"#)] {
        let Config { preprocessing, size } = read(&json);
        assert_eq!((preprocessing.resize.to_string().as_str(), size), ("crop 0.95", Some([64, 64])));
        assert_eq!((preprocessing.mean, preprocessing.std), ([127.5; 3], Preprocessing::default().std));
        assert_eq!(preprocessing.interpolation, Interpolation::Bicubic);
    }
    let mode = |mode: &str| {
        format!(r#"{{"input_size": [3, 64, 64], "mean": 0.5, "crop_mode": "{mode}", "crop_pct": 1.0}}"#)
    };
    assert_eq!(read(&mode("squash")).preprocessing.resize.to_string(), "squash");
    assert_eq!(read(&mode("border")).preprocessing.resize.to_string(), "pad");
    assert!(refused(&mode("random")).contains("crop_mode \"random\""));
    assert!(refused(r#"{"input_size": [3, 64, 96], "mean": 0.5}"#).contains("not square"));
}

#[test]
fn what_is_not_understood_is_named() {
    for (json, word) in [
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        ("{}", "neither"),
        (r#"{"id2label": {"0": "cat"}}"#, "neither"),
        (r#"{"size": 8, "do_normalize": true}"#, "image_mean is missing"),
        (r#"{"size": 0, "do_normalize": false}"#, "size is 0"),
        (r#"{"size": 1e9, "do_normalize": false}"#, "size is 1000000000"),
        (r#"{"size": 8, "do_normalize": "yes"}"#, "do_normalize"),
        (r#"{"size": 8, "rescale_factor": 0}"#, "rescale_factor"),
        (r#"{"size": {"longest_edge": 8}}"#, "shortest_edge"),
        (r#"{"do_normalize": false}"#, "size is missing"),
        (r#"{"crop_pct": 2, "mean": 0.5}"#, "crop_pct"),
        (r#"{"crop_pct": 0.9, "mean": [1, 2]}"#, "mean"),
    ] {
        let why = refused(json);
        assert!(why.contains(word), "{json}: {why}");
    }
}
