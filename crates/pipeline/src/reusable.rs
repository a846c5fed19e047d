//! Reusable actions: what an action.yaml says, what a study's action becomes by it, and all that can be wrong on the way.
//! Spec project-yaml.md 9 (P801 to P808). Pure: repositories are looked at elsewhere.

mod fault;
mod file;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Action, Project, RuntimeRef};

pub use fault::ReusableFault;
pub use file::{ACTION_FILE, ActionFile, LARGEST_ACTION_FILE};

/// A reusable action at the commit that counts: a study's `name:tag`, looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReusableAction {
    /// As the study names it.
    pub reference: RuntimeRef,
    /// The address of its repository.
    pub repository: String,
    /// The commit: 40 hexadecimal digits.
    pub commit: String,
    /// The words of its action.yaml, the first one a runtime of the platform.
    pub words: Vec<String>,
}

/// Why a text cannot be the name of a reusable action, which becomes part of an address (P808); `None` if it can.
pub fn name_rule(name: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    Some(match name {
        "" => "it is empty",
        _ if name.len() > 100 => "it is longer than 100 bytes",
        _ if !name.bytes().all(plain) => "a name has only small letters, digits, `.`, `_` and `-`",
        _ if name.starts_with(['.', '-']) => "it begins with `.` or `-`",
        _ if name.ends_with('.') || name.ends_with(".git") || name.contains("..") => {
            "it has `..`, or ends with `.` or `.git`"
        }
        _ => return None,
    })
}

impl Action {
    /// What runs in its place: the words of the action.yaml instead of the first word (spec project-yaml.md 9).
    fn through(&self, found: &ReusableAction) -> Self {
        let rest = self.words.get(1..).unwrap_or_default();
        let first = self.word_spans.first().copied().unwrap_or(self.span);
        let spans = self.word_spans.get(1..).unwrap_or_default();
        let word = found.words.first().map_or("", String::as_str);
        let (name, tag) = word.split_once(':').unwrap_or((word, ""));
        Self {
            words: found.words.iter().chain(rest).cloned().collect(),
            word_spans: found.words.iter().map(|_| first).chain(spans.iter().copied()).collect(),
            runtime: RuntimeRef { name: name.to_owned(), tag: tag.to_owned() },
            reusable: Some(found.clone()),
            ..self.clone()
        }
    }

    /// `name:tag` as the file has it.
    pub fn written_runtime(&self) -> &RuntimeRef {
        self.reusable.as_ref().map_or(&self.runtime, |found| &found.reference)
    }
}

impl Project {
    /// The project as it runs: each action that names one of these is what the action.yaml makes of it. All other parts of
    /// it stay: needs, outputs, config.
    pub fn with_reusable(&self, found: &BTreeMap<RuntimeRef, ReusableAction>) -> Self {
        let actions = self.actions.iter().map(|action| match found.get(action.written_runtime()) {
            Some(found) if action.reusable.is_none() => action.through(found),
            _ => action.clone(),
        });
        Self { actions: actions.collect(), ..self.clone() }
    }
}
