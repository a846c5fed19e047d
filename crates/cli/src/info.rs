//! `cloister info`: the program, the machine, the settings. Spec cli.md 9. Never fails because one probe fails.

use std::error::Error;
use std::path::Path;

use jobs::reusable::Ask;
use pipeline::RuntimeRef;
use pipeline::report::visible;
use sandbox::{Native, Runtime};
use serde_json::{Value, json};

use crate::args::{Global, Info, TextFormat};
use crate::check::{human, usable_settings};
use crate::env::{self, LISTED};
use crate::exit::Exit;
use crate::settings::{Settings, Source};
use crate::terminal::Terminal;
use crate::words::bytes;
use crate::{project, reusable};

pub(crate) fn info(args: &Info, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    if args.list_project_images {
        let found = project::find_path(Path::new("."), terminal)?;
        let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
        for image in project.map(pipeline::Project::images).unwrap_or_default() {
            terminal.line(&visible(&image));
        }
        if found.loaded.project.is_some() {
            return Ok(Exit::Done);
        }
        terminal.error(&human(&found, &found.loaded.diagnostics, terminal, terminal.color_err));
        terminal.error("error: project.yaml has faults, so this list may lack some");
        return Ok(Exit::No);
    }
    let study = std::env::current_dir().ok().filter(|folder| folder.join("project.yaml").is_file());
    let settings = usable_settings(global, study.as_deref(), terminal);
    for fault in &settings.faults {
        let fault = fault.to_string();
        terminal.error(&fault.lines().map(visible).collect::<Vec<_>>().join("\n"));
    }
    let mut facts = vec![
        ("program", json!(format!("cloister {} ({})", env!("CARGO_PKG_VERSION"), env!("CLOISTER_COMMIT")))),
        ("system", json!(system())),
        ("processors", json!(std::thread::available_parallelism().map_or(1, usize::from))),
        ("memory", memory().map_or(Value::Null, |bytes| json!(bytes))),
        ("free disk", json!(free_disk())),
        ("isolation", isolation()),
        ("runtimes kept in", json!(runtimes::default_cache_dir())),
        ("runtimes' size", json!(runtimes::default_cache_dir().map_or(0, |folder| jobs::local::size(&folder)))),
    ];
    if let Some(folder) = &study {
        facts.push(("this study's store", json!(jobs::local::size(&folder.join("metadata/cloister")))));
    }
    facts.push(("runtimes", listed(&LISTED.map(env::reference), &settings, global, study.as_deref())?));
    if let Some(file) = &args.project {
        let found = project::find_path(file.as_deref().unwrap_or(Path::new(".")), terminal)?;
        let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
        let mut used: Vec<RuntimeRef> = project.iter().flat_map(|p| &p.actions).map(|a| a.runtime.clone()).collect();
        used.sort();
        used.dedup();
        let looked = reusable::look_up(&found, None, Ask::Never, &settings, global, terminal)?;
        let (reused, used): (Vec<RuntimeRef>, _) = used.into_iter().partition(|one| looked.names(one));
        let mut lines = listed(&used, &settings, global, Some(&found.folder))?;
        if let Some(lines) = lines.as_array_mut() {
            lines.extend(reused.iter().map(|one| json!(looked.said(one))));
        }
        facts.push(("this project's", lines));
    }
    // `info --config` alone: the option without a file.
    if matches!(global.config, Some(None)) {
        for (name, values, source) in settings.all() {
            let place = match source {
                Source::Default => "default".to_owned(),
                Source::File { path, line } => format!("{}:{line}", path.display()),
                Source::Environment(variable) => variable.clone(),
            };
            facts.push((name, json!({ "value": values, "from": place })));
        }
    }
    match args.format {
        TextFormat::Json => {
            let map: serde_json::Map<String, Value> = facts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            terminal.line(&Value::Object(map).to_string());
        }
        TextFormat::Human => {
            for (name, value) in facts {
                terminal.line(&format!("{name:<18} {}", words(name, &value)));
            }
        }
    }
    Ok(Exit::Done)
}

/// Facts that are bytes.
const SIZES: [&str; 4] = ["memory", "free disk", "runtimes' size", "this study's store"];

/// Every kind of isolation: whether this machine has it, else why not. One line each.
fn isolation() -> Value {
    let found = Native::default().probe();
    let line = |item: &sandbox::Capability| match &item.state {
        Ok(()) => format!("{}: yes", item.name),
        Err(why) => {
            let need = if item.required { "no, and runs are refused" } else { "no" };
            format!("{}: {need}: {}", item.name, why.replace('\n', "; "))
        }
    };
    json!(found.items.iter().map(line).collect::<Vec<_>>())
}

/// What each runtime is on this machine, one line each.
fn listed(
    wanted: &[RuntimeRef],
    settings: &Settings,
    global: &Global,
    study: Option<&Path>,
) -> Result<Value, Box<dyn Error>> {
    let options = env::options(settings, global, study, None)?;
    let line = |runtime: &RuntimeRef| match runtimes::locate(runtime, &options) {
        Ok(found) => {
            let located = found.located();
            let built = if matches!(found, runtimes::Found::Build(_)) { ", not built yet" } else { "" };
            format!("{runtime}: {} ({}, {}{built})", located.resolved, located.kind.as_str(), located.title)
        }
        Err(missing) => format!("{runtime}: missing: {}", missing.reason),
    };
    Ok(json!(wanted.iter().map(line).collect::<Vec<_>>()))
}

fn free_disk() -> Option<u64> {
    let about = rustix::fs::statvfs(".").ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

fn words(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => visible(text).into_owned(),
        Value::Number(n) if SIZES.contains(&name) => n.as_u64().map_or_else(|| n.to_string(), bytes),
        Value::Array(lines) => {
            let lines: Vec<String> =
                lines.iter().filter_map(Value::as_str).map(|line| visible(line).into_owned()).collect();
            lines.join(&format!("\n{:<19}", ""))
        }
        Value::Object(setting) => {
            let values = setting
                .get("value")
                .and_then(Value::as_array)
                .map(|values| values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
            let from = setting.get("from").and_then(Value::as_str).unwrap_or_default();
            let (values, from) = (values.map(|text| visible(&text).into_owned()), visible(from));
            format!("{} ({from})", values.filter(|text| !text.is_empty()).unwrap_or_else(|| "not set".to_owned()))
        }
        other => other.to_string(),
    }
}

fn system() -> String {
    let uname = rustix::system::uname();
    format!(
        "{} {} {}",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy()
    )
}

fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}
