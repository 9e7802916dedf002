//! The command line: classify and explain without a browser.

mod arguments;
mod input;
mod model;
mod output;
mod progress;

use std::{path::Path, process::ExitCode, time::Instant};

use arguments::{Arguments, Classify, Command, Explain, Layers, Methods, Segments, parameters};
use clap::Parser;
use model::open;
use pellucid::{
    Error, Result,
    attribution::{self, METHODS},
    network::QUANTIZED,
    render::Display,
};
use serde_json::json;

fn main() -> ExitCode {
    quiet_drivers();
    let arguments = Arguments::parse();
    let done = pollster::block_on(async {
        match arguments.command {
            Command::Classify(a) => classify(a).await,
            Command::Explain(a) => explain(*a).await,
            Command::Segments(a) => segments(a).await,
            Command::Methods(a) => methods(&a),
            Command::Layers(a) => layers(a).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error[{}]: {}", error.code(), output::one_line(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Keeps a Vulkan layer of Mesa's from writing to stderr, which is ours, that there is no Wayland session: it wants the
/// name of a folder.
fn quiet_drivers() {
    const SESSION: &str = "XDG_RUNTIME_DIR";
    let is_folder = std::env::var_os(SESSION).is_some_and(|name| Path::new(&name).is_absolute());
    if cfg!(target_os = "linux") && !is_folder {
        // SAFETY: this is the first thing that the program does, so no other thread reads the environment.
        #[expect(unsafe_code, reason = "the driver reads its environment, and only this way changes it")]
        unsafe {
            std::env::set_var(SESSION, std::env::temp_dir());
        }
    }
}

async fn classify(arguments: Classify) -> Result<()> {
    let mut choices = vec![];
    let mut session = open(arguments.model, input::is_picture(&arguments.input), &mut choices).await?;
    let input = input::load(&session, &arguments.input)?;
    let start = Instant::now();
    let mut classes = session.classify(&input.tensor).await?;
    let elapsed = start.elapsed();
    classes.truncate(arguments.top);
    // No gradient is taken here.
    let of_model = session.notes().iter().filter(|note| *note != QUANTIZED).cloned();
    let mut notes: Vec<String> = input.notes.into_iter().chain(of_model).collect();
    notes.extend(session.take_events());
    if arguments.json {
        let backend = session.backend();
        let report = json!({
            "classes": classes,
            "head": session.network().head(),
            "backend": backend.kind,
            "adapter": backend.adapter,
            "elapsed_ms": elapsed.as_secs_f64() * 1e3,
            "notes": notes.iter().chain(&choices).collect::<Vec<_>>(),
        });
        return output::print_json(&report);
    }
    output::print(&output::answers(&classes))?;
    output::say(&notes);
    Ok(())
}

async fn explain(arguments: Explain) -> Result<()> {
    arguments.output.iter().try_for_each(|path| output::check(path))?;
    Display::default().with(&arguments.display)?;
    arguments.check_display()?;
    let mut choices = vec![];
    let mut session = open(arguments.model.clone(), arguments.prepares(), &mut choices).await?;
    let input = input::load(&session, &arguments.input)?;
    let mut notes = input.notes.clone();
    let request = arguments.request(&session, &mut notes)?;
    if !arguments.background.is_empty() {
        let images = input::load_background(&session, &arguments.background)?;
        session.set_background(images)?;
    }
    if let Some(path) = &arguments.baseline {
        let baseline = input::load(&session, path)?;
        notes.extend(baseline.notes.iter().map(|note| format!("Of the baseline: {note}")));
        session.set_baseline(baseline.tensor)?;
    }
    let mut bar = progress::Bar::new();
    let start = Instant::now();
    let mut explanation = session.explain(&input.tensor, &request, &mut bar).await?;
    let elapsed = start.elapsed();
    bar.finish();
    notes.append(&mut explanation.notes);
    notes.extend(session.take_events());
    explanation.notes = [notes.clone(), choices].concat();
    let mut report = explanation.to_json();
    report["elapsed_ms"] = json!(elapsed.as_secs_f64() * 1e3);
    for path in &arguments.output {
        output::write(path, &explanation, &report, &input, &arguments.display)?;
    }
    if arguments.json {
        return output::print_json(&report);
    }
    output::print(&output::summary(&explanation))?;
    output::say(&notes);
    Ok(())
}

async fn segments(arguments: Segments) -> Result<()> {
    arguments.output.iter().try_for_each(|path| output::check(path))?;
    let session = open(arguments.model, input::is_picture(&arguments.input), &mut vec![]).await?;
    let input = input::load(&session, &arguments.input)?;
    let start = Instant::now();
    let (map, settings) = session.segments(&input.tensor, &parameters(&arguments.settings))?;
    let elapsed = start.elapsed();
    if let Some(path) = &arguments.output {
        output::write_segments(path, &map)?;
    }
    if arguments.json {
        return output::print_json(&json!({
            "segments": map.count(),
            "shape": [map.height(), map.width()],
            "sizes": map.sizes(),
            "parameters": settings,
            "elapsed_ms": elapsed.as_secs_f64() * 1e3,
            "notes": input.notes,
        }));
    }
    output::say(&input.notes);
    output::print(&format!("{} segments of {} x {} pixels\n", map.count(), map.width(), map.height()))
}

fn methods(arguments: &Methods) -> Result<()> {
    if arguments.json {
        let all: Vec<_> = METHODS.iter().map(|m| attribution::describe(*m)).collect();
        return output::print_json(&json!({ "methods": all }));
    }
    let mut text = String::new();
    for about in METHODS.iter().map(|m| m.about()) {
        text += &format!("{:14} {}\n", about.id, about.sentence);
        for p in about.parameters {
            let kind = serde_json::to_value(p.kind).map_err(|e| Error::Io(e.to_string()))?;
            text += &format!(
                "{:14}--set {}={}  {}\n",
                "",
                p.key,
                kind["default"].to_string().trim_matches('"'),
                p.help
            );
        }
    }
    output::print(&text)
}

async fn layers(arguments: Layers) -> Result<()> {
    let session = open(arguments.model, false, &mut vec![]).await?;
    let network = session.network();
    let default = network.default_layer().map(|l| l.name.clone());
    if arguments.json {
        return output::print_json(&json!({ "layers": network.layers(), "default": default }));
    }
    let mut text = String::new();
    for layer in network.layers() {
        let mark = if Some(&layer.name) == default.as_ref() { "  (default)" } else { "" };
        text += &format!("{:40} {:22} {:?}{mark}\n", layer.name, layer.operator, layer.shape);
    }
    output::print(&text)
}
