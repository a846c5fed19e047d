//! From a plan to jobs that can start: the request is recorded, and each new job gets what its attempt needs.
//! Spec jobs.md 3 (rules 6 and 7), 18.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pipeline::{ActionName, Project};
use runtimes::Program;

use super::judge::Edited;
use super::{Judged, LocalError, Study};
pub use crate::definition::image_identity;
use crate::definition::{BACKEND, Making};
use crate::engine::Work;
use crate::fault::point;
use crate::plan::{Plan, PlanRequest};
use crate::provenance::CodeTree;
use crate::reusable::Reusable;
use crate::state::NewJob;
use crate::tree::Tree;
use crate::{AnalysisScope, CodeSource, Request, RequestId};

/// What runs each action: the programs of all that are to run.
pub type Runtimes = BTreeMap<ActionName, Program>;

/// A plan with all that its jobs need.
pub struct Submission<'a> {
    /// The project.
    pub project: &'a Project,
    /// What was asked.
    pub request: &'a PlanRequest,
    /// The answer.
    pub plan: &'a Plan,
    /// What it was made from.
    pub judged: &'a Judged,
    /// The code as planned.
    pub tree: Arc<Tree>,
    /// The same, as it counts in run keys.
    pub code: CodeTree,
    /// The code of reusable actions, stored.
    pub reusable: &'a Reusable,
    /// A program for each action that gets a new job.
    pub programs: &'a Runtimes,
}

impl Study {
    /// Records the plan and gives its jobs, in its order.
    ///
    /// # Errors
    /// The state cannot be written, or an output that a person changed cannot be stored.
    pub async fn submit(&self, what: Submission<'_>) -> Result<Vec<Work>, LocalError> {
        point("plan.before", None);
        self.store_edited(&what)?;
        let now = Timestamp::now();
        let request = Request {
            id: RequestId::generate().map_err(|error| LocalError::Fault(error.to_string()))?,
            backend: BACKEND.to_owned(),
            workspace: self.workspace.clone(),
            code: CodeSource::Snapshot,
            database_name: "default".to_owned(),
            requested_actions: what.request.requested.clone(),
            force_run_dependencies: what.request.force,
            stale: what.request.stale,
            codelists_ok: true,
            created_by: "local".to_owned(),
            project: String::new(),
            orgs: Vec::new(),
            analysis_scope: AnalysisScope::default(),
            created_at: now.as_second(),
        };
        let tree_id = what.code.hash().hex();
        let mut jobs = Vec::new();
        for visited in what.plan.new_jobs() {
            let action = &what.project.actions[visited.index];
            let Some(program) = what.programs.get(&visited.action) else {
                return Err(LocalError::Fault(format!("nothing was found to run {}", visited.action)));
            };
            let making = Making {
                project: what.project,
                workspace: &self.workspace,
                code: &request.code,
                tree: &tree_id,
                reusable: what.reusable,
                scope: &request.analysis_scope,
            };
            let definition = making.definition(action, &program.located);
            jobs.push(NewJob { definition, pins: visited.pins.clone() });
        }
        self.shop.state.record_plan(&request, &jobs, &what.judged.seen, now).await?;
        point("plan.after", None);
        let edited = what.judged.overrides();
        let actions: Arc<BTreeSet<String>> =
            Arc::new(what.project.actions.iter().map(|action| action.name.to_string()).collect());
        let mut works = Vec::new();
        for job in self.shop.state.jobs_of(request.id).await? {
            let Some(program) = what.programs.get(&job.definition.action).cloned() else { continue };
            let own = job.definition.reusable.as_ref().and_then(|by| what.reusable.codes.get(&by.reference));
            let (tree, code) = match own {
                Some(own) => (own.tree.clone(), own.code.clone()),
                None => (what.tree.clone(), what.code.clone()),
            };
            let (created_by, project) = (request.created_by.clone(), String::new());
            let (edited, actions) = (edited.clone(), actions.clone());
            works.push(Work { job, created_by, project, program, tree, code, edited, actions });
        }
        Ok(works)
    }

    /// Outputs that a person changed, and recorded ones that the store has lost, are stored from the folder.
    fn store_edited(&self, what: &Submission<'_>) -> Result<(), LocalError> {
        let batch = self.shop.store.batch();
        let lost = what.judged.unchanged.iter().filter(|(_, object)| !self.shop.store.contains(*object));
        let lost: Vec<&String> = lost.map(|(path, _)| path).collect();
        let edited = what.judged.edited.iter().map(|Edited { path, .. }| path);
        for path in edited.chain(lost) {
            let mut file = self.folder.open(path)?;
            batch.put_file(&mut file, crate::store::Expect::New)?;
        }
        batch.commit()?;
        Ok(())
    }
}
