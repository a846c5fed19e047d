//! The table of pages: bytes and processor time of the jobs site's pages over a large history, beside today's.
//! Goals and today's figures: spec site.md 18 (25,000 requests, 113,000 jobs, 600 workspaces, 150 projects). Statements are
//! counted by a test, not here.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use site::access::{Place, Role};
use site::people::{self, By};
use site::settings::Chosen;
use site::{Settings, Site};
use tower::ServiceExt;

use crate::Setup;

const REQUESTS: u32 = 25_000;
const WORKSPACES: u32 = 600;
const PROJECTS: u32 = 150;
const TIMES: u32 = 300;

/// The page of the pincer study's request: 13 jobs and a project.yaml of 4 kB.
const LARGE: u32 = REQUESTS;
/// A request of one job.
const SMALL: u32 = REQUESTS - 1;
/// A request of a hundred.
const HUGE: u32 = REQUESTS - 2;
const HOST: &str = "127.0.0.1:8000";

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    threads.block_on(print(setup))
}

/// A page and what it is measured against: bytes and milliseconds of the goal, then of today's page.
struct Row {
    what: &'static str,
    path: String,
    signed_in: bool,
    goal: &'static str,
    today: &'static str,
}

fn rows() -> Vec<Row> {
    // The keyset of the 900th page: 25 rows each.
    let deep = REQUESTS - 899 * 25 + 1;
    let row = |what, path, goal, today| Row { what, path, signed_in: false, goal, today };
    let signed_in = |what, path, goal, today| Row { what, path, signed_in: true, goal, today };
    vec![
        row("request, 13 jobs", format!("/job-requests/{LARGE}/"), "25,000; 1", "92,170; 37-51"),
        signed_in("the same, signed in", format!("/job-requests/{LARGE}/"), "28,000; 1.3", "99,731; 50"),
        row("request, 1 job", format!("/job-requests/{SMALL}/"), "12,000; 0.6", "72,559; 38-43"),
        row("request, 100 jobs", format!("/job-requests/{HUGE}/"), "90,000; 3", "214,194; 50-65"),
        row("job page", format!("/jobs/{}/", job(LARGE, 0)), "12,000; 0.7", "45,835; -"),
        row("event log, first page", "/event-log/".to_owned(), "25,000; 1.5", "145,000; 106"),
        row("event log, page 900", format!("/event-log/?after={deep}"), "25,000; 1.5 (2 in the issue)", "-; 112-143"),
        row("home", "/".to_owned(), "14,000; 0.7", "57,000; 47"),
        row("workspace log", "/project-0/workspace-0/logs/".to_owned(), "25,000; 1.5", "131,000; 77"),
        signed_in("staff request list", "/staff/requests/".to_owned(), "30,000; 2", "157,000; 90"),
        row("not found", "/there-is-no-such-page/".to_owned(), "4,000; 0.2", "22,714; -"),
    ]
}

async fn print(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let data = Some(setup.folder.path().join("site"));
    let mut settings = Settings::read(None, Chosen { data, ..Chosen::default() })?;
    let free = site::access::rate::Rate::over(1_000_000, Duration::from_secs(1));
    (settings.rates.pages, settings.rates.searches) = (free, free);
    // So that one can sign in without a password; the listener is on loopback.
    settings.personas = true;
    let site = Site::open(settings).await?;
    let report = site::import::import(&site, &history(setup)?).await?;
    if let Some(bad) = report.refused.first() {
        return Err(format!("line {} of the history: {}", bad.line, bad.cause).into());
    }
    println!("\n| pages, of {} requests with {} jobs | bytes | CPU ms | goal | today |", report.requests, report.jobs);
    println!("|---|---|---|---|---|");
    let staff = staff(&site).await?;
    let router = site::router(site);
    let cookie = signed_in(&router, staff).await?;
    for row in rows() {
        let asker = Asker { router: &router, cookie: row.signed_in.then_some(cookie.as_str()) };
        let path = asker.get(&row.path).await?.to.unwrap_or(row.path);
        let first = asker.get(&path).await?;
        let expected = if row.what == "not found" { 404 } else { 200 };
        if first.status != expected {
            return Err(format!("{path} was answered with {}", first.status).into());
        }
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begun = now();
            asker.get(&path).await?;
            times.push(now().saturating_sub(begun));
        }
        times.sort();
        let median = times[times.len() / 2].as_secs_f64() * 1000.0;
        println!("| {} | {} | {median:.2} | {} | {} |", row.what, first.bytes, row.goal, row.today);
    }
    Ok(())
}

/// Takes the backend of the old records into use, and makes somebody who may see the staff area; gives the name.
async fn staff(site: &site::Opened) -> Result<&'static str, Box<dyn Error>> {
    let north = people::lists::named(&site.store, people::lists::Kind::Backend, "north").await?;
    let (by, mut change) = (By::operator(), site.store.change().await?);
    people::backends::set_active(&mut change, &by, north, true, "the bench reads the pages of a site in use").await?;
    people::roles::set_two_people(&mut change, &by, false).await?;
    let new = people::accounts::New {
        username: "staff-1",
        fullname: "Sample Staff",
        email: "",
        kind: people::accounts::Kind::Human,
    };
    let account = people::accounts::add(&mut change, &by, new).await?;
    let reason = "the bench reads a page of theirs";
    let role = Role::StaffAreaAdministrator;
    let new = people::roles::New { account, role, place: Place::Site, reason, expires_at: None };
    people::roles::grant(&mut change, &by, new).await?;
    change.commit().await?;
    Ok("staff-1")
}

/// The cookie of a session of this person.
async fn signed_in(router: &axum::Router, who: &str) -> Result<String, Box<dyn Error>> {
    let form = http::Request::post("/login/persona/")
        .header("Origin", format!("http://{HOST}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("username={who}")))?;
    let answer = ask(router, form).await?;
    let cookie = answer.headers().get("set-cookie").ok_or("signing in gave no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// Processor time of the whole process: the database reads in threads of its own.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

async fn ask(router: &axum::Router, mut request: http::Request<Body>) -> Result<Response, Box<dyn Error>> {
    request.headers_mut().insert("Host", http::HeaderValue::from_static(HOST));
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    request.extensions_mut().insert(axum::extract::ConnectInfo(here));
    Ok(router.clone().oneshot(request).await?)
}

/// Somebody before a browser.
struct Asker<'a> {
    router: &'a axum::Router,
    cookie: Option<&'a str>,
}

/// What came back.
struct Got {
    status: u16,
    to: Option<String>,
    bytes: usize,
}

impl Asker<'_> {
    async fn get(&self, path: &str) -> Result<Got, Box<dyn Error>> {
        let mut request = http::Request::get(path);
        if let Some(cookie) = self.cookie {
            request = request.header("Cookie", cookie);
        }
        let answer = ask(self.router, request.body(Body::empty())?).await?;
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        Ok(Got { status, to, bytes: answer.into_body().collect().await?.to_bytes().len() })
    }
}

/// Old records as a file to import.
fn history(setup: &Setup) -> Result<String, Box<dyn Error>> {
    let small = "version: '3.0'\nactions:\n  act_0:\n    run: python:latest python a.py\n    outputs:\n      moderately_sensitive:\n        t: output/*.csv\n";
    let large = std::fs::read_to_string(setup.root.join("studies/pincer-measures/project.yaml"))?;
    let mut lines = String::new();
    let mut line = |value: serde_json::Value| writeln!(lines, "{value}");
    line(json!({"kind": "org", "slug": "bench", "name": "Bench"}))?;
    line(json!({"kind": "user", "username": "sample-r", "fullname": "Sample Researcher", "service": false}))?;
    line(json!({"kind": "backend", "slug": "north", "name": "North", "flavour": "tpp", "data_kind": "real"}))?;
    for n in 0..PROJECTS {
        let (slug, name) = (format!("project-{n}"), format!("Project {n}"));
        line(json!({"kind": "project", "slug": slug, "name": name, "org": "bench"}))?;
    }
    for n in 0..WORKSPACES {
        let (name, project) = (format!("workspace-{n}"), format!("project-{}", n % PROJECTS));
        let repo = format!("https://git.example.org/bench/study-{n}");
        line(json!({"kind": "workspace", "name": name, "project": project, "repo": repo, "branch": "main"}))?;
    }
    for n in 1..=REQUESTS {
        let jobs = match n {
            LARGE => 13,
            SMALL => 1,
            HUGE => 100,
            _ => [1, 2, 4, 5, 6, 9][(n % 6) as usize],
        };
        let yaml = if n == LARGE { large.as_str() } else { small };
        let at = format!("2021-{:02}-{:02}T{:02}:{:02}:00Z", n % 12 + 1, n % 28 + 1, n % 24, n % 60);
        line(json!({"id": n, "identifier": format!("{n:0>16}"), "workspace": format!("workspace-{}", n % WORKSPACES),
            "backend": "north", "created_by": "sample-r", "created_at": at, "requested_actions": ["run_all"],
            "force_run_dependencies": false, "sha": format!("{n:0>40}"), "project_definition": yaml, "_status": "Succeeded"}))?;
        let names: Vec<String> =
            actions(yaml).into_iter().chain((1..).map(|i| format!("more_{i}"))).take(jobs).collect();
        for (i, action) in names.iter().enumerate() {
            line(json!({"job_request_id": n, "identifier": job(n, i), "action": action, "status": "Succeeded",
                "status_code": "succeeded", "created_at": at, "started_at": at, "completed_at": at, "updated_at": at}))?;
        }
    }
    Ok(lines)
}

/// Names of actions: lines of two blanks, a word and a colon.
fn actions(yaml: &str) -> Vec<String> {
    let after = yaml.split("actions:").nth(1).unwrap_or_default();
    let names = after.lines().filter_map(|line| line.strip_prefix("  ")?.trim_end().strip_suffix(':'));
    names.filter(|name| !name.starts_with(' ')).map(str::to_owned).collect()
}

/// The identifier of a job: its request and its place, in the letters that identifiers have.
fn job(request: u32, place: usize) -> String {
    format!("{request:0>8}{place:0>8}").bytes().map(|digit| char::from(b'a' + (digit - b'0'))).collect()
}
