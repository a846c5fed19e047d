//! The same by the API: a check that stores nothing, and a request.
//! Spec site.md 13.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::desk::Desk;
use super::excerpt::{self, Fault};
use super::expect::Expected;
use super::judge::{Facts, Wrong, judge};
use super::problem::{body, fields, lines, problem};
use super::record::Record;
use super::shapes::{Checked, CodelistState, HeadSeen, Made};
use super::submit::{SubmitError, Submitted, made_before};
use super::wish::{Body, Wish};
use crate::Opened;
use crate::access::{Refusal, RequestId, Viewer, Workspace};
use crate::mirror::{MirrorFault, Resolved, Wanted};

/// Characters of an `Idempotency-Key`.
const LONGEST_KEY: usize = 100;

/// `POST /api/v1/workspaces/{workspace}/check`: faults and plan, as the form would show them. Nothing is stored.
pub(super) async fn check(
    State(site): State<Opened>,
    viewer: Viewer,
    workspace: Workspace,
    id: RequestId,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Refusal> {
    let body: Body = body(&headers, &bytes)?;
    if body.workspace.as_ref().is_some_and(|name| *name != workspace.name) {
        return Err(Refusal::Malformed("The address names one workspace and the body another.".to_owned()));
    }
    let desk = Desk::open(&site, &viewer, &workspace.name).await?;
    let (wish, resolved) = match asked(&site, &desk, body, String::new()).await {
        Ok(asked) => asked,
        Err(fault) => return Ok(unresolved(&id, &fault)),
    };
    let study = &resolved.study;
    let record = desk.aged(&site, study, &wish.backend).await;
    let judged = judge(&wish, facts(&desk, &record, &resolved));
    let (plan, wrong) = match judged {
        Ok(expected) => (Some(expected), Vec::new()),
        Err(wrong) => (None, wrong),
    };
    let head = resolved.head.as_ref();
    let answer = Checked {
        ok: wrong.is_empty(),
        commit: study.commit.to_string(),
        branch: &desk.ground.branch,
        head: head.map(|head| HeadSeen {
            commit: head.commit.to_string(),
            heard_at: crate::clock::moment(head.at).to_string(),
            outdated: head.outdated.as_deref(),
        }),
        faults: excerpts(&resolved),
        codelists: CodelistState::of(&study.codelists),
        errors: wrong,
        plan,
    };
    Ok(axum::Json(answer).into_response())
}

/// `POST /api/v1/job-requests`: a request. The header `Idempotency-Key` makes repeats one request.
pub(super) async fn make(
    State(site): State<Opened>,
    viewer: Viewer,
    id: RequestId,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Refusal> {
    let key = key(&headers)?;
    let body: Body = body(&headers, &bytes)?;
    let name = body.workspace.clone();
    let name =
        name.ok_or_else(|| Refusal::Malformed("The body cannot be used: missing field `workspace`.".to_owned()))?;
    let desk = Desk::open(&site, &viewer, &name).await?;
    let key = format!("api:{key}");
    // A repeat is answered without asking the repository: its branch may have moved since.
    let mut before = body.clone().wish(key.clone());
    before.commit = body.name.as_deref().and_then(|name| name.parse().ok());
    if let Some(made) = made_before(site.store.readers(), desk.by.account, desk.ground.workspace, &before).await? {
        return Ok(answer(&site, &desk, &before, &made, None));
    }
    let (wish, resolved) = match asked(&site, &desk, body, key).await {
        Ok(asked) => asked,
        Err(fault) => return Ok(unresolved(&id, &fault)),
    };
    let record = desk.aged(&site, &resolved.study, &wish.backend).await;
    let expected = match judge(&wish, facts(&desk, &record, &resolved)) {
        Ok(expected) => expected,
        Err(wrong) => return Ok(refused(&id, &wrong, &excerpts(&resolved))),
    };
    let made = desk.submit(&site, &viewer, &wish, &resolved.study, &expected).await?;
    let made = match made {
        Err(SubmitError::NoBackend) => {
            let wrong = [Wrong::new("backend", "unknown_backend", SubmitError::NoBackend.to_string())];
            return Ok(refused(&id, &wrong, &[]));
        }
        made => made?,
    };
    Ok(answer(&site, &desk, &wish, &made, Some(&expected)))
}

/// 201 with what was made, 200 with what the same key made before.
fn answer(site: &Opened, desk: &Desk, wish: &Wish, made: &Submitted, plan: Option<&Expected>) -> Response {
    let status = if made.sent.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let page = format!("{}/{}/{}/{}/", site.settings.origin, desk.ground.slug, desk.ground.name, made.number);
    let body = Made {
        number: made.number,
        identifier: &made.identifier,
        workspace: &desk.ground.name,
        backend: &wish.backend,
        requested_actions: wish.actions.iter().map(pipeline::ActionName::as_str).collect(),
        commit: wish.commit.map(|commit| commit.to_string()),
        url: page,
        plan,
    };
    let place = format!("/api/v1/job-requests/{}", made.number);
    (status, [(header::LOCATION, place)], axum::Json(body)).into_response()
}

fn key(headers: &HeaderMap) -> Result<&str, Refusal> {
    let given = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let fits = (1..=LONGEST_KEY).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_graphic());
    let rule =
        "The header Idempotency-Key must be given: 1 to 100 visible ASCII characters, a new one for each new request.";
    if fits { Ok(given) } else { Err(Refusal::Malformed(rule.to_owned())) }
}

async fn asked(site: &Opened, desk: &Desk, body: Body, key: String) -> Result<(Wish, Resolved), MirrorFault> {
    let wanted = body.name.clone().map_or(Wanted::Head, Wanted::Named);
    let resolved = site.mirrors.resolve(&desk.ground.place(), &wanted, desk.now).await?;
    let wish = Wish { commit: Some(resolved.commit()), ..body.wish(key) };
    Ok((wish, resolved))
}

fn facts<'a>(desk: &'a Desk, record: &'a Record, resolved: &'a Resolved) -> Facts<'a> {
    Facts { study: &resolved.study, choices: &desk.choices, permits: &desk.permits, record, now: desk.now }
}

/// Everything about project.yaml, remarks included.
fn excerpts(resolved: &Resolved) -> Vec<Fault> {
    let study = &resolved.study;
    let mut all = study.loaded.diagnostics.clone();
    all.extend(study.remarks.iter().cloned());
    excerpt::faults(&study.text(), &all)
}

fn refused(id: &RequestId, wrong: &[Wrong], faults: &[Fault]) -> Response {
    let mut errors: Vec<Value> = fields(wrong);
    errors.extend(lines(faults));
    let code = wrong.first().map_or("invalid", |one| one.code);
    let detail = wrong.first().map_or("", |one| one.message.as_str());
    problem(id, StatusCode::UNPROCESSABLE_ENTITY, code, detail, &errors)
}

fn unresolved(id: &RequestId, fault: &MirrorFault) -> Response {
    let status = if fault.may_pass() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (code, detail) = (fault.code(), fault.to_string());
    let error = json!({"field": "ref", "code": code, "message": detail});
    problem(id, status, code, &detail, &[error])
}
