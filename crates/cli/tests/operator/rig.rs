//! A site that serves as a process of its own, the operator's command line beside it, and a backend that calls by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use protocol::directive::DirectiveBody;
use protocol::keys::SigningKey;
use serde_json::{Value, json};
use site::settings::Chosen;
use site::store::ids::BackendId;
use site::{Settings, Site};

/// Longer than anything here takes; a poll that nobody wakes lasts longer.
const HANGS: Duration = Duration::from_secs(40);

pub struct Office {
    pub home: tempfile::TempDir,
    at: SocketAddr,
    serving: Child,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub fn cloister(words: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
    command.arg("site").args(words).arg("--data").arg(data).env_remove("RUST_BACKTRACE");
    command
}

pub fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

impl Office {
    pub fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut serving = cloister(&["serve", "--listen", "127.0.0.1:0"], &home.path().join("data"));
        let settings = home.path().join("site.toml");
        std::fs::write(&settings, "local_repositories = true\n").unwrap();
        let mut serving =
            serving.arg("--settings").arg(&settings).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(serving.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.contains(" listens on ")).unwrap();
        let at = line.rsplit(' ').next().unwrap().parse().unwrap();
        Self { home, at, serving }
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn run(&self, words: &[&str]) -> Said {
        let mut command = cloister(words, &self.data());
        said(&command.arg("--settings").arg(self.home.path().join("site.toml")).output().unwrap())
    }

    /// The same site in this process.
    pub async fn inside(&self) -> Arc<Site> {
        let chosen = Chosen { data: Some(self.data()), ..Chosen::default() };
        Site::open(Settings::read(None, chosen).unwrap()).await.unwrap()
    }

    /// One call over a connection of its own: status and body.
    pub fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(HANGS)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.serving.kill();
        let _ = self.serving.wait();
    }
}

/// A backend that enrolled.
pub struct North {
    headers: String,
}

impl North {
    pub fn enrol(office: &Office, code: &str) -> Self {
        let key = SigningKey::new(&[5; 32], "unnamed".parse().unwrap());
        let body = json!({"code": code, "public_key": key.public().text().as_str()});
        let (status, answer) = office.call("POST", "/backend/v1/enrol", "", &body.to_string());
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let token = answer["token"].as_str().unwrap();
        let headers = format!(
            "Authorization: Bearer {token}\r\nCloister-Protocol: 1.0\r\nCloister-Boot: 01HZY0000000000000000000N1\r\n"
        );
        Self { headers }
    }

    pub fn hello(&self, office: &Office) {
        let body = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": "01HZY0000000000000000000N1",
            "epoch": 1, "head": {"seq": 0, "hash": "0".repeat(64)}, "directive_cursor": 0,
            "now": "2027-03-04T09:15:02.104000Z"});
        let (status, answer) = office.call("POST", "/backend/v1/hello", &self.headers, &body.to_string());
        assert_eq!(status, 200, "{answer}");
    }

    /// Directives behind a cursor; waits for one as long as a backend would.
    pub fn poll(&self, office: &Office, after: u64) -> Vec<Value> {
        let path = format!("/backend/v1/directives?after={after}&wait=55");
        let (status, answer) = office.call("GET", &path, &self.headers, "");
        assert!([200, 204].contains(&status), "{answer}");
        if status == 204 {
            return Vec::new();
        }
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["directives"].as_array().unwrap().clone()
    }
}

/// A request of `sample-r` in the workspace `winter-chest` on `north`, as the form makes it.
pub async fn request(site: &Site, number: i64, actions: &[&str]) {
    let identifier = format!("{number:a>16}");
    let order = json!({"request": identifier, "number": number, "created_at": site.clock.now().to_string(),
        "workspace": "winter-chest", "project": {"slug": "winter", "number": null},
        "orgs": ["northfield"], "repo_url": "file:///srv/winter-chest", "branch": "main",
        "commit": "5e1f".repeat(10), "project_yaml_sha256": "9b0c".repeat(16), "requested_actions": actions,
        "force_run_dependencies": false,
        "requested_by": {"username": "sample-r", "name": "Sample Researcher", "kind": "human"},
        "codelists": "ok", "permissions": [], "database": "default"});
    let mut change = site.store.change().await.unwrap();
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
            force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
         VALUES (?1, ?2, 1, 1, (SELECT id FROM account WHERE username = 'sample-r'), 'main', ?3, 0, 'keep', 'ok', ?4,
             'waiting', 'pending', ?4)",
    )
    .bind(number)
    .bind(&identifier)
    .bind("5e1f".repeat(10))
    .bind(site.clock.microseconds())
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
    let body = DirectiveBody::JobRequest(serde_json::from_value(order).unwrap());
    let _ = site::line::send(&mut change, site, BackendId(1), &body).await.unwrap();
    change.commit().await.unwrap();
}
