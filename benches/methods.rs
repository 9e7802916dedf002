//! How long every method takes with its defaults, on the native CPU backend, for each model file of a folder:
//!
//! `cargo bench --bench methods -- FOLDER [--limit SECONDS]`
//!
//! Prints a line of JSON for each: `{ network, method, seconds, about }`. A run that lasts longer than the limit is
//! stopped, and its time follows from how far it was: `about` is then true. The first run of a method, which prepares its
//! programs, is not counted where it is short. `cargo xtask bench --methods FOLDER` makes a table of these and of the
//! page's times.

use std::{error::Error, path::PathBuf, time::Instant};

use async_trait::async_trait;
use pellucid::{
    attribution::{METHODS, Map, Observer},
    backend::fallback::Choice,
    picture::Picture,
    session::{Options, Request, Session},
};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The seconds that a run may take before it is stopped, unless `--limit` says so.
const LIMIT: f64 = 3600.0;
/// A first run that takes less, in seconds, is done again.
const SHORT: f64 = 5.0;

/// Stops a run at the limit, and notes how far it was.
struct Watch {
    start: Instant,
    limit: f64,
    /// Seconds and share of the work at the last step.
    last: (f64, f64),
}

#[async_trait(?Send)]
impl Observer for Watch {
    async fn progress(&mut self, done: u64, total: u64, _: Option<&[Map]>) -> pellucid::Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        self.last = (seconds, done as f64 / total as f64);
        if seconds > self.limit && done > 0 && done < total {
            Err(pellucid::Error::Cancelled)
        } else {
            Ok(())
        }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (folder, limit) = match arguments.as_slice() {
        [folder] => (folder, LIMIT),
        [folder, flag, seconds] if flag == "--limit" => (folder, seconds.parse()?),
        _ => return Err("usage: methods FOLDER [--limit SECONDS]".into()),
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "onnx"));
    paths.sort();
    for path in paths {
        let network = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let options = Options { backend: Choice::Cpu, ..Options::default() };
        let mut session = pollster::block_on(Session::open(std::fs::read(&path)?, options))?;
        let picture = Picture::decode(include_bytes!("../www/samples/coffee.jpg"))?;
        let (_, image) = session.see(&picture)?;
        pollster::block_on(session.classify(&image))?;
        for method in METHODS {
            let id = method.about().id;
            let mut time = seconds(&mut session, &image, id, limit)?;
            if time.0 < SHORT {
                time = seconds(&mut session, &image, id, limit)?;
            }
            println!("{}", json!({ "network": network, "method": id, "seconds": time.0, "about": time.1 }));
        }
    }
    Ok(())
}

/// The seconds that a method takes, and whether they follow from a part of it.
fn seconds(session: &mut Session, image: &pellucid::Tensor, method: &str, limit: f64) -> Result<(f64, bool)> {
    let request = Request { method: method.into(), ..Request::default() };
    let mut watch = Watch { start: Instant::now(), limit, last: (0.0, 0.0) };
    let answer = pollster::block_on(session.explain(image, &request, &mut watch));
    let seconds = watch.start.elapsed().as_secs_f64();
    let is_stopped = match answer {
        Ok(explanation) => explanation.stopped,
        Err(pellucid::Error::Cancelled) => true,
        Err(error) => return Err(format!("{method}: {error}").into()),
    };
    Ok(if is_stopped { (watch.last.0 / watch.last.1, true) } else { (seconds, false) })
}
