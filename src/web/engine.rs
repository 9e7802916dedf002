//! A model on a backend, and the picture that it is asked about.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use js_sys::{Array, Function, Object, Uint8Array, Uint32Array};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use super::{
    convert,
    listener::{Listener, tell},
    opening::{OpenOptions, files_of},
    pool::{Pool, Workers},
    view::{describe, fine_view, opaque, smaller},
};
use crate::{
    backend::work_stealing::Job,
    error::{Error, Result},
    json,
    network::{Network, Reading},
    picture::{Picture, check_channels},
    session::{Explanation, Options, Request, Results, SegmentedImage, Session, Trial},
    tensor::Tensor,
};

/// Warm-up budget in milliseconds. If one program takes longer on the CPU, no others are compiled ahead of time: a reader
/// of a large network would wait for them.
const WARM_UP_MS: f64 = 1000.0;

/// A picture, as people and as the network see it.
pub(super) struct Seen {
    /// In the size in which maps are drawn over it.
    pub(super) fine: Picture,
    /// In the size of a tile.
    pub(super) small: Picture,
    input: Tensor,
    /// Notes on the picture for a reader of results.
    notes: Vec<String>,
    /// The picture's file, to prepare it in other ways: decoded it would take many times the room.
    file: Vec<u8>,
}

/// A model on a backend, with a picture and the maps that were made of it.
#[wasm_bindgen]
pub struct Engine {
    model: Value,
    /// Absent while it works.
    session: RefCell<Option<Session>>,
    backend: RefCell<Value>,
    events: RefCell<Vec<String>>,
    pub(super) seen: RefCell<Option<Seen>>,
    cut: RefCell<Option<SegmentedImage>>,
    pub(super) results: RefCell<Results>,
    /// Work of another engine, whose helper this one is.
    pub(super) job: RefCell<Option<Rc<Job<'static>>>>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a model. `options` is JSON, all optional: `{ backend, labels, head, scores, size }` and of preprocessing
    /// `{ preset, config, mean, std, channels, resize, interpolation }`. `files` are those in which it keeps its weights:
    /// `[{ name, bytes }]`. `pool` holds workers that have opened the same model and take parts of what the CPU runs.
    /// `step` hears what begins: `parse`, then `upload`.
    pub async fn open(
        model: Vec<u8>,
        files: Array,
        name: String,
        options: String,
        pool: Option<Pool>,
        step: Function,
    ) -> Result<Engine, JsValue> {
        let files = files_of(&files);
        Self::try_open(model, files, &name, &options, pool, &step).await.map_err(|e| convert::error(&e))
    }

    /// `{ backend: { kind, adapter, fallback, events }, model: { … } }` as JSON.
    #[must_use]
    pub fn info(&self) -> String {
        let mut backend = self.backend.borrow().clone();
        backend["events"] = json!(*self.events.borrow());
        json!({ "backend": backend, "model": self.model }).to_string()
    }

    /// Makes ready one of the things that will be asked for first; whether to go on with another. If that fails, so
    /// will what needs it, and says why.
    pub async fn warm(&self) -> bool {
        let start = js_sys::Date::now();
        let more = self.with_session(async |session| session.warm().await).await.unwrap_or(false);
        more && (self.backend.borrow()["kind"] == "gpu" || js_sys::Date::now() - start < WARM_UP_MS)
    }

    /// Decodes a picture and returns the part of it that the network sees, and what has to be said of it:
    /// `{ width, height, rgba, notes }`.
    pub fn load_image(&self, bytes: &[u8]) -> Result<Object, JsValue> {
        self.see(bytes).map_err(|e| convert::error(&e))
    }

    /// Gives the pictures that expected gradients compare with: an array of image files, as bytes.
    pub fn set_background(&self, files: &Array) -> Result<(), JsValue> {
        let files = files.iter().map(|file| Uint8Array::new(&file).to_vec());
        self.take_background(files).map_err(|e| convert::error(&e))
    }

    /// Gives the picture that `baseline=image` starts from: an image file, as bytes.
    pub fn set_baseline(&self, file: &[u8]) -> Result<(), JsValue> {
        self.take_baseline(file).map_err(|e| convert::error(&e))
    }

    /// The scores of every class as JSON, the best first.
    pub async fn classify(&self) -> Result<String, JsValue> {
        self.try_classify().await.map_err(|e| convert::error(&e))
    }

    /// The answers that the network would give if it had been opened with other options: `{ classes, head, notes }`
    /// as JSON. `options` are those of [`Self::open`], of which preprocessing and the head count.
    pub async fn try_out(&self, options: String) -> Result<String, JsValue> {
        self.tried_out(&options).await.map_err(|e| convert::error(&e))
    }

    /// Explains the picture. `request` is JSON, see [`Request`], but for `target` (in place of `targets`) and `versus`,
    /// which are read by [`Session::find_targets_json`]. The answer is the report of the command
    /// line's `--json`, with the `id` of the maps, and `stopped` when `progress` said not to go on.
    pub async fn explain(&self, request: String, progress: Function) -> Result<String, JsValue> {
        self.try_explain(&request, &progress).await.map_err(|e| convert::error(&e))
    }

    /// Cuts the picture as a method would that hides segments; `parameters` is JSON. The answer is
    /// `{ width, height, count, labels, rgba }`: each pixel's segment, and what shows where it is hidden.
    pub fn cut(&self, method: &str, parameters: &str) -> Result<Object, JsValue> {
        self.try_cut(method, parameters).map_err(|e| convert::error(&e))
    }

    /// The scores of every class with some segments of the last [`Self::cut`] hidden, as JSON, the best first.
    pub async fn hide(&self, hidden: Vec<u32>) -> Result<String, JsValue> {
        self.try_hide(&hidden).await.map_err(|e| convert::error(&e))
    }

    /// Explains the picture at every layer, the nearest to the request's own first. `progress(done, total,
    /// reports)` brings, as JSON, the reports of the layers that are there, each as [`Self::explain`] gives it, and
    /// answers (or promises) whether to go on.
    pub async fn sweep(&self, request: String, progress: Function) -> Result<(), JsValue> {
        self.try_sweep(&request, &progress).await.map_err(|e| convert::error(&e))
    }
}

impl Engine {
    async fn try_open(
        model: Vec<u8>,
        files: HashMap<String, Vec<u8>>,
        name: &str,
        options: &str,
        pool: Option<Pool>,
        step: &Function,
    ) -> Result<Self> {
        // Whoever listens keeps nothing from going on.
        let begin = |what: &str| drop(step.call1(&JsValue::NULL, &what.into()));
        begin("parse");
        let mut options: OpenOptions = json::read("option", json::parse("options", options)?)?;
        let (preprocessing, usual_size) = options.preprocessing()?;
        let OpenOptions { backend, labels, head, scores, size, .. } = options;
        let reading = Reading { files: Some(&files), scores: scores.as_deref(), size, usual_size };
        let network = Network::read(model, &reading)?;
        check_channels(network.input()[0])?;
        // The backend needs the room more than the files do.
        drop(files);
        begin("upload");
        let options = Options { backend, preprocessing, labels, head, notes: vec![] };
        let mut session = Session::with_network(network, options).await?;
        session.set_clock(js_sys::Date::now);
        if let Some(pool) = pool {
            session.set_helpers(Rc::new(Workers(pool)));
        }
        let mut model = describe(&session, name);
        model["chosen_head"] = json!(head);
        Ok(Self {
            model,
            backend: RefCell::new(json!(session.backend())),
            events: RefCell::new(session.take_events()),
            session: RefCell::new(Some(session)),
            seen: RefCell::default(),
            cut: RefCell::default(),
            results: RefCell::default(),
            job: RefCell::default(),
        })
    }

    /// Lends the session to `work`, and notes what has become of the backend.
    pub(super) async fn with_session<T>(
        &self,
        work: impl AsyncFnOnce(&mut Session) -> Result<T>,
    ) -> Result<T> {
        let mut session = self.session.take().ok_or_else(busy)?;
        let result = work(&mut session).await;
        self.backend.replace(json!(session.backend()));
        self.events.borrow_mut().extend(session.take_events());
        self.session.replace(Some(session));
        result
    }

    fn see(&self, bytes: &[u8]) -> Result<Object> {
        let session = self.session.borrow();
        let session = session.as_ref().ok_or_else(busy)?;
        let mut notes = vec![];
        let picture = Picture::decode_noting(bytes, &mut notes)?;
        notes.extend(session.outside(&picture)?);
        let (_, input) = session.see(&picture)?;
        let fine = fine_view(session, &picture)?;
        let crop = convert::object([
            ("width", fine.width.into()),
            ("height", fine.height.into()),
            ("rgba", convert::clamped(&opaque(&fine))),
            ("notes", convert::texts(&notes)),
        ]);
        self.results.borrow_mut().clear();
        self.cut.replace(None);
        let small = smaller(&fine)?;
        self.seen.replace(Some(Seen { fine, small, input, notes, file: bytes.to_vec() }));
        Ok(crop)
    }

    fn take_background(&self, files: impl Iterator<Item = Vec<u8>>) -> Result<()> {
        let pictures = files.map(|bytes| Picture::decode(&bytes)).collect::<Result<Vec<_>>>()?;
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or_else(busy)?;
        let images = session.see_all(&pictures)?;
        session.set_background(images)
    }

    fn take_baseline(&self, file: &[u8]) -> Result<()> {
        let picture = Picture::decode(file)?;
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or_else(busy)?;
        let (_, image) = session.see(&picture)?;
        session.set_baseline(image)
    }

    async fn try_classify(&self) -> Result<String> {
        let input = self.input()?;
        let classes = self.with_session(async |session| session.classify(&input).await).await?;
        Ok(json!(classes).to_string())
    }

    async fn tried_out(&self, options: &str) -> Result<String> {
        let mut options: OpenOptions = json::read("option", json::parse("options", options)?)?;
        let (preprocessing, _) = options.preprocessing()?;
        let file = self.seen.borrow().as_ref().map(|seen| seen.file.clone()).ok_or_else(no_picture)?;
        let picture = Picture::decode(&file)?;
        let work =
            async |session: &mut Session| session.try_out(&picture, &preprocessing, options.head).await;
        let Trial { classes, head, notes } = self.with_session(work).await?;
        Ok(json!({ "classes": classes, "head": head, "notes": notes }).to_string())
    }

    fn try_cut(&self, method: &str, parameters: &str) -> Result<Object> {
        let parameters = json::read("parameter", json::parse("parameters", parameters)?)?;
        let session = self.session.borrow();
        let session = session.as_ref().ok_or_else(busy)?;
        let segmented = session.segment_image(&self.input()?, method, &parameters)?;
        let (segments, fill) = (segmented.segments(), session.preprocessing().denormalise(segmented.fill())?);
        let object = convert::object([
            ("width", segments.width().into()),
            ("height", segments.height().into()),
            ("count", segments.count().into()),
            ("labels", Uint32Array::from(segments.labels()).into()),
            ("rgba", convert::clamped(&opaque(&fill))),
        ]);
        self.cut.replace(Some(segmented));
        Ok(object)
    }

    async fn try_hide(&self, hidden: &[u32]) -> Result<String> {
        let none = || Error::Argument("the picture has not been cut into segments yet".into());
        let segmented = self.cut.borrow().clone().ok_or_else(none)?;
        let hidden: Vec<usize> = hidden.iter().map(|&s| s as usize).collect();
        let classes =
            self.with_session(async |session| session.scores_with_hidden(&segmented, &hidden).await).await?;
        Ok(json!(classes).to_string())
    }

    async fn try_explain(&self, request: &str, progress: &Function) -> Result<String> {
        let (request, notes) = self.request(request)?;
        let input = self.input()?;
        let id = self.results.borrow_mut().reserve();
        let mut listener = Listener { callback: progress, results: &self.results, id };
        let explain = async |session: &mut Session| session.explain(&input, &request, &mut listener).await;
        let mut explanation = self.with_session(explain).await?;
        explanation.notes.splice(..0, notes);
        // Another picture clears the results, and then nobody waits for these.
        if explanation.stopped && !self.results.borrow().has(id) {
            return Err(Error::Cancelled);
        }
        Ok(self.keep(id, explanation).to_string())
    }

    /// Keeps an explanation's maps, and gives its report.
    fn keep(&self, id: u32, mut explanation: Explanation) -> Value {
        if let Some(seen) = self.seen.borrow().as_ref() {
            explanation.notes.splice(..0, seen.notes.iter().cloned());
        }
        let mut report = explanation.to_json();
        report["id"] = json!(id);
        report["stopped"] = json!(explanation.stopped);
        let maps = explanation.targets.into_iter().map(|t| t.map).collect();
        self.results.borrow_mut().put(id, maps);
        report
    }

    async fn try_sweep(&self, request: &str, progress: &Function) -> Result<()> {
        let (request, notes) = self.request(request)?;
        let input = self.input()?;
        let groups = self.with_session(async |session| session.sweep(&request)).await?;
        let total = groups.iter().map(Vec::len).sum();
        let mut done = 0;
        for layers in groups {
            let work =
                async |session: &mut Session| session.explain_at_layers(&input, &request, &layers).await;
            let made = self.with_session(work).await?;
            done += made.len();
            let keep = |mut explanation: Explanation| {
                explanation.notes.splice(..0, notes.iter().cloned());
                let id = self.results.borrow_mut().reserve();
                self.keep(id, explanation)
            };
            let reports: Value = made.into_iter().map(keep).collect();
            tell(progress, done, total, [&reports.to_string().into(), &JsValue::UNDEFINED]).await?;
        }
        Ok(())
    }

    /// Reads a request, and finds the classes that it names; what has to be said of these comes with it.
    fn request(&self, json: &str) -> Result<(Request, Vec<String>)> {
        let mut request = json::parse("request", json)?;
        let session = self.session.borrow();
        let session = session.as_ref().ok_or_else(busy)?;
        let mut notes = vec![];
        if let Some(asked) = request.as_object_mut() {
            let target = asked.remove("target").unwrap_or_default();
            asked.insert("targets".into(), session.find_targets_json(&target, &mut notes)?.into());
            if let Some(versus) = asked.get_mut("versus").filter(|versus| !versus.is_null()) {
                *versus = session.find_target_json(versus, &mut notes)?.into();
            }
        }
        Ok((json::read("option", request)?, notes))
    }

    fn input(&self) -> Result<Tensor> {
        self.seen.borrow().as_ref().map(|s| s.input.clone()).ok_or_else(no_picture)
    }
}

fn no_picture() -> Error {
    Error::Argument("there is no picture yet; open one first".into())
}

fn busy() -> Error {
    Error::Argument("the engine is at work; wait for it, or stop it".into())
}
