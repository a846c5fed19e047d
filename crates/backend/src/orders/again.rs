//! Planned jobs with all that they need: right after their plan, and again after a restart.
//! Spec jobs.md 9 (running and waiting jobs survive a restart), 10.

use std::collections::BTreeSet;
use std::sync::Arc;

use jobs::engine::Work;
use jobs::provenance::CodeTree;
use jobs::reusable::Reusable;
use jobs::state::{Job, StateError};
use jobs::tree::Tree;
use jobs::{CodeSource, Request};
use repositories::{AllowList, LocalRepos};
use runtimes::{Found, Program};

use super::code::{Code, NoCode, Place, of_job};
use super::decide::aside;
use super::reusable::Actions;
use super::{Decider, Here, Outage};

/// A job with all that it needs but, perhaps, its environment.
pub struct Kit {
    /// As stored.
    pub job: Job,
    /// Who asked.
    pub created_by: String,
    /// For which project.
    pub project: String,
    /// The code.
    pub tree: Arc<Tree>,
    /// The same, as it counts in run keys.
    pub code: CodeTree,
    /// All actions of the project.
    pub actions: Arc<BTreeSet<String>>,
    /// What runs it, or how that is made.
    pub found: Found,
}

impl Kit {
    /// Ready to run.
    pub fn work(self, program: Program) -> Work {
        let Self { job, created_by, project, tree, code, actions, .. } = self;
        Work { job, created_by, project, program, tree, code, edited: Arc::default(), actions }
    }
}

impl Decider {
    pub(super) async fn kits(
        &self,
        request: &Request,
        code: &Code,
        reusable: &Reusable,
        here: &Here,
    ) -> Result<Vec<Kit>, StateError> {
        let actions: Arc<BTreeSet<String>> =
            Arc::new(code.project.actions.iter().map(|action| action.name.to_string()).collect());
        let jobs = self.server.state().jobs_of(request.id).await?;
        let kit = |job: Job| {
            let (tree, own) = match &job.definition.reusable {
                None => (code.tree.clone(), code.code.clone()),
                // Never the study's code instead of its own.
                Some(by) => reusable.codes.get(&by.reference).map(|own| (own.tree.clone(), own.code.clone()))?,
            };
            Some(Kit {
                created_by: request.created_by.clone(),
                project: request.project.clone(),
                tree,
                code: own,
                actions: actions.clone(),
                found: here.of(&job.definition.runtime)?.clone(),
                job,
            })
        };
        Ok(jobs.into_iter().filter(|job| job.state().is_active()).filter_map(kit).collect())
    }

    /// The jobs of a request that was planned before, after a restart.
    ///
    /// # Errors
    /// The records cannot be read; the inner error if the code cannot be reached now.
    pub async fn again(&self, request: &Request) -> Result<Result<Vec<Kit>, Outage>, StateError> {
        let CodeSource::Commit { repo_url, branch, commit } = request.code.clone() else { return Ok(Ok(Vec::new())) };
        let (rules, mirrors) = (self.rules.clone(), self.mirrors.clone());
        // It was on the list when it was planned. What runs goes on; what waits is asked again before it starts.
        let list = match repo_url.starts_with('/') {
            true => AllowList::new::<&str>([], LocalRepos::Allowed),
            false => AllowList::new([repo_url.as_str()], LocalRepos::Refused),
        };
        let list = match list {
            Ok(list) => list,
            Err(error) => return Ok(Err(Outage(error.to_string()))),
        };
        let (shop, library) = (self.server.workshop().clone(), self.library.clone());
        let jobs = self.server.state().jobs_of(request.id).await?;
        let read = move || {
            let place = Place { repo_url: &repo_url, branch: &branch, commit: commit.as_str() };
            let mut code = of_job(&place, &list, &mirrors, &rules.tree, &shop.store)?;
            let actions = Actions::of_jobs(&mut code, &jobs, &library, &rules.tree, &shop.store);
            Ok((code, actions.map_err(NoCode::Outage)?))
        };
        let (code, actions) = match aside(read).await {
            Ok(Ok(code)) => code,
            Ok(Err(NoCode::Outage(outage))) | Err(outage) => return Ok(Err(outage)),
            Ok(Err(NoCode::Refused(refused))) => return Ok(Err(Outage(refused.words))),
        };
        match self.look(&code).await {
            Ok(here) => Ok(Ok(self.kits(request, &code, &actions.reusable, &here).await?)),
            Err(outage) => Ok(Err(outage)),
        }
    }
}
