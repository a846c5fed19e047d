//! A site in a folder of its own, a backend that enrolled, and what both need to talk in one process.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub, reason = "a test stops at its first surprise")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use protocol::directive::DirectiveBody;
use protocol::fact::FactBody;
use protocol::fact::chain::Chain;
use protocol::fact::envelope::Fact;
use protocol::fact::intake::write_batch;
use protocol::keys::SigningKey;
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::time::Moment;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use site::access::rate::{Rate, Rates};
use site::store::ids::BackendId;
use site::{Settings, Site};
use tower::ServiceExt;

pub struct Rig {
    pub folder: tempfile::TempDir,
    pub site: Arc<Site>,
    pub router: Router,
}

/// A backend as its site sees it.
pub struct North {
    pub id: BackendId,
    pub slug: String,
    pub token: String,
    pub boot: Ulid,
    pub chain: Chain,
    pub key: SigningKey,
}

pub fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn text<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().unwrap()
}

pub fn at(seconds: i64) -> Moment {
    Moment::from_microseconds((1_800_000_000 + seconds) * 1_000_000).unwrap()
}

impl Rig {
    fn settings(folder: &std::path::Path) -> Settings {
        // Tests ask more often than people.
        let many = Rate { per_second: 10_000.0, burst: 100_000.0 };
        Settings {
            name: "Test".into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            origin: "http://127.0.0.1".into(),
            data: folder.to_owned(),
            repositories: vec!["https://git.example.org/*/*".into()],
            local_repositories: true,
            trusted_proxies: Vec::new(),
            tls: None,
            personas: false,
            rates: Rates { pages: many, searches: many, tokens: many, sign_in_tries: 100_000 },
            times: site::settings::Times::default(),
        }
    }

    /// The same site after its process ended, something was done in its folder, and it was started again.
    pub async fn again(self, meanwhile: impl FnOnce(&std::path::Path)) -> Self {
        self.site.store.close().await;
        meanwhile(self.folder.path());
        let site = Site::open(Self::settings(self.folder.path())).await.unwrap();
        let router = site::router(site.clone());
        Self { folder: self.folder, site, router }
    }

    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::open(Self::settings(folder.path())).await.unwrap();
        let router = site::router(site.clone());
        let rig = Self { folder, site, router };
        rig.run(
            "INSERT INTO account (id, username, username_key, fullname, kind, created_at)
             VALUES (1, 'sample-r', 'sample-r', 'Sample Researcher', 'human', 1);
             INSERT INTO org (id, slug, name, created_at) VALUES (1, 'northfield', 'Northfield University', 1);
             INSERT INTO project (id, number, name, slug, category, status, created_at, updated_at)
             VALUES (1, 'POS-2026-0412', 'Winter pressures', 'winter-pressures', 'approved', 'ongoing', 1, 1);
             INSERT INTO project_org (project, org, is_lead, created_at) VALUES (1, 1, 1, 1);
             INSERT INTO repo (id, url) VALUES (1, 'https://git.example.org/northfield/winter-chest');
             INSERT INTO workspace (id, name, project, repo, branch, created_at, updated_at)
             VALUES (1, 'winter-chest', 1, 1, 'main', 1, 1);",
        )
        .await;
        rig
    }

    pub async fn run(&self, script: &'static str) {
        let mut change = self.site.store.change().await.unwrap();
        sqlx::raw_sql(script).execute(&mut *change).await.unwrap();
        change.commit().await.unwrap();
    }

    pub async fn one<T>(&self, sql: &'static str) -> T
    where
        (T,): for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
    {
        let (value,): (T,) = sqlx::query_as(sql).fetch_one(self.site.store.readers()).await.unwrap();
        value
    }

    /// A backend that enrolled and that staff confirmed.
    pub async fn backend(&self, slug: &str) -> North {
        let mut north = self.enrolled(slug, slug.as_bytes()[0]).await;
        let mut change = self.site.store.change().await.unwrap();
        site::line::confirm(&mut change, &self.site, north.id, None).await.unwrap();
        change.commit().await.unwrap();
        let (status, _) = self.hello(&mut north).await;
        assert_eq!(status, StatusCode::OK);
        north
    }

    pub async fn enrolled(&self, slug: &str, secret: u8) -> North {
        let mut change = self.site.store.change().await.unwrap();
        let (id,): (i64,) = sqlx::query_as(
            "INSERT INTO backend (slug, name, flavour, data_kind, created_at) VALUES (?1, upper(?1), 'tpp', 'synthetic', 1)
             RETURNING id",
        )
        .bind(slug)
        .fetch_one(&mut *change)
        .await
        .unwrap();
        let code = site::line::make_code(&mut change, &self.site, BackendId(id)).await.unwrap();
        change.commit().await.unwrap();
        let key = SigningKey::new(&[secret; 32], text("unnamed"));
        let body = json!({"code": code.reveal(), "public_key": key.public().text().as_str()});
        let request =
            Request::post("/backend/v1/enrol").header("Host", "127.0.0.1").body(Body::from(body.to_string())).unwrap();
        let (status, answer) = self.send(request).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let key = SigningKey::new(&[secret; 32], text(answer["key"].as_str().unwrap()));
        North {
            id: BackendId(id),
            slug: slug.into(),
            token: answer["token"].as_str().unwrap().into(),
            boot: Ulid::from_parts(1_800_000_000_000 + u64::from(secret), 1),
            chain: Chain::new(text(slug), from(json!(1))),
            key,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{status}: {bytes:?}"))
        };
        (status, value)
    }

    pub async fn call(&self, north: &North, method: Method, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/backend/v1/{path}"))
            .header("Host", "127.0.0.1")
            .header("Authorization", format!("Bearer {}", north.token))
            .header("Cloister-Protocol", "1.0")
            .header("Cloister-Boot", north.boot.as_str())
            .body(body.into())
            .unwrap();
        self.send(request).await
    }

    pub async fn hello(&self, north: &mut North) -> (StatusCode, Value) {
        let head = &north.chain.head;
        let body = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": north.boot, "epoch": north.chain.epoch,
            "head": {"seq": head.seq, "hash": head.hash}, "directive_cursor": 0, "now": at(0).to_string()});
        self.call(north, Method::POST, "hello", body.to_string()).await
    }

    pub async fn facts(&self, north: &North, facts: &[Fact]) -> (StatusCode, Value) {
        self.call(north, Method::POST, "facts", write_batch(facts.iter().map(Fact::text))).await
    }

    /// Makes facts and sends them; they must be taken.
    pub async fn tell(&self, north: &mut North, bodies: Vec<(i64, FactBody)>) {
        let facts: Vec<Fact> = bodies.iter().map(|(seconds, body)| north.fact(*seconds, body)).collect();
        let (status, answer) = self.facts(north, &facts).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    /// Makes a request of these actions and puts its order into the line.
    pub async fn request(&self, north: &North, number: i64, actions: &[&str]) -> (Ulid, Order) {
        let order = order(number, actions);
        let mut change = self.site.store.change().await.unwrap();
        sqlx::query(
            "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
                force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
             VALUES (?, ?, 1, ?, 1, 'main', ?, 0, 'keep', 'ok', ?, 'waiting', 'pending', ?)",
        )
        .bind(number)
        .bind(order.request.as_str())
        .bind(north.id.0)
        .bind(order.commit.as_str())
        .bind(order.created_at.microseconds())
        .bind(order.created_at.microseconds())
        .execute(&mut *change)
        .await
        .unwrap();
        for (position, action) in (0i64..).zip(actions) {
            sqlx::query("INSERT INTO requested_action (job_request, position, name) VALUES (?, ?, ?)")
                .bind(number)
                .bind(position)
                .bind(action)
                .execute(&mut *change)
                .await
                .unwrap();
        }
        let body = DirectiveBody::JobRequest(order.clone());
        let sent = site::line::send(&mut change, &self.site, north.id, &body).await.unwrap();
        change.commit().await.unwrap();
        self.site.line.wake(&sent);
        (sent.id, order)
    }

    pub async fn cancel(&self, north: &North, order: &Order, actions: &[&str]) -> Ulid {
        let mut change = self.site.store.change().await.unwrap();
        let body = DirectiveBody::Cancel(from(json!({"request": order.request, "actions": actions,
            "requested_by": "sample-r", "at": at(0).to_string()})));
        let sent = site::line::send(&mut change, &self.site, north.id, &body).await.unwrap();
        for action in actions {
            sqlx::query("INSERT INTO cancellation (directive, job_request, action, requested_by, requested_at) VALUES (?, ?, ?, 1, 5)")
                .bind(sent.id.as_str())
                .bind(i64::try_from(order.number.get()).unwrap())
                .bind(action)
                .execute(&mut *change)
                .await
                .unwrap();
        }
        change.commit().await.unwrap();
        sent.id
    }
}

impl North {
    pub fn fact(&mut self, seconds: i64, body: &FactBody) -> Fact {
        self.chain.append(at(seconds), body, &self.key).unwrap()
    }
}

/// The request of a number: its identifier says it.
pub fn request_id(number: i64) -> RequestId {
    text(&format!("{number:a>16}"))
}

pub fn order(number: i64, actions: &[&str]) -> Order {
    from(json!({"request": request_id(number), "number": number, "created_at": at(number).to_string(),
        "workspace": "winter-chest", "project": {"slug": "winter-pressures", "number": "POS-2026-0412"},
        "orgs": ["northfield"], "repo_url": "https://git.example.org/northfield/winter-chest", "branch": "main",
        "commit": "5e1f".repeat(10), "project_yaml_sha256": "9b0c".repeat(16), "requested_actions": actions,
        "force_run_dependencies": false,
        "requested_by": {"username": "sample-r", "name": "Sample Researcher", "kind": "human"},
        "codelists": "ok", "permissions": [], "database": "default"}))
}

pub fn job_id(number: i64, action: &str) -> JobId {
    JobId::of(&request_id(number), &text(action))
}

/// The plan of an order: a job for each action, each in need of the one before.
pub fn accepted(directive: &Ulid, order: &Order) -> FactBody {
    let mut before: Option<(JobId, String)> = None;
    let mut jobs = Vec::new();
    for action in &order.requested_actions {
        let job = JobId::of(&order.request, action);
        let needs: Vec<Value> =
            before.iter().map(|(job, action)| json!({"job": job, "action": action, "kind": "waits"})).collect();
        jobs.push(json!({"job": job, "action": action, "run_command": format!("python:v2 python {action}.py"),
            "db": false, "pool": "other", "weight": 1, "needs": needs}));
        before = Some((job, action.to_string()));
    }
    FactBody::Accepted(from(json!({"answer": {"directive": directive, "request": order.request, "order": order},
        "tree": "ab".repeat(20), "jobs": jobs})))
}

pub fn job_fact(kind: &str, number: i64, action: &str, more: Value) -> FactBody {
    let mut body = json!({"request": request_id(number), "job": job_id(number, action)});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    FactBody::read(protocol::fact::FactKind::named(kind).unwrap(), &body).unwrap()
}

pub fn started(number: i64, action: &str, attempt: u64) -> FactBody {
    job_fact("job.started", number, action, json!({"attempt": attempt, "image": format!("sha256:{}", "0c".repeat(32))}))
}

pub fn succeeded(number: i64, action: &str, runtime: u64) -> FactBody {
    job_fact(
        "job.finished",
        number,
        action,
        json!({"state": "succeeded", "code": "succeeded", "params": {}, "runtime_s": runtime}),
    )
}

pub fn failed(number: i64, action: &str, runtime: u64) -> FactBody {
    job_fact(
        "job.finished",
        number,
        action,
        json!({"state": "failed", "code": "nonzero_exit", "params": {"exit": "error"}, "runtime_s": runtime}),
    )
}
