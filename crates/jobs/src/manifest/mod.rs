//! manifest.json: what a workspace holds, for review and for tools that know today's format.
//! Spec jobs.md 14: keys, their order and the layout are a contract; unknown keys are kept.

mod builtin;
mod entry;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

pub use builtin::BuiltIn;
pub use entry::{Extra, ManifestEntry, Pin, ReusedAction, Shared};

/// The number of our own additions' format.
const FORMAT: u64 = 1;

/// A manifest.json, read or to be written. Entries keep their place; new ones are appended.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    top: Map<String, Value>,
}

/// A manifest.json that is not one.
#[derive(Debug, thiserror::Error)]
#[error("manifest.json is damaged ({0}); it is written anew by the next run if you remove it")]
pub struct BadManifest(String);

impl BadManifest {
    /// Damaged in this way.
    pub(crate) fn because(why: String) -> Self {
        Self(why)
    }
}

/// One finished job, as the manifest needs it.
#[derive(Debug, Clone, Copy)]
pub struct JobResult<'a> {
    /// The action that ran.
    pub action: &'a str,
    /// Its files, in the order they are to be listed.
    pub outputs: &'a [(String, ManifestEntry)],
    /// All actions of the project.yaml of the job's commit; `None` if it cannot be read.
    pub actions: Option<&'a BTreeSet<String>>,
}

impl Manifest {
    /// An empty manifest.
    pub fn new(workspace: &str) -> Self {
        let mut top = Map::new();
        top.insert("workspace".to_owned(), workspace.into());
        top.insert("repo".to_owned(), Value::Null);
        top.insert("outputs".to_owned(), json!({}));
        top.insert("cloister".to_owned(), json!({ "format": FORMAT }));
        Self { top }
    }

    /// Reads a manifest of ours or of today's tools.
    ///
    /// # Errors
    /// Not JSON, or its outputs are not a mapping of mappings.
    pub fn parse(text: &str) -> Result<Self, BadManifest> {
        let mut top: Map<String, Value> = serde_json::from_str(text).map_err(|e| BadManifest(e.to_string()))?;
        let outputs = top.entry("outputs").or_insert_with(|| json!({}));
        let entries = outputs.as_object().ok_or_else(|| BadManifest("`outputs` is not a mapping".to_owned()))?;
        if let Some((path, _)) = entries.iter().find(|(_, entry)| !entry.is_object()) {
            return Err(BadManifest(format!("the entry of {path:?} is not a mapping")));
        }
        top.entry("cloister").or_insert_with(|| json!({ "format": FORMAT }));
        Ok(Self { top })
    }

    /// Takes in the result of a job: its files replace entries of the same path, its other entries are flagged
    /// `out_of_date_output`, and `out_of_date_action` is set on every entry that was there before.
    ///
    /// # Errors
    /// Only what JSON cannot say.
    pub fn record(&mut self, result: &JobResult<'_>) -> Result<(), serde_json::Error> {
        let Some(entries) = self.top.get_mut("outputs").and_then(Value::as_object_mut) else { return Ok(()) };
        let produced: BTreeSet<&str> = result.outputs.iter().map(|(path, _)| path.as_str()).collect();
        for (path, entry) in entries.iter_mut() {
            let Some(entry) = entry.as_object_mut() else { continue };
            let action = entry.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
            let ours = entry.shift_remove("cloister");
            if let Some(actions) = result.actions {
                entry.insert("out_of_date_action".to_owned(), (!actions.contains(&action)).into());
            }
            if action == result.action && !produced.contains(path.as_str()) {
                entry.insert("out_of_date_output".to_owned(), true.into());
            }
            if let Some(ours) = ours {
                entry.insert("cloister".to_owned(), ours);
            }
        }
        for (path, entry) in result.outputs {
            entries.insert(path.clone(), serde_json::to_value(entry)?);
        }
        Ok(())
    }

    /// The entry of a path, as it is in the file.
    pub fn entry(&self, path: &str) -> Option<&Map<String, Value>> {
        self.top.get("outputs")?.get(path)?.as_object()
    }

    /// The text of the file, without a final newline.
    ///
    /// # Errors
    /// Only what JSON cannot say.
    pub fn render(&self) -> Result<String, serde_json::Error> {
        crate::json::python_json(&self.top)
    }
}

/// A whole manifest from its entries, in their order.
///
/// # Errors
/// Only what JSON cannot say.
pub fn render(workspace: &str, entries: &[(String, ManifestEntry)]) -> Result<String, serde_json::Error> {
    let mut manifest = Manifest::new(workspace);
    manifest.record(&JobResult { action: "", outputs: entries, actions: None })?;
    manifest.render()
}
