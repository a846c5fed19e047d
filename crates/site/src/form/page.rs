//! The pages of the form: shown for a commit, previewed, sent.
//! Spec site.md 7, 19.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html as Page, IntoResponse, Redirect, Response};
use data_encoding::BASE32_NOPAD;
use ui::html::Html;
use ui::page::{Crumb, Notice, Tone};

use super::again::{Before, From};
use super::desk::Desk;
use super::expect::Expected;
use super::judge::{Facts, Wrong, judge};
use super::submit::SubmitError;
use super::view::Shown;
use super::wish::{Sent, Wish};
use crate::access::{Fields, Form, Refusal, Viewer, Workspace};
use crate::mirror::{Head, MirrorFault, Resolved, Wanted};
use crate::store::ids::BackendId;
use crate::{Opened, web};

/// `GET /{project}/{workspace}/run-jobs/`: the newest commit of the branch.
pub(super) async fn newest(
    State(site): State<Opened>,
    viewer: Viewer,
    workspace: Workspace,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes())?;
    match query.get("ref").map(str::trim).filter(|name| !name.is_empty()) {
        Some(wanted) => {
            let wanted: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            // In a path a blank is %20, not +.
            let wanted = wanted.replace('+', "%20");
            Ok(Redirect::to(&format!("/{project}/{name}/run-jobs/{wanted}/")).into_response())
        }
        None => show(&site, &viewer, &workspace, &Wanted::Head, &query).await,
    }
}

/// `GET /{project}/{workspace}/run-jobs/{ref}/`: a branch, a tag or a commit.
pub(super) async fn at(
    State(site): State<Opened>,
    viewer: Viewer,
    workspace: Workspace,
    Path((_, _, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes())?;
    show(&site, &viewer, &workspace, &Wanted::Named(name), &query).await
}

async fn show(
    site: &Opened,
    viewer: &Viewer,
    workspace: &Workspace,
    wanted: &Wanted,
    query: &Fields,
) -> Result<Response, Refusal> {
    let desk = Desk::open(site, viewer, &workspace.name).await?;
    let resolved = match site.mirrors.resolve(&desk.ground.place(), wanted, desk.now).await {
        Ok(resolved) => resolved,
        Err(fault) => return Ok(unresolved(site, viewer, &desk, wanted, &fault)),
    };
    let (mut wish, from) = Before::of(query).wish(&site.store, &desk, &resolved.study).await?;
    wish.key = new_key()?;
    let drawing = Drawing { from: from.as_ref(), ..Drawing::plain(&resolved, &wish) };
    Ok((StatusCode::OK, drawing.page(site, viewer, &desk)).into_response())
}

/// `POST /{project}/{workspace}/run-jobs/`: preview, another list, the newest commit, or the request itself.
pub(super) async fn send(
    State(site): State<Opened>,
    viewer: Viewer,
    workspace: Workspace,
    Form(sent): Form<Sent>,
) -> Result<Response, Refusal> {
    let desk = Desk::open(&site, &viewer, &workspace.name).await?;
    let (button, filter) = (sent.button(), sent.filter().to_owned());
    let mut wish = sent.wish();
    let place = desk.ground.place();
    let resolved = match wish.commit {
        Some(commit) if button != Button::Newest => match site.mirrors.known(&place, commit).await {
            Ok(study) => Resolved { head: heard(site.mirrors.last_heard(&place)), study },
            // Not known to be on the branch: it is asked for, as if its name had been typed.
            Err(MirrorFault::Repository(_)) => {
                let wanted = Wanted::Named(commit.to_string());
                site.mirrors.resolve(&place, &wanted, desk.now).await.map_err(refused)?
            }
            Err(fault) => return Err(refused(fault)),
        },
        Some(_) => site.mirrors.resolve(&place, &Wanted::Head, desk.now).await.map_err(refused)?,
        None => return Err(Refusal::Malformed("The form does not say for which commit it is.".to_owned())),
    };
    wish.commit = Some(resolved.commit());
    if wish.key.is_empty() {
        wish.key = new_key()?;
    }
    let plain = Drawing { filter: &filter, ..Drawing::plain(&resolved, &wish) };
    if matches!(button, Button::Newest | Button::Filter) {
        return Ok(plain.page(&site, &viewer, &desk).into_response());
    }
    let record = desk.aged(&site, &resolved.study, &wish.backend).await;
    let facts = Facts {
        study: &resolved.study,
        choices: &desk.choices,
        permits: &desk.permits,
        record: &record,
        now: desk.now,
    };
    let expected = match judge(&wish, facts) {
        Ok(expected) => expected,
        Err(wrong) => {
            let drawing = Drawing { wrong: &wrong, ..plain };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, drawing.page(&site, &viewer, &desk)).into_response());
        }
    };
    let is_sure = button == Button::Anyway || expected.nothing_to_do.is_none();
    if button == Button::Preview || !is_sure {
        let drawing = Drawing { expected: Some(&expected), ..plain };
        return Ok(drawing.page(&site, &viewer, &desk).into_response());
    }
    match desk.submit(&site, &viewer, &wish, &resolved.study, &expected).await? {
        Ok(made) => {
            let address = format!("/{}/{}/{}/", desk.ground.slug, desk.ground.name, made.number);
            Ok(Redirect::to(&address).into_response())
        }
        Err(SubmitError::KeyTaken { number }) => {
            let wish = Wish { key: new_key()?, ..wish.clone() };
            let drawing = Drawing { made: Some(number), filter: &filter, ..Drawing::plain(&resolved, &wish) };
            Ok((StatusCode::CONFLICT, drawing.page(&site, &viewer, &desk)).into_response())
        }
        Err(SubmitError::NoBackend) => {
            let wrong = [Wrong::new("backend", "unknown_backend", SubmitError::NoBackend.to_string())];
            let drawing = Drawing { wrong: &wrong, ..plain };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, drawing.page(&site, &viewer, &desk)).into_response())
        }
        Err(error @ (SubmitError::TooManyOpen { .. } | SubmitError::TooManyMade { .. })) => {
            let wrong = [Wrong::new("actions", "too_many", error.to_string())];
            let drawing = Drawing { wrong: &wrong, ..plain };
            Ok((StatusCode::TOO_MANY_REQUESTS, drawing.page(&site, &viewer, &desk)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Which button of the form was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    Preview,
    Submit,
    /// Submit, although nothing would run.
    Anyway,
    Newest,
    Filter,
}

/// What was last heard of the branch, without asking anybody now.
fn heard(last: Option<(repositories::Commit, i64)>) -> Option<Head> {
    last.map(|(commit, at)| Head { commit, at, outdated: None })
}

/// What makes double submits of one form one request.
fn new_key() -> Result<String, Refusal> {
    let mut random = [0; 15];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Refusal::Unavailable
    })?;
    Ok(BASE32_NOPAD.encode(&random).to_ascii_lowercase())
}

/// The same page in its many states.
#[derive(Clone, Copy)]
struct Drawing<'a> {
    resolved: &'a Resolved,
    wish: &'a Wish,
    filter: &'a str,
    wrong: &'a [Wrong],
    expected: Option<&'a Expected>,
    made: Option<i64>,
    from: Option<&'a From>,
}

impl<'a> Drawing<'a> {
    fn plain(resolved: &'a Resolved, wish: &'a Wish) -> Self {
        Self { resolved, wish, filter: "", wrong: &[], expected: None, made: None, from: None }
    }

    fn page(&self, site: &Opened, viewer: &Viewer, desk: &Desk) -> Page<String> {
        let chosen = desk.choices.iter().find(|choice| choice.slug == self.wish.backend);
        let gauges = chosen.and_then(|choice| site.line.seen(BackendId(choice.id)).gauges);
        let shown = Shown {
            ground: &desk.ground,
            choices: &desk.choices,
            records: &desk.records,
            permits: &desk.permits,
            resolved: self.resolved,
            wish: self.wish,
            filter: self.filter,
            csrf: viewer.csrf(),
            wrong: self.wrong,
            expected: self.expected,
            made: self.made,
            from: self.from,
            gauges: gauges.as_deref(),
            now: desk.now,
        };
        let title = if self.wrong.is_empty() { "Run jobs" } else { "Error: Run jobs" };
        Page(web::paper(site, viewer, frame(desk, title), &Html::of(&shown.page())))
    }
}

fn frame(desk: &Desk, title: &str) -> ui::page::Page {
    let ground = &desk.ground;
    ui::page::Page {
        title: format!("{title}: {}", ground.name),
        heading: format!("Run jobs in {}", ground.name),
        description: "Choose actions of a commit and ask a backend to run them.".to_owned(),
        crumbs: vec![
            Crumb::to("Project", ground.project_name.clone(), format!("/{}/", ground.slug)),
            Crumb::to("Workspace", ground.name.clone(), format!("/{}/{}/", ground.slug, ground.name)),
            Crumb::here("", "Run jobs"),
        ],
        ..Default::default()
    }
}

#[derive(askama::Template)]
#[template(path = "form/unresolved.html")]
struct Unresolved<'a> {
    address: String,
    wanted: Option<&'a str>,
    repo: &'a str,
    branch: &'a str,
}

/// No commit to show: the reason, and the way to another one.
fn unresolved(site: &Opened, viewer: &Viewer, desk: &Desk, wanted: &Wanted, fault: &MirrorFault) -> Response {
    let ground = &desk.ground;
    let main = Html::of(&Unresolved {
        address: format!("/{}/{}/run-jobs/", ground.slug, ground.name),
        wanted: if let Wanted::Named(name) = wanted { Some(name) } else { None },
        repo: &ground.repo,
        branch: &ground.branch,
    });
    let (status, tone) = match fault.may_pass() {
        true => (StatusCode::SERVICE_UNAVAILABLE, Tone::Warning),
        false => (StatusCode::UNPROCESSABLE_ENTITY, Tone::Bad),
    };
    let mut page = frame(desk, "Run jobs");
    page.notices.push(Notice::text(tone, &fault.to_string()));
    (status, Page(web::paper(site, viewer, page, &main))).into_response()
}

fn refused(fault: MirrorFault) -> Refusal {
    match fault.may_pass() {
        true => {
            tracing::info!(error = %fault, "code that a form needs cannot be read now");
            Refusal::Unavailable
        }
        false => Refusal::Invalid(fault.to_string()),
    }
}
