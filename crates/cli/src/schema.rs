//! `cloister schema`: the JSON Schemas of what is written for this program and of what it writes. Spec cli.md 10,
//! project-yaml.md 12.2. Those of outputs are files in `schemas/`, which the tests compare with real outputs.

use std::error::Error;

use serde_json::Value;

use crate::args::{Schema, SchemaName};
use crate::exit::Exit;
use crate::settings;
use crate::terminal::Terminal;

pub(crate) fn schema(args: &Schema, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let document = match args.what {
        SchemaName::Project => pipeline::schema::project(),
        SchemaName::Check => serde_json::from_str(include_str!("../schemas/check.json"))?,
        SchemaName::Plan => serde_json::from_str(include_str!("../schemas/plan.json"))?,
        SchemaName::Events => events()?,
        SchemaName::Config => settings::schema(),
    };
    terminal.line(&serde_json::to_string_pretty(&document)?);
    Ok(Exit::Done)
}

/// The schema of events, with that of plans inside: the first event holds one.
fn events() -> Result<Value, Box<dyn Error>> {
    let mut events: Value = serde_json::from_str(include_str!("../schemas/events.json"))?;
    events["$defs"]["plan"] = serde_json::from_str(include_str!("../schemas/plan.json"))?;
    Ok(events)
}
