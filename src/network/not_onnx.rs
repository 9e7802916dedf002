//! Files that are no ONNX models, told apart by their first bytes, each with the way to a model that can be read.

use image::ImageFormat;

/// How many bytes at each end of an archive hold the names that tell what it is.
const NAMES: usize = 1 << 16;

/// True if a file is known to be something else than an ONNX model.
pub fn is_known(bytes: &[u8]) -> bool {
    signature(bytes).or_else(|| text(bytes)).is_some()
}

/// Says what a file that could not be read as an ONNX model is, and what to do.
pub fn reason(bytes: &[u8]) -> String {
    let Some((what, way)) = signature(bytes).or_else(|| text(bytes)) else {
        return "this is not an ONNX file, or it is cut short; download or export it again".into();
    };
    format!("this is {what} and not an ONNX file; {way}")
}

const TORCH: (&str, &str) = (
    "a PyTorch checkpoint (.pt, .pth)",
    "load it in Python, write it with torch.onnx.export(model, image, \"model.onnx\"), and open that",
);
const KERAS: (&str, &str) =
    ("a Keras model", "convert it: python -m tf2onnx.convert --keras FILE --output model.onnx");
const KERAS_3: (&str, &str) = (
    "a Keras model (.keras)",
    "convert it in Python: keras.saving.load_model(FILE).export(\"model.onnx\", format=\"onnx\")",
);
const SAFETENSORS: (&str, &str) = (
    "a file of weights alone (safetensors)",
    "load it into its network in Python and write both with torch.onnx.export, or, from Hugging Face: optimum-cli export \
     onnx --model NAME --task image-classification FOLDER",
);
const OPENVINO: (&str, &str) = (
    "an OpenVINO model (.xml, with its weights in .bin), which nothing converts back",
    "open the ONNX file that it was made from, or export the original network: torch.onnx.export(model, image, \
     \"model.onnx\")",
);
const TFJS: (&str, &str) =
    ("a TensorFlow.js model", "convert it: python -m tf2onnx.convert --tfjs model.json --output model.onnx");
const UNPACK: &str = "unpack it, and open the .onnx file in it";

/// The format that the first bytes tell.
fn signature(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let at = |place: usize, magic: &[u8]| bytes.get(place..).is_some_and(|rest| rest.starts_with(magic));
    let tflite = "convert it: python -m tf2onnx.convert --tflite FILE --output model.onnx";
    let tensorflow = "convert it: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx \
                      (or --graphdef FILE with --inputs and --outputs)";
    Some(match bytes {
        [] => ("an empty file", "download or export it again"),
        _ if at(0, b"PK\x03\x04") => archive(bytes),
        _ if at(0, b"\x89HDF\r\n\x1a\n") => KERAS,
        _ if at(4, b"TFL3") => ("a TensorFlow Lite model (.tflite)", tflite),
        _ if at(4, b"ORTM") => {
            ("onnxruntime's own format (.ort)", "open the .onnx file that it was made from")
        }
        _ if at(0, b"\x1f\x8b") => ("a gzip archive", UNPACK),
        _ if at(0, b"BZh") || at(0, b"\xfd7zXZ\0") || at(0, b"\x28\xb5\x2f\xfd") || at(0, b"7z\xbc\xaf") => {
            ("a compressed archive", UNPACK)
        }
        _ if at(257, b"ustar") => ("a tar archive", UNPACK),
        _ if is_pickle(bytes) => TORCH,
        _ if is_safetensors(bytes) => SAFETENSORS,
        _ if at(0, b"7767517\n") => ("an ncnn model (.param)", "open the ONNX file that it was made from"),
        _ if at(0, b"ptrt") || at(0, b"ftrt") => {
            ("a TensorRT engine", "open the ONNX file that it was made from")
        }
        _ if at(0, b"GGUF") => {
            ("a language model's weights (GGUF)", "choose an image classifier in ONNX form")
        }
        _ if at(0, b"\x93NUMPY") => ("a NumPy array", "choose a file that ends in .onnx"),
        _ if at(0, b"%PDF") => ("a PDF document", "choose a file that ends in .onnx"),
        _ if is_picture(bytes) => ("a picture", "choose a file that ends in .onnx for the model"),
        _ if is_graph_def(bytes) => ("a TensorFlow graph (.pb)", tensorflow),
        _ => return None,
    })
}

/// The content of a zip archive, by the names in it.
fn archive(bytes: &[u8]) -> (&'static str, &'static str) {
    let (first, last) = (&bytes[..bytes.len().min(NAMES)], &bytes[bytes.len().saturating_sub(NAMES)..]);
    let holds = |name: &[u8]| [first, last].iter().any(|part| contains(part, name));
    if holds(b"data.pkl") {
        TORCH
    } else if holds(b"model.weights.h5") {
        KERAS_3
    } else if holds(b".mlmodel") {
        ("a Core ML package", "export the network that it was made from to ONNX")
    } else {
        ("a zip archive", UNPACK)
    }
}

/// A pickle of protocol 2 or later, as PyTorch wrote before it wrote zip archives, ends in its stop sign or goes on
/// with more pickles; what tells it from other files is how it starts.
fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, b'\x8a' | b'}' | b'c' | b']' | b'(' | b'\x95', ..])
}

/// A length of eight bytes, and a JSON object of that length.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
    length.is_some_and(|n| n < 100 << 20) && bytes.get(8..10) == Some(b"{\"")
}

fn is_picture(bytes: &[u8]) -> bool {
    // The sign of an icon, four bytes of little meaning, is no reason to call something a picture.
    image::guess_format(bytes).is_ok_and(|format| !matches!(format, ImageFormat::Ico | ImageFormat::Tga))
}

/// TensorFlow's protobufs have no signature. A GraphDef starts with a node, which starts with its name and operator; a
/// SavedModel names its tags or its functions early.
fn is_graph_def(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(NAMES)];
    let operators: [&[u8]; 3] = [b"\x12\x0bPlaceholder", b"\x12\x05Const", b"\x12\x04NoOp"];
    let is_node = bytes.first() == Some(&0x0A) && operators.iter().any(|op| contains(start, op));
    let is_saved = bytes.starts_with(&[0x08, 0x01, 0x12]) && contains(start, b"VarHandleOp")
        || contains(start, b"saved_model_main_op");
    is_node || is_saved
}

/// The format that a text tells.
fn text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let start = bytes[..bytes.len().min(512)].to_ascii_lowercase();
    if start.starts_with(b"version https://git-lfs") {
        return Some((
            "a Git LFS pointer, which stands for a file that was not downloaded,",
            "run `git lfs pull`, or download the file itself",
        ));
    }
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        return Some((
            "a web page",
            "download the file itself: on many sites the button is called \"raw\" or \"download\"",
        ));
    }
    if start.starts_with(b"<") && contains(&start, b"<net ") {
        return Some(OPENVINO);
    }
    if start.starts_with(b"<") {
        return Some(("XML", "choose a file that ends in .onnx"));
    }
    if start.starts_with(b"{") && contains(&bytes[..bytes.len().min(NAMES)], b"\"modelTopology\"") {
        return Some(TFJS);
    }
    if start.starts_with(b"{") || start.starts_with(b"[") {
        return Some(("JSON", "choose a file that ends in .onnx; labels are given apart from the model"));
    }
    let is_word = |&&byte: &&u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let is_text = !start.is_empty() && start.iter().filter(is_word).count() == start.len();
    is_text.then_some(("a text", "choose a file that ends in .onnx"))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::onnx::decode;

    /// Each is refused when it is opened as a model, with its name and a way out.
    #[test]
    fn what_is_no_model_is_named() {
        let zip =
            |name: &str| [b"PK\x03\x04\x14\0\0\0".as_slice(), &[0; 18], name.as_bytes(), b"data"].concat();
        let tar = [vec![b'a'; 257], b"ustar\x0000".to_vec(), vec![0; 300]].concat();
        let node = b"\x0a\x20\x0a\x05input\x12\x0bPlaceholder*\x0b\x0a\x05dtype\x12\x02\x30\x01";
        let cases: [(&[u8], &str, &str); 27] = [
            (b"", "an empty file", "again"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9",
                "Git LFS pointer",
                "git lfs pull",
            ),
            (b"\n<!DOCTYPE html><html><title>GitHub</title>", "a web page", "download the file itself"),
            (b"<HTML><body>404</body>", "a web page", "raw"),
            (&zip("archive/data.pkl"), "PyTorch checkpoint", "torch.onnx.export"),
            (
                b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
                "PyTorch checkpoint",
                "torch.onnx.export",
            ),
            (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c", "PyTorch checkpoint", "torch.onnx.export"),
            (b"\x89HDF\r\n\x1a\n\0\0\0\0", "a Keras model", "tf2onnx"),
            (&zip("model.weights.h5"), "a Keras model (.keras)", "format=\"onnx\""),
            (
                b"<?xml version=\"1.0\"?>\n<net name=\"torch_jit\" version=\"11\">\n<layers>",
                "an OpenVINO model",
                "torch.onnx.export",
            ),
            (b"{\"format\": \"layers-model\", \"modelTopology\": {}}", "a TensorFlow.js model", "--tfjs"),
            (b"7767517\n75 83\nInput data 0 1 data", "an ncnn model", "was made from"),
            (b"ftrt\x18\0\0\0", "a TensorRT engine", "was made from"),
            (b"\x1c\0\0\0TFL3\x14\0\x20\0", "TensorFlow Lite", "--tflite"),
            (b"\x28\0\0\0ORTM\0\0", "(.ort)", "open the .onnx file"),
            (node, "TensorFlow graph (.pb)", "--graphdef"),
            (
                b"\x08\x01\x12\x80\x01saved_model_main_op VarHandleOp",
                "TensorFlow graph (.pb)",
                "--saved-model",
            ),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a gzip archive", "unpack"),
            (&zip("model.onnx"), "a zip archive", "unpack"),
            (&tar, "a tar archive", "unpack"),
            (b"\x10\0\0\0\0\0\0\0{\"weight\":{}}   ", "safetensors", "optimum-cli export onnx"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "a picture", ".onnx"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture", ".onnx"),
            (b"GGUF\x03\0\0\0", "GGUF", "image classifier"),
            (b"\xEF\xBB\xBF{\"id2label\": {}}", "JSON", "apart from the model"),
            (b"tench\ngoldfish\n", "a text", ".onnx"),
            (b"\x93NUMPY\x01\0v\0", "a NumPy array", ".onnx"),
        ];
        for (bytes, what, way) in cases {
            let error = decode(bytes).unwrap_err();
            let why = error.to_string();
            assert_eq!(error.code(), "model", "{why}");
            assert!(
                why.contains(what) && why.contains(way) && why.contains("not an ONNX file"),
                "{bytes:?}: {why}"
            );
        }
    }

    /// A model that is cut is not called something else, whatever its bytes are.
    #[test]
    fn a_cut_model_is_called_cut() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        for length in [1, 2, 100, 10_000, model.len() / 2] {
            let why = reason(&model[..length]);
            assert!(why.contains("cut short"), "{length}: {why}");
        }
    }
}
