//! What members may change about their project: its status and the note for members and staff.
//! Spec site.md 3, 6.3.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::page::{Crumb, Page};

use crate::access::{Form, Project, Refusal, RequestId, Viewer};
use crate::people::{By, projects};
use crate::web::sheet::{self, Sheet};
use crate::{Opened, Site};

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    status: String,
    #[serde(default)]
    note: String,
}

pub(super) async fn show(State(site): State<Opened>, viewer: Viewer, project: Project) -> Result<Response, Refusal> {
    let row = sqlx::query("SELECT status, status_note FROM project WHERE id = ?1").bind(project.id);
    let row = row.fetch_one(site.store.readers()).await?;
    let typed = Typed { status: row.try_get("status")?, note: row.try_get("status_note")? };
    Ok(form(&site, &viewer, &project, &typed, &[]))
}

fn form(site: &Site, viewer: &Viewer, project: &Project, typed: &Typed, faults: &[Shown]) -> Response {
    let statuses = projects::STATUSES.iter().map(|word| ((*word).to_owned(), word.replace('-', " "))).collect();
    let fields = [
        Field::line("status", "Status").kind(Kind::Choice(statuses)).value(&typed.status).required(),
        Field::line("note", "Note")
            .kind(Kind::Area { rows: 4 })
            .hint("Members and staff read it, in Markdown")
            .value(&typed.note),
    ];
    let base = format!("/{}/", project.slug);
    let main = Sheet::new(viewer, format!("{base}edit/"), "Save").fields(&fields, faults).shown();
    let page = Page {
        title: format!("Edit {}", project.name),
        heading: format!("Edit {}", project.name),
        crumbs: vec![Crumb::to("Project", &project.name, base), Crumb::here("", "Edit")],
        ..Page::default()
    };
    sheet::page_with(site, viewer, page, faults, &main)
}

pub(super) async fn edit(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    project: Project,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let by = By::viewer(&viewer, &request);
    let mut change = site.store.change().await?;
    let status = projects::Status { status: &typed.status, note: &typed.note };
    match projects::set_status(&mut change, &by, project.id, status).await {
        Ok(()) => {
            crate::line::commit(change, &site).await?;
            Ok(Redirect::to(&format!("/{}/", project.slug)).into_response())
        }
        Err(fault) => Ok(form(&site, &viewer, &project, &typed, &sheet::faults(fault)?)),
    }
}
