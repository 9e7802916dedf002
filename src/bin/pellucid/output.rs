//! Output of the command line: arrays, overlays, reports.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use pellucid::{
    Error, Result, Tensor,
    attribution::{Map, MapKind, method},
    backend::Segmentation,
    npy,
    picture::Picture,
    render::{self, Display},
    session::{Class, Explanation},
};
use serde_json::Value;

use crate::input::Input;

/// The kind of file that a name asks for.
#[derive(Clone, Copy)]
pub enum Format {
    Npy,
    Png,
    Json,
}

impl Format {
    /// By the name's ending.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "npy" => Some(Self::Npy),
            "png" => Some(Self::Png),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Writes to stdout; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io(format!("stdout cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object to stdout.
pub fn print_json(report: &Value) -> Result<()> {
    print(&format!("{report:#}\n"))
}

/// A text of somebody else's on one line, without what a terminal would obey.
pub fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ").replace(char::is_control, "\u{fffd}")
}

/// Fails where a file cannot be written: better before the work than after it.
pub fn check(path: &Path) -> Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => Err(Error::Io(format!(
            "{} cannot be written: there is no folder {}; make it first",
            path.display(),
            folder.display()
        ))),
        None => try_to_write(path),
    }
}

/// Opens a file as if to write it. What is in it stays, and one that was not there is gone again.
fn try_to_write(path: &Path) -> Result<()> {
    let is_there = path.symlink_metadata().is_ok();
    std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(|e| unwritable(path, &e))?;
    if is_there { Ok(()) } else { std::fs::remove_file(path).map_err(|e| unwritable(path, &e)) }
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::Io(format!("{} cannot be written: {why}", path.display()))
}

/// Says on stderr what a reader should know.
pub fn say(notes: &[String]) {
    for note in notes {
        eprintln!("note: {}", one_line(note));
    }
}

/// One line per class; the probability is left out where there is none.
pub fn answers(classes: &[Class]) -> String {
    let line = |c: &Class| {
        let share = c.probability.map(|p| format!("{:6.2} %  ", p * 100.0)).unwrap_or_default();
        format!("{share}{:8.3}  {:4}  {}\n", c.logit, c.target.index, one_line(&c.target.label))
    };
    classes.iter().map(line).collect()
}

/// The report in words.
pub fn summary(explanation: &Explanation) -> String {
    let mut text = String::new();
    for e in &explanation.targets {
        let (low, high) = e.map.values.range();
        let share = match e.class.probability {
            Some(p) => format!("{:.2} %", p * 100.0),
            None => format!("score {:.3}", e.class.logit),
        };
        text += &format!(
            "{} of {:?} ({share}): {:?} values from {low:.4} to {high:.4}, sum {:.4} ({})\n",
            explanation.method,
            one_line(&e.class.target.label),
            e.map.values.shape(),
            e.map.values.sum(),
            e.map.unit,
        );
    }
    text
}

/// Writes one file, in the format that its name asks for; `display` is what was chosen of the overlay's look.
pub fn write(
    path: &PathBuf,
    explanation: &Explanation,
    report: &Value,
    input: &Input,
    display: &[(String, String)],
) -> Result<()> {
    let bytes = match Format::of(path) {
        Some(Format::Npy) => npy(explanation)?,
        Some(Format::Png) => overlay(explanation, &input.picture, display)?,
        Some(Format::Json) => format!("{:#}\n", stored(explanation, report, input, display)?).into_bytes(),
        None => return Err(Error::Argument(format!("{} must end in .npy, .png or .json", path.display()))),
    };
    save(path, &bytes)
}

fn save(path: &PathBuf, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|e| unwritable(path, &e))
}

/// The values of one target, or of several along a new first axis.
fn npy(explanation: &Explanation) -> Result<Vec<u8>> {
    let maps: Vec<Tensor> = explanation.targets.iter().map(|e| e.map.values.clone()).collect();
    let values = if let [only] = maps.as_slice() { only.clone() } else { Tensor::stack(&maps)? };
    Ok(npy::write(values.shape(), values.data()))
}

/// Writes a segmentation: int32, `[H, W]`.
pub fn write_segments(path: &PathBuf, map: &Segmentation) -> Result<()> {
    let labels: Vec<i32> = map.labels().iter().map(|&l| i32::try_from(l).unwrap_or(i32::MAX)).collect();
    save(path, &npy::write(&[map.height(), map.width()], &labels))
}

/// The report with what it takes to draw its maps without the network: each target's values (little-endian float32 in
/// base64, of the target's `shape`), what the method is called, how they are drawn, and which part of the picture they are of.
fn stored(
    explanation: &Explanation,
    report: &Value,
    input: &Input,
    chosen: &[(String, String)],
) -> Result<Value> {
    let mut stored = report.clone();
    for (i, explained) in explanation.targets.iter().enumerate() {
        let bytes: Vec<u8> = explained.map.values.data().iter().flat_map(|v| v.to_le_bytes()).collect();
        let target = match stored.get_mut("targets") {
            Some(targets) => &mut targets[i],
            None => &mut stored,
        };
        target["values"] = BASE64_STANDARD.encode(bytes).into();
    }
    stored["display"] = serde_json::json!(display(explanation, chosen)?);
    stored["label"] = method(explanation.method)?.about().label.into();
    stored["crop"] = serde_json::json!(input.crop);
    Ok(stored)
}

/// The look of the overlays: as the page shows them unless `chosen` says otherwise.
fn display(explanation: &Explanation, chosen: &[(String, String)]) -> Result<Display> {
    let has_negative = explanation.targets.iter().any(|e| e.map.values.range().0 < 0.0);
    // Maps at a layer of methods that may look at one have both signs by their nature.
    let at_layer = explanation.layer.is_some() && explanation.map_kind == MapKind::Image;
    Display::suited(explanation.method, explanation.map_kind, has_negative || at_layer).with(chosen)
}

/// The overlays of all targets side by side, on one scale.
fn overlay(explanation: &Explanation, picture: &Picture, chosen: &[(String, String)]) -> Result<Vec<u8>> {
    let mut display = display(explanation, chosen)?;
    let maps: Vec<&Map> = explanation.targets.iter().map(|e| &e.map).collect();
    let values: Vec<&Tensor> = maps.iter().map(|map| &map.values).collect();
    display.scale = render::shared_scale(&values, &display)?;
    let panels: Result<Vec<_>> = maps.iter().map(|map| render::render_map(map, picture, &display)).collect();
    render::write_png(&render::side_by_side(&panels?)?)
}
