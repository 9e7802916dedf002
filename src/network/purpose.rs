//! The purpose of a network that is no image classifier: told by its inputs, its outputs and its operators, so that a
//! file that cannot be explained is called by its name, with the way to one that can.

use tract_onnx::pb::{
    GraphProto, ModelProto, ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::dimension, type_proto,
};

use super::{attention, outputs};
use crate::{
    error::{Error, Result},
    ops::onnx::short,
};

/// A purpose that no method explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The kind of network, as "an object detector", with the evidence in brackets.
    what: String,
    /// Advice: what to do instead.
    way: &'static str,
    /// Whether no reading of the file makes a classifier of it.
    is_sure: bool,
}

impl Purpose {
    /// The purpose of a file, where it is known and no image classifier's.
    pub fn of(model: &ModelProto) -> Option<Self> {
        let file = File::of(model)?;
        by_input(&file).or_else(|| by_operator(&file)).or_else(|| by_output(&file))
    }

    /// Fails where no reading of the file makes a classifier of it. It is asked before anything else that may be missing.
    ///
    /// # Errors
    /// [`Error::Model`] that says what the file is.
    pub fn check(purpose: Option<&Self>) -> Result<()> {
        purpose.filter(|purpose| purpose.is_sure).map_or(Ok(()), |purpose| Err(purpose.refusal()))
    }

    /// An error of reading, as it is for a network of this purpose. What the caller asked for, and files that are missing,
    /// are errors of their own.
    pub fn explain(purpose: Option<Self>, error: Error) -> Error {
        match (purpose, error) {
            (purpose, Error::AtAssumedSize { size, error }) => match Self::explain(purpose, *error) {
                error @ (Error::Unsupported(_) | Error::UnsupportedIn { .. }) => {
                    Error::AtAssumedSize { size, error: error.into() }
                }
                other => other,
            },
            (Some(purpose), Error::Unsupported(nodes)) if purpose.way == TRANSFORMER => {
                Error::UnsupportedIn { what: purpose.what, nodes }
            }
            (Some(purpose), Error::Model(_) | Error::Unsupported(_) | Error::Limit { .. })
                if purpose.way != TRANSFORMER =>
            {
                purpose.refusal()
            }
            (_, error) => error,
        }
    }

    fn refusal(&self) -> Error {
        Error::Model(format!("this is {}, and Pellucid explains image classifiers: {}", self.what, self.way))
    }
}

const TEXT: &str = "choose a network that takes one image and gives one score per class";
const TABLE: &str =
    "choose a network of images; for tables there are TreeSHAP (the shap package) and its kin";
const BOTH: &str = "export its image part alone, with the scores of your classes as the output";
const DETECTOR: &str = "choose a classifier of the same family (as yolo11n-cls), or export the backbone with a classification head";
const PIXELS: &str =
    "choose a classifier, or export one that pools its scores over the picture (as a GlobalAveragePool does)";
const HEADLESS: &str = "export the whole network, with the layer that gives one score per class";
const VOLUME: &str = "choose a network of single images";
const TRANSFORMER: &str = "choose a convolutional classifier";

/// The parts of a file that tell its purpose.
struct File<'a> {
    graph: &'a GraphProto,
    /// Without those that have an initial value.
    inputs: Vec<Value<'a>>,
    outputs: Vec<Value<'a>>,
    /// The network's task, in Ultralytics' word.
    task: Option<&'a str>,
}

/// An input or an output.
struct Value<'a> {
    info: &'a ValueInfoProto,
    name: String,
    kind: DataType,
    /// With the batch; an open extent is `None`. Nothing where the file does not say the rank.
    shape: Option<Vec<Option<i64>>>,
}

impl<'a> Value<'a> {
    fn of(info: &'a ValueInfoProto) -> Self {
        let tensor = match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(type_proto::Value::TensorType(tensor)) => Some(tensor),
            _ => None,
        };
        let extent = |dim: &Option<dimension::Value>| match dim {
            Some(dimension::Value::DimValue(extent @ 1..)) => Some(*extent),
            _ => None,
        };
        Self {
            info,
            name: info.name.to_ascii_lowercase(),
            kind: tensor.and_then(|t| DataType::try_from(t.elem_type).ok()).unwrap_or_default(),
            shape: tensor
                .and_then(|t| t.shape.as_ref())
                .map(|s| s.dim.iter().map(|d| extent(&d.value)).collect()),
        }
    }

    fn rank(&self) -> usize {
        self.shape.as_ref().map_or(0, Vec::len)
    }

    /// The last extents.
    fn last<const N: usize>(&self) -> Option<[Option<i64>; N]> {
        self.shape.as_ref()?.last_chunk().copied()
    }

    fn is_integer(&self) -> bool {
        matches!(self.kind, DataType::Int64 | DataType::Int32 | DataType::Bool)
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.name.contains(word))
    }

    /// Channels first or last, few of them, and room beside.
    fn is_image(&self) -> bool {
        let Some([a, _, c]) = self.last::<3>() else { return false };
        self.rank() == 4 && ([a, c].iter().any(|n| n.is_some_and(|n| n <= 4)) || a.is_none())
    }

    /// Its name and shape, for people.
    fn told(&self) -> String {
        format!("{:?}, {}", short(&self.info.name), outputs::shape(self.info))
    }
}

impl<'a> File<'a> {
    fn of(model: &'a ModelProto) -> Option<Self> {
        let graph = model.graph.as_ref()?;
        let is_weight = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        Some(Self {
            inputs: graph.input.iter().filter(|i| !is_weight(&i.name)).map(Value::of).collect(),
            outputs: graph.output.iter().map(Value::of).collect(),
            task: model.metadata_props.iter().find(|e| e.key == "task").map(|e| e.value.as_str()),
            graph,
        })
    }

    fn input(&self, words: &[&str]) -> Option<&Value<'a>> {
        self.inputs.iter().find(|value| value.has(words))
    }

    fn output(&self, words: &[&str]) -> Option<&Value<'a>> {
        self.outputs.iter().find(|value| value.has(words))
    }

    fn operator(&self, names: &[&str]) -> Option<&'a str> {
        self.graph.node.iter().map(|node| node.op_type.as_str()).find(|name| names.contains(name))
    }

    /// Whether an output looks like one score per class.
    fn has_scores(&self) -> bool {
        let is_one = |extent: &Option<i64>| *extent == Some(1);
        let wide =
            |value: &Value<'_>| value.shape.iter().flatten().skip(1).filter(|extent| !is_one(extent)).count();
        self.outputs.iter().any(|value| !value.is_integer() && value.rank() >= 2 && wide(value) == 1)
    }
}

const fn sure(what: String, way: &'static str) -> Option<Purpose> {
    Some(Purpose { what, way, is_sure: true })
}

const fn likely(what: String, way: &'static str) -> Option<Purpose> {
    Some(Purpose { what, way, is_sure: false })
}

/// Names of inputs in the exports of transformers, optimum and NeMo.
const WORDS: [&str; 5] = ["input_ids", "attention_mask", "token_type_ids", "past_key", "tokens"];
const SOUNDS: [&str; 8] =
    ["input_features", "input_values", "audio", "waveform", "speech", "spectrogram", "mel", "wav"];
const STEPS: [&str; 3] = ["timestep", "encoder_hidden_states", "latent"];

fn by_input(file: &File<'_>) -> Option<Purpose> {
    let image = file.inputs.iter().find(|value| value.is_image());
    if let Some(words) = file.input(&WORDS) {
        return match image {
            Some(image) => {
                let (image, words) = (short(&image.info.name), short(&words.info.name));
                sure(
                    format!("a network of pictures with text (its inputs are {image:?} and {words:?})"),
                    BOTH,
                )
            }
            None => sure(format!("a language model (it reads words: {})", words.told()), TEXT),
        };
    }
    if let Some(step) = file.input(&STEPS).filter(|_| file.inputs.len() > 1) {
        return sure(format!("a part of an image generator (it has the input {})", step.told()), TEXT);
    }
    if let Some(sound) = file.input(&SOUNDS).filter(|value| (1..=3).contains(&value.rank())) {
        return sure(format!("a network of speech or sound (it reads {})", sound.told()), TEXT);
    }
    let [only] = &file.inputs[..] else { return None };
    let told = only.told();
    match (only.rank(), only.last::<1>()) {
        (1 | 2, _) if only.is_integer() => {
            sure(format!("a language model (it reads numbers of words: {told})"), TEXT)
        }
        (2, _) if file.outputs.iter().any(|output| output.rank() == 4) => {
            sure(format!("an image generator (it makes {} of {told})", file.outputs[0].told()), TEXT)
        }
        (2, extents) => by_operator(file).or_else(|| match extents {
            Some([None | Some(SOUND..)]) => {
                likely(format!("a network of sound, or of rows of numbers (it reads {told})"), TEXT)
            }
            _ => likely(format!("a network of rows of numbers (it reads {told})"), TABLE),
        }),
        (3, _) if only.last().is_some_and(|[bands, _]| bands.is_some_and(|bands| BANDS.contains(&bands))) => {
            likely(
                format!("a network of speech or sound (it reads {told}, which looks like a spectrogram)"),
                TEXT,
            )
        }
        (5, _) => likely(format!("a network of videos or volumes (it reads {told})"), VOLUME),
        _ => None,
    }
}

/// Rows of so many numbers are samples of a sound.
const SOUND: i64 = 4000;
/// How many bands a spectrogram usually has.
const BANDS: [i64; 4] = [40, 64, 80, 128];

fn by_operator(file: &File<'_>) -> Option<Purpose> {
    if let Some(name) = file.operator(&["TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"]) {
        let what = format!("a tree ensemble ({name}), as scikit-learn, XGBoost and LightGBM make of tables");
        return sure(what, TABLE);
    }
    let classical = [
        "SVMClassifier",
        "SVMRegressor",
        "LinearRegressor",
        "TfIdfVectorizer",
        "LabelEncoder",
        "OneHotEncoder",
    ];
    if let Some(name) = file.operator(&classical) {
        return likely(format!("a model of tables or texts ({name}), as scikit-learn makes"), TABLE);
    }
    let boxes = [
        "NonMaxSuppression",
        "EfficientNMS_TRT",
        "BatchedNMS_TRT",
        "BatchedNMSDynamic_TRT",
        "MultiClassNMS",
        "RoiAlign",
    ];
    file.operator(&boxes).and_then(|name| likely(format!("an object detector (it has a {name})"), DETECTOR))
}

fn by_output(file: &File<'_>) -> Option<Purpose> {
    match file.task {
        Some(task @ ("detect" | "pose" | "obb" | "segment")) => {
            return likely(
                format!("a YOLO network for another task ({task:?}), as its metadata say"),
                DETECTOR,
            );
        }
        Some("classify") => return None,
        _ => {}
    }
    if let Some(found) = file.output(&["box", "dets", "detection", "bbox"]) {
        return likely(format!("an object detector (it gives {})", found.told()), DETECTOR);
    }
    if let Some(found) = file.outputs.iter().find(|value| is_boxes(value)) {
        return likely(
            format!("an object detector (it gives {}, boxes with their scores)", found.told()),
            DETECTOR,
        );
    }
    if file.has_scores() {
        return transformer(file);
    }
    if let Some(found) = file.output(&["hidden_state", "embedding", "features"]) {
        return likely(
            format!("a network without its classes (it gives {}, features)", found.told()),
            HEADLESS,
        );
    }
    let image = file.inputs.iter().find(|value| value.is_image());
    file.outputs.iter().find_map(|value| of_pixels(value, image)).or_else(|| transformer(file))
}

/// Fewest anchors of a detector for images of usual sizes.
const ANCHORS: i64 = 1000;
/// Lengths of transformers' features, which are no numbers of anchors.
const FEATURES: [i64; 7] = [1024, 1152, 1280, 1408, 1536, 1664, 2048];

/// YOLO's boxes with their scores, before or after their transpose; its heads, one for each scale; boxes alone.
fn is_boxes(value: &Value<'_>) -> bool {
    if let (3, Some([a, b])) = (value.rank(), value.last()) {
        let is_anchors = |n: Option<i64>| n.is_some_and(|n| n >= ANCHORS && !FEATURES.contains(&n));
        let is_row = |n: Option<i64>| n.is_some_and(|n| (5..ANCHORS).contains(&n));
        let is_open = |n: Option<i64>| n.is_none() && value.name.starts_with("output");
        return b == Some(4)
            || (is_anchors(a) || is_open(a)) && is_row(b)
            || (is_anchors(b) || is_open(b)) && is_row(a);
    }
    // [N, anchors, H, W, classes + 5]
    value.rank() == 5 && value.last().is_some_and(|[c]| c.is_some_and(|c| (6..ANCHORS).contains(&c)))
}

/// A value for every pixel, or for each of many places.
fn of_pixels(value: &Value<'_>, image: Option<&Value<'_>>) -> Option<Purpose> {
    let told = value.told();
    let segmentation =
        || likely(format!("a segmentation network (it gives a class for each pixel: {told})"), PIXELS);
    let is_large = |extent: Option<i64>| extent.is_none_or(|extent| extent >= PLACES);
    match (value.rank(), value.last()?) {
        (4, [Some(1), h, w]) if is_large(h) && is_large(w) => likely(
            format!("a network of depth, saliency or masks (it gives one number for each pixel: {told})"),
            PIXELS,
        ),
        (4, [Some(3), h, w]) if is_large(h) && is_large(w) && image.is_some() => likely(
            format!(
                "a network that makes pictures, as super-resolution and style transfer do (it gives {told})"
            ),
            TEXT,
        ),
        (4, [Some(channels), h, w]) => match is_large(h) && is_large(w) && channels < 512 {
            true => segmentation(),
            false => {
                likely(format!("a network without its classes (it gives {told}, a feature map)"), HEADLESS)
            }
        },
        (3 | 4, [_, h, w]) if value.is_integer() && is_large(h) && is_large(w) => segmentation(),
        _ => None,
    }
}

/// Fewest rows and columns of an output that is of pixels.
const PLACES: i64 = 16;

/// Most convolutions of a transformer: those of its patches.
const PATCHES: usize = 4;

/// A network of pictures with attention.
fn transformer(file: &File<'_>) -> Option<Purpose> {
    let convolutions = file.graph.node.iter().filter(|node| node.op_type == "Conv").count();
    let is_image = file.inputs.iter().any(Value::is_image);
    let what = match convolutions <= PATCHES {
        true => "a vision transformer",
        false => "a network with attention, as vision transformers have",
    };
    (is_image && attention::is_in(file.graph)).then(|| Purpose {
        what: what.into(),
        way: TRANSFORMER,
        is_sure: false,
    })
}

#[cfg(test)]
#[path = "purpose_tests.rs"]
mod tests;
