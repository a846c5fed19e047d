//! A site, a backend and a study in a folder of their own; both programs as processes that can be killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Native, NativeOptions, Runtime};
use serde_json::json;
use site::access::{Place, Role, TokenScope};
use site::people::{self, By};
use site::settings::Chosen;
use site::{Settings, Site};
use tempfile::TempDir;

use crate::wire::{Answer, ask};

pub const PROJECT: &str = "trials";
pub const BACKEND: &str = "north";
/// Requests of one researcher, fewer than the site allows in ten minutes.
const EACH: usize = 40;

pub struct House {
    home: TempDir,
    /// Where the site listens.
    pub site_at: SocketAddr,
    workspaces: Vec<String>,
    /// One of each researcher: a person may make so many requests in a time.
    tokens: Vec<String>,
    backend: i64,
    site_process: Option<Process>,
    backend_process: Option<Process>,
    /// What the backend has in its environment beside the usual.
    pub env: Vec<(String, String)>,
    /// Jobs that run at once.
    pub workers: u32,
}

/// Whether study code can be shut in here; without that there is nothing to test.
pub fn can_isolate() -> bool {
    let options = NativeOptions { supervisor: env!("CARGO_BIN_EXE_cloister").into(), ..NativeOptions::default() };
    let probe = Native::new(options).probe();
    let missing: Vec<_> = probe.missing().map(|(name, _)| name).collect();
    if !missing.is_empty() {
        eprintln!("left out: this machine cannot isolate ({})", missing.join(", "));
    }
    missing.is_empty()
}

/// Waits until something is the case.
#[track_caller]
pub fn until(what: &str, seconds: u64, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(seconds), "after {seconds} s: not yet {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl House {
    /// A site with a person for every 40 workspaces, one backend, and a workspace on the study for each name. Nothing runs yet.
    pub fn of(actions: &str, files: &[(&str, &str)], workspaces: &[String]) -> Self {
        let yaml = format!("version: \"5\"\nactions:\n{actions}");
        let project = ("project.yaml", yaml.as_str());
        let files = files.iter().chain([&project]);
        let files = files.map(|(path, text)| (path.to_string(), text.as_bytes().to_vec())).collect();
        let workspaces: Vec<_> = workspaces.iter().map(|name| (name.as_str(), "study")).collect();
        Self::with(&[("study", files)], &workspaces)
    }

    /// The same with several repositories; each workspace with the name of its own.
    pub fn with(repositories: &[(&str, Vec<(String, Vec<u8>)>)], workspaces: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let site_at = free_port();
        let mut house = Self {
            home,
            site_at,
            workspaces: workspaces.iter().map(|(name, _)| (*name).to_owned()).collect(),
            tokens: Vec::new(),
            backend: 0,
            site_process: None,
            backend_process: None,
            env: Vec::new(),
            workers: 2,
        };
        for (name, files) in repositories {
            house.repository(name, files);
        }
        house.python();
        let settings = format!("listen = \"{site_at}\"\norigin = \"http://{site_at}\"\nlocal_repositories = true\n");
        fs::write(house.path("site.toml"), settings).unwrap();
        house.people(workspaces);
        house
    }

    /// Runtimes that are built are kept for the next time, together with other tests.
    pub fn share_runtimes(&self) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtimes");
        fs::create_dir_all(&kept).unwrap();
        std::os::unix::fs::symlink(kept, self.path("cache")).unwrap();
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn repository(&self, name: &str, files: &[(String, Vec<u8>)]) {
        let folder = self.path(&format!("made-{name}"));
        for (path, bytes) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command.args(words).current_dir(&folder);
            command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
            done(&mut command);
        };
        git(&["init", "--quiet", "--initial-branch", "main"]);
        git(&["add", "--all"]);
        let author = ["-c", "user.name=Sample Author", "-c", "user.email=author@example.org"];
        git(&[&author[..], &["commit", "--quiet", "--message", "Begin"]].concat());
        git(&["clone", "--quiet", "--bare", ".", &format!("../{name}")]);
    }

    /// `python:v2` is an environment without packages for this house.
    fn python(&self) {
        let place = self.path("python");
        let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&place).status();
        assert!(made.is_ok_and(|status| status.success()), "python3 with venv is needed: see scripts/prerequisites");
        fs::create_dir_all(self.path(".config/cloister")).unwrap();
        fs::write(self.path(".config/cloister/cloister.toml"), format!("[runtime.\"python:v2\"]\npath = {place:?}\n"))
            .unwrap();
    }

    fn settings(&self) -> Settings {
        let chosen = Chosen { data: Some(self.path("site")), ..Chosen::default() };
        Settings::read(Some(&self.path("site.toml")), chosen).unwrap()
    }

    /// What staff and a researcher would do on pages before anything runs.
    fn people(&mut self, workspaces: &[(&str, &str)]) {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        (self.backend, self.tokens) = threads.block_on(async {
            let site = Site::open(self.settings()).await.unwrap();
            let by = By::operator();
            let mut change = site.store.change().await.unwrap();
            people::roles::set_two_people(&mut change, &by, false).await.unwrap();
            let org = people::orgs::Org { slug: "northfield", name: "Northfield", description: "" };
            let org = people::orgs::add(&mut change, &by, org).await.unwrap();
            let project = people::projects::Project {
                number: "",
                name: "Trials",
                slug: PROJECT,
                category: "internal",
                lead: Some(org),
            };
            let project = people::projects::add(&mut change, &by, project).await.unwrap();
            let (code, reason) = ("sqlrunner", "for the test");
            let new = people::permissions::New { project, code, reason, evidence: "", expires_at: None };
            let sql = people::permissions::propose(&mut change, &by, new).await.unwrap();
            people::permissions::approve(&mut change, &by, sql).await.unwrap();
            let new = people::backends::New { slug: BACKEND, name: "North", flavour: "tpp", data_kind: "synthetic" };
            let backend = people::backends::add(&mut change, &by, new).await.unwrap();
            for (name, repository) in workspaces {
                let repo = format!("file://{}", self.path(repository).display());
                let new = people::workspaces::New { name, repo: &repo, branch: "main", purpose: "a test" };
                people::workspaces::add(&mut change, &by, &site.settings, project, new).await.unwrap();
            }
            let mut tokens = Vec::new();
            for n in 0..workspaces.len().div_ceil(EACH) {
                let (kind, username) = (people::accounts::Kind::Human, format!("sample-{n}"));
                let new = people::accounts::New { username: &username, fullname: "Sample Researcher", email: "", kind };
                let account = people::accounts::add(&mut change, &by, new).await.unwrap();
                let (role, place) = (Role::ProjectDeveloper, Place::Project(project));
                let new = people::roles::New { account, role, place, reason: "for the test", expires_at: None };
                people::roles::grant(&mut change, &by, new).await.unwrap();
                people::backends::set_member(&mut change, &by, backend, account, true).await.unwrap();
                people::orgs::set_member(&mut change, &by, org, account, true).await.unwrap();
                let scopes = [TokenScope::RequestRun, TokenScope::RequestCancel];
                let new = people::tokens::New { name: "the test", scopes: &scopes, days: 1, projects: &[] };
                let token = people::tokens::make(&mut change, &by, account, new).await.unwrap();
                tokens.push(token.reveal().to_owned());
            }
            change.commit().await.unwrap();
            (backend, tokens)
        });
    }

    pub fn cloister(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
        command.args(words).current_dir(self.home.path()).env("HOME", self.home.path());
        command.env("CLOISTER_CACHE_DIR", self.path("cache")).stdin(Stdio::null());
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "CI", "RUST_LOG"] {
            command.env_remove(name);
        }
        command
    }

    /// `cloister site` with this word, on this house's site. Its paths, as the backend's, are relative: both must work
    /// wherever they are started.
    pub fn site_command(&self, word: &str) -> Command {
        self.cloister(&["site", word, "--settings", "site.toml", "--data", "site"])
    }

    pub fn start_site(&mut self) {
        self.arm_site(None);
    }

    /// Starts the site; with a place, so that it dies there as by `kill -9`. `place:3`: when it passes for the third time.
    pub fn arm_site(&mut self, place: Option<&str>) {
        let mut command = self.site_command("serve");
        command.args(["--log", "site.log"]);
        self.site_process = Some(Process::begin(&mut command, "listens on", place));
    }

    /// Enrols the backend by the way through which it will always reach the site, and has staff confirm it.
    pub fn enrol(&self, way: SocketAddr) {
        self.enrol_as(BACKEND, self.backend, "", way);
    }

    /// Adds another backend and enrols it; its files have its name in front.
    pub fn another(&self, slug: &str) {
        let id = self.at_work(async |site, change| {
            let new = people::backends::New { slug, name: slug, flavour: "emis", data_kind: "synthetic" };
            let _ = site;
            people::backends::add(change, &By::operator(), new).await.unwrap()
        });
        self.enrol_as(slug, id, &format!("{slug}-"), self.site_at);
    }

    /// A header that signs in somebody new who administers backends and reads the audit.
    pub fn staff(&self) -> String {
        self.at_work(async |site, change| {
            let kind = people::accounts::Kind::Human;
            let new = people::accounts::New { username: "sample-staff", fullname: "Sample Staff", email: "", kind };
            let account = people::accounts::add(change, &By::operator(), new).await.unwrap();
            for role in [Role::StaffAreaAdministrator, Role::Auditor] {
                let (place, reason) = (Place::Site, "for the test");
                let new = people::roles::New { account, role, place, reason, expires_at: None };
                people::roles::grant(change, &By::operator(), new).await.unwrap();
            }
            let now = site.clock.microseconds();
            let begun = site::access::session::begin(change, &site.settings, account, "test", "127.0.0.0/24", now);
            let cookie = begun.await.unwrap().cookie;
            format!("Cookie: {}\r\n", cookie.to_str().unwrap().split(';').next().unwrap())
        })
    }

    /// Changes the tables of the site beside its process.
    fn at_work<T>(&self, work: impl AsyncFnOnce(&Site, &mut site::store::Change) -> T) -> T {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        threads.block_on(async {
            let site = Site::open(self.settings()).await.unwrap();
            let mut change = site.store.change().await.unwrap();
            let done = work(&site, &mut change).await;
            change.commit().await.unwrap();
            done
        })
    }

    fn enrol_as(&self, slug: &str, id: i64, before: &str, way: SocketAddr) {
        let settings = format!(
            "slug = \"{slug}\"\nflavour = \"tpp\"\nprofile = \"demo\"\ndata = \"dummy\"\n\
             [site]\nurl = \"http://{way}\"\n\
             [folders]\nstate = \"{before}state\"\nhigh = \"{before}high\"\nmedium = \"{before}medium\"\n\
             [repositories]\nallow = []\nallow_local = true\n[workers]\nmax = {}\n",
            self.workers
        );
        let file = format!("{before}backend.toml");
        fs::write(self.path(&file), settings).unwrap();
        let id = site::store::ids::BackendId(id);
        let code = self.at_work(async |site, change| site::line::make_code(change, site, id).await.unwrap());
        let enrolled = self.cloister(&["backend", "enrol", &file, "--code", code.reveal()]).output().unwrap();
        assert!(enrolled.status.success(), "{}", said(&enrolled));
        self.at_work(async |site, change| {
            let words = site::line::fingerprint(site, id).await.unwrap().join(" ");
            assert!(said(&enrolled).contains(&words), "{words} is not in {}", said(&enrolled));
            site::line::confirm(change, site, id, None).await.unwrap();
        });
    }

    /// Has staff confirm the epoch that the backend offers. Gives how many facts the backend has lost.
    pub fn confirm_epoch(&self) -> u64 {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let id = site::store::ids::BackendId(self.backend);
        threads.block_on(async {
            let site = Site::open(self.settings()).await.unwrap();
            let offered = site::line::offered(&site, id).await.unwrap().unwrap();
            let mut change = site.store.change().await.unwrap();
            let found = site::line::confirm_epoch(&mut change, &site, id, &offered.hash, None).await.unwrap();
            change.commit().await.unwrap();
            found.lost_by_backend
        })
    }

    pub fn start_backend(&mut self) {
        self.arm_backend(None);
    }

    /// As [`House::arm_site`].
    pub fn arm_backend(&mut self, place: Option<&str>) {
        // A process that was killed holds its lease for a while longer: its successor takes over.
        let mut command = self.cloister(&["backend", "serve", "backend.toml", "--take-over", "--log", "backend.log"]);
        command.envs(self.env.iter().cloned());
        self.backend_process = Some(Process::begin(&mut command, "asks", place));
    }

    /// Whether the site is there.
    pub fn has_site(&mut self) -> bool {
        self.site_process.as_mut().is_some_and(|process| !process.has_died())
    }

    /// Whether the backend is there.
    pub fn has_backend(&mut self) -> bool {
        self.backend_process.as_mut().is_some_and(|process| !process.has_died())
    }

    /// Whether the site is on its way to the place where it is to die.
    pub fn site_is_to_die(&mut self) -> bool {
        self.site_process.as_mut().is_some_and(|process| process.place.is_some() && !process.has_died())
    }

    /// Whether the backend is on its way to the place where it is to die.
    pub fn backend_is_to_die(&mut self) -> bool {
        self.backend_process.as_mut().is_some_and(|process| process.place.is_some() && !process.has_died())
    }

    /// `kill -9`. Gives the place where it died already, if it was to and did.
    pub fn kill_site(&mut self) -> Option<String> {
        self.site_process.take().and_then(Process::kill)
    }

    /// `kill -9`. Its running jobs live on, as they do when an operator restarts it. Gives the place where it died already.
    pub fn kill_backend(&mut self) -> Option<String> {
        self.backend_process.take().and_then(Process::kill)
    }

    /// Kills supervisors of running attempts with this number, as the loss of their machine would. Gives how many.
    pub fn lose_attempts(&self, number: &str) -> usize {
        let mut lost = 0;
        for entry in fs::read_dir(self.path("high/volumes")).into_iter().flatten().flatten() {
            let born = fs::read(entry.path().join("born.json")).ok();
            let born: Option<serde_json::Value> = born.and_then(|text| serde_json::from_slice(&text).ok());
            let Some(supervisor) = born.and_then(|born| born["supervisor"].as_i64()) else { continue };
            if !entry.file_name().to_string_lossy().ends_with(number) || !holds(supervisor, &entry.path()) {
                continue;
            }
            let supervisor = rustix::process::Pid::from_raw(i32::try_from(supervisor).unwrap()).unwrap();
            lost += usize::from(rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).is_ok());
        }
        lost
    }

    /// Processes that have a file of this house open, and mounts in it.
    pub fn left(&self) -> Vec<String> {
        let home = self.home.path();
        let mut left = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<i64>() else { continue };
            if pid != i64::from(std::process::id()) && holds(pid, home) {
                let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                left.push(format!("process {pid}: {}", String::from_utf8_lossy(&words).replace('\0', " ")));
            }
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let home = home.display().to_string();
        left.extend(mounts.lines().filter(|line| line.contains(&home)).map(str::to_owned));
        left
    }

    /// Asks as the researcher's program. An error if the site is not there.
    pub fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> std::io::Result<Answer> {
        ask(self.site_at, method, path, &self.headers(key), body)
    }

    /// Those of the researcher who asks for the workspace of this name; of the first one for any other key.
    fn headers(&self, key: &str) -> String {
        let place = self.workspaces.iter().position(|name| name == key).unwrap_or(0);
        let token = &self.tokens[place / EACH];
        format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n")
    }

    /// What `request` asks: where, headers, body.
    pub fn asking(&self, workspace: &str, actions: &[&str]) -> (SocketAddr, String, String) {
        let body = json!({"workspace": workspace, "backend": BACKEND, "actions": actions}).to_string();
        (self.site_at, self.headers(workspace), body)
    }

    /// Makes the one request of a workspace, and gives its number; none if the site did not answer.
    #[track_caller]
    pub fn request(&self, workspace: &str, actions: &[&str]) -> Option<i64> {
        let (at, headers, body) = self.asking(workspace, actions);
        let answer = ask(at, "POST", "/api/v1/job-requests", &headers, &body).ok()?;
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.body);
        Some(answer.json()["number"].as_i64().unwrap())
    }

    /// The tables of the site.
    pub fn at_site(&self) -> PathBuf {
        self.path("site/site.sqlite")
    }

    /// The backend's record of what it told, and that of its jobs.
    pub fn at_backend(&self) -> [PathBuf; 2] {
        [self.path("state/backend.sqlite"), self.path("state/state.sqlite")]
    }
}

/// Whether a process has a file below this folder open.
fn holds(pid: i64, folder: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|file| file.starts_with(folder))
}

/// A program that runs.
struct Process {
    child: Child,
    /// What it said on its standard error.
    errors: Option<std::thread::JoinHandle<Vec<String>>>,
    /// Where it is to die.
    place: Option<String>,
}

impl Process {
    /// The process, once it has said on its standard output that it is ready, or has died at its place.
    fn begin(command: &mut Command, ready: &str, place: Option<&str>) -> Self {
        if let Some(place) = place {
            command.env("CLOISTER_FAULT", format!("kill@{place}"));
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let errors = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || BufReader::new(errors).lines().map_while(Result::ok).collect());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut process = Self { child, errors: Some(errors), place: place.map(str::to_owned) };
        if !lines.any(|line| line.contains(ready)) {
            // Its output is at its end: so is it.
            until("it ends", 10, || process.has_died());
        }
        // What it says further must not fill a pipe.
        std::thread::spawn(move || lines.for_each(drop));
        process
    }

    /// Whether it has died, which it may only at its place.
    fn has_died(&mut self) -> bool {
        let Some(status) = self.child.try_wait().unwrap() else { return false };
        if self.place.is_some() && status.signal() == Some(9) {
            return true;
        }
        let errors = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        panic!("it ended by itself ({status}): {}", errors.join("\n"));
    }

    fn kill(mut self) -> Option<String> {
        if self.has_died() {
            return self.place.take();
        }
        self.end();
        None
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for process in [&mut self.site_process, &mut self.backend_process] {
            if let Some(mut process) = process.take() {
                process.end();
            }
        }
        self.lose_attempts("");
    }
}

/// Every file below a folder, with its bytes.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files(&path));
        } else if kind.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    found
}

/// Names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
