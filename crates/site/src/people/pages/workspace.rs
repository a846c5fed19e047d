//! Making, changing and closing a workspace.
//! Spec site.md 3, 6.2, 19.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::page::{Crumb, Page};

use crate::access::{Form, Object, Permission, Project, Refusal, RequestId, Viewer, Workspace};
use crate::people::{By, Fault, workspaces};
use crate::store::StoreError;
use crate::web::sheet::{self, Sheet};
use crate::{Opened, Site};

#[derive(Debug, Default, Deserialize)]
pub(super) struct New {
    name: String,
    repo: String,
    branch: String,
    #[serde(default)]
    purpose: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Edited {
    branch: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    notify: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Archived {
    archived: String,
    #[serde(default)]
    reason: String,
}

fn crumbs(project: &Project, rest: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    let mut crumbs = vec![Crumb::to("Project", &project.name, format!("/{}/", project.slug))];
    crumbs.extend(rest);
    crumbs
}

pub(super) async fn new(State(site): State<Opened>, viewer: Viewer, project: Project) -> Response {
    let typed = New { branch: "main".to_owned(), ..New::default() };
    form(&site, &viewer, &project, &typed, &[])
}

fn form(site: &Site, viewer: &Viewer, project: &Project, typed: &New, faults: &[Shown]) -> Response {
    let fields = [
        Field::line("name", "Name")
            .hint("On the whole site, and never changed or given again: letters, digits, - and _")
            .value(&typed.name)
            .required(),
        Field::line("repo", "Repository").hint("As in https://host/owner/name").value(&typed.repo).required(),
        Field::line("branch", "Branch").value(&typed.branch).required(),
        Field::line("purpose", "What it is for").kind(Kind::Area { rows: 3 }).hint("Public").value(&typed.purpose),
    ];
    let action = format!("/{}/new-workspace/", project.slug);
    let main = Sheet::new(viewer, action, "Make workspace").fields(&fields, faults).shown();
    let page = Page {
        title: format!("New workspace: {}", project.name),
        heading: "New workspace".to_owned(),
        crumbs: crumbs(project, [Crumb::here("", "New workspace")]),
        ..Page::default()
    };
    sheet::page_with(site, viewer, page, faults, &main)
}

pub(super) async fn add(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    project: Project,
    Form(typed): Form<New>,
) -> Result<Response, Refusal> {
    let by = By::viewer(&viewer, &request);
    let New { name, repo, branch, purpose } = &typed;
    let new = workspaces::New { name, repo, branch, purpose };
    let mut change = site.store.change().await?;
    match workspaces::add(&mut change, &by, &site.settings, project.id, new).await {
        Ok(_) => {
            change.commit().await.map_err(StoreError::from)?;
            Ok(Redirect::to(&format!("/{}/{}/", project.slug, name.trim().to_lowercase())).into_response())
        }
        Err(fault) => Ok(form(&site, &viewer, &project, &typed, &sheet::faults(fault)?)),
    }
}

pub(super) async fn show(
    State(site): State<Opened>,
    viewer: Viewer,
    project: Project,
    workspace: Workspace,
) -> Result<Response, Refusal> {
    let row = sqlx::query("SELECT branch, purpose, notify_default FROM workspace WHERE id = ?1").bind(workspace.id);
    let row = row.fetch_one(site.store.readers()).await?;
    let notify = if row.try_get::<i64, _>("notify_default")? != 0 { "yes" } else { "" };
    let typed = Edited { branch: row.try_get("branch")?, purpose: row.try_get("purpose")?, notify: notify.to_owned() };
    Ok(edit_form(&site, &viewer, &project, &workspace, &typed, &[]))
}

fn edit_form(
    site: &Site,
    viewer: &Viewer,
    project: &Project,
    workspace: &Workspace,
    typed: &Edited,
    faults: &[Shown],
) -> Response {
    let base = format!("/{}/{}/", project.slug, workspace.name);
    let fields = [
        Field::line("branch", "Branch").hint("New requests run code of this branch").value(&typed.branch).required(),
        Field::line("purpose", "What it is for").kind(Kind::Area { rows: 3 }).hint("Public").value(&typed.purpose),
        Field::line("notify", "Notify whoever asked when a request ends").kind(Kind::Tick).value(&typed.notify),
    ];
    let mut main = Sheet::new(viewer, format!("{base}edit/"), "Save").fields(&fields, faults).shown();
    if viewer.can(Permission::WorkspaceArchive, &Object::project(project.id)) {
        let (archived, heading, why, button) = if workspace.is_archived {
            ("no", "Open it again", "Members can make requests in it again.", "Open again")
        } else {
            (
                "yes",
                "Archive",
                "It takes no more requests. All that ran stays public. It can be opened again.",
                "Archive",
            )
        };
        let reason = [Field::line("reason", "Reason").hint("For the audit log").required()];
        let sheet = Sheet::new(viewer, format!("{base}archive/"), button).hidden("archived", archived);
        let sheet = sheet.fields(&reason, faults).danger().shown();
        main.push(&Html::trusted("<section><h2>"));
        main.push(&Html::text(heading));
        main.push(&Html::trusted("</h2><p>"));
        main.push(&Html::text(why));
        main.push(&Html::trusted("</p>"));
        main.push(&sheet);
        main.push(&Html::trusted("</section>"));
    }
    let page = Page {
        title: format!("Edit {}", workspace.name),
        heading: format!("Edit {}", workspace.name),
        crumbs: crumbs(project, [Crumb::to("Workspace", &workspace.name, &base), Crumb::here("", "Edit")]),
        ..Page::default()
    };
    sheet::page_with(site, viewer, page, faults, &main)
}

pub(super) async fn edit(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    (project, workspace): (Project, Workspace),
    Form(typed): Form<Edited>,
) -> Result<Response, Refusal> {
    let by = By::viewer(&viewer, &request);
    let mut change = site.store.change().await?;
    let ids = (project.id, workspace.id);
    let done = workspaces::edit(&mut change, &by, ids, &typed.branch, &typed.purpose, typed.notify == "yes").await;
    finish(&site, &viewer, (&project, &workspace), &typed, change, done).await
}

pub(super) async fn archive(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    (project, workspace): (Project, Workspace),
    Form(typed): Form<Archived>,
) -> Result<Response, Refusal> {
    let by = By::viewer(&viewer, &request);
    let mut change = site.store.change().await?;
    let ids = (project.id, workspace.id);
    let done = workspaces::set_archived(&mut change, &by, ids, typed.archived == "yes", &typed.reason).await;
    let shown = Edited { branch: workspace.branch.clone(), purpose: String::new(), notify: String::new() };
    finish(&site, &viewer, (&project, &workspace), &shown, change, done).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Switched {
    notify: String,
}

pub(super) async fn notifications(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    (project, workspace): (Project, Workspace),
    Form(typed): Form<Switched>,
) -> Result<Response, Refusal> {
    let by = By::viewer(&viewer, &request);
    let mut change = site.store.change().await?;
    let on = typed.notify == "yes";
    workspaces::set_notify(&mut change, &by, (project.id, workspace.id), on).await.map_err(refused)?;
    change.commit().await.map_err(StoreError::from)?;
    Ok(Redirect::to(&format!("/{}/{}/", project.slug, workspace.name)).into_response())
}

/// There is no field that it could be about.
fn refused(fault: Fault) -> Refusal {
    sheet::faults(fault).map_or_else(
        |refusal| refusal,
        |faults| Refusal::Invalid(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join(" ")),
    )
}

async fn finish(
    site: &Site,
    viewer: &Viewer,
    (project, workspace): (&Project, &Workspace),
    typed: &Edited,
    change: crate::store::Change,
    done: Result<(), Fault>,
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => {
            crate::line::commit(change, site).await?;
            Ok(Redirect::to(&format!("/{}/{}/", project.slug, workspace.name)).into_response())
        }
        Err(fault) => Ok(edit_form(site, viewer, project, workspace, typed, &sheet::faults(fault)?)),
    }
}
