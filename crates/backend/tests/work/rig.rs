//! A backend's desk over a real log, real records and real repositories, with a runtime that plays; and the site's book,
//! into which every fact must fit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backend::desk::{Contact, Desk, Office, Readings, Starts};
use backend::log::Log;
use backend::orders::{Machine, Rules};
use backend::settings::Settings;
use backend::work::WorkDesk;
use jobs::schedule::Tries;
use protocol::apply::book::{Book, Outcome};
use protocol::apply::job::{Job, Status};
use protocol::directive::DirectiveBody;
use protocol::fact::FactBody;
use protocol::fact::job::JobFinished;
use protocol::order::Order;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::code::Repository;
use crate::common::{draft, on_disk, signed};
use crate::double::Double;

pub const URL: &str = "https://code.example.org/northfield/winter-chest";

/// What a test says of its backend beside the ordinary.
#[derive(Default, Clone)]
pub struct Extra {
    pub settings: &'static str,
    pub change: Option<fn(&mut Rules)>,
}

pub struct Rig {
    pub folder: tempfile::TempDir,
    pub code: Repository,
    pub double: Arc<Double>,
    /// Where jobs run: the double, unless a test says otherwise.
    pub runtime: Arc<dyn sandbox::Runtime>,
    pub log: Arc<Log>,
    pub book: Book,
    /// Every fact, in order.
    pub facts: Vec<(Moment, FactBody)>,
    pub contact: watch::Sender<Contact>,
    pub readings: watch::Receiver<Readings>,
    office: Office,
    stop: watch::Sender<bool>,
    desk: Option<JoinHandle<Result<(), backend::desk::DeskFailed>>>,
    cursor: u64,
    pub extra: Extra,
}

fn settings(folder: &Path, extra: &str) -> Settings {
    let text = format!(
        r#"
slug = "north"
flavour = "other"
profile = "demo"
data = "dummy"
environments = "native"
[site]
url = "https://site.example.org"
[folders]
state = "{0}/state"
high = "{0}/high"
medium = "{0}/medium"
[repositories]
allow = ["https://code.example.org/northfield/*"]
rewrite = [
    {{ from = "https://code.example.org", to = "{0}/code" }},
    {{ from = "https://code.example.org/northfield/away", to = "https://127.0.0.1:1/away" }},
]
[workers]
max = 4
db = 2
{extra}
"#,
        folder.display()
    );
    Settings::parse(&text, &folder.join("backend.toml")).unwrap()
}

pub fn no_lack(_: &str, _: &[String]) -> Option<String> {
    None
}

/// The system's own python, which needs no building.
pub fn options() -> runtimes::Options {
    let engine = |name: &str| runtimes::BuiltinEngine { name: name.into(), profile: |_| None };
    runtimes::Options {
        cache_dir: "/nonexistent/cache".into(),
        offline: true,
        packages: None,
        builtins: runtimes::Builtins {
            program: "/bin/true".into(),
            version: "0".into(),
            project_version: None,
            era: None,
            engines: vec![engine("sqlrunner"), engine("cohortextractor")],
        },
        configured: Vec::new(),
        places: runtimes::Places::here(None),
        library: &[],
    }
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(Extra::default()).await
    }

    pub async fn with(extra: Extra) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let code = Repository::new(&folder.path().join("code/northfield/winter-chest.git"));
        std::fs::create_dir_all(folder.path().join("state")).unwrap();
        let log = Arc::new(on_disk(&folder.path().join("state")).await);
        let (stop, stops) = watch::channel(false);
        let (contact, contacts) = watch::channel(Contact { last: None, connected: true, starts: Starts::Allowed });
        let (readings, seen) = watch::channel(Readings::default());
        let office = Office { log: log.clone(), contact: contacts, readings, stop: stops };
        let double = Arc::new(Double::default());
        let rig = Self {
            folder,
            code,
            runtime: double.clone(),
            double,
            log,
            book: Book::default(),
            facts: Vec::new(),
            contact,
            readings: seen,
            office,
            stop,
            desk: None,
            cursor: 0,
            extra,
        };
        rig.roster("project_developer").await;
        rig
    }

    pub async fn roster(&self, role: &str) {
        self.roster_of(role, json!({"project": "winter-pressures"})).await;
    }

    pub async fn roster_of(&self, role: &str, scope: Value) {
        roster_with(&self.log, role, scope).await;
    }

    pub fn rules(&self) -> Rules {
        let mut rules = rules_of(self.folder.path(), self.extra.settings);
        if let Some(change) = self.extra.change {
            change(&mut rules);
        }
        rules
    }

    /// The desk begins to work.
    pub fn start(&mut self) {
        assert!(self.desk.is_none());
        self.stop.send_replace(false);
        let desk = WorkDesk::new(self.rules(), self.runtime.clone());
        let office = self.office.clone();
        self.desk = Some(tokio::spawn(async move { desk.run(office).await }));
    }

    /// As at the end of the process: sandboxes live on.
    pub async fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(desk) = self.desk.take() {
            tokio::time::timeout(Duration::from_secs(20), desk).await.expect("it ends").unwrap().unwrap();
        }
    }

    /// As when the process is killed.
    pub async fn kill(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.abort();
            let _ = desk.await;
        }
    }

    /// A directive goes into the line.
    pub async fn send(&mut self, body: DirectiveBody) -> Ulid {
        self.cursor += 1;
        let draft = draft(self.cursor, body);
        self.book.sent(&draft.id, &draft.body);
        let after = Cursor::try_from(self.cursor - 1).unwrap();
        self.log.take_in(after, &[signed(&draft)], draft.at).await.unwrap();
        draft.id
    }

    /// An order of these actions at a commit whose project.yaml is this text.
    pub fn order(&self, request: &str, commit: &str, yaml: &str, actions: &[&str]) -> Order {
        order_of(request, commit, yaml, actions)
    }

    pub async fn cancel(&mut self, request: &str, actions: &[&str]) -> Ulid {
        let body = json!({"request": request, "actions": actions, "requested_by": "sample-r", "at": "2027-03-04T09:15:02.104000Z"});
        self.send(DirectiveBody::Cancel(serde_json::from_value(body).unwrap())).await
    }

    /// The refusal that answers a directive; the book cannot take it.
    pub async fn refused_anyway(&mut self, directive: &Ulid) -> String {
        for _ in 0..400 {
            let from = Seq::try_from(self.facts.len() as u64 + 1).unwrap();
            for fact in self.log.facts(Epoch::LEAST, from, 500).await.unwrap() {
                let content = fact.content().unwrap();
                if let FactBody::Refused(body) = &content.body
                    && body.answer.directive == *directive
                {
                    assert!(self.book.apply(&content).is_err());
                    return json!(body.reason).as_str().unwrap().to_owned();
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it has no answer")
    }

    /// Takes in what was told since; every fact must fit.
    pub async fn read(&mut self) {
        loop {
            let from = Seq::try_from(self.facts.len() as u64 + 1).unwrap();
            let new = self.log.facts(Epoch::LEAST, from, 500).await.unwrap();
            if new.is_empty() {
                return;
            }
            for fact in new {
                let content = fact.content().unwrap();
                if let Err(why) = self.book.apply(&content) {
                    panic!("fact {}: {why}: {}", fact.seq, fact.text());
                }
                self.facts.push((content.at, content.body));
            }
        }
    }

    /// Waits until the book says so.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let mut told = self.log.told();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(40);
        loop {
            told.mark_unchanged();
            self.read().await;
            if done(self) {
                return;
            }
            if let Some(desk) = self.desk.as_ref()
                && desk.is_finished()
            {
                panic!("the desk ended: {:?}", self.desk.take().unwrap().await);
            }
            let changed = tokio::time::timeout_at(deadline, told.changed()).await;
            if changed.is_err() {
                let words: Vec<_> = self.facts.iter().map(|(_, body)| format!("{body:?}")).collect();
                panic!("{what} does not happen:\n{}", words.join("\n"));
            }
        }
    }

    pub fn outcome(&self, request: &str) -> &Outcome {
        &self.book.requests[&request.parse::<RequestId>().unwrap()].outcome
    }

    pub fn job(&self, request: &str, action: &str) -> Option<&Job> {
        self.book.jobs.get(&job_id(request, action))
    }

    pub fn finished(&self, request: &str, action: &str) -> Option<&JobFinished> {
        match &self.job(request, action)?.status {
            Status::Ended { finished, .. } => Some(finished),
            _ => None,
        }
    }

    /// Waits until a job has ended; gives the code and its values as on the wire.
    pub async fn ending(&mut self, request: &str, action: &str) -> Value {
        self.until(&format!("the end of {action}"), |rig| rig.finished(request, action).is_some()).await;
        serde_json::to_value(&self.finished(request, action).unwrap().how).unwrap()
    }

    /// Waits until an order has its answer; `accepted`, `nothing_to_do REASON` or `refused REASON`.
    pub async fn answer(&mut self, request: &str) -> String {
        let open = |outcome: &Outcome| matches!(outcome, Outcome::Sent | Outcome::Checking(_));
        self.until("the answer", |rig| !open(rig.outcome(request))).await;
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        match self.outcome(request) {
            Outcome::Accepted(_) => "accepted".to_owned(),
            Outcome::NothingToDo(body) => format!("nothing_to_do {}", word(&json!(body.reason))),
            Outcome::Refused(body) => format!("refused {}", word(&json!(body.reason))),
            Outcome::Sent | Outcome::Checking(_) | Outcome::Answered => unreachable!(),
        }
    }

    /// What each kind of fact says of a job, in order.
    pub fn told(&self, request: &str, action: &str) -> Vec<String> {
        let id = json!(job_id(request, action));
        let of_it = |body: &FactBody| {
            let value = body.write().unwrap();
            let code = value["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
            (value["job"] == id).then(|| format!("{}{code}", body.kind().name()))
        };
        self.facts.iter().filter_map(|(_, body)| of_it(body)).collect()
    }

    pub fn high(&self, path: &str) -> PathBuf {
        self.folder.path().join("high").join(path)
    }

    pub fn medium(&self, path: &str) -> PathBuf {
        self.folder.path().join("medium/workspaces/winter-chest").join(path)
    }
}

/// A user with one role.
pub async fn roster_with(log: &Log, role: &str, scope: Value) {
    let revision = log.roster().map_or(1, |roster| roster.revision.get() + 1);
    let roles = json!([{"role": role, "scope": scope}]);
    let user = json!({"username": "sample-r", "fullname": "Sample Researcher", "disabled": false, "roles": roles});
    let roster = json!({"users": [user], "workspaces": {}, "revision": revision});
    log.put_roster(serde_json::from_value(roster).unwrap()).await.unwrap();
}

/// The rules of a backend in a folder, with waits too short to notice.
pub fn rules_of(folder: &Path, extra: &str) -> Rules {
    let machine = Machine { runtimes: options(), lacks: no_lack };
    let mut rules = Rules::of(&settings(folder, extra), machine);
    rules.fetching.first_wait = Duration::from_millis(1);
    rules.first_wait = Duration::from_millis(20);
    rules.running.disk_low = 0;
    rules.running.tries =
        Tries { base: Duration::from_millis(5), cap: Duration::from_millis(50), max_wait: Duration::from_secs(60) };
    rules
}

/// An order of these actions at a commit whose project.yaml is this text.
pub fn order_of(request: &str, commit: &str, yaml: &str, actions: &[&str]) -> Order {
    let value = json!({
        "request": request, "number": 1, "created_at": "2027-03-04T09:15:02.104000Z", "workspace": "winter-chest",
        "project": {"slug": "winter-pressures"}, "orgs": ["northfield"], "repo_url": URL, "branch": "main",
        "commit": commit, "project_yaml_sha256": Sha256Hex::of(&[yaml.as_bytes()]), "requested_actions": actions,
        "force_run_dependencies": false,
        "requested_by": {"username": "sample-r", "name": "Sample Researcher", "kind": "human"},
        "codelists": "ok", "permissions": [], "database": "default",
    });
    serde_json::from_value(value).unwrap()
}

pub fn job_id(request: &str, action: &str) -> JobId {
    JobId::of(&request.parse().unwrap(), &action.parse().unwrap())
}

/// A project of actions: name, word that it plays, needs. Each makes `output/NAME.csv`.
pub fn project(actions: &[(&str, &str, &[&str])]) -> String {
    let mut text = "version: \"4.0\"\nactions:\n".to_owned();
    for (name, word, needs) in actions {
        text += &format!("  {name}:\n    run: python:v2 analysis/play.py {word} output/{name}.csv\n");
        if !needs.is_empty() {
            text += &format!("    needs: [{}]\n", needs.join(", "));
        }
        text += &format!("    outputs:\n      moderately_sensitive:\n        table: output/{name}.csv\n");
    }
    text
}

/// What the actions run, where they really run: it does what its word says.
pub const PLAY: &str = "import pathlib, sys, time
word, path = sys.argv[1], pathlib.Path(sys.argv[2])
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text('a,b\\n1,%s\\n' % word)
print('played', word)
if word == 'hold':
    time.sleep(4)
sys.exit(1 if word == 'fail' else 0)
";

/// The same as files of a commit.
pub fn files(yaml: &str) -> BTreeMap<&'static str, String> {
    [("project.yaml", yaml.to_owned()), ("analysis/play.py", PLAY.to_owned())].into()
}

impl Rig {
    /// Commits a project; gives the commit.
    pub fn push(&self, yaml: &str) -> String {
        let files = files(yaml);
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        self.code.commit("main", &files)
    }
}
