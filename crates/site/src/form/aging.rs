//! How far earlier successes are still what would be made now, as far as two commits can tell: command, config, outputs, code.
//! Spec site.md 7.4; jobs.md 17. Data and images only the backend knows, so its judgement can differ, and the page says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobs::provenance::{ImageIdentity, OutputSpec, compare, propagate};
use jobs::{Components, JobState, Staleness};
use pipeline::{Action, ActionName, Project};

use super::record::Record;
use crate::mirror::{Mirrors, Place, Study};

/// Commits of earlier runs that are looked at.
const MOST_COMMITS: usize = 20;

/// Fills in the record how far each success is still up to date. What cannot be told stays unknown.
pub(super) async fn age(mirrors: &Mirrors, place: &Place, study: &Study, record: &mut Record) {
    let Some(project) = study.project() else { return };
    let wanted: BTreeSet<String> = record
        .0
        .iter()
        .filter(|(name, _)| project.action(name).is_some())
        .filter_map(|(_, known)| known.planned.as_ref())
        .filter(|planned| planned.state == JobState::Succeeded)
        .filter_map(|planned| Some(planned.commit.as_ref()?.to_string()))
        .collect();
    let mut then: BTreeMap<String, Arc<Study>> = BTreeMap::new();
    for commit in wanted.into_iter().take(MOST_COMMITS) {
        // One that is not here any more, or cannot be read now, tells nothing.
        if let Ok(id) = commit.parse()
            && let Ok(old) = mirrors.known(place, id).await
        {
            then.insert(commit, old);
        }
    }
    judge(project, study, &then, record);
}

/// The same with all that is known handed in.
fn judge(project: &Project, study: &Study, then: &BTreeMap<String, Arc<Study>>, record: &mut Record) {
    let mut own: BTreeMap<ActionName, Staleness> = BTreeMap::new();
    for action in &project.actions {
        let Some(planned) = record.0.get(&action.name).and_then(|known| known.planned.as_ref()) else { continue };
        if planned.state != JobState::Succeeded {
            continue;
        }
        let old = planned.commit.as_ref().and_then(|commit| then.get(&commit.to_string()));
        let mut state = old.map_or(Staleness::Unknown, |old| against(old, study, action));
        let newer = |need: &ActionName| {
            let need = record.0.get(need).and_then(|known| known.planned.as_ref());
            need.is_some_and(|need| need.state == JobState::Succeeded && need.at > planned.at)
        };
        // What it read was made again since; whether the bytes differ only the backend knows.
        if state == Staleness::UpToDate && action.needs.iter().any(newer) {
            state = Staleness::Unknown;
        }
        own.insert(action.name.clone(), state);
    }
    for (name, staleness) in propagate(project, &own) {
        if let Some(planned) = record.0.get_mut(&name).and_then(|known| known.planned.as_mut()) {
            planned.staleness = staleness;
        }
    }
}

fn against(old: &Study, new: &Study, action: &Action) -> Staleness {
    let before = old.project().and_then(|project| project.action(&action.name));
    let (Some(before), Some(reads)) = (before, old.reads.get(&action.name)) else { return Staleness::Unknown };
    compare(Some(&components(before, old)), &components(action, new), reads)
}

/// What two commits can be compared by; all else is the same for both.
fn components(action: &Action, study: &Study) -> Components {
    let mut outputs: Vec<OutputSpec> = action.outputs.iter().map(OutputSpec::from).collect();
    outputs.sort();
    Components {
        command: action.words.clone(),
        config: action.config.as_ref().map(|config| config.0.clone()),
        image: ImageIdentity::Digest { digest: String::new() },
        code: study.code.clone(),
        inputs: Vec::new(),
        outputs,
        environment: BTreeMap::new(),
        data: None,
    }
}

/// How a reused success stands, to be read after "it succeeded in request 7".
pub(super) fn words(staleness: &Staleness) -> String {
    match staleness {
        Staleness::UpToDate => ", and nothing that it is known to depend on has changed since".to_owned(),
        Staleness::Stale(differences) => match differences.first() {
            Some(first) => format!(", but is out of date: {}", jobs::explain::shown(&first.to_string())),
            None => ", but is out of date".to_owned(),
        },
        Staleness::PossiblyStale(changes) => match changes.first() {
            Some(first) => format!(
                ", and is perhaps out of date: {} {}, which it is not known to read",
                jobs::explain::shown(&first.path),
                first.change
            ),
            None => ", and is perhaps out of date".to_owned(),
        },
        Staleness::Unknown => "; the backend says whether that is up to date".to_owned(),
    }
}
