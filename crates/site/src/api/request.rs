//! Job requests: the log by the filters of its page, and one of them whole.
//! Spec site.md 6.1, 13.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ui::icon::Level;

use super::answer;
use super::shapes::{Counts, Job, ListOf, Need, Output, Person, Reason, Request, RequestItem, time};
use crate::access::Refusal;
use crate::facts::status::runtime;
use crate::pages::{Pipeline, Query, number};
use crate::store::read::{self, JobRow, OtherJob, RequestPage};
use crate::{Opened, Site};

/// Rows of an answer: what is given if nothing is asked for, and the most.
const ROWS: u32 = 100;
const MOST: u32 = 500;
/// Up to so many are counted.
const COUNTED: u64 = 10_000;

/// `job-requests`.
pub(super) async fn list(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let (limit, rest) = limited(&query.unwrap_or_default())?;
    let query = Query::read(&rest);
    if let Some(unknown) = query.unknown.first() {
        return Err(Refusal::Malformed(format!("`{unknown}` means nothing here.")));
    }
    if let Some(fault) = query.faults.first() {
        return Err(Refusal::Malformed(fault.message.clone()));
    }
    let found = read::requests(site.store.readers(), &query.filter, limit).await?;
    let list = ListOf {
        items: found.rows.iter().map(RequestItem::from).collect(),
        next: found.next.map(|number| number.to_string()),
        total: (found.total <= COUNTED).then_some(found.total),
    };
    answer(&asked, &list)
}

/// How many rows are wanted, and the query without that.
fn limited(query: &str) -> Result<(u32, String), Refusal> {
    let (mut limit, mut rest) = (ROWS, form_urlencoded::Serializer::new(String::new()));
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if key == "limit" {
            let bad = || Refusal::Malformed(format!("`limit` is a number from 1 to {MOST}."));
            limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(bad)?;
        } else {
            rest.append_pair(&key, &value);
        }
    }
    Ok((limit, rest.finish()))
}

/// `job-requests/{number or identifier}`.
pub(super) async fn one(
    State(site): State<Opened>,
    Path(key): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let page = find(&site, &key).await?;
    answer(&asked, &shape(&site, &page))
}

pub(super) async fn find(site: &Site, key: &str) -> Result<RequestPage, Refusal> {
    // All digits is a number, which is written in one way only; anything else is an identifier.
    if key.bytes().all(|byte| byte.is_ascii_digit()) && key.len() < 16 {
        number(key)?;
    }
    let readers = site.store.readers();
    let place = read::request_place(readers, key).await?;
    let (project, workspace, number) = place.ok_or(Refusal::Hidden)?;
    let now = site.clock.microseconds();
    let page = read::request_page(readers, (&project, &workspace), number, now).await?;
    page.ok_or(Refusal::Hidden)
}

fn shape(site: &Site, page: &RequestPage) -> Request {
    let sha256 = page.yaml_sha256.as_deref().unwrap_or_default();
    let pipeline = page.yaml.as_ref().map(|bytes| site.memory.pipeline(sha256, bytes));
    Request {
        number: page.number,
        identifier: page.identifier.clone(),
        organisation: page.project.org.as_ref().map(|org| org.name.clone()),
        project: page.project.slug.clone(),
        workspace: page.workspace.clone(),
        backend: page.backend.slug.clone(),
        synthetic: page.backend.is_synthetic,
        status: page.status.clone(),
        cancelled: page.cancelled,
        reason: page.reason.clone().map(|code| Reason { code }),
        requested_by: Person::from(&page.requested_by),
        branch: page.branch.clone(),
        commit: page.commit.clone(),
        repository: page.repo.clone(),
        project_yaml_sha256: page.yaml_sha256.clone(),
        force_run_dependencies: page.force_run_dependencies,
        requested_actions: page.requested_actions.clone(),
        codelists: page.codelists.clone(),
        is_import: page.is_import,
        created_at: time(page.created_at),
        started_at: page.first_started_at.map(time),
        finished_at: page.last_finished_at.map(time),
        runtime: runtime(page.first_started_at.is_some(), page.runtime_s),
        counts: Counts::from(page.counts),
        jobs: page.jobs.iter().map(|row| job(row, &page.others, pipeline.as_deref())).collect(),
        previous: page.previous.as_ref().map(|earlier| earlier.number),
        previous_successful: page.previous_successful.as_ref().map(|earlier| earlier.number),
    }
}

/// A job, with what its action declares where the site knows the project.yaml.
pub(super) fn job(row: &JobRow, others: &[OtherJob], pipeline: Option<&Pipeline>) -> Job {
    let action = pipeline.and_then(|pipeline| pipeline.action(&row.action));
    let of_other = |needed: &str| {
        let other = others.iter().find(|other| other.identifier == needed);
        other.and_then(|other| other.request.as_ref()).map(|(number, _, _)| *number)
    };
    Job {
        identifier: row.identifier.clone(),
        action: row.action.clone(),
        status: row.status.clone(),
        code: row.code.clone(),
        params: row.params.clone(),
        attempt: row.attempt,
        image: row.image.clone(),
        created_at: time(row.created_at),
        started_at: row.started_at.map(time),
        finished_at: row.finished_at.map(time),
        runtime: runtime(row.runtime_s.is_some(), row.runtime_s.unwrap_or(0)),
        needs: row
            .needs
            .iter()
            .map(|need| Need {
                job: need.needed.clone(),
                action: need.action.clone(),
                request: of_other(&need.needed),
                kind: need.kind.clone(),
            })
            .collect(),
        outputs: action
            .map_or(&[][..], |action| &action.outputs)
            .iter()
            .map(|(level, pattern)| Output { level: word(*level), pattern: pattern.clone() })
            .collect(),
    }
}

pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::High => "highly_sensitive",
        Level::Medium => "moderately_sensitive",
        Level::Low => "minimally_sensitive",
    }
}

/// What the page of a job needs of its request.
pub(super) async fn of_job(site: &Site, place: (&str, &str), number: i64) -> Result<RequestPage, Refusal> {
    let now = site.clock.microseconds();
    let page = read::request_page(site.store.readers(), place, number, now).await?;
    page.ok_or(Refusal::Hidden)
}
