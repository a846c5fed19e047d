//! A small world for pages: two organisations, two backends, and a request in every state, some of them hostile.
//! Rows are written as the projection would write them; times count from one fixed moment.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test or example stops at its first surprise; each uses a part"
)]

use std::path::Path;

use site::{Opened, Settings, Site};
use sqlx::Executor;

/// 4 March 2027 09:00:00 UTC, in seconds.
pub const MORNING: i64 = (20_881 * 86_400) + 9 * 3_600;
const SECOND: i64 = 1_000_000;

/// One job to be written.
pub struct Job {
    pub action: &'static str,
    pub status: &'static str,
    pub code: &'static str,
    pub params: &'static str,
    /// Seconds after the request: planned, begun, ended.
    pub times: (i64, Option<i64>, Option<i64>),
}

pub fn job(action: &'static str, status: &'static str, code: &'static str, from: Option<i64>, to: Option<i64>) -> Job {
    Job { action, status, code, params: "{}", times: (2, from, to) }
}

pub struct Request {
    pub number: i64,
    pub workspace: i64,
    pub backend: i64,
    pub by: i64,
    pub status: &'static str,
    pub reason: Option<&'static str>,
    pub detail: Option<&'static str>,
    pub yaml: Option<String>,
    pub actions: Vec<&'static str>,
    pub jobs: Vec<Job>,
    pub delivery: &'static str,
    pub cancelled: bool,
}

impl Request {
    pub fn new(number: i64, status: &'static str) -> Self {
        Self {
            number,
            workspace: 1,
            backend: 1,
            by: 1,
            status,
            reason: None,
            detail: None,
            yaml: None,
            actions: vec!["run_all"],
            jobs: vec![],
            delivery: "answered",
            cancelled: false,
        }
    }
}

/// The identifier that a test's request or job has: letters that are easy to find again.
pub fn identifier(request: i64, job: Option<usize>) -> String {
    let letter = |n: i64| char::from(b'a' + u8::try_from(n.rem_euclid(26)).unwrap());
    let tail = job.map_or("aaaa".to_owned(), |n| {
        let n = i64::try_from(n).unwrap();
        format!("{}{}{}b", letter(9 + n / 676), letter(n / 26), letter(n))
    });
    let head: String =
        (0..6).map(|k| letter(request + k)).chain([letter(request / 26 / 26), letter(request / 26)]).collect();
    format!("{head}aaaa{tail}")
}

pub fn study(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(name).join("project.yaml");
    std::fs::read_to_string(path).unwrap()
}

pub async fn open(folder: &Path) -> Opened {
    let mut settings = Settings::read(None, site::settings::Chosen::default()).unwrap();
    settings.data = folder.to_owned();
    settings.name = "Cloister".into();
    // One test asks for more pages than a person would.
    let much = site::access::rate::Rate { per_second: 1e6, burst: 1e6 };
    settings.rates.pages = much;
    settings.rates.searches = much;
    settings.origin = "https://jobs.example.org".into();
    begin(settings).await
}

/// The small world on a site with these settings.
pub async fn begin(settings: Settings) -> Opened {
    let site = Site::open(settings).await.unwrap();
    let mut change = site.store.change().await.unwrap();
    (&mut *change).execute(sqlx::raw_sql(include_str!("world.sql"))).await.unwrap();
    change.commit().await.unwrap();
    site
}

pub async fn add(site: &Opened, request: Request) {
    let mut change = site.store.change().await.unwrap();
    let at = (MORNING + request.number * 60) * SECOND;
    let sha = request
        .yaml
        .as_ref()
        .map(|text| format!("{:064x}", text.len() * 1_000 + usize::try_from(request.number).unwrap()));
    if let (Some(sha), Some(text)) = (&sha, &request.yaml) {
        sqlx::query("INSERT INTO project_yaml VALUES (?, ?)")
            .bind(sha)
            .bind(text.as_bytes())
            .execute(&mut *change)
            .await
            .unwrap();
    }
    let count = |status: &str| i64::try_from(request.jobs.iter().filter(|j| j.status == status).count()).unwrap();
    let first = request.jobs.iter().filter_map(|j| j.times.1).min().map(|s| at + s * SECOND);
    let last = request.jobs.iter().filter_map(|j| j.times.2).max().map(|s| at + s * SECOND);
    let runtime: i64 = request.jobs.iter().filter_map(|j| Some(j.times.2? - j.times.1?)).sum();
    let done = !matches!(request.status, "pending" | "running");
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
            force_run_dependencies, stale, project_yaml, codelists, created_at, delivery, status, reason, detail, cancelled,
            first_started_at, last_finished_at, runtime_s, jobs_pending, jobs_running, jobs_succeeded, jobs_failed, news_at)
         VALUES (?, ?, ?, ?, ?, 'main', ?, 0, 'keep', ?, 'ok', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(request.number)
    .bind(identifier(request.number, None))
    .bind(request.workspace)
    .bind(request.backend)
    .bind(request.by)
    .bind(format!("{:040x}", 0xcd9f_692a_0000 + request.number))
    .bind(&sha)
    .bind(at)
    .bind(request.delivery)
    .bind(request.status)
    .bind(request.reason)
    .bind(request.detail)
    .bind(request.cancelled)
    .bind(first)
    .bind(last.filter(|_| done))
    .bind(runtime)
    .bind(count("pending"))
    .bind(count("running"))
    .bind(count("succeeded"))
    .bind(count("failed"))
    .bind(at)
    .execute(&mut *change)
    .await
    .unwrap();
    for (position, name) in request.actions.iter().enumerate() {
        sqlx::query("INSERT INTO requested_action VALUES (?, ?, ?)")
            .bind(request.number)
            .bind(i64::try_from(position).unwrap())
            .bind(name)
            .execute(&mut *change)
            .await
            .unwrap();
    }
    for (position, job) in request.jobs.iter().enumerate() {
        let (planned, from, to) = job.times;
        sqlx::query(
            "INSERT INTO job (identifier, job_request, backend, workspace, position, action, run_command, db, status, code, params, attempt,
                created_at, updated_at, started_at, finished_at, runtime_s) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
        )
        .bind(identifier(request.number, Some(position)))
        .bind(request.number)
        .bind(request.backend)
        .bind(request.workspace)
        .bind(i64::try_from(position).unwrap())
        .bind(job.action)
        .bind(format!("python:v2 python analysis/{}.py", job.action))
        .bind(job.status)
        .bind(job.code)
        .bind(job.params)
        .bind(at + planned * SECOND)
        .bind(at + to.or(from).unwrap_or(planned) * SECOND)
        .bind(from.map(|s| at + s * SECOND))
        .bind(to.map(|s| at + s * SECOND))
        .bind(from.zip(to).map(|(from, to)| to - from))
        .execute(&mut *change)
        .await
        .unwrap();
        sqlx::query("INSERT OR REPLACE INTO last_job VALUES (?, ?, ?, ?, ?, ?)")
            .bind(request.backend)
            .bind(request.workspace)
            .bind(job.action)
            .bind(identifier(request.number, Some(position)))
            .bind(identifier(request.number, Some(position)))
            .bind((job.status == "succeeded").then(|| identifier(request.number, Some(position))))
            .execute(&mut *change)
            .await
            .unwrap();
    }
    site::store::words::settle(&mut change, request.number).await.unwrap();
    change.commit().await.unwrap();
}

/// The thirteen actions of a real study's request.
pub const THIRTEEN: [&str; 13] = [
    "generate_study_population_1",
    "generate_study_population_2",
    "generate_study_population_3",
    "generate_study_population_ethnicity",
    "join_ethnicity_region",
    "calculate_numerators",
    "calculate_composite_indicators",
    "generate_measures",
    "generate_measures_demographics",
    "generate_summary_counts",
    "generate_plots",
    "generate_notebook",
    "generate_dem_notebook",
];

/// A request in every state. Numbers 1 to 9.
pub async fn every_state(site: &Opened) {
    let pincer = || Some(study("pincer-measures"));
    let mut all = Request::new(1, "succeeded");
    all.yaml = pincer();
    all.actions = THIRTEEN.to_vec();
    all.jobs = (0i64..)
        .zip(THIRTEEN)
        .map(|(n, a)| job(a, "succeeded", "succeeded", Some(5 + n * 400), Some(380 + n * 410)))
        .collect();
    add(site, all).await;

    let mut mixed = Request::new(2, "failed");
    mixed.yaml = pincer();
    mixed.actions = vec!["generate_plots", "generate_notebook"];
    mixed.reason = Some("job_failure");
    mixed.jobs = vec![
        job("join_ethnicity_region", "succeeded", "succeeded", Some(5), Some(100)),
        Job {
            params: "{\"exit\":\"out_of_memory\",\"limit_mb\":4096}",
            ..job("calculate_numerators", "failed", "nonzero_exit", Some(110), Some(200))
        },
        job("generate_measures", "failed", "unmatched_patterns", Some(120), Some(180)),
        Job {
            params: "{\"blocked_by\":[\"BLOCK\"]}",
            ..job("generate_plots", "failed", "dependency_failed", None, Some(200))
        },
        job("generate_notebook", "failed", "code_of_tomorrow", Some(3), Some(4)),
    ];
    add(site, mixed).await;
    let blocked = format!("UPDATE job SET params = replace(params, 'BLOCK', '{}')", identifier(2, Some(1)));
    let mut change = site.store.change().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(blocked)).execute(&mut *change).await.unwrap();
    change.commit().await.unwrap();

    let mut running = Request::new(3, "running");
    running.yaml = pincer();
    running.jobs = vec![
        job("generate_study_population_1", "succeeded", "succeeded", Some(4), Some(90)),
        job("generate_study_population_2", "running", "executing", Some(95), None),
        job("generate_study_population_3", "pending", "waiting_on_db_workers", None, None),
        Job {
            params: "{\"attempt\":2,\"attempts\":5,\"retry_at\":1804151707}",
            ..job("generate_study_population_ethnicity", "pending", "waiting_on_new_task", None, None)
        },
        job("join_ethnicity_region", "pending", "waiting_on_dependencies", None, None),
    ];
    add(site, running).await;

    let mut refused = Request::new(4, "failed");
    refused.yaml = Some("version: '3.0'\nexpectations:\n  population_size: 1000\nactions:\n  a:\n    run: python:latest a.py\n    outputs:\n      highly_sensitive:\n        x: /output/x.csv\n  b:\n    needs: [c]\n".into());
    refused.reason = Some("project_invalid");
    add(site, refused).await;

    let mut nothing = Request::new(5, "nothing_to_do");
    nothing.reason = Some("all_succeeded");
    add(site, nothing).await;

    let mut cancelled = Request::new(6, "failed");
    cancelled.cancelled = true;
    cancelled.jobs = vec![Job {
        params: "{\"by\":\"sample-r\"}",
        ..job("generate_measures", "failed", "cancelled_by_user", Some(5), Some(9))
    }];
    add(site, cancelled).await;

    let mut waiting = Request::new(7, "pending");
    waiting.backend = 2;
    waiting.delivery = "waiting";
    add(site, waiting).await;

    add(site, Request { delivery: "answered", ..Request::new(8, "unknown") }).await;

    let mut hostile = Request::new(9, "running");
    hostile.workspace = 2;
    hostile.by = 2;
    hostile.backend = 2;
    hostile.actions = vec!["<script>alert(1)</script>", "\u{202e}evil", "run 👩‍🔬 it"];
    hostile.yaml = Some("actions:\n  <script>alert(1)</script>:\n    run: \u{202e}\u{7} \"</code>\n".into());
    hostile.jobs = vec![
        job("<script>alert(1)</script>", "running", "<img src=x>", Some(4), None),
        job("\u{202e}evil", "pending", "created", None, None),
        job(LONG, "failed", "internal_error", Some(4), Some(5)),
    ];
    add(site, hostile).await;
}

/// Three hundred characters without a place to break.
pub const LONG: &str = concat!(
    "a2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "b2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "c234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
);
