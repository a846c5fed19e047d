//! Which jobs a request will have whose plan is not known yet: a cancel names jobs, and one unknown name stops nothing.
//! Spec jobs.md 7; the plan is the expected one, so a backend that plans otherwise answers `unknown`, and one can ask again.

use std::collections::BTreeSet;

use pipeline::ActionName;

use super::read::Standing;
use crate::form::expect::{Deed, expect};
use crate::form::record::Record;
use crate::store::{Store, StoreError};

/// The names to send for these ticked ones of a request that is not answered: all expected jobs if everything was ticked.
pub(super) async fn names(store: &Store, found: &Standing, ticked: &[String]) -> Result<Vec<String>, StoreError> {
    let plain = || ticked.iter().filter(|name| *name != "run_all").cloned().collect::<Vec<_>>();
    let is_whole = found.open().all(|item| ticked.contains(&item.action));
    let Some(expected) = expected(store, found).await? else { return Ok(plain()) };
    let names: Vec<String> = match is_whole || ticked.iter().any(|name| name == "run_all") {
        true => expected.into_iter().collect(),
        false => plain().into_iter().filter(|name| expected.contains(name)).collect(),
    };
    Ok(if names.is_empty() { plain() } else { names })
}

type Asked = (i64, bool, String, Option<Vec<u8>>);

/// The actions that are expected to get a job of their own.
async fn expected(store: &Store, found: &Standing) -> Result<Option<BTreeSet<String>>, StoreError> {
    let row: Option<Asked> = sqlx::query_as(
        "SELECT r.workspace, r.force_run_dependencies, r.stale, y.body FROM job_request r
         LEFT JOIN project_yaml y ON y.sha256 = r.project_yaml WHERE r.number = ?",
    )
    .bind(found.number)
    .fetch_optional(store.readers())
    .await?;
    let Some((workspace, force, stale, Some(yaml))) = row else { return Ok(None) };
    let Some(project) = pipeline::load(&yaml, "project.yaml").project else { return Ok(None) };
    let record = Record::read(store.readers(), found.backend, workspace).await?;
    let request = jobs::PlanRequest {
        requested: found.items.iter().map(|item| ActionName::new(item.action.clone())).collect(),
        force,
        stale: if stale == "rerun" { jobs::Stale::Rerun } else { jobs::Stale::Keep },
        codelists_ok: true,
        commit: None,
    };
    let Ok(plan) = expect(&project, &request, &record) else { return Ok(None) };
    let runs = plan.steps.into_iter().filter(|step| step.decision == Deed::Run);
    Ok(Some(runs.map(|step| step.action).collect()))
}
