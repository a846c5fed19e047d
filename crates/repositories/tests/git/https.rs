//! Over https, against a real smart server: tokens, redirects, outages, certificates, rewrites.
//! Spec jobs.md 2, 20; sandbox.md 13 (no token in any message or mirror).

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use repositories::{AllowList, AllowedRepo, Commit, Error, LocalRepos, Mirrors, Refusal, Rewrites, Settings, Tokens};
use tempfile::TempDir;

use crate::rig::{Source, branch, settings};

/// The server with one repository, `one`, and what it was asked.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
    child: Child,
    pub(crate) port: u16,
    /// Of this server alone, so that two tests do not see each other's.
    password: String,
    asked: Arc<Mutex<Vec<String>>>,
    pub(crate) line: Vec<Commit>,
}

impl Host {
    pub(crate) fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let source = Source::new(&dir.path().join("repositories/one"));
        let line = source.line("main", 40);
        let (key, certificate) = (dir.path().join("key.pem"), dir.path().join("certificate.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-keyout".as_ref(), key.as_os_str(), "-out".as_ref(), certificate.as_os_str()])
            .output()
            .expect("openssl is needed: scripts/prerequisites --tests names it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let both = [fs::read(&certificate).unwrap(), fs::read(&key).unwrap()].concat();
        fs::write(dir.path().join("both.pem"), both).unwrap();
        let password = format!("hunter2-{}", dir.path().file_name().unwrap().to_str().unwrap());
        let token = dir.path().join("token");
        fs::write(&token, format!("{password}\n")).unwrap();
        let script = dir.path().join("server.py");
        fs::write(&script, include_str!("server.py")).unwrap();
        let mut child = Command::new("python3")
            .arg(script)
            .args([dir.path().join("repositories"), dir.path().join("both.pem"), token])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Self { dir, child, port, password, asked, line }
    }

    pub(crate) fn url(&self, kind: &str) -> String {
        format!("https://localhost:{}/{kind}/one", self.port)
    }

    pub(crate) fn repo(&self, kind: &str) -> AllowedRepo {
        allowed(&self.url(kind))
    }

    /// Trusts the server's certificate; the password is in a file.
    pub(crate) fn settings(&self, root: &str) -> Settings {
        let token = self.dir.path().join("token");
        let mut settings = settings(&self.dir.path().join(root));
        settings.ca_file = Some(self.dir.path().join("certificate.pem"));
        settings.tokens = Tokens::none().with(&format!("localhost:{}", self.port), token).unwrap();
        settings
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn allowed(url: &str) -> AllowedRepo {
    let list = AllowList::new([url], LocalRepos::Refused).unwrap();
    list.check(&url.parse().unwrap()).unwrap()
}

/// Every file below a folder, with its bytes.
fn all_files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_files(&path, found);
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn a_public_repository_over_https() {
    let host = Host::start();
    let mirrors = Mirrors::open(host.settings("mirrors")).unwrap();
    for n in [39, 5, 30] {
        let found = mirrors.ensure(&host.repo("plain"), &branch("main"), host.line[n]).unwrap();
        assert_eq!(found.project_file().unwrap().bytes, format!("version: 3 # {n}\n").as_bytes());
        let place = format!("localhost+{}/plain/one.git", host.port);
        assert!(found.mirror().ends_with(place), "{}", found.mirror().display());
    }
    assert!(host.asked().iter().all(|line| line.ends_with("without")), "nobody asked for a password");
    let unknown = "1d5f2671d5f2671d5f2671d5f2671d5f26712345".parse().unwrap();
    let error = mirrors.ensure(&host.repo("plain"), &branch("main"), unknown).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::CommitNotFound), "{error}");
    let error = mirrors.ensure(&host.repo("plain"), &branch("gone"), host.line[0]).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::BranchMissing), "{error}");
    let nowhere = allowed(&format!("https://localhost:{}/plain/nowhere", host.port));
    let error = mirrors.ensure(&nowhere, &branch("main"), host.line[0]).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::RepoNotAllowed), "{error}");
}

#[test]
fn a_host_that_gives_out_only_what_is_named() {
    let host = Host::start();
    // Positive control: such a host does not answer to the name of a commit.
    let mut plain = Command::new("git");
    plain.env("GIT_SSL_CAINFO", host.dir.path().join("certificate.pem")).env("GIT_DIR", host.dir.path().join("plain"));
    assert!(plain.args(["init", "-q", "--bare"]).output().unwrap().status.success());
    let mut fetch = Command::new("git");
    fetch.env("GIT_SSL_CAINFO", host.dir.path().join("certificate.pem")).env("GIT_DIR", host.dir.path().join("plain"));
    let done = fetch.args(["fetch", &host.url("old"), &host.line[5].to_string()]).output().unwrap();
    assert!(String::from_utf8_lossy(&done.stderr).contains("unadvertised"), "{done:?}");

    let mirrors = Mirrors::open(host.settings("mirrors")).unwrap();
    for n in [5, 39, 30] {
        let found = mirrors.ensure(&host.repo("old"), &branch("main"), host.line[n]).unwrap();
        assert_eq!(found.project_file().unwrap().bytes, format!("version: 3 # {n}\n").as_bytes());
    }
    let unknown = "1d5f2671d5f2671d5f2671d5f2671d5f26712345".parse().unwrap();
    let error = mirrors.ensure(&host.repo("old"), &branch("main"), unknown).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::CommitNotFound), "{error}");
}

#[test]
fn a_token_opens_its_host_and_shows_nowhere() {
    let host = Host::start();
    let repo = host.repo("private");
    // Positive control: the server sees a password in the environment or the arguments of a process.
    for (leaky, word) in [
        (Command::new("sleep").arg("60").env("LEAKY", &host.password), "environ"),
        (Command::new("sh").args(["-c", "sleep 60; :", &host.password]), "cmdline"),
    ] {
        let mut child = leaky.process_group(0).spawn().unwrap();
        let url = host.url("private").replace("https://", &format!("https://token:{}@", host.password));
        let mut ask = Command::new("git");
        ask.args(["-c", "credential.helper=", "ls-remote", &url]);
        ask.env("GIT_SSL_CAINFO", host.dir.path().join("certificate.pem"));
        assert!(ask.output().unwrap().status.success());
        rustix::process::kill_process_group(rustix::process::Pid::from_child(&child), rustix::process::Signal::KILL)
            .unwrap();
        child.wait().unwrap();
        assert!(host.asked().iter().any(|line| line == &format!("LEAK {word}")));
    }
    // And without the token there is no way in.
    let mut without = host.settings("without");
    without.tokens = Tokens::none();
    let error = Mirrors::open(without).unwrap().ensure(&repo, &branch("main"), host.line[3]).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::RepoNotAllowed), "{error}");

    let settings = host.settings("mirrors");
    let root = settings.root.clone();
    let found = Mirrors::open(settings).unwrap().ensure(&repo, &branch("main"), host.line[3]).unwrap();
    assert_eq!(found.project_file().unwrap().bytes, b"version: 3 # 3\n");
    let asked = host.asked();
    assert!(asked.iter().any(|line| line.ends_with("with")));
    assert!(!asked.iter().any(|line| line.starts_with("LEAK")), "{asked:?}");

    // A token that cannot be read is nothing that the asker could mend.
    let mut lost = host.settings("lost");
    lost.tokens = Tokens::none().with(&format!("localhost:{}", host.port), host.dir.path().join("lost")).unwrap();
    let error = Mirrors::open(lost).unwrap().ensure(&repo, &branch("main"), host.line[3]).unwrap_err();
    assert!(matches!(error, Error::Machine { .. }) && error.refusal().is_none(), "{error}");

    // A wrong token is a refusal at once, and not repeated in the message; an echo of the right one neither.
    let mut wrong = host.settings("wrong");
    let file = host.dir.path().join("wrong-token");
    fs::write(&file, "not-the-pa55word").unwrap();
    wrong.tokens = Tokens::none().with(&format!("localhost:{}", host.port), file).unwrap();
    let wrong_root = wrong.root.clone();
    let error = Mirrors::open(wrong).unwrap().ensure(&repo, &branch("main"), host.line[3]).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::RepoNotAllowed), "{error}");
    let mut said = format!("{error} {error:?}");
    let echo = Mirrors::open(host.settings("echo")).unwrap();
    let error = echo.ensure(&host.repo("echo"), &branch("main"), host.line[3]).unwrap_err();
    assert!(error.to_string().contains("you sent Basic (secret) which is (secret)"), "{error}");
    said += &format!("{error} {error:?}");

    let mut files = vec![(PathBuf::from("messages"), said.into_bytes())];
    all_files(&root, &mut files);
    all_files(&wrong_root, &mut files);
    let basic = data_encoding::BASE64.encode(format!("token:{}", host.password).as_bytes());
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(&bytes);
        for secret in [host.password.as_str(), "not-the-pa55word", basic.as_str()] {
            assert!(!text.contains(secret), "{secret} in {}", path.display());
        }
    }
}

#[test]
fn a_redirect_is_refused() {
    let host = Host::start();
    let mirrors = Mirrors::open(host.settings("mirrors")).unwrap();
    // Positive control: git follows it when left to itself.
    let mut plain = Command::new("git");
    plain.args(["ls-remote", &host.url("moved")]).env("GIT_SSL_CAINFO", host.dir.path().join("certificate.pem"));
    assert!(plain.output().unwrap().status.success());
    let error = mirrors.ensure(&host.repo("moved"), &branch("main"), host.line[3]).unwrap_err();
    assert!(matches!(error, Error::Moved { .. }), "{error}");
}

#[test]
fn an_outage_is_tried_five_times_and_is_no_refusal() {
    let host = Host::start();
    let mirrors = Mirrors::open(host.settings("mirrors")).unwrap();
    let error = mirrors.ensure(&host.repo("down"), &branch("main"), host.line[3]).unwrap_err();
    assert!(error.is_outage() && error.refusal().is_none(), "{error}");
    assert_eq!(host.asked().len(), 5);
    mirrors.ensure(&host.repo("failing"), &branch("main"), host.line[3]).unwrap();

    // An unknown certificate, a closed port, a name that does not exist.
    let mut strangers = host.settings("strangers");
    strangers.ca_file = None;
    let error =
        Mirrors::open(strangers).unwrap().ensure(&host.repo("plain"), &branch("main"), host.line[3]).unwrap_err();
    assert!(error.is_outage(), "{error}");
    for url in ["https://localhost:1/a/b", "https://nowhere.invalid/a/b"] {
        let error = mirrors.ensure(&allowed(url), &branch("main"), host.line[3]).unwrap_err();
        assert!(error.is_outage(), "{error}");
    }
}

#[test]
fn a_source_that_never_answers_is_given_up() {
    let host = Host::start();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut short = host.settings("mirrors");
    short.time_limit = Duration::from_millis(300);
    let repo = allowed(&format!("https://localhost:{}/a/b", silent.local_addr().unwrap().port()));
    let error = Mirrors::open(short).unwrap().ensure(&repo, &branch("main"), host.line[3]).unwrap_err();
    assert!(matches!(&error, Error::Unreachable { why, .. } if why.starts_with("no answer within")), "{error}");
}

#[test]
fn a_rewrite_fetches_elsewhere_and_the_mirror_keeps_the_original() {
    let host = Host::start();
    let original = allowed("https://code.example.org/northfield/one");
    let here = host.dir.path().join("repositories");
    for (to, asked) in [(format!("https://localhost:{}/plain", host.port), true), (here.display().to_string(), false)] {
        let mut settings = host.settings(if asked { "proxy" } else { "local" });
        settings.rewrites = Rewrites::new([("https://code.example.org/northfield", to.as_str())]).unwrap();
        let found = Mirrors::open(settings).unwrap().ensure(&original, &branch("main"), host.line[3]).unwrap();
        assert!(found.mirror().ends_with("code.example.org/northfield/one.git"));
        assert_eq!(found.url(), original.url());
        assert_eq!(host.asked().is_empty(), !asked);
    }
}
