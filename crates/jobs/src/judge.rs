//! Whether what succeeded before is what would be made now: recorded components against those of a run made now.
//! Spec jobs.md 17. Which outputs are still there is for laptop and backend to find out, each in its way.

use std::collections::BTreeMap;

use pipeline::{Action, ActionName, DataKind, Project};

use crate::collect::CollectedOutput;
use crate::definition::{command, environment};
use crate::engine::data_identity;
use crate::plan::LatestJob;
use crate::provenance::{
    CodeTree, Components, ImageIdentity, InputFile, OutputSpec, PinnedOutput, ReadScanner, Staleness, compare,
    propagate, workspace_inputs,
};
use crate::reusable::Reusable;
use crate::state::LatestJobs;
use crate::{JobId, ObjectId};

/// Scripts above this are not looked into for what they load.
pub(crate) const LARGEST_SCRIPT: u64 = 4 << 20;

/// What would run now, to compare with what ran.
pub struct Judging<'a> {
    /// The project.
    pub project: &'a Project,
    /// The code as it is now.
    pub code: &'a CodeTree,
    /// What each action runs in here; an action without one is compared as if that had not changed.
    pub images: &'a BTreeMap<ActionName, ImageIdentity>,
    /// The code of reusable actions, and those of which nothing is known.
    pub reusable: &'a Reusable,
}

impl Judging<'_> {
    /// Whether an action runs the study's code.
    fn project_code(&self, action: &Action) -> bool {
        action.reusable.is_none() && !self.reusable.is_unknown(action)
    }
}

/// The recorded outputs of one success, as they are now.
#[derive(Default)]
pub(crate) struct Standing {
    /// With what they are now, if that is something else.
    pub(crate) present: Vec<(CollectedOutput, Option<(ObjectId, u64)>)>,
    /// They will be made again: what is made from them is compared with what was recorded.
    pub(crate) missing: Vec<CollectedOutput>,
}

/// What is known of earlier runs.
pub(crate) struct Weighing<'a> {
    pub(crate) seen: &'a LatestJobs,
    /// Those of them that succeeded.
    pub(crate) succeeded: &'a BTreeMap<ActionName, JobId>,
    pub(crate) standing: &'a BTreeMap<ActionName, Standing>,
    pub(crate) made_by: &'a BTreeMap<JobId, Components>,
}

impl Weighing<'_> {
    /// The latest jobs as the planner takes them, and how up to date each success is. `read` gives scripts.
    pub(crate) fn weigh(
        &self,
        what: &Judging<'_>,
        read: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> (BTreeMap<ActionName, LatestJob>, BTreeMap<ActionName, Staleness>) {
        let mut scanner = ReadScanner::new(what.code, read);
        let mut own = BTreeMap::new();
        for (name, job) in self.succeeded {
            let Some(action) = what.project.action(name) else { continue };
            let old = self.made_by.get(job);
            let new = self.components(what, action, old);
            let known = if what.project_code(action) {
                let words = action.expand(what.project, DataKind::Dummy).words;
                let config = action.config.as_ref().map(|config| config.0.as_str());
                scanner.known_read(&words, config, action.dummy_data_file.as_deref())
            } else {
                // A reusable action is one thing: which of its files it reads is not asked.
                let before = old.iter().flat_map(|old| old.code.files());
                before.chain(new.code.files()).map(|file| file.path.clone()).collect()
            };
            own.insert(name.clone(), compare(old, &new, &known));
        }
        let staleness = propagate(what.project, &own);
        let mut latest = BTreeMap::new();
        for (name, row) in &self.seen.rows {
            let missing = self.standing.get(name).is_some_and(|s| !s.missing.is_empty());
            let stale = staleness.get(name).cloned().unwrap_or(Staleness::Unknown);
            latest.insert(name.clone(), row.judged(missing, stale));
        }
        (latest, staleness)
    }

    /// What a run of this action made now would be made from.
    fn components(&self, what: &Judging<'_>, action: &Action, old: Option<&Components>) -> Components {
        let (mut command, mut config) = command(what.project, action);
        let mut code = what.reusable.code_of(action).map_or(what.code, |own| &own.code);
        if let Some(old) = old.filter(|_| what.reusable.is_unknown(action)) {
            (command, config, code) = (old.command.clone(), old.config.clone(), &old.code);
        }
        let mut offered = Vec::new();
        let mut kept: Vec<InputFile> = Vec::new();
        for need in &action.needs {
            let Some(job) = self.succeeded.get(need) else {
                // Its latest run failed: what was read of it stands, and the plan says what it thinks of that.
                kept.extend(old.iter().flat_map(|old| &old.inputs).filter(|input| input.action == *need).cloned());
                continue;
            };
            let finished_at = self.seen.rows.get(need).and_then(|row| row.completed_at).unwrap_or(0);
            let outputs = self.standing.get(need);
            let missing = outputs.iter().flat_map(|s| &s.missing).map(|record| (record, &None));
            let present = outputs.iter().flat_map(|s| &s.present).map(|(record, now)| (record, now));
            for (record, now) in present.chain(missing) {
                let object = now.map_or(record.object, |(object, _)| object);
                let (path, action, level) = (record.path.clone(), need.clone(), record.level);
                offered.push(PinnedOutput { file: InputFile { path, object, action, job: *job, level }, finished_at });
            }
        }
        let (mut inputs, _) = workspace_inputs(offered);
        inputs.extend(kept);
        inputs.sort();
        let unknown = || ImageIdentity::Environment { lock: String::new() };
        let image = what.images.get(&action.name).cloned().or_else(|| old.map(|old| old.image.clone()));
        Components {
            command,
            config,
            image: image.unwrap_or_else(unknown),
            code: code.clone(),
            inputs,
            outputs: action.outputs.iter().map(OutputSpec::from).collect(),
            environment: environment(),
            data: data_identity(action.is_database(), DataKind::Dummy),
        }
    }
}
