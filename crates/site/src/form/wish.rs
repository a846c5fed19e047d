//! What somebody asks for, as they wrote it: read from a form or from JSON, bounded, not judged yet.
//! Spec site.md 7.3, 16.

use pipeline::ActionName;
use repositories::Commit;
use schemars::JsonSchema;
use serde::Deserialize;

use super::page::Button;

/// Most characters of a note.
pub const LONGEST_NOTE: usize = 500;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// The backend, by its short name; empty if none was chosen.
    pub backend: String,
    /// What was ticked, in the order sent, repeats left out.
    pub actions: Vec<ActionName>,
    /// Whether everything that is needed runs again.
    pub force: bool,
    /// Whether what is out of date is made again.
    pub rerun: bool,
    /// Whether to tell the requester when it is finished.
    pub notify: bool,
    /// For everybody to read.
    pub note: String,
    /// The commit that the form showed.
    pub commit: Option<Commit>,
    /// What makes double submits one request.
    pub key: String,
}

/// The form as it is sent. A box that is not ticked is absent.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Sent {
    /// Short name of the backend.
    #[serde(default)]
    backend: String,
    /// Every ticked action.
    #[serde(default)]
    action: Vec<String>,
    #[serde(default)]
    force: Option<String>,
    #[serde(default)]
    rerun: Option<String>,
    #[serde(default)]
    notify: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    form_key: String,
    #[serde(default)]
    filter: String,
    #[serde(default, rename = "do")]
    button: String,
}

impl Sent {
    /// Which button was used. Enter in a text field counts as preview: it changes nothing.
    pub(super) fn button(&self) -> Button {
        match self.button.as_str() {
            "submit" => Button::Submit,
            "anyway" => Button::Anyway,
            "newest" => Button::Newest,
            "filter" => Button::Filter,
            _ => Button::Preview,
        }
    }

    /// What the listed actions have in their names.
    pub(super) fn filter(&self) -> &str {
        self.filter.trim()
    }

    /// What it asks for.
    pub fn wish(self) -> Wish {
        Wish {
            backend: self.backend,
            actions: once(self.action),
            force: self.force.is_some(),
            rerun: self.rerun.is_some(),
            notify: self.notify.is_some(),
            // A form writes line ends as CRLF; the note is measured and shown without.
            note: self.note.replace("\r\n", "\n").trim().to_owned(),
            commit: self.commit.parse().ok(),
            key: self.form_key.chars().take(100).collect(),
        }
    }
}

/// The same by the API. Unknown fields are refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RequestToMake")]
pub struct Body {
    /// The workspace; not where the address names it.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Short name of the backend.
    pub backend: String,
    /// Branch, tag or commit; the newest commit of the workspace's branch if absent.
    #[serde(default, rename = "ref")]
    pub name: Option<String>,
    /// Actions; `run_all` stands for all.
    pub actions: Vec<String>,
    /// Whether what is needed runs again too.
    #[serde(default, alias = "force")]
    force_run_dependencies: bool,
    /// What happens to what is out of date.
    #[serde(default)]
    stale: Stale,
    /// Whether to tell the requester when it is finished.
    #[serde(default)]
    notify: bool,
    /// For everybody to read, at most 500 characters.
    #[serde(default)]
    note: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WhatIsOutOfDate")]
enum Stale {
    /// It is used as it is.
    #[default]
    Keep,
    /// It is made again.
    Rerun,
}

impl Body {
    /// What it asks for; `key` comes from the header.
    pub fn wish(self, key: String) -> Wish {
        Wish {
            backend: self.backend,
            actions: once(self.actions),
            force: self.force_run_dependencies,
            rerun: self.stale == Stale::Rerun,
            notify: self.notify,
            note: self.note.trim().to_owned(),
            commit: None,
            key,
        }
    }
}

impl Wish {
    /// For planning.
    pub fn plan(&self, codelists_ok: bool) -> jobs::PlanRequest {
        jobs::PlanRequest {
            requested: self.actions.clone(),
            force: self.force,
            stale: if self.rerun { jobs::Stale::Rerun } else { jobs::Stale::Keep },
            codelists_ok,
            commit: self.commit.and_then(|commit| commit.to_string().parse().ok()),
        }
    }

    /// Whether this action was ticked.
    pub fn has(&self, action: &ActionName) -> bool {
        self.actions.contains(action)
    }
}

fn once(names: Vec<String>) -> Vec<ActionName> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).map(ActionName::new).collect()
}
