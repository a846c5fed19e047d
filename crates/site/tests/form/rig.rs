//! A site with a project, people, backends and a real repository; pages asked in process, as a browser would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use site::access::session;
use site::{Settings, Site};
use tower::ServiceExt;

/// A study whose first action reads the database.
pub(crate) const STUDY: &str = "version: '3.0'
expectations:
  population_size: 1000
actions:
  extract:
    run: cohortextractor:v1 generate_cohort --study-definition study_definition --output-format csv
    outputs:
      highly_sensitive:
        cohort: output/input.csv
  tidy:
    run: python:v2 analysis/tidy.py
    needs: [extract]
    outputs:
      highly_sensitive:
        tidy: output/tidy.csv
  table:
    run: python:v2 analysis/table.py
    needs: [tidy]
    outputs:
      moderately_sensitive:
        table: output/table.csv
";

/// A bare repository that stands for a code host.
pub(crate) struct Repo(pub(crate) PathBuf);

impl Repo {
    fn git(&self, words: &[&str], input: &[u8]) -> String {
        use std::io::Write;
        let quiet = [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("HOME", "/dev/null"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.fsync"),
            ("GIT_CONFIG_VALUE_0", "none"),
            ("GIT_AUTHOR_NAME", "A Researcher"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
            ("GIT_COMMITTER_NAME", "A Researcher"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ];
        let mut child = Command::new("git")
            .args(words)
            .envs(quiet)
            .env("GIT_DIR", &self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn at(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let repo = Self(path);
        repo.git(&["init", "-q", "--bare", "--initial-branch=main"], b"");
        repo
    }

    /// Puts these files, and no other ones, on a branch, behind what it has.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        let index = self.0.join("test-index");
        let _ = std::fs::remove_file(&index);
        let mut lines = String::new();
        for (path, bytes) in files {
            let blob = self.git(&["hash-object", "-w", "--stdin"], bytes);
            lines.push_str(&format!("100644 {blob}\t{path}\n"));
        }
        let tree = self.tree(&lines);
        let full = format!("refs/heads/{branch}");
        let parent =
            Command::new("git").args(["rev-parse", "-q", "--verify", &full]).env("GIT_DIR", &self.0).output().unwrap();
        let parent = String::from_utf8(parent.stdout).unwrap().trim().to_owned();
        let commit = match parent.as_str() {
            "" => self.git(&["commit-tree", &tree, "-m", "x"], b""),
            parent => self.git(&["commit-tree", &tree, "-p", parent, "-m", "x"], b""),
        };
        self.git(&["update-ref", &full, &commit], b"");
        commit
    }

    fn tree(&self, lines: &str) -> String {
        let index = self.0.join("test-index");
        let run = |words: &[&str], input: &[u8]| {
            use std::io::Write;
            let mut child = Command::new("git")
                .args(words)
                .env("GIT_DIR", &self.0)
                .env("GIT_INDEX_FILE", &index)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            let done = child.wait_with_output().unwrap();
            assert!(done.status.success());
            String::from_utf8(done.stdout).unwrap().trim().to_owned()
        };
        run(&["update-index", "--index-info"], lines.as_bytes());
        run(&["write-tree"], b"")
    }

    pub(crate) fn set(&self, name: &str, commit: &str) {
        self.git(&["update-ref", name, commit], b"");
    }
}

pub(crate) struct Rig {
    /// Goes with the rig.
    pub(crate) _folder: tempfile::TempDir,
    pub(crate) site: Arc<Site>,
    pub(crate) router: Router,
    pub(crate) repo: Repo,
    cookies: Vec<(String, String)>,
}

/// An answer read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let begins = format!("name={name} value=\"");
        let from = self.body.find(&begins).unwrap_or_else(|| panic!("no field {name} in {}", self.body)) + begins.len();
        self.body[from..].split('"').next().unwrap().to_owned()
    }

    pub(crate) fn has(&self, text: &str) {
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
    }

    pub(crate) fn has_not(&self, text: &str) {
        assert!(!self.body.contains(text), "{text:?} in {}", self.body);
    }
}

pub(crate) fn settings(folder: &Path) -> Settings {
    Settings {
        name: "Test".into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        origin: "http://127.0.0.1".into(),
        data: folder.join("site"),
        repositories: Vec::new(),
        local_repositories: true,
        trusted_proxies: Vec::new(),
        tls: None,
        personas: false,
        rates: site::access::rate::Rates::default(),
        times: site::settings::Times::default(),
    }
}

impl Rig {
    /// Accounts: 1 may run in the project, 2 may not, 3 is another researcher of it. Backends: 1 `tpp`, 2 `emis`.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::at(folder.path().join("study"));
        let site = Site::open(settings(folder.path())).await.unwrap();
        let router = site::router(site.clone());
        let mut rig = Self { site, router, repo, cookies: Vec::new(), _folder: folder };
        let url = format!("file://{}", rig.repo.0.display());
        rig.run(&format!(
            "INSERT INTO account (id, username, username_key, fullname, kind, created_at) VALUES
                (1, 'sample-r', 'sample-r', 'Sample Researcher', 'human', 1),
                (2, 'other', 'other', 'Other Person', 'human', 1),
                (3, 'third', 'third', 'Third Person', 'human', 1);
             INSERT INTO org (id, slug, name, created_at) VALUES (1, 'northfield', 'Northfield University', 1);
             INSERT INTO project (id, number, name, slug, category, status, created_at, updated_at)
                VALUES (1, 'POS-2026-0412', 'Winter pressures', 'winter-pressures', 'approved', 'ongoing', 1, 1);
             INSERT INTO project_org (project, org, is_lead, created_at) VALUES (1, 1, 1, 1);
             INSERT INTO repo (id, url) VALUES (1, '{url}');
             INSERT INTO workspace (id, name, project, repo, branch, created_at, updated_at)
                VALUES (1, 'winter-chest', 1, 1, 'main', 1, 1);
             INSERT INTO backend (id, slug, name, flavour, data_kind, created_at) VALUES
                (1, 'tpp', 'TPP one', 'tpp', 'synthetic', 1), (2, 'emis', 'EMIS one', 'emis', 'synthetic', 1);
             INSERT INTO backend_member (backend, account, created_at) VALUES (1, 1, 1), (2, 1, 1), (1, 3, 1), (1, 2, 1);
             INSERT INTO role_grant (account, role, scope, scope_id, reason, created_at, approved_at) VALUES
                (1, 'ProjectDeveloper', 'project', 1, 'works on it', 1, 1),
                (3, 'ProjectDeveloper', 'project', 1, 'works on it', 1, 1);"
        ))
        .await;
        for account in 1..=3 {
            let mut change = rig.site.store.change().await.unwrap();
            let now = rig.site.clock.microseconds();
            let begun = session::begin(&mut change, &rig.site.settings, account, "test", "test", now).await.unwrap();
            let csrf = sqlx::query_scalar("SELECT csrf FROM session WHERE account = ?").bind(account);
            let csrf: String = csrf.fetch_one(&mut *change).await.unwrap();
            change.commit().await.unwrap();
            let cookie = begun.cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            rig.cookies.push((cookie, csrf));
        }
        rig
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut change = self.site.store.change().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut *change).await.unwrap();
        change.commit().await.unwrap();
    }

    pub(crate) async fn one(&self, sql: &str) -> String {
        let row: Option<(Option<String>,)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT CAST(({sql}) AS TEXT)")))
                .fetch_optional(self.site.store.readers())
                .await
                .unwrap();
        row.and_then(|(text,)| text).unwrap_or_default()
    }

    pub(crate) fn csrf(&self, account: usize) -> String {
        self.cookies[account - 1].1.clone()
    }

    pub(crate) async fn get(&self, account: usize, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "127.0.0.1");
        let request = match account {
            0 => request,
            _ => request.header(header::COOKIE, &self.cookies[account - 1].0),
        };
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, account: usize, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let csrf = self.csrf(account);
        body.append_pair("csrf", &csrf).extend_pairs(fields);
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::ORIGIN, "http://127.0.0.1")
            .header(header::COOKIE, &self.cookies[account - 1].0)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(body.finish())).unwrap()).await
    }

    pub(crate) async fn call(&self, account: usize, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::post(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::ORIGIN, "http://127.0.0.1")
            .header(header::COOKIE, &self.cookies[account - 1].0)
            .header("x-csrf-token", self.csrf(account))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let location = answer.headers().get(header::LOCATION);
        let location = location.map(|place| place.to_str().unwrap().to_owned()).unwrap_or_default();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, location, body: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// A job as the projection of facts would have written it.
    pub(crate) async fn ran(&self, request: i64, action: &str, status: &str, commit: &str, is_import: bool) {
        let job = protocol::text::ids::JobId::of(
            &format!("aaaaaaaaaaaaa{request:03}").replace('0', "b").replace('1', "c").parse().unwrap(),
            &action.parse().unwrap(),
        );
        let (job, import) = (job.as_str(), i64::from(is_import));
        let identifier = format!("aaaaaaaaaaaaa{request:03}").replace('0', "b").replace('1', "c");
        self.run(&format!(
            "INSERT OR IGNORE INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
                force_run_dependencies, stale, codelists, is_import, created_at, delivery, status, news_at)
             VALUES ({request}, '{identifier}', 1, 1, 1, 'main', '{commit}', 0, 'keep', 'ok', {import}, 1, 'answered',
                'failed', 1);
             INSERT INTO job (identifier, job_request, backend, workspace, position, action, db, status, code, created_at,
                updated_at, finished_at)
             VALUES ('{job}', {request}, 1, 1, (SELECT count(*) FROM job), '{action}', 0, '{status}',
                CASE '{status}' WHEN 'succeeded' THEN 'succeeded' WHEN 'failed' THEN 'nonzero_exit' ELSE 'created' END,
                1, 2, 3);
             INSERT OR REPLACE INTO last_job (backend, workspace, action, job, planned)
             VALUES (1, 1, '{action}', '{job}', '{job}');"
        ))
        .await;
    }
}
