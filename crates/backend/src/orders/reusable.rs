//! The reusable actions of an order: which commit each is, asked by the backend itself, and what may run of them here.
//! Spec jobs.md 19; project-yaml.md 9; protocol.md 1. Blocks: it waits for git.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobs::reusable::{Ask, Found, Library, MOST, NotFound, Pins, Reusable, expand, wanted};
use jobs::state::Job;
use jobs::store::Store;
use pipeline::{Action, Project, Registry, ReusableActions, ReusableFault, RuntimeRef, Tree};
use protocol::fact::words::RefusedReason;
use repositories::Limits;

use super::code::{Code, Outage};
use super::{Refused, Rules};

/// What became of the names of an order that are no runtimes.
#[derive(Default)]
pub(super) struct Actions {
    /// The code of those that were found; jobs get it instead of the study's.
    pub(super) reusable: Reusable,
    faults: BTreeMap<RuntimeRef, ReusableFault>,
    outages: BTreeMap<RuntimeRef, String>,
}

impl Actions {
    /// Looks up what an order's actions come to, and makes of its project what would run.
    ///
    /// # Errors
    /// It names too many.
    pub(super) fn of_order(
        code: &mut Code,
        requested: &[pipeline::ActionName],
        rules: &Rules,
        library: &Library,
        store: &Store,
    ) -> Result<Self, Refused> {
        let registry = runtimes::catalogue();
        let named = wanted(&code.project, requested, &registry);
        let mut actions = Self::default();
        if named.is_empty() {
            return Ok(actions);
        }
        if named.len() > MOST {
            return Err(Refused::new(RefusedReason::TooLarge, NotFound::TooMany.to_string()));
        }
        let (allowed, refused): (BTreeSet<_>, BTreeSet<_>) =
            named.into_iter().partition(|one| rules.actions.allows(&one.name));
        actions.reusable.unknown = refused;
        let answers = library.look_up(&allowed, &Pins::new(), Ask::Always, &registry);
        let found = answers.into_iter().filter_map(|(one, answer)| {
            let kept = answer.and_then(|found| Ok((found.store(&rules.tree, store)?, found)));
            match kept {
                Ok((own, found)) => {
                    actions.reusable.codes.insert(one, own);
                    return Some(found);
                }
                Err(NotFound::Fault(fault)) => drop(actions.faults.insert(one.clone(), fault)),
                Err(error) => drop(actions.outages.insert(one.clone(), error.to_string())),
            }
            actions.reusable.unknown.insert(one);
            None
        });
        let found: Vec<Found> = found.collect();
        for (one, own) in &actions.reusable.codes {
            for note in &own.notes {
                tracing::info!(action = %one, %note, "not all of a commit is what its author may think");
            }
        }
        code.project = Arc::new(expand(&code.project, &found));
        Ok(actions)
    }

    /// What jobs that were planned before run, by the commits that they were planned with.
    ///
    /// # Errors
    /// One of them can neither be had here nor fetched now.
    pub(super) fn of_jobs(
        code: &mut Code,
        jobs: &[Job],
        library: &Library,
        limits: &Limits,
        store: &Store,
    ) -> Result<Self, Outage> {
        let planned = jobs.iter().filter(|job| job.state().is_active());
        let planned: BTreeMap<_, _> =
            planned.filter_map(|job| job.definition.reusable.as_ref()).map(|one| (&one.reference, one)).collect();
        let mut actions = Self::default();
        let mut all = Vec::with_capacity(planned.len());
        for (reference, one) in planned {
            let failed = |error: NotFound| Outage(format!("the reusable action {reference}: {error}"));
            let found = library.again(one).map_err(failed)?;
            actions.reusable.codes.insert(reference.clone(), found.store(limits, store).map_err(failed)?);
            all.push(found);
        }
        code.project = Arc::new(expand(&code.project, &all));
        Ok(actions)
    }

    /// Whether an action that is to run can: it is no reusable action, or one that was found.
    ///
    /// # Errors
    /// It is refused, or its code cannot be reached now.
    pub(super) fn check(
        &self,
        action: &Action,
        project: &Project,
        rules: &Rules,
    ) -> Result<Result<(), Refused>, Outage> {
        let one = &action.runtime;
        let named = |words: &str| format!("{one} of {}: {words}", action.name);
        if runtimes::catalogue().runtimes.contains_key(&one.name) {
            return Ok(Ok(()));
        }
        if let Some(why) = self.outages.get(one) {
            return Err(Outage(named(why)));
        }
        if let Some(fault) = self.faults.get(one) {
            return Ok(Err(refused(action, project, fault)));
        }
        let refuse = |reason, words| Ok(Err(Refused::new(reason, named(words))));
        match &rules.actions.origin {
            None => {
                refuse(RefusedReason::ReusableActionError, "it is no runtime, and no reusable actions are allowed here")
            }
            Some(_) => {
                refuse(RefusedReason::ImageNotAllowed, "this reusable action is not on the list of this backend")
            }
        }
    }
}

/// The refusal with its code and its place in project.yaml, as everybody who checks that file sees it.
fn refused(action: &Action, project: &Project, fault: &ReusableFault) -> Refused {
    let known = [(action.runtime.clone(), Err(fault.clone()))].into();
    let registry = Registry { reusable: ReusableActions::LookedUp(known), ..runtimes::catalogue() };
    let alone = Project { actions: vec![action.clone()], ..project.clone() };
    let mut told = pipeline::resolve(&alone, &registry, &Tree::default());
    // A name of other characters is told as one that nothing has.
    told.retain(|diagnostic| diagnostic.code == fault.code() || diagnostic.code.0 == "P307");
    let refused = Refused::of_project(&told);
    Refused { reason: RefusedReason::ReusableActionError, ..refused }
}
