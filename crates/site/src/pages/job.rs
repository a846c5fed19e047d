//! The page of one job: what it ran, how it went, what it reads and who reads it. Never its log.
//! Spec site.md 5.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::fact::job::{Engine, WaiverMode};
use ui::html::Html;
use ui::icon::Level;
use ui::page::{Crumb, Page};
use ui::time::{At, Hms};

use super::request::{Memory, around, place};
use super::shell;
use super::words::{self, Said};
use crate::Opened;
use crate::access::{Object, Permission, Refusal, Viewer};
use crate::line::Seen;
use crate::store::read::{self, JobPage, JobPlace, JobRow, Need, RequestPage, Usage};

/// The shortest beginning of an identifier that is looked up.
const SHORTEST: usize = 4;
/// Letters of a whole identifier.
const IDENTIFIER: usize = 16;

#[derive(Template)]
#[template(path = "job.html")]
struct Body<'a> {
    r: &'a RequestPage,
    j: &'a JobRow,
    label: Html,
    said: Said,
    links: Vec<(String, String)>,
    anchor: String,
    command: Option<&'a str>,
    image: Option<&'a str>,
    native: bool,
    builtin: Option<String>,
    waivers: Vec<&'static str>,
    outputs: Vec<(Level, String)>,
    needs: Vec<(String, String, String)>,
    needed_by: Vec<(String, String)>,
    attempts: Vec<(i64, String, String, String)>,
    created: Html,
    started: Option<Html>,
    finished: Option<Html>,
    runtime: String,
    updated: Html,
    earlier: Vec<(String, String)>,
    usage: Option<Usage>,
    buttons: Buttons,
}

/// What this viewer may do with the job: nothing for the public.
#[derive(Debug, Default)]
struct Buttons {
    /// The page that asks before this one action is stopped.
    cancel: Option<String>,
    /// The form with the jobs that failed before this one, and this one: their names, and where.
    again: Option<(String, String)>,
}

impl Buttons {
    fn of(request: &RequestPage, job: &JobRow, said: &Said, viewer: &Viewer) -> Self {
        let mut buttons = Self::default();
        let (project, backend) = (request.project_id.0, request.backend.id.0);
        let own = viewer.account().is_some_and(|account| account.id == request.requested_by_id.0);
        let query =
            |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if !request.is_import
            && matches!(job.status.as_str(), "pending" | "running")
            && (own || viewer.can(Permission::JobCancel, &Object::request(project, backend)))
        {
            buttons.cancel = Some(format!("../cancel/?{}", query(&[("action", &job.action)])));
        }
        let may_run = !request.is_archived && viewer.can(Permission::JobRun, &Object::project(project));
        let first: Vec<&str> = said.jobs.iter().filter_map(|id| action(request, id)).collect();
        if job.code == "dependency_failed" && may_run && !first.is_empty() {
            let mut pairs = vec![("backend", request.backend.slug.as_str())];
            pairs.extend(first.iter().map(|name| ("action", *name)));
            pairs.push(("action", &job.action));
            buttons.again = Some((first.join(", "), format!("../../run-jobs/?{}", query(&pairs))));
        }
        buttons
    }
}

/// The action of a job of this request, or of one that it reads from.
fn action<'a>(request: &'a RequestPage, id: &str) -> Option<&'a str> {
    let own = request.jobs.iter().find(|job| job.identifier == id).map(|job| job.action.as_str());
    own.or_else(|| request.others.iter().find(|job| job.identifier == id).map(|job| job.action.as_str()))
}

/// `/PROJECT/WORKSPACE/NUMBER/JOB/`: an identifier, or a beginning of one that only one job has.
pub(super) async fn page(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((project, workspace, number, key)): Path<(String, String, String, String)>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let number = shell::number(&number)?;
    let now = site.clock.microseconds();
    let readers = site.store.readers();
    if key.len() < IDENTIFIER {
        // A beginning that belongs to this address.
        let job = beginning(&site, &key).await?;
        return if job.request == (project, workspace, number) { moved(job) } else { Err(Refusal::Hidden) };
    }
    let found = read::job_page(readers, number, &key).await?.ok_or(Refusal::Hidden)?;
    let request = read::request_page(readers, (&project, &workspace), number, now).await?.ok_or(Refusal::Hidden)?;
    let seen = site.line.seen(request.backend.id);
    let (page, main) = compose(&request, &found, &site.memory, (&viewer, &seen), now);
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}

/// `/jobs/JOB/`.
pub(super) async fn short(State(site): State<Opened>, Path(key): Path<String>) -> Result<Response, Refusal> {
    moved(beginning(&site, &key).await?)
}

/// The one job whose identifier begins so.
async fn beginning(site: &Opened, key: &str) -> Result<JobPlace, Refusal> {
    let plain = key.len() >= SHORTEST && key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if !plain {
        return Err(Refusal::Hidden);
    }
    read::job_of_prefix(site.store.readers(), key).await?.ok_or(Refusal::Hidden)
}

fn moved(job: JobPlace) -> Result<Response, Refusal> {
    let JobPlace { identifier, request: (project, workspace, number) } = job;
    shell::moved(&format!("/{project}/{workspace}/{number}/{identifier}/"))
}

fn compose(
    request: &RequestPage,
    found: &JobPage,
    memory: &Memory,
    (viewer, seen): (&Viewer, &Seen),
    now: i64,
) -> (Page, Html) {
    let job = &found.job;
    let moment = |at: i64| At(at).shown(At(now));
    let said = words::job(job, &around(request, seen, job));
    let link = |id: &str| link(request, id);
    let pipeline =
        request.yaml.as_ref().map(|bytes| memory.pipeline(request.yaml_sha256.as_deref().unwrap_or_default(), bytes));
    let line = pipeline.as_ref().and_then(|p| p.action(&job.action));
    let so_far = job.started_at.filter(|_| job.status == "running").map(|from| now.saturating_sub(from) / 1_000_000);
    let ran =
        job.runtime_s.or(job.finished_at.zip(job.started_at).map(|(to, from)| to.saturating_sub(from) / 1_000_000));
    let runtime = Hms(so_far.or(ran.filter(|_| job.started_at.is_some()))).to_string();
    let main = Html::of(&Body {
        label: words::state(&job.status, &job.code).label_as(&words::word(&job.status, &job.code)),
        links: said.jobs.iter().map(|id| link(id)).collect(),
        buttons: Buttons::of(request, job, &said, viewer),
        usage: found.usage.filter(|_| {
            viewer.can(Permission::JobMetricsView, &Object::request(request.project_id.0, request.backend.id.0))
        }),
        said,
        anchor: ui::yaml::anchor(&job.action),
        command: found.run_command.as_deref(),
        image: job.image.as_deref(),
        native: job.image.as_deref().is_some_and(|image| image.starts_with("host:")),
        builtin: job.engine.as_ref().map(builtin),
        waivers: job.engine.iter().flat_map(|engine| &engine.waivers).map(|mode| waived(*mode)).collect(),
        outputs: line.map(|line| line.outputs.clone()).unwrap_or_default(),
        needs: job.needs.iter().map(|need| needed(&link, need)).collect(),
        needed_by: found
            .needed_by
            .iter()
            .map(|(id, action, number)| (format!("/jobs/{id}/"), format!("{action} (job request {number})")))
            .collect(),
        attempts: job
            .attempts
            .iter()
            .map(|attempt| {
                let ended = attempt.ended_at.map(|at| At(at).exact()).unwrap_or_else(|| "-".into());
                let why = attempt.code.as_deref().map(words::attempt_ended).unwrap_or_else(|| "-".into());
                (attempt.attempt, At(attempt.started_at).exact(), ended, why)
            })
            .collect(),
        created: moment(job.created_at),
        started: job.started_at.map(moment),
        finished: job.finished_at.map(moment),
        runtime: if so_far.is_some() { format!("{runtime} so far") } else { runtime },
        updated: moment(job.updated_at),
        earlier: earlier(found),
        r: request,
        j: job,
    });
    let path = format!("/{}/{}/{}/", request.project.slug, request.workspace, request.number);
    let page = Page {
        title: format!("{} - job of request {}", job.action, request.number),
        heading: job.action.clone(),
        description: format!("{}: {}", job.action, words::word(&job.status, &job.code)),
        canonical: Some(format!("{path}{}/", job.identifier)),
        section: "log",
        crumbs: vec![
            Crumb::to("Project", &request.project.title, format!("/{}/", request.project.slug)),
            Crumb::to("Workspace", &request.workspace, "../../"),
            Crumb::to("Job request", request.number.to_string(), "../"),
            Crumb::here("Job", &job.action),
        ],
        notices: shell::notices(&request.alerts),
        ..Page::default()
    };
    (page, main)
}

/// A job of this request, of another, or one that is not known.
fn link(request: &RequestPage, id: &str) -> (String, String) {
    if let Some(job) = request.jobs.iter().find(|job| job.identifier == id) {
        return (format!("../{id}/"), job.action.clone());
    }
    let other = request.others.iter().find(|job| job.identifier == id);
    match other.and_then(|job| Some((place(job)?, job))) {
        Some(((href, number), job)) => (href, format!("{} (job request {number})", job.action)),
        None => (format!("/jobs/{id}/"), id.to_owned()),
    }
}

/// What a built-in action is and how it behaves: with the same revision it makes the same files.
fn builtin(engine: &Engine) -> String {
    let name = serde_json::to_value(engine.name).ok().and_then(|name| name.as_str().map(str::to_owned));
    let profile = engine.profile.as_ref();
    let profile = profile.map(|profile| format!(", profile {} revision {}", profile.name, profile.revision));
    let (name, profile) = (name.unwrap_or_default(), profile.unwrap_or_default());
    format!("{name} of cloister {}{profile}", engine.version)
}

/// Why SQL may run that does not say how it treats opt-outs.
fn waived(mode: WaiverMode) -> &'static str {
    match mode {
        WaiverMode::ExcludedByView => "the tables that it reads leave these patients out",
        WaiverMode::AssumeExcluded => {
            "it is older than the rule, and its results are taken to be without these patients"
        }
        WaiverMode::Include => "its project may read these patients",
    }
}

fn needed(link: &impl Fn(&str) -> (String, String), need: &Need) -> (String, String, String) {
    let (href, text) = link(&need.needed);
    let mut note = if need.kind == "reuses" { "reused".to_owned() } else { String::new() };
    if let Some(staleness) = &need.staleness {
        note = [note, words::staleness(staleness)].into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(", ");
    }
    (href, text, note)
}

fn earlier(found: &JobPage) -> Vec<(String, String)> {
    let row = |words: &str, run: &Option<(String, i64, Option<String>, String)>| {
        let (id, number, commit, status) = run.as_ref()?;
        let commit = commit.as_deref().and_then(|c| c.get(..7)).unwrap_or("-");
        Some((format!("/jobs/{id}/"), format!("{words}: job request {number}, {status}, commit {commit}")))
    };
    [row("Before", &found.previous), row("Last success before", &found.previous_succeeded)]
        .into_iter()
        .flatten()
        .collect()
}
