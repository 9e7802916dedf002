//! The model that the user names, with the files around it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use pellucid::{
    Error, Result,
    network::{Files, Network, Reading},
    picture::Config,
    session::{Options, PreprocessingOptions, Session},
};

use super::{arguments::Model, input, output};

/// The model that ships with Pellucid, used where no other is named.
static SHIPPED_MODEL: &[u8] = include_bytes!("../../../models/efficientnet-lite0-int8.onnx");

/// The configurations that are taken where they lie beside a model, the first of them: transformers' and timm's.
const BESIDE: [&str; 2] = ["preprocessor_config.json", "config.json"];

/// Opens the model that is asked for, or the shipped one. `prepares` says whether pictures will be prepared for it:
/// arrays are prepared already. What was chosen for want of an order, as the backend, goes to `choices`, and to stderr
/// where it was asked for.
pub async fn open(model: Model, prepares: bool, choices: &mut Vec<String>) -> Result<Session> {
    let labels = model.labels.as_ref().map(input::read_labels).transpose()?;
    let named = model.preprocessing.as_deref().map(read_config).transpose()?;
    let beside = match &model.model {
        Some(file) if named.is_none() && model.preset.is_none() => Beside::find(file)?,
        _ => None,
    };
    let found = beside.as_ref().and_then(|beside| beside.config.as_ref().ok()).or(named.as_ref());
    let network = read(&model, found.and_then(|config| config.size))?;
    // The model's own metadata goes before a file that lies beside it.
    let metadata = network.metadata();
    let says_itself = metadata.preset.is_some() || metadata.mean.is_some() && metadata.std.is_some();
    let is_told = says_itself || model.mean.is_some() && model.std.is_some();
    let (config, notes) = match beside {
        Some(beside) if beside.config.is_err() => (None, beside.unread(prepares && !is_told)?),
        Some(beside) if !says_itself => (beside.config.clone().ok(), vec![beside.note()]),
        _ => (named, vec![]),
    };
    let preprocessing = PreprocessingOptions {
        preset: model.preset,
        config,
        mean: model.mean,
        std: model.std,
        channels: model.channels,
        resize: model.resize,
        interpolation: model.interpolation,
    };
    let head = model.head.map(Into::into);
    let options = Options { backend: model.backend.into(), preprocessing, labels, head, notes };
    let mut session = Session::with_network(network, options).await?;
    choices.extend(session.take_events());
    if model.verbose {
        output::say(choices);
    }
    Ok(session)
}

fn read(model: &Model, usual_size: Option<[usize; 2]>) -> Result<Network> {
    let (scores, size) = (model.scores.as_deref(), model.size);
    let Some(path) = &model.model else {
        return Network::read(SHIPPED_MODEL, &Reading { scores, size, usual_size, files: None });
    };
    let files = Folder::of(path);
    Network::read(input::read(path)?, &Reading { scores, size, usual_size, files: Some(&files) })
}

fn read_config(path: &Path) -> Result<Config> {
    Config::read(&input::read(&path.to_owned())?).map_err(|error| match error {
        Error::Argument(why) => Error::Argument(format!("{}: {why}", path.display())),
        other => other,
    })
}

/// A configuration that lies beside a model.
struct Beside {
    path: PathBuf,
    config: Result<Config>,
}

impl Beside {
    /// The first that there is. A `config.json` may be of any program, so it has to look like timm's.
    fn find(model: &Path) -> Result<Option<Self>> {
        for name in BESIDE {
            let path = folder_of(model).join(name);
            if path.is_file() && (name == BESIDE[0] || Config::is_timm(&input::read(&path)?)) {
                return Ok(Some(Self { config: read_config(&path), path }));
            }
        }
        Ok(None)
    }

    /// The note where it is taken.
    fn note(&self) -> String {
        format!(
            "{} lies beside the model, and pictures are prepared as it says. --preset or --preprocessing name another way.",
            self.path.display()
        )
    }

    /// The note on one that cannot be read, which is no reason to stop unless it is needed.
    fn unread(&self, is_needed: bool) -> Result<Vec<String>> {
        match &self.config {
            Ok(_) => Ok(vec![]),
            Err(Error::Argument(why)) if is_needed => Err(Error::Argument(format!(
                "{why}; it lies beside the model. Mend it, take it away, or say how pictures are prepared with --preset"
            ))),
            Err(error) if is_needed => Err(error.clone()),
            Err(error) => Ok(vec![format!("A file beside the model was not used, since {error}.")]),
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The files in a model's folder, and nowhere else.
struct Folder(PathBuf);

impl Folder {
    fn of(model: &Path) -> Self {
        Self(folder_of(model))
    }

    /// The file itself, where there is one; links that lead out of the folder are refused.
    fn find(&self, name: &str) -> Result<Option<PathBuf>> {
        let unreadable =
            |e: std::io::Error| Error::Io(format!("the model's data {name:?} cannot be read: {e}"));
        let path = match self.0.join(name).canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            path => path.map_err(unreadable)?,
        };
        if !path.starts_with(self.0.canonicalize().map_err(unreadable)?) {
            return Err(Error::Model(format!(
                "the model's data {name:?} is a link that leads out of the model's folder, and data is never read from \
                 elsewhere; put the file itself beside the model"
            )));
        }
        if !fs::metadata(&path).map_err(unreadable)?.is_file() {
            return Err(Error::Model(format!(
                "the model's data {name:?} is no file; put the file beside the model"
            )));
        }
        Ok(Some(path))
    }
}

impl Files for Folder {
    fn length(&self, name: &str) -> Result<Option<u64>> {
        let unreadable =
            |e: std::io::Error| Error::Io(format!("the model's data {name:?} cannot be read: {e}"));
        self.find(name)?.map(|path| Ok(fs::metadata(path).map_err(unreadable)?.len())).transpose()
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>> {
        let unreadable =
            |e: std::io::Error| Error::Io(format!("the model's data {name:?} cannot be read: {e}"));
        let path = self.find(name)?.ok_or_else(|| Error::MissingData(vec![name.to_owned()]))?;
        let mut file = File::open(path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}
