//! The job request page: one request, its jobs, its pipeline, and how it went.
//! Spec site.md 4. Every part that can change has an id and is drawn by one function, for the page and for updates alike.

mod drawing;
mod jobs;
mod notices;
mod pipeline;
mod side;
mod view;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use ui::html::Html;
use ui::page::{Crumb, Page};

use super::Drawn;
use super::shell;
use crate::Opened;
use crate::access::{Object, Permission, Refusal, Viewer};
use crate::line::Seen;
use crate::store::read;
use crate::store::read::RequestPage;

pub(super) use jobs::place;
pub use pipeline::Memory;
pub(crate) use pipeline::Pipeline;
pub(super) use pipeline::encoded;
use view::View;
pub(super) use view::around;

/// Draws the parts of a request's page that can change. `seen` is what its backend told last; `now` is in
/// microseconds.
pub fn draw(request: &RequestPage, memory: &Memory, seen: &Seen, now: i64) -> Drawn {
    View::of(request, memory, seen, now).drawn()
}

#[derive(Template)]
#[template(path = "request/page.html")]
struct Whole<'a> {
    view: &'a View<'a>,
    drawn: &'a Drawn,
    explanation: Html,
    pipeline: Html,
    comparison: Html,
    provenance: Html,
    buttons: &'a Buttons,
}

/// What the page is drawn from, beside the request itself.
#[derive(Debug, Default)]
struct Around {
    seen: Seen,
    buttons: Buttons,
    /// The files of the commit, if they are known and may be seen.
    tree: Option<pipeline::Files>,
}

/// What somebody may do with a request.
#[derive(Debug, Default)]
pub(super) struct Buttons {
    /// Where the code is, if it is public and on the web.
    code: Option<String>,
    yaml: bool,
    again: Option<String>,
    failed: Option<String>,
    cancel: bool,
    /// Why a member may not run it again, or cancel it: (which button, why).
    denied: Vec<(&'static str, &'static str)>,
}

impl Buttons {
    fn of(request: &RequestPage, viewer: &Viewer) -> Self {
        let on_web = !request.is_private && request.repo.starts_with("https://");
        let code = request.commit.as_ref().filter(|_| on_web).map(|commit| format!("{}/tree/{commit}", request.repo));
        let mut buttons = Self { code, yaml: request.yaml.is_some(), ..Self::default() };
        let (project, backend) = (request.project_id.0, request.backend.id.0);
        let member = viewer.can(Permission::JobRun, &Object::project(project));
        if member && request.is_archived {
            buttons.denied.push(("Run again", "The workspace is archived and takes no requests."));
        } else if member {
            let form = format!("../run-jobs/?from={}", request.number);
            buttons.failed = (request.counts[3] > 0).then(|| format!("{form}&only=failed"));
            buttons.again = Some(form);
        }
        if matches!(request.status.as_str(), "pending" | "running") {
            let own = viewer.account().is_some_and(|account| account.id == request.requested_by_id.0);
            buttons.cancel = own || viewer.can(Permission::JobCancel, &Object::request(project, backend));
            if member && !buttons.cancel {
                let why = "Only who asked, and people with the right to cancel in this project, can cancel it.";
                buttons.denied.push(("Cancel", why));
            }
        }
        buttons
    }
}

/// The page.
pub(super) async fn page(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((project, workspace, number)): Path<(String, String, String)>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let number = shell::number(&number)?;
    let now = site.clock.microseconds();
    let found = read::request_page(site.store.readers(), (&project, &workspace), number, now).await?;
    let request = found.ok_or(Refusal::Hidden)?;
    // Who may not read the code gets no links to it.
    let may_read = !request.is_private || viewer.can(Permission::JobRun, &Object::project(request.project_id.0));
    let around = Around {
        seen: site.line.seen(request.backend.id),
        buttons: Buttons::of(&request, &viewer),
        tree: if may_read { site.memory.tree(&site, &request).await } else { None },
    };
    let (page, main) = compose(&request, &site.memory, &around, now);
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}

/// Puts the page together.
fn compose(request: &RequestPage, memory: &Memory, around: &Around, now: i64) -> (Page, Html) {
    let view = View::of(request, memory, &around.seen, now);
    let drawn = view.drawn();
    let main = Html::of(&Whole {
        view: &view,
        drawn: &drawn,
        explanation: view.explanation(),
        pipeline: view.pipeline_text(around.tree.as_ref()),
        comparison: view.comparison(),
        provenance: view.provenance(),
        buttons: &around.buttons,
    });
    let project = &request.project;
    let mut crumbs = Vec::new();
    if let Some(org) = &project.org {
        crumbs.push(Crumb::to("Organisation", &org.name, format!("/orgs/{}/", org.slug)));
    }
    crumbs.push(Crumb::to("Project", &project.title, format!("/{}/", project.slug)));
    crumbs.push(Crumb::to("Workspace", &request.workspace, format!("/{}/{}/", project.slug, request.workspace)));
    crumbs.push(Crumb::here("Job request", request.number.to_string()));
    let page = Page {
        title: format!("Job request: {} - {}", request.number, request.workspace),
        heading: format!("Job request: {}", request.number),
        beside: Some(drawn.part("state")),
        description: view.summary(),
        canonical: Some(view.path()),
        section: "log",
        crumbs,
        notices: view.notices(),
        live: (!drawn.is_final).then(|| format!("{}events", view.path())),
        ..Page::default()
    };
    (page, main)
}

/// The table of actions, for a page of its own.
pub(super) fn actions(request: &RequestPage, memory: &Memory, now: i64) -> Html {
    View::of(request, memory, &Seen::default(), now).actions("./")
}

/// The graph of the whole pipeline, for a page of its own; nothing for one that is too large to be looked at.
pub(super) fn graph(request: &RequestPage, memory: &Memory, now: i64) -> Option<Html> {
    View::of(request, memory, &Seen::default(), now).whole_graph("./")
}

/// `/job-requests/NUMBER/` and `/job-requests/IDENTIFIER/`.
pub(super) async fn short(State(site): State<Opened>, Path(key): Path<String>) -> Result<Response, Refusal> {
    let found = read::request_place(site.store.readers(), &key).await?;
    let (project, workspace, number) = found.ok_or(Refusal::Hidden)?;
    shell::moved(&format!("/{project}/{workspace}/{number}/"))
}
