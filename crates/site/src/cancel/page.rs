//! The page that asks once more before anything is stopped, and the ask.
//! Spec site.md 4.10.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html as Page, IntoResponse, Redirect, Response};
use jobs::fault::point;
use serde::Deserialize;
use ui::html::Html;
use ui::page::Crumb;
use ui::time::At;

use super::act::{CancelError, Done, LONGEST_REASON, Who, cancel};
use super::read::{Item, Standing, standing};
use crate::access::{
    Fields, Form, JobRequest, Object, Permission, Project, Refusal, TokenScope, Viewer, Workspace, may,
};
use crate::audit::Actor;
use crate::facts::Changed;
use crate::form::view::label;
use crate::{Opened, web};

/// Whether they may: who made the request, or who holds `job_cancel` for it.
pub(super) fn allowed(viewer: &Viewer, request: &JobRequest, project: i64) -> Result<(), Refusal> {
    let object = Object::request(project, request.backend);
    let own = viewer.account().is_some_and(|account| account.id == request.requested_by);
    let reaches = match viewer {
        Viewer::Token(token) => token.reaches(TokenScope::RequestCancel, &object),
        _ => true,
    };
    if own && reaches { Ok(()) } else { may(viewer, Permission::JobCancel, &object) }
}

/// Asks, commits, tells the backend and whoever watches.
pub(super) async fn ask(
    site: &Opened,
    viewer: &Viewer,
    number: i64,
    chosen: Option<&[String]>,
    reason: &str,
) -> Result<Result<Done, CancelError>, Refusal> {
    let account = viewer.signed_in()?;
    let actor = Actor::of(viewer);
    let who = Who { actor: &actor, username: &account.username };
    let mut change = site.store.change().await?;
    let done = match cancel(&mut change, site, who, number, chosen, reason).await {
        Ok(done) => done,
        Err(error) => return Ok(Err(error)),
    };
    point("site.cancel.before", None);
    change.commit().await?;
    point("site.cancel.after", None);
    if let Some(sent) = &done.sent {
        site.line.wake(sent);
    }
    let mut changed = Changed::default();
    changed.requests.insert(number);
    site.hub.tell(&changed);
    Ok(Ok(done))
}

#[derive(Template)]
#[template(path = "form/cancel.html")]
struct CancelPage<'a> {
    request: String,
    csrf: &'a str,
    backend: &'a str,
    rows: Vec<Row<'a>>,
    asked: Vec<(&'a str, &'a str, Html)>,
    ended: Vec<(&'a str, Html)>,
    reason: &'a str,
    wrong: Option<String>,
    is_answered: bool,
}

struct Row<'a> {
    item: &'a Item,
    label: Html,
    ticked: bool,
}

/// `GET /{project}/{workspace}/{number}/cancel/`: all is ticked, or with `?action=NAME` only what is named.
pub(super) async fn show(
    State(site): State<Opened>,
    viewer: Viewer,
    (project, workspace): (Project, Workspace),
    request: JobRequest,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    allowed(&viewer, &request, project.id)?;
    let query = Fields::read(query.unwrap_or_default().as_bytes())?;
    let named: Vec<String> = query.all("action").map(str::to_owned).collect();
    let found = standing(site.store.readers(), request.number).await?.ok_or(Refusal::Hidden)?;
    let here = Here { site: &site, viewer: &viewer, project: &project, workspace: &workspace, found: &found };
    Ok(here.page((!named.is_empty()).then_some(&named[..]), "", None).into_response())
}

/// What the page sends.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    action: Vec<String>,
    #[serde(default)]
    reason: String,
}

/// `POST /{project}/{workspace}/{number}/cancel/`.
pub(super) async fn send(
    State(site): State<Opened>,
    viewer: Viewer,
    project: Project,
    workspace: Workspace,
    request: JobRequest,
    Form(sent): Form<Sent>,
) -> Result<Response, Refusal> {
    allowed(&viewer, &request, project.id)?;
    let reason = sent.reason.replace("\r\n", "\n");
    match ask(&site, &viewer, request.number, Some(&sent.action), &reason).await? {
        Ok(_) => {
            let address = format!("/{}/{}/{}/", project.slug, workspace.name, request.number);
            Ok(Redirect::to(&address).into_response())
        }
        Err(error @ (CancelError::Nothing | CancelError::Unknown(_) | CancelError::LongReason(_))) => {
            let found = standing(site.store.readers(), request.number).await?.ok_or(Refusal::Hidden)?;
            let here = Here { site: &site, viewer: &viewer, project: &project, workspace: &workspace, found: &found };
            let page = here.page(Some(&sent.action), &reason, Some(error.to_string()));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

impl From<CancelError> for Refusal {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NoRequest => Self::Hidden,
            CancelError::Send(why) => {
                tracing::error!(error = %why, "a cancel cannot be put into a backend's line");
                Self::Unavailable
            }
            CancelError::Store(why) => Self::from(why),
            other => Self::Invalid(other.to_string()),
        }
    }
}

struct Here<'a> {
    site: &'a Opened,
    viewer: &'a Viewer,
    project: &'a Project,
    workspace: &'a Workspace,
    found: &'a Standing,
}

impl Here<'_> {
    fn page(&self, chosen: Option<&[String]>, reason: &str, wrong: Option<String>) -> Page<String> {
        let Self { project, workspace, found, .. } = self;
        let now = At(self.site.clock.microseconds());
        let address = format!("/{}/{}/{}/", project.slug, workspace.name, found.number);
        let (asked, open): (Vec<&Item>, Vec<&Item>) = found.open().partition(|item| item.asked.is_some());
        let row = |item| Row {
            item,
            label: label(&item.status, &item.code),
            ticked: chosen.is_none_or(|names| names.contains(&item.action)),
        };
        let told = |item: &'_ Item| item.asked.as_ref().map(|(by, at)| (by.clone(), At(*at).told(now)));
        let asked: Vec<(&Item, (String, Html))> =
            asked.into_iter().filter_map(|item| Some((item, told(item)?))).collect();
        let ended = found.items.iter().filter(|item| !item.is_open());
        let main = Html::of(&CancelPage {
            request: address.clone(),
            csrf: self.viewer.csrf(),
            backend: &found.backend_name,
            rows: open.into_iter().map(row).collect(),
            asked: asked.iter().map(|(item, (by, at))| (item.action.as_str(), by.as_str(), at.clone())).collect(),
            ended: ended.map(|item| (item.action.as_str(), label(&item.status, &item.code))).collect(),
            reason,
            wrong,
            is_answered: found.is_answered,
        });
        let page = ui::page::Page {
            title: format!("Cancel job request: {}", found.number),
            heading: format!("Cancel job request {}", found.number),
            description: "Choose which actions of a job request to stop.".to_owned(),
            crumbs: vec![
                Crumb::to("Project", project.name.clone(), format!("/{}/", project.slug)),
                Crumb::to("Workspace", workspace.name.clone(), format!("/{}/{}/", project.slug, workspace.name)),
                Crumb::to("Job request", found.number.to_string(), address),
                Crumb::here("", "Cancel"),
            ],
            ..Default::default()
        };
        Page(web::paper(self.site, self.viewer, page, &main))
    }
}

const _: () = assert!(LONGEST_REASON == 500, "the page says so");
