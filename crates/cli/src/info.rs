//! `cloister info`: the program, the machine, the settings. Spec cli.md 9. Never fails because one probe fails.

use std::error::Error;

use serde_json::{Value, json};

use crate::args::{Global, Info, TextFormat};
use crate::check::settings;
use crate::exit::Exit;
use crate::project;
use crate::settings::Source;
use crate::terminal::Terminal;
use crate::words::bytes;

pub(crate) fn info(args: &Info, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    if args.list_project_images {
        let found = project::find(None, terminal)?;
        let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
        for image in project.map(pipeline::Project::images).unwrap_or_default() {
            terminal.line(&pipeline::report::visible(&image));
        }
        return Ok(if found.loaded.project.is_some() { Exit::Done } else { Exit::No });
    }
    let study = std::env::current_dir().ok().filter(|folder| folder.join("project.yaml").is_file());
    let settings = settings(global, study.as_deref(), terminal)?;
    let mut facts = vec![
        ("program", json!(format!("cloister {} ({})", env!("CARGO_PKG_VERSION"), env!("CLOISTER_COMMIT")))),
        ("system", json!(system())),
        ("processors", json!(std::thread::available_parallelism().map_or(1, usize::from))),
        ("memory", memory().map_or(Value::Null, |bytes| json!(bytes))),
        ("runtimes kept in", json!(runtimes::default_cache_dir())),
    ];
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

fn words(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(n) if name == "memory" => n.as_u64().map_or_else(|| n.to_string(), bytes),
        Value::Object(setting) => {
            let values = setting
                .get("value")
                .and_then(Value::as_array)
                .map(|values| values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
            let from = setting.get("from").and_then(Value::as_str).unwrap_or_default();
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
