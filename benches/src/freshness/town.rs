//! A site that listens and a backend that is enrolled and connected; what its jobs do is told by the table alone.

use std::error::Error;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backend::agent::{Agent, Start};
use backend::desk::{Desk, DeskFailed, Office};
use backend::identity;
use backend::line::ground::{Ground, System};
use backend::line::https::Https;
use backend::log::Log;
use protocol::directive::DirectiveBody;
use protocol::fact::{FactBody, FactKind};
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId};
use protocol::text::whole::Cursor;
use serde_json::{Value, json};
use site::people::{self, By};
use site::settings::Chosen;
use site::store::ids::BackendId;
use site::{Opened, Settings, Site};
use tokio::sync::{oneshot, watch};

type Failure = Box<dyn Error>;

/// A desk that leaves everything to the table.
struct Idle;

impl Desk for Idle {
    fn run(&self, mut office: Office) -> Pin<Box<dyn Future<Output = Result<(), DeskFailed>> + Send + '_>> {
        Box::pin(async move {
            let _ = office.stop.wait_for(|stop| *stop).await;
            Ok(())
        })
    }
}

pub(super) struct Town {
    pub(super) at: SocketAddr,
    pub(super) log: Arc<Log>,
    site: Opened,
    backend: BackendId,
    account: i64,
    workspace: i64,
    /// Ends the backend when it is dropped.
    _stop: watch::Sender<bool>,
}

/// A number below this one.
pub(super) fn below(most: u64) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes) % most)
}

fn request_id(number: i64) -> Result<RequestId, Failure> {
    Ok(format!("{number:a>16}").parse()?)
}

impl Town {
    pub(super) async fn open(folder: &Path) -> Result<Self, Failure> {
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (data, origin) = (Some(folder.join("site")), Some(format!("http://{at}")));
        let mut settings = Settings::read(None, Chosen { data, origin, listen: Some(at) })?;
        settings.repositories = vec!["https://git.example.org/bench/*".to_owned()];
        settings.rates.pages = site::access::rate::Rate::over(1_000_000, Duration::from_secs(1));
        let site = Site::open(settings).await?;
        let by = By::operator();
        let mut change = site.store.change().await?;
        let org = people::orgs::Org { slug: "bench", name: "Bench", description: "" };
        let org = people::orgs::add(&mut change, &by, org).await?;
        let project = people::projects::Project {
            number: "",
            name: "Bench",
            slug: "bench",
            category: "internal",
            lead: Some(org),
        };
        let project = people::projects::add(&mut change, &by, project).await?;
        let new = people::backends::New { slug: "north", name: "North", flavour: "tpp", data_kind: "synthetic" };
        let backend = people::backends::add(&mut change, &by, new).await?;
        let kind = people::accounts::Kind::Human;
        let new = people::accounts::New { username: "sample-r", fullname: "Sample Researcher", email: "", kind };
        let account = people::accounts::add(&mut change, &by, new).await?;
        let repo = "https://git.example.org/bench/study";
        let new = people::workspaces::New { name: "study", repo, branch: "main", purpose: "a bench" };
        let workspace = people::workspaces::add(&mut change, &by, &site.settings, project, new).await?;
        let id = BackendId(backend);
        let code = site::line::make_code(&mut change, &site, id).await?;
        change.commit().await?;
        let (ready, listens) = oneshot::channel();
        let served = site.clone();
        tokio::spawn(async move {
            let ready = |_| {
                // Nobody who waits for it any more is no fault.
                let _ = ready.send(());
            };
            site::serve(served, ready, std::future::pending()).await.map_err(|error| error.to_string())
        });
        listens.await?;

        let state = folder.join("state");
        std::fs::create_dir_all(&state)?;
        let file = folder.join("backend.toml");
        let text = format!(
            "slug = \"north\"\nflavour = \"tpp\"\nprofile = \"demo\"\ndata = \"dummy\"\n[site]\nurl = \"http://{at}\"\n\
             [folders]\nstate = \"state\"\nhigh = \"high\"\nmedium = \"medium\"\n[repositories]\nallow = []\n"
        );
        std::fs::write(&file, text)?;
        let settings = backend::Settings::read(&file)?;
        let way = Arc::new(Https::new(&settings.site)?);
        let code = code.reveal().parse()?;
        identity::enrol(&*way, &System, &settings.site.url, &settings.folders.state, &settings.slug, code).await?;
        let mut change = site.store.change().await?;
        site::line::confirm(&mut change, &site, id, None).await?;
        change.commit().await?;
        let agent = Agent::with(&settings, way, Arc::new(Idle), Start::default()).await?;
        let (log, mut contact) = (agent.log().clone(), agent.contact());
        let (stop, stops) = watch::channel(false);
        tokio::spawn(async move { agent.run(stops).await.map_err(|error| error.to_string()) });
        tokio::time::timeout(Duration::from_secs(30), contact.wait_for(|contact| contact.connected)).await??;
        Ok(Self { at, log, site, backend: id, account, workspace, _stop: stop })
    }

    /// Puts a directive into the backend's line and gives its place.
    pub(super) async fn order(&self, body: &DirectiveBody) -> Result<Cursor, Failure> {
        let mut change = self.site.store.change().await?;
        let sent = site::line::send(&mut change, &self.site, self.backend, body).await?;
        change.commit().await?;
        self.site.line.wake(&sent);
        Ok(sent.cursor)
    }

    /// Makes a request, lets the backend accept it, and gives the path of its page.
    pub(super) async fn request(&self, number: i64, actions: &[String]) -> Result<String, Failure> {
        let at = System.now();
        let order: Order = serde_json::from_value(json!({
            "request": request_id(number)?, "number": number, "created_at": at.to_string(), "workspace": "study",
            "project": { "slug": "bench" }, "orgs": ["bench"], "repo_url": "https://git.example.org/bench/study",
            "branch": "main", "commit": "5e1f".repeat(10), "project_yaml_sha256": "9b0c".repeat(16),
            "requested_actions": actions, "force_run_dependencies": false,
            "requested_by": { "username": "sample-r", "name": "Sample Researcher", "kind": "human" },
            "codelists": "ok", "permissions": [], "database": "default",
        }))?;
        let mut change = self.site.store.change().await?;
        sqlx::query(
            "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
                force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'main', ?6, 0, 'keep', 'ok', ?7, 'waiting', 'pending', ?7)",
        )
        .bind(number)
        .bind(order.request.as_str())
        .bind(self.workspace)
        .bind(self.backend.0)
        .bind(self.account)
        .bind(order.commit.as_str())
        .bind(at.microseconds())
        .execute(&mut *change)
        .await?;
        for (position, action) in (0i64..).zip(actions) {
            sqlx::query("INSERT INTO requested_action (job_request, position, name) VALUES (?, ?, ?)")
                .bind(number)
                .bind(position)
                .bind(action)
                .execute(&mut *change)
                .await?;
        }
        let body = DirectiveBody::JobRequest(order.clone());
        let sent = site::line::send(&mut change, &self.site, self.backend, &body).await?;
        change.commit().await?;
        self.site.line.wake(&sent);
        let mut arrived = self.log.arrived();
        tokio::time::timeout(Duration::from_secs(30), arrived.wait_for(|at| *at >= sent.cursor)).await??;
        let job = |action: &String| -> Result<Value, Failure> {
            let job = JobId::of(&order.request, &action.parse()?);
            Ok(json!({ "job": job, "action": action, "run_command": format!("python:v2 python {action}.py"),
                "db": false, "pool": "other", "weight": 1, "needs": [] }))
        };
        let jobs = actions.iter().map(job).collect::<Result<Vec<_>, _>>()?;
        let plan = json!({ "answer": { "directive": sent.id, "request": order.request, "order": order },
            "tree": "ab".repeat(20), "jobs": jobs });
        self.told(&format!("bench:{number}"), "request.accepted", &plan).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(format!("/bench/study/{number}/"))
    }

    /// Tells one change of a job; it is committed when this returns. Gives the job's id.
    pub(super) async fn tell(&self, number: i64, action: &str, kind: &str) -> Result<String, Failure> {
        let request = request_id(number)?;
        let job = JobId::of(&request, &action.parse()?);
        let mut body = match kind {
            "job.started" => json!({ "attempt": 1, "image": format!("sha256:{}", "0c".repeat(32)) }),
            _ => json!({ "state": "succeeded", "code": "succeeded", "params": {}, "runtime_s": 1 }),
        };
        (body["request"], body["job"]) = (json!(request), json!(job));
        self.told(&format!("bench:{number}:{action}:{kind}"), kind, &body).await?;
        Ok(job.as_str().to_owned())
    }

    async fn told(&self, source: &str, kind: &str, body: &Value) -> Result<(), Failure> {
        let kind = FactKind::named(kind).ok_or("no fact is called so")?;
        let body = FactBody::read(kind, body).map_err(|bad| format!("{bad:?}"))?;
        Ok(self.log.tell(source, vec![(System.now().floored(), body)]).await?)
    }
}
