//! Three sites for everybody who looks at pages: `full` has every state of every page (spec site.md 20.3), `bare` is
//! one of its first day with tight limits, `broken` has lost a table. Who asks is somebody of each kind.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test or example stops at its first surprise; each uses a part"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use site::access::rate::Rate;
use site::access::{Place, Role};
use site::mirror::{self, Wanted};
use site::people::{By, accounts, orgs, roles};
use site::{Opened, Settings, Site};

use crate::world::{self, Job, Request, THIRTEEN, add, identifier, job, study};

/// The names of the sites.
pub const SITES: [&str; 3] = ["full", "bare", "broken"];

/// Who asks, in a letter: nobody, a member of the projects, somebody without roles, everybody of staff in one, the
/// operator of one backend.
pub const PEOPLE: [(&str, Option<i64>); 5] =
    [("-", None), ("m", Some(1)), ("p", Some(2)), ("s", Some(10)), ("o", Some(11))];

/// Opens one of them in the folder.
pub async fn open(name: &str, folder: &Path) -> Opened {
    let data = folder.join(name);
    std::fs::create_dir_all(&data).unwrap();
    match name {
        "full" => full(folder, &data).await,
        "bare" => bare(&data).await,
        _ => {
            let site = bare(&data).await;
            run(&site, "DROP TABLE request_words; DROP TABLE org_member; DROP TABLE project_org").await;
            site
        }
    }
}

/// The cookie of somebody who signed in.
pub async fn cookie(site: &Opened, account: i64) -> String {
    let now = site.clock.microseconds();
    let mut change = site.store.change().await.unwrap();
    let begun =
        site::access::session::begin(&mut change, &site.settings, account, "Firefox", "192.0.2.0/24", now).await;
    change.commit().await.unwrap();
    begun.unwrap().cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn settings(data: &Path) -> Settings {
    let mut settings = Settings::read(None, site::settings::Chosen::default()).unwrap();
    settings.data = data.to_owned();
    settings.name = "Cloister".into();
    settings.listen = "127.0.0.1:0".parse().unwrap();
    settings.origin = "http://127.0.0.1".into();
    settings
}

/// What an SQL script says.
pub async fn run(site: &Opened, sql: &str) {
    let mut change = site.store.change().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut *change).await.unwrap();
    change.commit().await.unwrap();
}

async fn bare(data: &Path) -> Opened {
    let mut settings = settings(data);
    settings.personas = true;
    settings.rates.searches = Rate { per_second: 1e-6, burst: 1.0 };
    let site = Site::open(settings).await.unwrap();
    run(
        &site,
        "INSERT INTO account (id, username, username_key, fullname, kind, created_at) VALUES
             (1, 'first', 'first', 'The First', 'human', 1), (2, 'second', 'second', 'The Second', 'human', 1),
             (10, 'boss', 'boss', 'Somebody With Every Role', 'human', 1), (11, 'op', 'op', 'Operator', 'human', 1);
         INSERT INTO role_grant (account, role, scope, scope_id, reason, granted_by, approved_by, approved_at, created_at)
             SELECT 10, column1, 'site', 0, 'all', 1, 2, 1, 1 FROM (VALUES ('StaffAreaAdministrator'),
             ('ServiceAdministrator'), ('DataAuthority'), ('Auditor'), ('TechSupport'), ('SiteAdministrator'))",
    )
    .await;
    site
}

async fn full(folder: &Path, data: &Path) -> Opened {
    let mut settings = settings(data);
    settings.local_repositories = true;
    let much = Rate { per_second: 1e6, burst: 1e6 };
    (settings.rates.pages, settings.rates.searches) = (much, much);
    let site = world::begin(settings).await;
    run(&site, include_str!("gallery.sql")).await;
    world::every_state(&site).await;
    let real = site.clock.microseconds() / 1_000_000;
    site.clock.advance(world::MORNING + 15 * 60 + 20 - real);
    let commit = repositories(&site, folder).await;
    requests(&site, &commit).await;
    acts(&site).await;
    // A member who is signed in elsewhere too.
    cookie(&site, 1).await;
    site
}

/// Acts as an operator does them, so that the audit log has something.
async fn acts(site: &Opened) {
    let mut change = site.store.change().await.unwrap();
    let by = By::operator();
    let new = accounts::New { username: "newcomer", fullname: "New Comer", email: "", kind: accounts::Kind::Human };
    accounts::add(&mut change, &by, new).await.unwrap();
    orgs::add(&mut change, &by, orgs::Org { slug: "third", name: "Third", description: "*text*" }).await.unwrap();
    let (account, place) = (2, Place::Project(4));
    let new =
        roles::New { account, role: Role::ProjectCollaborator, place, reason: "It has a reason", expires_at: None };
    roles::grant(&mut change, &by, new).await.unwrap();
    change.commit().await.unwrap();
}

const SMALL: &str = "version: '3.0'
expectations:
  population_size: 1000
actions:
  extract:
    run: sqlrunner:latest --output output/rows.csv analysis/rows.sql
    outputs:
      highly_sensitive:
        rows: output/rows.csv
  table:
    run: python:v2 python analysis/table.py
    needs: [extract]
    outputs:
      moderately_sensitive:
        table: output/table.csv
";

/// A workspace for each state of the form, on branches of one repository; the newest commit of the first one.
async fn repositories(site: &Opened, folder: &Path) -> String {
    let many: String = (0..620)
        .map(|n| format!("  action_{n:03}:\n    run: python:v2 python a.py {n}\n    outputs:\n      moderately_sensitive:\n        t: output/{n}.csv\n"))
        .collect();
    let many = format!("version: '3.0'\nexpectations:\n  population_size: 10\nactions:\n{many}");
    let broken = "version: '3.0'\nexpectations:\n  population_size: 1000\nactions:\n  a:\n    run: python:latest a.py\n  \
        b:\n    needs: [c]\n    run: phyton:v2 b.py\n    outputs:\n      very_sensitive:\n        x: /output/x.csv\n  \
        \"<img src=x onerror=pwned()>\":\n    run: python:v2 \"<script>pwned()</script>\" \u{202e}\n    needs: [\"<b>\"]\n";
    let lists = "{\"files\":{\"org-list.csv\":{\"id\":\"org/list/v1\",\"url\":\"https://lists.example/\",\
        \"downloaded_at\":\"2026-01-02 10:00:00.000000Z\",\"sha\":\"0000\"}}}";
    let script = ("analysis/table.py", "print('<b>a</b>')\n");
    let branches: [(&str, Vec<(&str, &str)>); 5] = [
        ("main", vec![("project.yaml", SMALL), script, ("analysis/rows.sql", "SELECT 1\n")]),
        ("broken", vec![("project.yaml", broken)]),
        ("none", vec![script]),
        ("many", vec![("project.yaml", &many), ("a.py", "pass\n")]),
        (
            "lists",
            vec![
                ("project.yaml", SMALL),
                ("codelists/codelists.txt", "org/list/v1\n"),
                ("codelists/codelists.json", lists),
                ("codelists/org-list.csv", "code\n1\n"),
            ],
        ),
    ];
    let repo = folder.join("repository");
    std::fs::create_dir_all(&repo).unwrap();
    git(&repo, &["init", "-q", "--bare", "--initial-branch=main"], "");
    let mut stream = String::new();
    for (branch, files) in &branches {
        stream += &format!("commit refs/heads/{branch}\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n");
        for (path, text) in files {
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    git(&repo, &["fast-import", "--quiet"], &stream);
    run(
        site,
        &format!(
            "INSERT INTO repo (id, url) VALUES (10, 'file://{}'), (11, 'file:///nowhere/at/all');
             INSERT INTO workspace (id, name, project, repo, branch, purpose, created_at, updated_at) VALUES
                 (10, 'small', 5, 10, 'main', 'A study that is **small**', 1, 1), (11, 'faulty', 5, 10, 'broken', '', 1, 1),
                 (12, 'without', 5, 10, 'none', '', 1, 1), (13, 'many', 5, 10, 'many', '', 1, 1),
                 (14, 'lists', 5, 10, 'lists', '', 1, 1), (15, 'unreachable', 5, 11, 'main', '', 1, 1);
             INSERT INTO workspace (id, name, project, repo, branch, archived_at, archived_by, archive_reason, created_at, updated_at)
                 VALUES (16, 'closed', 5, 10, 'main', 5, 1, 'Finished', 1, 1);
             INSERT INTO workspace (id, name, project, repo, branch, created_at, updated_at) VALUES (17, 'big', 5, 10, 'main', 1, 1)",
            repo.display()
        ),
    )
    .await;
    let place = mirror::Place { repo: format!("file://{}", repo.display()), branch: "main".into() };
    site.mirrors.resolve(&place, &Wanted::Head, site.clock.microseconds()).await.unwrap();
    git(&repo, &["rev-parse", "main"], "")
}

fn git(folder: &Path, words: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut git = Command::new("git");
    git.args(words).env("GIT_DIR", folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "git {words:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn jobs(of: &[(&'static str, &'static str, &'static str)]) -> Vec<Job> {
    let one = |(n, (status, code, params)): (usize, &(&'static str, &'static str, &'static str))| {
        let name: &'static str = format!("action_{n:02}").leak();
        let from = (*status != "pending").then_some(5);
        let to = matches!(*status, "failed" | "succeeded").then_some(9);
        Job { params, ..job(name, status, code, from, to) }
    };
    of.iter().enumerate().map(one).collect()
}

/// Every failed code of spec site.md 4.8.
const FAILED: &[(&str, &str, &str)] = &[
    ("failed", "dependency_failed", "{}"),
    ("failed", "nonzero_exit", "{}"),
    ("failed", "nonzero_exit", "{\"exit\":\"out_of_memory\",\"limit_mb\":4096}"),
    ("failed", "nonzero_exit", "{\"exit\":\"killed\"}"),
    ("failed", "nonzero_exit", "{\"engine_exit\":2}"),
    ("failed", "nonzero_exit", "{\"engine_exit\":12}"),
    ("failed", "unmatched_patterns", "{}"),
    ("failed", "cancelled_by_user", "{\"by\":\"sample-r\"}"),
    ("failed", "killed_by_admin", "{}"),
    ("failed", "timed_out", "{\"limit_s\":86400}"),
    ("failed", "job_error", "{\"reason\":\"missing_input\",\"needed\":\"table\"}"),
    ("failed", "job_error", "{\"reason\":\"bad_commit\"}"),
    ("failed", "job_error", "{\"reason\":\"image_gone\",\"image\":\"python:v2\"}"),
    ("failed", "job_error", "{\"reason\":\"unsafe_output\"}"),
    ("failed", "job_error", "{\"reason\":\"too_many_outputs\"}"),
    ("failed", "job_error", "{\"reason\":\"disk_limit\",\"limit_mb\":100}"),
    ("failed", "job_error", "{\"reason\":\"refused_by_policy\",\"rule\":\"permission_ended\"}"),
    ("failed", "job_error", "{\"reason\":\"retries_exhausted\",\"attempts\":5}"),
    ("failed", "internal_error", "{\"ref\":\"01J0000000000000000000000\"}"),
    ("failed", "stale_codelists", "{}"),
    ("failed", "legacy", "{}"),
];

/// Every code of a job that waits or runs, and successes with something to say.
const OPEN: &[(&str, &str, &str)] = &[
    ("pending", "created", "{}"),
    ("pending", "paused", "{}"),
    ("pending", "waiting_db_maintenance", "{}"),
    ("pending", "waiting_on_reboot", "{}"),
    ("pending", "waiting_on_dependencies", "{}"),
    ("pending", "waiting_on_workers", "{}"),
    ("pending", "waiting_on_db_workers", "{}"),
    ("pending", "waiting_on_new_task", "{\"attempt\":2,\"attempts\":5,\"retry_at\":1804151707}"),
    ("pending", "waiting_on_image", "{}"),
    ("pending", "waiting_on_code", "{}"),
    ("pending", "waiting_on_disk", "{}"),
    ("running", "initiated", "{}"),
    ("running", "preparing", "{}"),
    ("running", "executing", "{}"),
    ("running", "executed", "{}"),
    ("running", "finalizing", "{}"),
    ("succeeded", "succeeded", "{\"excluded\":true}"),
    ("succeeded", "legacy", "{}"),
];

fn many(count: usize, status: &'static str, code: &'static str) -> Vec<Job> {
    let one = |n: usize| job(format!("many_{n:04}").leak(), status, code, Some(4), Some(5 + i64::try_from(n).unwrap()));
    (0..count).map(one).collect()
}

/// Numbers from 101 on; those of the small world come before.
async fn requests(site: &Opened, commit: &str) {
    let yaml = || Some(study("pincer-measures"));
    let new = |number, status| Request { actions: vec!["run_all"], ..Request::new(number, status) };
    let refused = |number, reason| Request { reason: Some(reason), ..new(number, "failed") };
    let all = [
        Request { jobs: jobs(FAILED), reason: Some("job_failure"), ..new(101, "failed") },
        Request { jobs: jobs(OPEN), backend: 2, yaml: yaml(), ..new(102, "running") },
        Request { detail: Some("{\"cycle\":[\"a\",\"b\",\"a\"]}"), ..refused(103, "needs_cycle") },
        Request { detail: Some("{\"actions\":[\"tabel\"]}"), ..refused(104, "unknown_action") },
        refused(105, "expired_before_start"),
        refused(106, "a_reason_of_tomorrow"),
        // Nothing was heard of it for long, from a backend that does not call.
        Request { jobs: jobs(&[("running", "executing", "{}")]), backend: 3, ..new(107, "running") },
        Request { workspace: 17, jobs: many(100, "succeeded", "succeeded"), ..new(108, "succeeded") },
        Request { workspace: 17, jobs: many(1_000, "failed", "nonzero_exit"), ..new(109, "failed") },
        Request { jobs: jobs(&[("pending", "waiting_on_workers", "{}")]), ..new(110, "pending") },
        Request { workspace: 3, jobs: many(1, "succeeded", "succeeded"), yaml: yaml(), ..new(111, "succeeded") },
        Request { workspace: 10, jobs: small("failed"), yaml: Some(SMALL.into()), ..new(112, "failed") },
        Request { workspace: 10, jobs: small("succeeded"), yaml: Some(SMALL.into()), ..new(113, "succeeded") },
        Request { workspace: 10, jobs: small("running"), yaml: Some(SMALL.into()), ..new(114, "running") },
        Request { actions: THIRTEEN.to_vec(), reason: Some("already_scheduled"), ..new(115, "nothing_to_do") },
        Request { yaml: Some("x".repeat(11_000) + "\n"), ..refused(116, "project_invalid") },
        Request { delivery: "delivered", ..new(117, "pending") },
    ];
    for request in all {
        add(site, request).await;
    }
    for number in 200..240 {
        add(site, Request { by: 10, jobs: many(1, "succeeded", "succeeded"), ..new(number, "succeeded") }).await;
    }
    let id = |request, job| identifier(request, Some(job));
    run(
        site,
        &format!(
            "UPDATE job_request SET commit_id = '{commit}' WHERE workspace = 10;
             UPDATE job_request SET is_import = 1, commit_id = NULL WHERE number = 8;
             UPDATE job_request SET news_at = 1804100000000000, created_at = 1804100000000000 WHERE number = 107;
             UPDATE job_request SET note = 'A note, with **no** Markdown.', codelists = 'stale', notify = 1,
                 force_run_dependencies = 1, stale = 'rerun', permissions = '[\"test_set\"]' WHERE number = 114;
             UPDATE job SET superseded_by = '{later}' WHERE identifier = '{failed}';
             UPDATE job SET image = 'python:v2@sha256:00', metrics = '{{\"cpu_mean\":90,\"cpu_peak\":140,\"mem_mb_mean\":1,\"mem_mb_peak\":2}}',
                 attempt = 3, engine = '{{\"name\":\"x\"}}' WHERE identifier = '{later}';
             UPDATE job SET image = 'host:python3.11' WHERE identifier = '{failed}';
             INSERT INTO job_attempt (job, attempt, started_at, ended_at, code) VALUES
                 ('{later}', 1, 1804151000000000, 1804151100000000, 'interrupted'), ('{later}', 2, 1804151200000000, NULL, NULL);
             INSERT INTO job_need (job, position, action, needed, kind, staleness) VALUES
                 ('{later}', 0, 'extract', '{first}', 'reuses', 'stale'), ('{later}', 1, 'lost', 'nosuchjobnosuchj', 'waits', NULL);
             INSERT INTO kept_job (job_request, position, action, job, kind) VALUES
                 (114, 0, 'extract', '{first}', 'reused'), (114, 1, 'other', '{position}', 'attached');
             INSERT INTO cancellation (directive, job_request, action, requested_by, requested_at, reason, answered_at, result) VALUES
                 ('D9', 114, 'extract', 1, 1804151600000000, 'Not needed', 1804151601000000, 'already_finished'),
                 ('D9', 102, 'action_00', 1, 1804151600000000, '', NULL, NULL);
             INSERT INTO redirect VALUES ('/former-project/', '/small-studies/', 1, NULL, NULL)",
            later = id(113, 1),
            failed = id(112, 1),
            first = id(112, 0),
            position = id(110, 0),
        ),
    )
    .await;
    let key = site.line.public_key().text();
    run(
        site,
        &format!(
            "INSERT INTO backend_key (backend, key_id, public_key, epoch, from_seq, confirmed_at) VALUES
                 (1, 'k1', '{}', 1, 1, 1), (4, 'k4', '{}', 1, 1, NULL)",
            key.as_str(),
            key.as_str()
        ),
    )
    .await;
    let gauges = format!(
        "{{\"at\":\"2027-03-04T09:15:20.000000Z\",\"boot\":\"01J00000000000000000000000\",\"mode\":\"open\",\"version\":\"0.1.0\",
          \"pools\":[{{\"pool\":\"db\",\"capacity\":6,\"running\":6,\"waiting\":2,\"weight_running\":6}},
                     {{\"pool\":\"other\",\"capacity\":4,\"running\":4,\"waiting\":3,\"weight_running\":4}}],
          \"queue\":[{{\"job\":\"{}\",\"pool\":\"other\",\"position\":3}}],\"disk\":\"low\",\"directive_cursor\":0,
          \"fact_head\":{{\"epoch\":1,\"seq\":0}}}}",
        id(110, 0)
    );
    let now = site.clock.microseconds();
    let tpp = site::store::ids::BackendId(1);
    assert!(site.line.peer(tpp).gauges(serde_json::from_str(&gauges).unwrap(), now));
}

fn small(last: &'static str) -> Vec<Job> {
    let code = match last {
        "failed" => "unmatched_patterns",
        "running" => "executing",
        done => done,
    };
    let end = (last != "running").then_some(30);
    vec![job("extract", "succeeded", "succeeded", Some(4), Some(9)), job("table", last, code, Some(10), end)]
}
