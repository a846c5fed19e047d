//! From an action of a project to the job that is stored: the same on a laptop and on a backend over dummy data.
//! Spec jobs.md 3 (rule 6), 18, 21 (`data = dummy`); sandbox.md 5.

use std::collections::BTreeMap;

use pipeline::{Action, DataKind, Project};
use runtimes::{Kind, Located};

use crate::provenance::{ImageIdentity, split_config};
use crate::reusable::Reusable;
use crate::state::{DEFINITION_FORMAT, FIRST_FORMAT, JobDefinition};
use crate::{AnalysisScope, CodeSource, WorkspaceName};

/// What database actions are told, and what studies ask for (spec sandbox.md 5).
pub(crate) const BACKEND: &str = "expectations";

/// Values that this program gives to every run (spec sandbox.md 5).
pub(crate) fn environment() -> BTreeMap<String, String> {
    [("HOME", "/tmp"), ("OPENSAFELY_BACKEND", BACKEND)].map(|(name, value)| (name.into(), value.into())).into()
}

/// The words that would run, with `--config` taken out again.
pub(crate) fn command(project: &Project, action: &Action) -> (Vec<String>, Option<String>) {
    let words = action.expand(project, DataKind::Dummy).words;
    split_config(&words, action.config.as_ref().map(|config| config.0.as_str()))
}

/// What a located runtime is in provenance.
pub fn image_identity(located: &Located) -> ImageIdentity {
    match located.kind {
        Kind::Native => ImageIdentity::Environment { lock: located.identity.clone() },
        Kind::Builtin => ImageIdentity::Builtin {
            name: located.resolved.name.clone(),
            // Without profiles every program behaves in its own way.
            profile: located.profile.as_ref().map_or_else(|| located.resolved.tag.clone(), |own| own.name.clone()),
            behaviour: match &located.profile {
                Some(profile) => profile.revision.to_string(),
                None => located.identity.rsplit(':').next().unwrap_or_default().to_owned(),
            },
        },
    }
}

/// What the jobs of one plan share.
pub(crate) struct Making<'a> {
    pub(crate) project: &'a Project,
    pub(crate) workspace: &'a WorkspaceName,
    pub(crate) code: &'a CodeSource,
    /// Names the tree of the code.
    pub(crate) tree: &'a str,
    /// The code of reusable actions, which is not the study's.
    pub(crate) reusable: &'a Reusable,
    /// Kept on database jobs alone.
    pub(crate) scope: &'a AnalysisScope,
}

impl Making<'_> {
    pub(crate) fn definition(&self, action: &Action, located: &Located) -> JobDefinition {
        let is_database = action.is_database();
        JobDefinition {
            // What an older program would run with the study's code is not for it.
            format: if action.reusable.is_some() { DEFINITION_FORMAT } else { FIRST_FORMAT },
            workspace: self.workspace.clone(),
            action: action.name.clone(),
            words: action.expand(self.project, DataKind::Dummy).words,
            config: action.config.as_ref().map(|config| config.0.clone()),
            runtime: action.runtime.clone(),
            image: image_identity(located),
            special: action.special(),
            is_database,
            data: DataKind::Dummy,
            outputs: action.outputs.clone(),
            code: self.code.clone(),
            tree: self.reusable.code_of(action).map_or(self.tree, |own| &own.tree_id).to_owned(),
            reusable: action.reusable.clone(),
            environment: environment(),
            scope: if is_database { self.scope.clone() } else { AnalysisScope::default() },
            memory_bytes: None,
            cpu_millis: None,
            time_limit_seconds: None,
            unknown: BTreeMap::new(),
        }
    }
}
