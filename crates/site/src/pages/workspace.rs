//! The page of a workspace: its actions as their newest runs left them, its latest requests, and what members may do.
//! Spec site.md 6.2, 14.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ui::html::Html;
use ui::page::{Crumb, Notice, Page, Tone, notices};
use ui::time::At;

use super::list::{self, Columns, Places};
use super::{Drawn, shell, words};
use crate::access::{Object, Permission, Refusal, Viewer};
use crate::store::StoreError;
use crate::store::read::{self, ActionNow, Filter, WorkspacePage};
use crate::web::sheet;
use crate::{Opened, Site};

/// Requests on this page.
const LATEST: u32 = 10;
/// The columns of their table: the page says the workspace.
const COLUMNS: Columns = Columns { places: Places::None, people: true };

struct ActionRow<'a> {
    a: &'a ActionNow,
    label: Html,
    when: Html,
    success: Option<(i64, String)>,
}

#[derive(Template)]
#[template(path = "workspace.html")]
struct Body<'a> {
    w: &'a WorkspacePage,
    buttons: Buttons,
    actions: Html,
    latest: Html,
}

#[derive(Template)]
#[template(path = "workspace_actions.html")]
struct Actions<'a> {
    actions: Vec<ActionRow<'a>>,
}

#[derive(Template)]
#[template(path = "workspace_latest.html")]
struct Latest {
    table: Html,
    empty: bool,
}

/// What this viewer may do here: nothing for the public.
#[derive(Debug, Default)]
struct Buttons {
    run: bool,
    edit: bool,
    /// The form of one line that closes the workspace, or opens it again.
    archive: Option<Html>,
    /// The form that switches notifications, and whether they are on.
    notify: Option<Html>,
}

impl Buttons {
    fn of(found: &WorkspacePage, viewer: &Viewer) -> Self {
        let may = |permission| viewer.can(permission, &Object::project(found.project_id.0));
        let archived = found.archived.is_some();
        let (value, word) = if archived { ("no", "Open again") } else { ("yes", "Archive") };
        let archive = || {
            sheet::inline(
                viewer,
                "archive/",
                &[("archived", value.into())],
                (word, &found.name),
                "Reason, for the audit log",
            )
        };
        let (on, switch) = if found.notify { ("no", "Stop notifying") } else { ("yes", "Notify me of ends") };
        let notify = || sheet::inline(viewer, "notifications/", &[("notify", on.into())], (switch, &found.name), "");
        Self {
            run: may(Permission::JobRun) && !archived,
            edit: may(Permission::ProjectManage),
            archive: may(Permission::WorkspaceArchive).then(archive),
            notify: (may(Permission::WorkspaceToggleNotifications) && !archived).then(notify),
        }
    }
}

/// The parts of the page that can change.
pub(super) async fn drawn(site: &Site, project: &str, name: &str, now: i64) -> Result<Option<Drawn>, StoreError> {
    let Some(found) = read::workspace_page(site.store.readers(), project, name).await? else { return Ok(None) };
    draw(site, &found, now).await.map(Some)
}

async fn draw(site: &Site, found: &WorkspacePage, now: i64) -> Result<Drawn, StoreError> {
    let filter = Filter { workspace: Some(found.name.clone()), ..Filter::default() };
    let latest = read::newest(site.store.readers(), &filter, LATEST).await?;
    let actions = found.actions.iter().map(|a| ActionRow {
        label: words::state(&a.status, &a.code).label_as(&words::word(&a.status, &a.code)),
        when: At(a.updated_at).shown(At(now)),
        success: a
            .succeeded
            .as_ref()
            .map(|(number, commit, _)| (*number, commit.as_deref().and_then(|c| c.get(..7)).unwrap_or("-").to_owned())),
        a,
    });
    let rows = list::rows(&latest, COLUMNS, now);
    let table = list::around(&rows, "The newest first", COLUMNS);
    let parts = vec![
        ("notices", notices(&told(found))),
        ("actions", Html::of(&Actions { actions: actions.collect() })),
        ("latest", Html::of(&Latest { table, empty: rows.is_empty() })),
    ];
    Ok(Drawn { parts, rows, holder: "latest", is_final: false })
}

fn told(found: &WorkspacePage) -> Vec<Notice> {
    let archived = found.archived.iter().map(|(at, reason)| {
        let reason = reason.as_deref().map(|r| format!(" Reason: {r}.")).unwrap_or_default();
        let text = format!("This workspace was archived on {}. It takes no new requests.{reason}", At(*at).day());
        Notice::text(Tone::Info, &text)
    });
    archived.collect()
}

/// `/PROJECT/WORKSPACE/`.
pub(super) async fn page(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((project, name)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let now = site.clock.microseconds();
    let found = read::workspace_page(site.store.readers(), &project, &name).await?.ok_or(Refusal::Hidden)?;
    let drawn = draw(&site, &found, now).await?;
    let main = Html::of(&Body {
        buttons: Buttons::of(&found, &viewer),
        actions: drawn.part("actions"),
        latest: drawn.part("latest"),
        w: &found,
    });
    let mut crumbs = Vec::new();
    if let Some(org) = &found.project.org {
        crumbs.push(Crumb::to("Organisation", &org.name, format!("/orgs/{}/", org.slug)));
    }
    crumbs.push(Crumb::to("Project", &found.project.title, format!("/{project}/")));
    crumbs.push(Crumb::here("Workspace", &found.name));
    let page = Page {
        title: format!("{} - workspace", found.name),
        heading: found.name.clone(),
        description: format!("Workspace of {}: {}", found.project.title, found.purpose),
        canonical: Some(format!("/{project}/{name}/")),
        crumbs,
        told: Some(drawn.part("notices")),
        // An archived workspace that has nothing unfinished stays as it is.
        live: (found.archived.is_none() || !found.is_quiet()).then(|| format!("/{project}/{name}/events")),
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}
