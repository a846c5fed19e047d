//! Pages of projects, organisations and people.
//! Spec site.md 3, 6.3.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ui::html::Html;
use ui::page::{Crumb, Page};
use ui::time::At;

use super::list::{self, Columns, Places};
use super::{shell, words};
use crate::Opened;
use crate::access::{Object, Permission, Refusal, Viewer};
use crate::store::read::{self, Filter, ListRow, Org, OrgPage, ProjectPage, WorkspaceRow};

/// Requests shown on these pages.
const LATEST: u32 = 10;

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectBody<'a> {
    p: &'a ProjectPage,
    active: Vec<&'a WorkspaceRow>,
    archived: Vec<&'a WorkspaceRow>,
    /// For members and staff: the status, and what it means.
    status: Option<(String, Html)>,
    /// Names, and for members and staff their roles.
    people: Vec<(&'a read::Member, String)>,
    /// Whether this viewer may add a workspace, and change the project.
    may_add: bool,
    may_edit: bool,
    permissions: Vec<(&'a read::Permission, String, String, String)>,
    table: Html,
    empty: bool,
}

#[derive(Template)]
#[template(path = "orgs.html")]
struct OrgsBody {
    orgs: Vec<(Org, i64)>,
}

#[derive(Template)]
#[template(path = "org.html")]
struct OrgBody<'a> {
    org: &'a OrgPage,
    description: Html,
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserBody {
    orgs: Vec<Org>,
    table: Html,
}

async fn latest(site: &Opened, filter: Filter) -> Result<Vec<ListRow>, Refusal> {
    Ok(read::newest(site.store.readers(), &filter, LATEST).await?)
}

/// `/PROJECT/`.
pub(super) async fn project(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(slug): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let now = site.clock.microseconds();
    let found = read::project_page(site.store.readers(), &slug, now).await?.ok_or(Refusal::Hidden)?;
    let listed = latest(&site, Filter { project: Some(slug.clone()), ..Filter::default() }).await?;
    let object = Object::project(found.id.0);
    let inside = viewer.can(Permission::JobRun, &object) || viewer.can(Permission::StaffAreaAccess, &Object::SITE);
    let day = |at: Option<i64>| at.map(|at| At(at).day()).unwrap_or_else(|| "-".into());
    let main = Html::of(&ProjectBody {
        active: found.workspaces.iter().filter(|w| w.archived_at.is_none()).collect(),
        archived: found.workspaces.iter().filter(|w| w.archived_at.is_some()).collect(),
        status: inside
            .then(|| (words::neutral(&found.status.replace('-', "_")), ui::markdown::shown(&found.status_note))),
        people: found
            .members
            .iter()
            .filter(|person| inside || person.public == 1)
            .map(|person| (person, if inside { person.roles.join(", ") } else { String::new() }))
            .collect(),
        may_add: found.status != "retired" && viewer.can(Permission::WorkspaceCreate, &object),
        may_edit: viewer.can(Permission::ProjectManage, &object),
        permissions: found
            .permissions
            .iter()
            .map(|p| (p, p.approved_by.clone().unwrap_or_else(|| "-".into()), day(p.approved_at), day(p.expires_at)))
            .collect(),
        table: list::table(&listed, "The newest first", Columns { places: Places::Workspace, people: true }, now),
        empty: listed.is_empty(),
        p: &found,
    });
    let mut crumbs: Vec<Crumb> =
        found.face.org.iter().map(|org| Crumb::to("Organisation", &org.name, format!("/orgs/{}/", org.slug))).collect();
    crumbs.push(Crumb::here("Project", &found.face.title));
    let page = Page {
        title: found.face.title.clone(),
        heading: found.face.title.clone(),
        description: format!("The workspaces and job requests of the project {}.", found.face.title),
        canonical: Some(format!("/{slug}/")),
        crumbs,
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}

/// `/organisations/`.
pub(super) async fn organisations(
    State(site): State<Opened>,
    viewer: Viewer,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let main = Html::of(&OrgsBody { orgs: read::orgs(site.store.readers()).await? });
    let page = Page {
        title: "Organisations".into(),
        heading: "Organisations".into(),
        description: "The organisations whose researchers have projects here.".into(),
        canonical: Some("/organisations/".into()),
        section: "organisations",
        crumbs: vec![Crumb::here("", "Organisations")],
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}

/// `/orgs/SLUG/`.
pub(super) async fn organisation(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(slug): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let org = read::org_page(site.store.readers(), &slug).await?.ok_or(Refusal::Hidden)?;
    let main = Html::of(&OrgBody { description: ui::markdown::shown(&org.description), org: &org });
    let page = Page {
        title: org.face.name.clone(),
        heading: org.face.name.clone(),
        description: format!("The projects of {}.", org.face.name),
        canonical: Some(format!("/orgs/{slug}/")),
        section: "organisations",
        crumbs: vec![Crumb::to("", "Organisations", "/organisations/"), Crumb::here("Organisation", &org.face.name)],
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}

/// `/users/NAME/`: only people with a public record.
pub(super) async fn user(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let now = site.clock.microseconds();
    let found = read::user_page(site.store.readers(), &name).await?.ok_or(Refusal::Hidden)?;
    let listed = latest(&site, Filter { user: Some(found.face.username.clone()), ..Filter::default() }).await?;
    let columns = Columns { places: Places::All, people: false };
    let main = Html::of(&UserBody { orgs: found.orgs, table: list::table(&listed, "The newest first", columns, now) });
    let page = Page {
        title: found.face.fullname.clone(),
        heading: found.face.fullname.clone(),
        description: format!("What {} asked to be run.", found.face.fullname),
        canonical: Some(format!("/users/{}/", found.face.username)),
        crumbs: vec![Crumb::here("Person", &found.face.fullname)],
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}
