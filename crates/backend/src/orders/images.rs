//! What the runtimes of a project are here: an engine of this program, an environment that is there or can be made, or
//! nothing. Spec protocol.md 1 (images); jobs.md 19. Blocks: it looks at the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jobs::provenance::ImageIdentity;
use jobs::server::image_identity;
use pipeline::{Action, ActionName, Project, RuntimeRef};
use protocol::fact::words::RefusedReason;
use runtimes::{Found, Kind, Located, Missing, Options};

use super::{Refused, Rules};
use crate::settings::Profile;

/// The tag that no backend runs (spec project-yaml.md P313, actions.md 2.2).
const LOCAL: &str = "dev";

/// How long it is believed that a runtime which was found ready still is. Queued jobs believe it for longer.
const BELIEVED: Duration = Duration::from_secs(30);

/// Runtimes that were found ready a moment ago, by name and by version of the project: looking costs more than planning.
#[derive(Debug, Default)]
pub struct Lately(Mutex<BTreeMap<(RuntimeRef, String), (Instant, Found)>>);

impl Lately {
    fn locate(&self, one: &RuntimeRef, options: &Options) -> Result<Found, Missing> {
        let key = (one.clone(), options.builtins.project_version.clone().unwrap_or_default());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((at, found)) = known
            && at.elapsed() < BELIEVED
        {
            return Ok(found);
        }
        let found = runtimes::locate(one, options);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        if let Ok(ready @ Found::Ready(_)) = &found {
            held.insert(key, (Instant::now(), ready.clone()));
        }
        found
    }
}

/// What every runtime of a project is on this machine.
pub struct Here {
    found: BTreeMap<RuntimeRef, Result<Found, Missing>>,
    profile: Profile,
    lacks: fn(&str, &[String]) -> Option<String>,
}

impl Here {
    /// Looks for each distinct runtime of a project once. Builds and fetches nothing.
    pub fn look(project: &Project, rules: &Rules, lately: &Lately) -> Self {
        let mut options = rules.runtimes.clone();
        options.builtins.project_version = Some(project.version.text.clone());
        let distinct: BTreeSet<&RuntimeRef> = project.actions.iter().map(|action| &action.runtime).collect();
        let found = distinct.into_iter().map(|one| (one.clone(), lately.locate(one, &options))).collect();
        Self { found, profile: rules.profile, lacks: rules.lacks }
    }

    /// What each action would run in, where anything was found.
    pub(super) fn images(&self, project: &Project) -> BTreeMap<ActionName, ImageIdentity> {
        let image = |runtime: &RuntimeRef| Some(image_identity(self.found.get(runtime)?.as_ref().ok()?.located()));
        project.actions.iter().filter_map(|action| Some((action.name.clone(), image(&action.runtime)?))).collect()
    }

    /// The same by runtime.
    pub(super) fn located(&self) -> BTreeMap<RuntimeRef, Located> {
        let there = self.found.iter().filter_map(|(one, found)| Some((one.clone(), found.as_ref().ok()?.located())));
        there.map(|(one, located)| (one, located.clone())).collect()
    }

    /// What runs an action.
    pub(super) fn of(&self, runtime: &RuntimeRef) -> Option<&Found> {
        self.found.get(runtime)?.as_ref().ok()
    }

    /// Whether an action can run here, and may.
    pub(super) fn check(&self, action: &Action) -> Result<(), Refused> {
        let runtime = &action.runtime;
        let refuse =
            |reason, words: String| Err(Refused::new(reason, format!("{} of {}: {words}", runtime, action.name)));
        if runtime.tag == LOCAL {
            return refuse(RefusedReason::ImageNotAllowed, "it is for tests on a laptop; name a version".to_owned());
        }
        match self.found.get(runtime) {
            Some(Ok(found)) if found.located().kind == Kind::Native && self.profile == Profile::Production => {
                refuse(RefusedReason::ImageNotAllowed, "native environments are refused here".to_owned())
            }
            Some(Ok(_)) => match (self.lacks)(&runtime.name, action.words.get(1..).unwrap_or_default()) {
                Some(lack) => refuse(RefusedReason::ImageNotAllowed, lack),
                None => Ok(()),
            },
            Some(Err(missing)) if missing.code == "X206" => refuse(RefusedReason::ImageNotAllowed, missing.to_string()),
            Some(Err(missing)) => refuse(RefusedReason::ImageNotFound, missing.to_string()),
            None => refuse(RefusedReason::ImageNotFound, "it was not looked for".to_owned()),
        }
    }
}
