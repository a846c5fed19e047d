//! Old records: what is on an old page is in the tables, again and again; what cannot be is refused with its line.
//! Spec site.md 2.4, 2.5.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use axum::body::Body;
use common::Rig;
use http::Request;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};
use site::facts::status::runtime;
use site::import::import;
use site::store::read::{request_page, request_place};
use tower::ServiceExt;

const SEEDS: &str = include_str!("../../demo/history/seeds.jsonl");

struct Page {
    number: i64,
    identifier: &'static str,
    org: &'static str,
    workspace: &'static str,
    backend: &'static str,
    status: &'static str,
    runtime: &'static str,
    branch: &'static str,
    commit: Option<&'static str>,
    force: bool,
    actions: &'static str,
    jobs: &'static [(&'static str, &'static str, &'static str)],
    yaml: &'static str,
}

/// What the five pages say.
const PAGES: [Page; 5] = [
    Page {
        number: 325,
        identifier: "dxccxg6de7vcfiis",
        org: "The London School of Hygiene & Tropical Medicine",
        workspace: "carehomes_mortality",
        backend: "TPP",
        status: "failed",
        runtime: "00:00:15",
        branch: "master",
        commit: Some("1d5f267"),
        force: true,
        actions: "run_all",
        jobs: &[],
        yaml: include_str!("../../../studies/carehomes_mortality/project.yaml"),
    },
    Page {
        number: 11881,
        identifier: "rvvj5jxpbiteq2d5",
        org: "University of Liverpool",
        workspace: "flucats",
        backend: "EMIS",
        status: "unknown",
        runtime: "00:05:22",
        branch: "",
        commit: None,
        force: false,
        actions: "generate_dataset_report_test",
        jobs: &[("generate_dataset_report_test", "vr766iowztlp3x3w", "unknown")],
        yaml: include_str!("../../../studies/flucats/project.yaml"),
    },
    Page {
        number: 4382,
        identifier: "qsvx2ydt4f6km7zs",
        org: "Bennett Institute",
        workspace: "pincer-measures",
        backend: "TPP",
        status: "succeeded",
        runtime: "45:28:32",
        branch: "main",
        commit: Some("cd9f692"),
        force: false,
        actions: "generate_study_population_1 generate_study_population_2 generate_study_population_3 generate_study_population_ethnicity \
            join_ethnicity_region calculate_numerators calculate_composite_indicators generate_measures generate_measures_demographics \
            generate_summary_counts generate_plots generate_notebook generate_dem_notebook",
        jobs: &[],
        yaml: include_str!("../../../studies/pincer-measures/project.yaml"),
    },
    Page {
        number: 9590,
        identifier: "kzvvbc264mo3vixn",
        org: "Bennett Institute",
        workspace: "opensafely-interactive",
        backend: "TPP",
        status: "succeeded",
        runtime: "00:29:59",
        branch: "main",
        commit: Some("322cc8a"),
        force: true,
        actions: "run_all",
        jobs: &[],
        yaml: include_str!("../../../studies/opensafely-interactive/project.yaml"),
    },
    Page {
        number: 19021,
        identifier: "5i42i3xk2j47qlg6",
        org: "Bennett Institute",
        workspace: "ons-cis-short-data-report",
        backend: "TPP",
        status: "succeeded",
        runtime: "00:02:01",
        branch: "main",
        commit: Some("ac4e7b6"),
        force: false,
        actions: "render_report",
        jobs: &[("render_report", "54fy7iwzg25g3bvp", "succeeded")],
        yaml: include_str!("../../../studies/ons-cis-short-data-report/project.yaml"),
    },
];

async fn all_pages_are_there(rig: &Rig) {
    let readers = rig.site.store.readers();
    for page in &PAGES {
        let (project, workspace, number) = request_place(readers, page.identifier).await.unwrap().unwrap();
        assert_eq!((workspace.as_str(), number), (page.workspace, page.number));
        let read = request_page(readers, (&project, &workspace), number, 1).await.unwrap().unwrap();
        assert_eq!(read.project.org.as_ref().unwrap().name, page.org);
        assert_eq!(
            (read.backend.name.as_str(), read.status.as_str(), read.is_import),
            (page.backend, page.status, true)
        );
        assert_eq!(runtime(read.first_started_at.is_some(), read.runtime_s), page.runtime, "{number}");
        assert_eq!(
            (read.branch.as_str(), read.commit.as_deref(), read.force_run_dependencies),
            (page.branch, page.commit, page.force)
        );
        assert_eq!(read.requested_actions.join(" "), page.actions.split_whitespace().collect::<Vec<_>>().join(" "));
        let jobs: Vec<_> =
            read.jobs.iter().map(|job| (job.action.as_str(), job.identifier.as_str(), job.status.as_str())).collect();
        assert_eq!(jobs, page.jobs);
        assert_eq!(read.yaml.as_deref(), Some(page.yaml.as_bytes()));
        let path = format!("/{project}/{workspace}/{number}/");
        let asked = Request::get(&path).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
        let answer = rig.router.clone().oneshot(asked).await.unwrap();
        let html = answer.into_body().collect().await.unwrap().to_bytes();
        let html = std::str::from_utf8(&html).unwrap();
        assert!(html.contains("This is an old record, imported from an earlier site."), "{path}");
        assert!(!html.contains("Nothing has been received") && !html.contains("data-live"), "{path}");
    }
}

#[tokio::test]
async fn the_five_pages() {
    let rig = Rig::new().await;
    let first = import(&rig.site, SEEDS).await.unwrap();
    assert_eq!(first.refused, []);
    assert_eq!((first.requests, first.jobs, first.places, first.known), (5, 2, 3 + 4 + 2 + 5 + 5, 0));
    all_pages_are_there(&rig).await;
    // Again, it changes nothing.
    let facts: i64 = rig.one("SELECT count(*) FROM backend_fact").await;
    let again = import(&rig.site, SEEDS).await.unwrap();
    assert_eq!((again.requests, again.jobs, again.places, again.known), (0, 0, 0, 5 + 2 + 19));
    assert_eq!((again.refused.len(), rig.one::<i64>("SELECT count(*) FROM backend_fact").await), (0, facts));
    // And it is made again from facts, even when the rows are gone.
    rig.run("DELETE FROM last_job; DELETE FROM job; DELETE FROM requested_action; DELETE FROM job_request;").await;
    assert_eq!(site::facts::rebuild(&rig.site).await.unwrap().facts, 7);
    all_pages_are_there(&rig).await;
}

#[tokio::test]
async fn what_is_refused_is_told_with_its_line() {
    let rig = Rig::new().await;
    import(&rig.site, SEEDS).await.unwrap();
    let good = json!({"id": 7, "identifier": "abcdefghijklmnop", "workspace": "flucats", "backend": "tpp-past", "created_by": "PAST-researcher-a",
        "created_at": "2021-01-01T00:00:00Z", "requested_actions": ["x"], "unheard_of": 1});
    let with = |field: &str, value: Value| {
        let mut line = good.clone();
        line[field] = value;
        line.to_string()
    };
    let job = |request: i64, identifier: &str, action: &str| {
        json!({"job_request_id": request, "identifier": identifier, "action": action,
        "status": "failed", "status_code": "nonzero_exit", "created_at": "2021-01-01T00:00:00Z"})
        .to_string()
    };
    let lines = [
        "{".to_owned(),
        "[]".to_owned(),
        String::new(),
        with("id", json!(0)),
        with("identifier", json!("../x")),
        with("workspace", json!("nowhere")),
        with("backend", json!("nowhere")),
        with("created_by", json!("nobody")),
        with("created_at", json!("soon")),
        with("requested_actions", json!([])),
        with("sha", json!("main")),
        with("id", json!(325)),
        with("identifier", json!("dxccxg6de7vcfiis")),
        job(99, "aaaa", "x"),
        job(19021, "aaab", "render_report"),
        job(19021, "aaac", "a\nb"),
        json!({"kind": "star"}).to_string(),
        json!({"kind": "workspace", "name": "../up", "project": "flucats", "repo": "https://x", "branch": "main"})
            .to_string(),
        good.to_string(),
    ];
    let report = import(&rig.site, &lines.join("\n")).await.unwrap();
    let refused: Vec<usize> = report.refused.iter().map(|refused| refused.line).collect();
    assert_eq!(refused, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    assert_eq!((report.requests, report.jobs, report.known), (1, 0, 0));
    let cause = |line: usize| report.refused.iter().find(|refused| refused.line == line).unwrap().cause.to_string();
    assert_eq!(cause(6), "there is no workspace `nowhere`; put a line for it before, or make it first");
    assert_eq!(cause(11), "`sha` is not 7 to 40 hexadecimal digits");
    assert_eq!(cause(12), "job request 325 or abcdefghijklmnop is known already, and says something else");
}

#[tokio::test]
async fn words_of_old_sites_are_made_one() {
    let rig = Rig::new().await;
    import(&rig.site, SEEDS).await.unwrap();
    let request = |id: i64, status: Value| {
        json!({"id": id, "identifier": format!("r{id}"), "workspace": "flucats", "backend": "tpp-past",
        "created_by": "past-researcher-a", "created_at": "2021-01-01T00:00:00Z", "requested_actions": ["x"], "_status": status}).to_string()
    };
    let job = |request: i64, action: &str, status: Value, code: Value| {
        json!({"job_request_id": request, "identifier": format!("j{request}{}", action.trim_matches('_')),
        "action": action, "status": status, "status_code": code, "status_message": "old words", "created_at": "2021-01-01T00:00:00Z",
        "started_at": "2021-01-01T00:00:10Z", "completed_at": "2021-01-01T00:00:05Z"}).to_string()
    };
    let lines = [
        // Jobs before their requests: the order of lines does not matter.
        job(1, "a", json!("Failed"), json!("cancelled_by_user")),
        job(1, "b", json!("Succeeded"), Value::Null),
        job(2, "__error__", json!("Failed"), json!("unknown_workspace")),
        job(3, "a", json!("0"), Value::Null),
        request(1, json!("Succeeded")),
        request(2, json!("Pending")),
        request(3, json!("Failed")),
        request(4, json!("unknown_error_creating_jobs")),
        request(5, json!("Nothing to do")),
    ];
    let report = import(&rig.site, &lines.join("\n")).await.unwrap();
    assert_eq!((report.requests, report.jobs, report.errors, report.refused.len()), (5, 3, 1, 0));
    type Row = (String, Option<String>, Option<String>, bool, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT status, reason, detail, cancelled, (SELECT count(*) FROM job j WHERE j.job_request = number) FROM job_request
         WHERE number < 6 ORDER BY number",
    ).fetch_all(rig.site.store.readers()).await.unwrap();
    let row = |status: &str, reason: Option<&str>, detail: Option<&str>, cancelled: bool, jobs: i64| {
        (status.to_owned(), reason.map(str::to_owned), detail.map(str::to_owned), cancelled, jobs)
    };
    assert_eq!(
        rows,
        [
            row("failed", Some("job_failure"), None, true, 2),
            row("failed", Some("unknown_workspace"), Some("old words"), false, 0),
            row("failed", None, None, false, 1),
            row("unknown", None, None, false, 0),
            row("nothing_to_do", None, None, false, 0),
        ]
    );
    let jobs: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT status, code, runtime_s FROM job WHERE job_request < 6 ORDER BY identifier")
            .fetch_all(rig.site.store.readers())
            .await
            .unwrap();
    // They end before they begin: no time, never less.
    assert_eq!(
        jobs,
        [("failed", "cancelled_by_user", 0), ("succeeded", "succeeded", 0), ("unknown", "legacy", 0)]
            .map(|(a, b, c)| (a.to_owned(), b.to_owned(), c))
    );
}

#[derive(Debug, Clone)]
struct Old {
    jobs: Vec<(u8, u16, u16)>,
    force: bool,
    actions: Vec<u8>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]
    /// Fifty random old requests a time, against the words of site.md 2.4 told the long way.
    #[test]
    fn random_old_requests(all in prop::collection::vec(
        (prop::collection::vec((0u8..5, 0u16..3000, 0u16..3000), 0..6), any::<bool>(), prop::collection::vec(any::<u8>(), 1..5))
            .prop_map(|(jobs, force, actions)| Old { jobs, force, actions }), 50))
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            import(&rig.site, SEEDS).await.unwrap();
            let time = |seconds: u16| format!("2021-01-01T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let mut lines = Vec::new();
            for (n, old) in (100i64..).zip(&all) {
                let actions: Vec<String> = old.actions.iter().map(|a| format!("act_{a}")).collect();
                lines.push(json!({"id": n, "identifier": format!("r{n}"), "workspace": "pincer-measures", "backend": "tpp-past", "created_by": "past-researcher-b",
                    "created_at": time(0), "requested_actions": actions, "force_run_dependencies": old.force, "_status": "unknown"}).to_string());
                for (i, (state, start, end)) in old.jobs.iter().enumerate() {
                    let status = ["Pending", "running", "Failed", "Succeeded", "failed"][usize::from(*state)];
 let code = ["created", "executing", "nonzero_exit", "succeeded", "cancelled_by_user"][usize::from(*state)];
 let mut job = json!({"job_request_id": n, "identifier": format!("j{n}x{i}"), "action": format!("act_{i}"), "created_at": time(0),
                        "status": status, "status_code": code});
                    if *state > 0 { job["started_at"] = json!(time(*start)); }
                    if *state > 1 { job["completed_at"] = json!(time(*end)); }
                    lines.push(job.to_string());
                }
            }
            let report = import(&rig.site, &lines.join("\n")).await.unwrap();
            assert_eq!((report.requests, report.refused.len()), (50, 0));
            for (n, old) in (100i64..).zip(&all) {
                let page = request_page(rig.site.store.readers(), ("pincer-measures", "pincer-measures"), n, 1).await.unwrap().unwrap();
                let count = |states: &[u8]| i64::try_from(old.jobs.iter().filter(|job| states.contains(&job.0)).count()).unwrap();
                let total = count(&[0, 1, 2, 3, 4]);
                let status = if total == 0 { "unknown" }
                    else if count(&[0]) == total { "pending" }
                    else if count(&[3]) == total { "succeeded" }
                    else if count(&[0, 1]) == 0 { "failed" }
                    else { "running" };
                assert_eq!(page.status, status);
                assert_eq!(page.cancelled, status == "failed" && count(&[2]) == 0);
                assert_eq!(page.counts, [count(&[0]), count(&[1]), count(&[3]), count(&[2, 4])]);
                let runtime: i64 = old.jobs.iter().filter(|job| job.0 > 1).map(|job| i64::from(job.2.saturating_sub(job.1))).sum();
                assert_eq!(page.runtime_s, runtime);
                let least = old.jobs.iter().filter(|job| job.0 > 0).map(|job| i64::from(job.1)).min();
                let day = 1_609_459_200;
                assert_eq!(page.first_started_at, least.map(|second| (day + second) * 1_000_000));
                assert_eq!(page.force_run_dependencies, old.force);
                let actions: Vec<String> = old.actions.iter().map(|a| format!("act_{a}")).collect();
                assert_eq!(page.requested_actions, actions);
                let previous = page.previous.map(|earlier| earlier.number);
                assert_eq!(previous, (n > 100).then_some(n - 1));
            }
        });
    }
}
