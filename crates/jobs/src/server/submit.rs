//! Planning on a backend: what earlier jobs are worth, and storing a plan with its answer in one transaction.
//! Spec jobs.md 3 (rule 7), 17.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;
use pipeline::{ActionName, Project, RuntimeRef};
use runtimes::Located;

use super::Server;
use crate::definition::Making;
use crate::fault::point;
use crate::judge::{Judging, LARGEST_SCRIPT, Standing, Weighing};
use crate::plan::{LatestJob, Plan};
use crate::provenance::Staleness;
use crate::reusable::Reusable;
use crate::state::{Answer, LatestJobs, NewJob, Recorded, StateError};
use crate::tree::Tree;
use crate::{JobId, Request, StatusCode, WorkspaceName};

/// What planning needs to know of earlier jobs.
pub struct SeenBefore {
    /// What it was judged from; storing the plan checks it again.
    pub seen: LatestJobs,
    /// As the planner takes it.
    pub latest: BTreeMap<ActionName, LatestJob>,
    /// Of actions whose latest job succeeded, needs included.
    pub staleness: BTreeMap<ActionName, Staleness>,
}

/// A plan that is to be stored.
pub struct Planned<'a> {
    /// The project.
    pub project: &'a Project,
    /// What was asked.
    pub request: &'a Request,
    /// The answer.
    pub plan: &'a Plan,
    /// What it was made from.
    pub seen: &'a LatestJobs,
    /// git's name of the tree.
    pub tree_id: &'a str,
    /// What each runtime of the project is here.
    pub located: &'a BTreeMap<RuntimeRef, Located>,
    /// The code of reusable actions.
    pub reusable: &'a Reusable,
    /// What is told of it.
    pub answer: Answer<'a>,
}

/// A runtime of a planned job was not located: a fault of the caller.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Nothing runs this action.
    #[error("a fault of this program: nothing was found to run {0}")]
    NoRuntime(ActionName),
    /// The records.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Server {
    /// Judges the latest jobs of every action of the project in a workspace. An output counts as long as its object is
    /// stored.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn judge(
        &self,
        workspace: &WorkspaceName,
        what: &Judging<'_>,
        tree: &Tree,
    ) -> Result<SeenBefore, StateError> {
        let state = &self.shop.state;
        let names: Vec<&ActionName> = what.project.actions.iter().map(|action| &action.name).collect();
        let seen = state.latest_jobs(workspace, names).await?;
        let done = seen.rows.iter().filter(|(_, row)| row.code == StatusCode::Succeeded);
        let succeeded: BTreeMap<ActionName, JobId> = done.map(|(name, row)| (name.clone(), row.job)).collect();
        let jobs: Vec<JobId> = succeeded.values().copied().collect();
        let mut outputs = state.outputs_of(&jobs).await?;
        let made_by = state.components_of(&jobs).await?;
        let mut standing: BTreeMap<ActionName, Standing> = BTreeMap::new();
        for (action, job) in &succeeded {
            let of_it = standing.entry(action.clone()).or_default();
            for record in outputs.remove(job).unwrap_or_default() {
                if self.shop.store.contains(record.object) {
                    of_it.present.push((record, None));
                } else {
                    of_it.missing.push(record);
                }
            }
        }
        let weighing = Weighing { seen: &seen, succeeded: &succeeded, standing: &standing, made_by: &made_by };
        let (latest, staleness) = weighing.weigh(what, |path| self.script(tree, path));
        Ok(SeenBefore { seen, latest, staleness })
    }

    fn script(&self, tree: &Tree, path: &str) -> Option<Vec<u8>> {
        let file = self.shop.store.read(tree.object(path)?).ok()?;
        if file.size() > LARGEST_SCRIPT {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_SCRIPT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Stores a plan, its jobs and its answer, all or nothing. Its jobs can be read from the records then.
    ///
    /// # Errors
    /// [`StateError::PlanOutdated`]: judge and plan again. Others as for [`crate::State::record_plan`].
    pub async fn submit(&self, what: &Planned<'_>) -> Result<Recorded, SubmitError> {
        point("plan.before", None);
        let request = what.request;
        let making = Making {
            project: what.project,
            workspace: &request.workspace,
            code: &request.code,
            tree: what.tree_id,
            reusable: what.reusable,
            scope: &request.analysis_scope,
        };
        let mut jobs = Vec::new();
        for visited in what.plan.new_jobs() {
            let action = &what.project.actions[visited.index];
            let located =
                what.located.get(&action.runtime).ok_or_else(|| SubmitError::NoRuntime(action.name.clone()))?;
            jobs.push(NewJob { definition: making.definition(action, located), pins: visited.pins.clone() });
        }
        let recorded =
            self.shop.state.record_plan_as(request, &jobs, what.seen, &what.answer, Timestamp::now()).await?;
        point("plan.after", None);
        Ok(recorded)
    }
}
