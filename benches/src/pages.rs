//! The table of pages: bytes and processor time of the jobs site's pages over a large history, beside today's.
//! Goals and today's figures: spec site.md 18 (25,000 requests, 113,000 jobs, 600 workspaces, 150 projects). Statements are
//! counted by a test, not here.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
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

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    threads.block_on(print(setup))
}

async fn print(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let data = Some(setup.folder.path().join("site"));
    let mut settings = Settings::read(None, Chosen { data, ..Chosen::default() })?;
    let free = site::access::rate::Rate::over(1_000_000, Duration::from_secs(1));
    (settings.rates.pages, settings.rates.searches) = (free, free);
    let site = Site::open(settings).await?;
    let report = site::import::import(&site, &history(setup)?).await?;
    if let Some(bad) = report.refused.first() {
        return Err(format!("line {} of the history: {}", bad.line, bad.cause).into());
    }
    println!("\n| pages, of {} requests with {} jobs | bytes | CPU ms | goal | today |", report.requests, report.jobs);
    println!("|---|---|---|---|---|");
    let router = site::router(site);
    // The keyset of the 900th page: 25 rows each.
    let deep = REQUESTS - 899 * 25 + 1;
    for (what, path, goal, today) in [
        ("request, 13 jobs", format!("/job-requests/{LARGE}/"), "25,000; 1", "92,170; 37-51"),
        ("request, 1 job", format!("/job-requests/{}/", REQUESTS - 1), "12,000; 0.6", "72,559; 38-43"),
        ("event log, first page", "/event-log/".to_owned(), "25,000; 1.5", "145,000; 106"),
        ("event log, page 900", format!("/event-log/?after={deep}"), "25,000; 1.5 (2 in the issue)", "-; 112-143"),
        ("home", "/".to_owned(), "14,000; 0.7", "57,000; 47"),
        ("not found", "/there-is-no-such-page/".to_owned(), "4,000; 0.2", "22,714; -"),
    ] {
        let path = settle(&router, path).await?;
        let (bytes, mut times) = (get(&router, &path).await?.1, Vec::new());
        for _ in 0..TIMES {
            let begun = now();
            get(&router, &path).await?;
            times.push(now().saturating_sub(begun));
        }
        times.sort();
        let median = times[times.len() / 2].as_secs_f64() * 1000.0;
        println!("| {what} | {bytes} | {median:.2} | {goal} | {today} |");
    }
    Ok(())
}

/// Processor time of the whole process: the database reads in threads of its own.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

async fn get(router: &axum::Router, path: &str) -> Result<(Option<String>, usize), Box<dyn Error>> {
    let mut request = http::Request::get(path).header("Host", "127.0.0.1:8000").body(Body::empty())?;
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    request.extensions_mut().insert(axum::extract::ConnectInfo(here));
    let answer = router.clone().oneshot(request).await?;
    let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
    Ok((to, answer.into_body().collect().await?.to_bytes().len()))
}

/// Where short addresses lead.
async fn settle(router: &axum::Router, path: String) -> Result<String, Box<dyn Error>> {
    Ok(get(router, &path).await?.0.unwrap_or(path))
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
        let jobs = if n == LARGE { 13 } else { [1, 2, 4, 5, 6, 9][(n % 6) as usize] };
        let jobs = if n == LARGE - 1 { 1 } else { jobs };
        let yaml = if n == LARGE { large.as_str() } else { small };
        let at = format!("2021-{:02}-{:02}T{:02}:{:02}:00Z", n % 12 + 1, n % 28 + 1, n % 24, n % 60);
        line(json!({"id": n, "identifier": format!("{n:0>16}"), "workspace": format!("workspace-{}", n % WORKSPACES),
            "backend": "north", "created_by": "sample-r", "created_at": at, "requested_actions": ["run_all"],
            "force_run_dependencies": false, "sha": format!("{n:0>40}"), "project_definition": yaml, "_status": "Succeeded"}))?;
        let names: Vec<String> =
            actions(yaml).into_iter().chain((0..).map(|i| format!("act_{i}"))).take(jobs).collect();
        for (i, action) in names.iter().enumerate() {
            line(
                json!({"job_request_id": n, "identifier": format!("j{n}x{i}"), "action": action, "status": "Succeeded",
                "status_code": "succeeded", "created_at": at, "started_at": at, "completed_at": at, "updated_at": at}),
            )?;
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
