//! Organisations: the list, one of them, who belongs to it.
//! Spec site.md 10.

use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;

use super::desk::{Desk, act, to};
use crate::access::{Form, Refusal};
use crate::people::{Fault, accounts, orgs};
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::{Table, link, pieces, section};

const AREA: &str = "/staff/orgs/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    slug: String,
    name: String,
    #[serde(default)]
    description: String,
}

impl Typed {
    fn org(&self) -> orgs::Org<'_> {
        orgs::Org { slug: &self.slug, name: &self.name, description: &self.description }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) username: String,
    #[serde(default)]
    pub(super) remove: String,
}

pub(super) async fn show(desk: Desk) -> Result<Response, Refusal> {
    drawn(&desk, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let rows = sqlx::query(
        "SELECT o.slug, o.name, (SELECT count(*) FROM project_org p WHERE p.org = o.id) AS projects FROM org o
         ORDER BY o.name LIMIT 1000",
    )
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("Organisations", &["Name", "Projects"]);
    for row in &rows {
        let (slug, name): (String, String) = (row.try_get("slug")?, row.try_get("name")?);
        let projects: i64 = row.try_get("projects")?;
        table.push(vec![link(&name, &format!("{AREA}{slug}/")), Html::text(&projects.to_string())]);
    }
    let slug = Field::line("slug", "Part of the address").hint("Small letters, digits and -, never changed");
    let mut fields = vec![slug.value(&typed.slug).required()];
    fields.extend(rest(typed));
    let sheet = Sheet::new(&desk.viewer, AREA, "Add organisation").fields(&fields, faults).shown();
    let main = pieces([table.shown("None yet."), section("Add an organisation", &sheet)]);
    Ok(desk.page(AREA, None, faults, &main))
}

fn rest(typed: &Typed) -> [Field; 2] {
    [
        Field::line("name", "Name").value(&typed.name).required(),
        Field::line("description", "Description")
            .kind(Kind::Area { rows: 4 })
            .hint("Public, in Markdown")
            .value(&typed.description),
    ]
}

pub(super) async fn add(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    match act!(desk, change, by, orgs::add(change, by, typed.org())) {
        Ok(_) => Ok(to(AREA)),
        Err(fault) => drawn(&desk, &typed, &sheet::faults(fault)?).await,
    }
}

async fn load(desk: &Desk, slug: &str) -> Result<(i64, Typed), Refusal> {
    let row = sqlx::query("SELECT id, slug, name, description FROM org WHERE slug = ?1").bind(slug);
    let row = row.fetch_optional(desk.site.store.readers()).await?.ok_or(Refusal::Hidden)?;
    let typed =
        Typed { slug: row.try_get("slug")?, name: row.try_get("name")?, description: row.try_get("description")? };
    Ok((row.try_get("id")?, typed))
}

pub(super) async fn one(desk: Desk, Path(slug): Path<String>) -> Result<Response, Refusal> {
    let (id, typed) = load(&desk, &slug).await?;
    drawn_one(&desk, (id, &slug, &typed.name), &typed, &[]).await
}

async fn drawn_one(
    desk: &Desk,
    (id, slug, name): (i64, &str, &str),
    typed: &Typed,
    faults: &[Shown],
) -> Result<Response, Refusal> {
    let base = format!("{AREA}{slug}/");
    let sheet = Sheet::new(&desk.viewer, &base, "Save").fields(&rest(typed), faults).shown();
    let rows = sqlx::query(
        "SELECT a.username, a.fullname FROM org_member m JOIN account a ON a.id = m.account WHERE m.org = ?1
         ORDER BY a.username_key LIMIT 1000",
    );
    let rows = rows.bind(id).fetch_all(desk.site.store.readers()).await?;
    let members = members(desk, &format!("{base}members/"), &rows, faults)?;
    let main = pieces([sheet, section("Members", &members)]);
    Ok(desk.page(AREA, Some(name), faults, &main))
}

/// Who belongs to something, with a way to add and remove.
pub(super) fn members(
    desk: &Desk,
    action: &str,
    rows: &[sqlx::sqlite::SqliteRow],
    faults: &[Shown],
) -> Result<Html, Refusal> {
    let mut table = Table::new("Members", &["User name", "Name", "Acts"]);
    for row in rows {
        let (username, fullname): (String, String) = (row.try_get("username")?, row.try_get("fullname")?);
        let hidden = [("username", username.clone()), ("remove", "yes".to_owned())];
        let act = inline(&desk.viewer, action, &hidden, ("Remove", &username), "");
        table.push(vec![Html::text(&username), Html::text(&fullname), act]);
    }
    let fields = [Field::line("username", "User name").required()];
    let sheet = Sheet::new(&desk.viewer, action, "Add member").fields(&fields, faults).shown();
    Ok(pieces([table.shown("Nobody yet."), sheet]))
}

/// The account that a form names.
pub(super) async fn named(desk: &Desk, username: &str) -> Result<i64, Fault> {
    let found = accounts::find(&desk.site.store, username).await?;
    found.ok_or_else(|| Fault::Field { name: "username", why: format!("there is nobody called {}", username.trim()) })
}

pub(super) async fn edit(desk: Desk, Path(slug): Path<String>, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let (id, now) = load(&desk, &slug).await?;
    match act!(desk, change, by, orgs::edit(change, by, id, typed.org())) {
        Ok(()) => Ok(to(&format!("{AREA}{slug}/"))),
        Err(fault) => drawn_one(&desk, (id, &slug, &now.name), &typed, &sheet::faults(fault)?).await,
    }
}

pub(super) async fn member(
    desk: Desk,
    Path(slug): Path<String>,
    Form(typed): Form<Member>,
) -> Result<Response, Refusal> {
    let (id, stored) = load(&desk, &slug).await?;
    let done = async {
        let account = named(&desk, &typed.username).await?;
        let is_member = typed.remove != "yes";
        act!(desk, change, by, orgs::set_member(change, by, id, account, is_member))
    };
    match done.await {
        Ok(()) => Ok(to(&format!("{AREA}{slug}/"))),
        Err(fault) => drawn_one(&desk, (id, &slug, &stored.name), &stored, &sheet::faults(fault)?).await,
    }
}
