//! The arguments; wrong usage ends with exit code 2.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser},
};
use pellucid::{
    Error, Result,
    attribution::{METHODS, gradient::baseline::CUSTOM, method},
    backend::fallback::Choice,
    network::{
        Head, Score,
        metadata::{parse_size, parse_triple},
    },
    picture::{Channels, Interpolation, Preset, Resize},
    session::{Request, Session},
};
use serde_json::Value;

use crate::output::Format;

/// See why an image classifier said what it said.
#[derive(Parser)]
#[command(name = "pellucid", version, about, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// The classes of an image, the most probable first.
    Classify(Classify),
    /// Explain what in an image spoke for and against a class.
    Explain(Box<Explain>),
    /// The segments of an image: the pieces that LIME and KernelSHAP hide.
    Segments(Segments),
    /// The attribution methods and their parameters.
    Methods(Methods),
    /// The layers of a model that can be explained.
    Layers(Layers),
}

/// The model and what runs it.
#[derive(Args, Clone)]
pub struct Model {
    /// An ONNX classifier; the shipped EfficientNet-Lite0 where none is given.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// The backend that runs the network; `auto` takes the GPU unless it is a software adapter.
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// The output that has one score per class, by its name in the file; the one that looks like it where none is given.
    #[arg(long, value_name = "NAME")]
    pub scores: Option<String>,
    /// The height and width of the input, where the model's file leaves them open.
    #[arg(long, value_name = "HxW", value_parser = size)]
    pub size: Option<[usize; 2]>,
    /// How pictures are prepared: torchvision, keras-tf, keras-caffe, keras-torch, unit (0 to 1), raw (0 to 255),
    /// efficientnet-lite or clip. Single flags go before it.
    #[arg(long, value_name = "NAME", value_parser = preset, conflicts_with = "preprocessing")]
    pub preset: Option<Preset>,
    /// The same from a file: preprocessor_config.json of transformers (Hugging Face) or config.json of timm.
    #[arg(long, value_name = "FILE")]
    pub preprocessing: Option<PathBuf>,
    /// The order in which the network reads colours: rgb or bgr.
    #[arg(long, value_name = "ORDER", value_parser = channels)]
    pub channels: Option<Channels>,
    /// The length of a picture's short side before the centre crop, in pixels; or squash (both sides as the input's) or
    /// pad (the whole picture, with the mean's colour around it).
    #[arg(long, value_name = "N|squash|pad", value_parser = resize)]
    pub resize: Option<Resize>,
    /// The filter of the resize: nearest, bilinear, bicubic or lanczos3.
    #[arg(long, value_name = "FILTER", value_parser = interpolation)]
    pub interpolation: Option<Interpolation>,
    /// The mean of each channel, which is subtracted, in the network's order of channels, on the 0..255 scale. Means
    /// and deviations that all lie within 0..1 are those of the 0..1 scale, and are taken times 255 with a note; but
    /// for mean 0 with deviation 1, which leaves pixels as they are.
    #[arg(long, value_name = "R,G,B", value_parser = triple, allow_hyphen_values = true)]
    pub mean: Option<[f32; 3]>,
    /// The deviation of each channel, by which it is then divided, on the same scale.
    #[arg(long, value_name = "R,G,B", value_parser = triple)]
    pub std: Option<[f32; 3]>,
    /// The class names: text with one per line; a list, index: name or name: index in JSON or Python; config.json of
    /// Hugging Face; CSV with a heading.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// The function that turns its outputs into probabilities, where its file does not say: a softmax over all
    /// classes, a sigmoid per class, or nothing.
    #[arg(long, value_enum)]
    pub head: Option<HeadName>,
    /// Say on stderr what was chosen, as which backend and why.
    #[arg(long)]
    pub verbose: bool,
}

#[derive(Args)]
pub struct Classify {
    /// An image, or a .npy file: float32 [1,C,H,W], already normalised; - is stdin.
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    #[command(flatten)]
    pub model: Model,
    /// How many classes to print.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = whole::<usize>)]
    pub top: usize,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Explain {
    /// An image, or a .npy file: float32 [1,C,H,W], already normalised; - is stdin.
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    #[command(flatten)]
    pub model: Model,
    /// The attribution method; see `pellucid methods`.
    #[arg(long, value_name = "ID", default_value = "grad-cam", value_parser = PossibleValuesParser::new(METHODS.iter().map(|m| m.about().id)))]
    pub method: String,
    /// The classes to explain, comma-separated; the top class where none is given. `index:1` is the class of that index
    /// even where another one is called 1.
    #[arg(long, value_name = "INDEX|LABEL")]
    pub target: Option<String>,
    /// A class to hold the targets against: why they rather than this one. For gradient methods.
    #[arg(long, value_name = "INDEX|LABEL")]
    pub versus: Option<String>,
    /// The layer, for methods that look at one; see `pellucid layers`.
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// The images that expected gradients compare with: a folder of images, images (one per option), or a .npy file
    /// (float32 [N,C,H,W], already normalised); twelve photographs where none is given.
    #[arg(long, value_name = "FOLDER|FILE")]
    pub background: Vec<PathBuf>,
    /// The image at which the path of integrated gradients starts: a picture, or a .npy file (float32 [1,C,H,W],
    /// already normalised). It stands for `--set baseline=image`.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// The score to explain; the method's own default where none is given.
    #[arg(long, value_enum)]
    pub score: Option<ScoreName>,
    /// A parameter of the method; see `pellucid methods`.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// The seed of random numbers.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>)]
    pub seed: u64,
    /// Segments of your own, for methods that hide segments: int32 [H,W], numbered from 0.
    #[arg(long, value_name = "FILE.npy")]
    pub segments: Option<PathBuf>,
    /// Samples of your own, for such methods: uint8 [n,S], 1 where a segment shows.
    #[arg(long, value_name = "FILE.npy")]
    pub samples: Option<PathBuf>,
    /// A file to write: .npy (the values), .png (the overlay) or .json (the report).
    #[arg(long, value_name = "FILE", value_parser = file_name(&["npy", "png", "json"]))]
    pub output: Vec<PathBuf>,
    /// How the overlay (.png) is drawn, as colours=inferno, opacity=0.5, sign=both, underlay=grey, clip=99.5, scale=0.1.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub display: Vec<(String, String)>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Segments {
    /// An image, or a .npy file: float32 [1,C,H,W], already normalised; - is stdin.
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    #[command(flatten)]
    pub model: Model,
    /// A parameter: algorithm, or one of the algorithm's; see `pellucid methods` under lime.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// A file to write: int32 [H,W].
    #[arg(long, value_name = "FILE.npy", value_parser = file_name(&["npy"]))]
    pub output: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Methods {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Layers {
    #[command(flatten)]
    pub model: Model,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Backend {
    Auto,
    Gpu,
    Cpu,
}

impl From<Backend> for Choice {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => Self::Auto,
            Backend::Gpu => Self::Gpu,
            Backend::Cpu => Self::Cpu,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum HeadName {
    Softmax,
    Sigmoid,
    None,
}

impl From<HeadName> for Head {
    fn from(head: HeadName) -> Self {
        match head {
            HeadName::Softmax => Self::Softmax,
            HeadName::Sigmoid => Self::Sigmoid,
            HeadName::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ScoreName {
    Logit,
    Probability,
}

impl Explain {
    /// True if any picture is prepared for the network: the input, what is compared with it, or the photographs that
    /// ship with Pellucid.
    pub fn prepares(&self) -> bool {
        let own = self.baseline.iter().chain(&self.background).chain([&self.input]);
        let needs_photographs = || method(&self.method).is_ok_and(|method| method.needs_background());
        own.into_iter().any(|path| super::input::is_picture(path))
            || self.background.is_empty() && needs_photographs()
    }

    /// Refuses a look where nothing is drawn.
    pub fn check_display(&self) -> Result<()> {
        let is_drawn = |path: &PathBuf| !matches!(Format::of(path), Some(Format::Npy));
        if self.display.is_empty() || self.output.iter().any(is_drawn) {
            return Ok(());
        }
        Err(Error::Argument(
            "--display is the look of overlays, and none is written; add --output FILE.png, or leave it out"
                .into(),
        ))
    }

    /// The request, with targets found by the model's labels; what has to be said of these goes to `notes`.
    pub fn request(&self, session: &Session, notes: &mut Vec<String>) -> Result<Request> {
        let mut parameters = parameters(&self.settings);
        if self.baseline.is_some() {
            let named = parameters.entry("baseline".into()).or_insert_with(|| CUSTOM.into());
            if named != CUSTOM {
                return Err(Error::Argument(format!(
                    "--baseline FILE and --set baseline={} are two baselines; leave one out",
                    named.as_str().unwrap_or_default()
                )));
            }
        }
        if !self.background.is_empty() && !method(&self.method)?.needs_background() {
            return Err(Error::Argument(format!(
                "{} compares with no background; leave --background out",
                self.method
            )));
        }
        Ok(Request {
            method: self.method.clone(),
            targets: self.target.as_deref().map_or(Ok(vec![]), |t| session.find_targets(t, notes))?,
            versus: self.versus.as_deref().map(|v| session.find_target(v, notes)).transpose()?,
            layer: self.layer.clone(),
            score: self.score.map(|s| match s {
                ScoreName::Logit => Score::Logit,
                ScoreName::Probability => Score::Probability,
            }),
            parameters,
            seed: self.seed,
            segments: self.segments.as_ref().map(super::input::read_segments).transpose()?,
            samples: self.samples.as_ref().map(super::input::read_samples).transpose()?,
        })
    }
}

/// The settings, as the library takes them.
pub fn parameters(settings: &[(String, String)]) -> BTreeMap<String, Value> {
    settings.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect()
}

fn size(text: &str) -> Result<[usize; 2], String> {
    parse_size(text).ok_or_else(|| "give height and width in pixels, as 224x320".into())
}

fn preset(text: &str) -> Result<Preset, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn channels(text: &str) -> Result<Channels, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn resize(text: &str) -> Result<Resize, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn interpolation(text: &str) -> Result<Interpolation, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn triple(text: &str) -> Result<[f32; 3], String> {
    parse_triple(text).ok_or_else(|| "give three numbers, as 123.7,116.3,103.5".into())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(k, v)| (k.to_owned(), v.to_owned())).ok_or_else(|| "give KEY=VALUE".into())
}

fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "give a whole number from 0".into())
}

/// A file's name, in whatever letters the system has, with one of these endings.
fn file_name(endings: &'static [&'static str]) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let fits = endings.iter().any(|known| ending.eq_ignore_ascii_case(known));
        let known = endings.join(", .").replace(", .json", " or .json");
        if fits { Ok(path) } else { Err(format!("the name must end in .{known}")) }
    })
}
