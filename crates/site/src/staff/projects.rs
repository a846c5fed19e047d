//! Projects: the list, one of them, its members.
//! Spec site.md 10.

use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;

use super::desk::{Desk, act, to};
use super::orgs::named;
use super::roles;
use crate::access::{Form, Object, Permission, Place, Project, Refusal, Role};
use crate::people::day;
use crate::people::{projects, roles as grants};
use crate::web::sheet::{self, Sheet};
use crate::web::table::{Table, link, pieces, section};

const AREA: &str = "/staff/projects/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    number: String,
    name: String,
    slug: String,
    category: String,
    #[serde(default)]
    org: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Member {
    username: String,
    role: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn show(desk: Desk) -> Result<Response, Refusal> {
    drawn(&desk, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let rows = sqlx::query(
        "SELECT slug, name, number, status, (SELECT count(*) FROM workspace w WHERE w.project = p.id) AS workspaces
         FROM project p ORDER BY p.id DESC LIMIT 1000",
    )
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("Projects, the newest first", &["Name", "Number", "Status", "Workspaces"]);
    for row in &rows {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let name = link(&text("name")?, &format!("{AREA}{}/", text("slug")?));
        let workspaces: i64 = row.try_get("workspaces")?;
        table.push(vec![
            name,
            Html::text(&text("number")?),
            Html::text(&text("status")?),
            Html::text(&workspaces.to_string()),
        ]);
    }
    let fields = fields(desk, typed).await?;
    let sheet = Sheet::new(&desk.viewer, AREA, "Add project").fields(&fields, faults).shown();
    let main = pieces([table.shown("None yet."), section("Add a project", &sheet)]);
    Ok(desk.page(AREA, None, faults, &main))
}

async fn fields(desk: &Desk, typed: &Typed) -> Result<[Field; 5], Refusal> {
    let rows = sqlx::query("SELECT slug, name FROM org ORDER BY name LIMIT 1000").fetch_all(desk.site.store.readers());
    let mut orgs = vec![(String::new(), "None".to_owned())];
    for row in rows.await? {
        orgs.push((row.try_get("slug")?, row.try_get("name")?));
    }
    let categories = projects::CATEGORIES.iter().map(|word| ((*word).to_owned(), word.replace('_', " "))).collect();
    Ok([
        Field::line("number", "Number").hint("A whole number, or as in POS-2026-1234").value(&typed.number),
        Field::line("name", "Name").value(&typed.name).required(),
        Field::line("slug", "Part of the address")
            .hint("Small letters, digits and -. Old addresses lead to a new one for a year")
            .value(&typed.slug)
            .required(),
        Field::line("category", "Category").kind(Kind::Choice(categories)).value(&typed.category).required(),
        Field::line("org", "Lead organisation").kind(Kind::Choice(orgs)).value(&typed.org),
    ])
}

async fn lead(desk: &Desk, slug: &str) -> Result<Option<i64>, Refusal> {
    let id = sqlx::query_scalar("SELECT id FROM org WHERE slug = ?1").bind(slug);
    Ok(id.fetch_optional(desk.site.store.readers()).await?)
}

impl Typed {
    fn project(&self, lead: Option<i64>) -> projects::Project<'_> {
        let Self { number, name, slug, category, .. } = self;
        projects::Project { number, name, slug, category, lead }
    }
}

pub(super) async fn add(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let lead = lead(&desk, &typed.org).await?;
    match act!(desk, change, by, projects::add(change, by, typed.project(lead))) {
        Ok(_) => Ok(to(&format!("{AREA}{}/", typed.slug.trim()))),
        Err(fault) => drawn(&desk, &typed, &sheet::faults(fault)?).await,
    }
}

async fn stored(desk: &Desk, project: &Project) -> Result<Typed, Refusal> {
    let row = sqlx::query(
        "SELECT p.number, p.name, p.slug, p.category, (SELECT o.slug FROM project_org m JOIN org o ON o.id = m.org
             WHERE m.project = p.id AND m.is_lead = 1) AS org
         FROM project p WHERE p.id = ?1",
    )
    .bind(project.id)
    .fetch_one(desk.site.store.readers())
    .await?;
    let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
    Ok(Typed {
        number: text("number")?,
        name: text("name")?,
        slug: text("slug")?,
        category: text("category")?,
        org: text("org")?,
    })
}

pub(super) async fn one(desk: Desk, project: Project) -> Result<Response, Refusal> {
    let typed = stored(&desk, &project).await?;
    drawn_one(&desk, &project, &typed, &Member::default(), &[]).await
}

async fn drawn_one(
    desk: &Desk,
    project: &Project,
    typed: &Typed,
    member: &Member,
    faults: &[Shown],
) -> Result<Response, Refusal> {
    let base = format!("{AREA}{}/", project.slug);
    let sheet = Sheet::new(&desk.viewer, &base, "Save").fields(&fields(desk, typed).await?, faults).shown();
    let mut members = roles::list(desk, None, Some(project.id)).await?;
    if desk.viewer.can(Permission::UserEditProjectRoles, &Object::project(project.id)) {
        let both = [Role::ProjectDeveloper, Role::ProjectCollaborator];
        let both = both.iter().map(|role| (role.as_str().to_owned(), role.as_str().to_owned())).collect();
        let fields = [
            Field::line("username", "User name").value(&member.username).required(),
            Field::line("role", "Role").kind(Kind::Choice(both)).value(&member.role).required(),
            Field::line("expires", "Until")
                .kind(Kind::Line("date"))
                .hint("The first day it does not count, UTC")
                .value(&member.expires),
            Field::line("reason", "Reason").hint("For the audit log").value(&member.reason).required(),
        ];
        let sheet = Sheet::new(&desk.viewer, format!("{base}members/"), "Add member").fields(&fields, faults);
        members.push(&sheet.shown());
    }
    let public = link("The project's public page", &format!("/{}/", project.slug));
    let main = pieces([public, sheet, section("Members", &members)]);
    Ok(desk.page(AREA, Some(&project.name), faults, &main))
}

pub(super) async fn edit(desk: Desk, project: Project, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let lead = lead(&desk, &typed.org).await?;
    match act!(desk, change, by, projects::edit(change, by, project.id, typed.project(lead))) {
        Ok(()) => Ok(to(&format!("{AREA}{}/", typed.slug.trim()))),
        Err(fault) => drawn_one(&desk, &project, &typed, &Member::default(), &sheet::faults(fault)?).await,
    }
}

pub(super) async fn member(desk: Desk, project: Project, Form(typed): Form<Member>) -> Result<Response, Refusal> {
    let done = async {
        let account = named(&desk, &typed.username).await?;
        let unknown = || crate::people::Fault::Field { name: "role", why: "there is no such role".to_owned() };
        let role = Role::of(&typed.role).ok_or_else(unknown)?;
        let (place, expires_at) = (Place::Project(project.id), day("expires", &typed.expires)?);
        let new = grants::New { account, role, place, reason: &typed.reason, expires_at };
        act!(desk, change, by, grants::grant(change, by, new))
    };
    match done.await {
        Ok(_) => Ok(to(&format!("{AREA}{}/", project.slug))),
        Err(fault) => {
            let stored = stored(&desk, &project).await?;
            drawn_one(&desk, &project, &stored, &typed, &sheet::faults(fault)?).await
        }
    }
}
