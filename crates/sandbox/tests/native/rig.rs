//! Runs a specification through the test program, as root or as an ordinary user, and reads what came of it.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sandbox::{Exit, IsolationLevel, Limits, Root, RunName, Spec};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sandbox-probe");
pub const PYTHON: &str = "/usr/bin/python3";
/// No user of this machine needs to have this id.
pub const ORDINARY: u32 = 54_321;
pub const MIB: u64 = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    /// The caller itself if it is not root.
    Ordinary,
}

impl Who {
    /// These words as this user, without any group of root's.
    pub fn command(self, words: &[String]) -> Command {
        if self == Who::Root || !is_root() {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]);
            return command;
        }
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={ORDINARY}"), format!("--regid={ORDINARY}")]).args(["--clear-groups", "--"]);
        command.args(words);
        command
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Everyone that this test can be.
pub fn everyone() -> Vec<Who> {
    if is_root() { vec![Who::Root, Who::Ordinary] } else { vec![Who::Ordinary] }
}

/// For tests that only root can run: tells, by name, that they are left out.
pub fn root_only(test: &str) -> bool {
    if !is_root() {
        println!("ignored: {test} needs root");
    }
    is_root()
}

pub struct Rig {
    pub who: Who,
    pub home: tempfile::TempDir,
    pub spec: Spec,
    /// Words before the program, which must execute the rest of their arguments.
    pub through: Vec<String>,
    /// For the program's environment, never for the run's.
    pub env: Vec<(String, String)>,
}

/// What came of a run.
pub struct Done {
    pub exit: Exit,
    /// Lines without their times.
    pub lines: Vec<String>,
    pub start: f64,
}

impl Done {
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.exit.code, 0, "{:?}\n{}", self.exit, self.text());
        self
    }
}

impl Rig {
    pub fn new(who: Who, argv: &[&str]) -> Self {
        let home = tempfile::Builder::new().prefix("run-").tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        if who == Who::Ordinary && is_root() {
            chown(home.path(), Some(ORDINARY), Some(ORDINARY)).unwrap();
        }
        let spec = Spec {
            name: RunName(home.path().file_name().unwrap().to_str().unwrap().to_owned()),
            root: Root::Host { prefixes: Vec::new(), overlays: Vec::new() },
            argv: argv.iter().map(ToString::to_string).collect(),
            env: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()), ("HOME".into(), "/tmp".into())],
            folder: home.path().join("run"),
            limits: Limits {
                memory: 1024 * MIB,
                cpus: 2,
                processes: 512,
                disk: 4096 * MIB,
                files: 100_000,
                time: Some(Duration::from_secs(50)),
                log: MIB,
            },
            grace: Duration::from_secs(2),
            isolation: IsolationLevel::Full,
            die_with_parent: true,
        };
        let env = vec![("SECRET_OF_THE_CALLER".to_owned(), "marker".to_owned())];
        Self { who, home, spec, through: Vec::new(), env }
    }

    pub fn sh(who: Who, script: &str) -> Self {
        Self::new(who, &["sh", "-c", script])
    }

    pub fn python(who: Who, script: &str) -> Self {
        Self::new(who, &[PYTHON, "-c", script])
    }

    pub fn with(mut self, change: impl FnOnce(&mut Spec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// A file of the workspace, owned as the runner would.
    pub fn file(self, path: &str, text: &str) -> Self {
        let mut folder = self.home.path().to_owned();
        let target = Path::new("run/workspace").join(path);
        for part in target.parent().unwrap().components() {
            folder.push(part);
            if !folder.exists() {
                std::fs::create_dir(&folder).unwrap();
                self.own(&folder);
            }
        }
        let file = self.home.path().join(target);
        std::fs::write(&file, text).unwrap();
        self.own(&file);
        self
    }

    pub fn own(&self, path: &Path) {
        if self.who == Who::Ordinary && is_root() {
            chown(path, Some(ORDINARY), Some(ORDINARY)).unwrap();
        }
    }

    pub fn folder(&self) -> &Path {
        &self.spec.folder
    }

    /// The test program with this command, not started.
    pub fn command(&self, what: &str, number: u64) -> Command {
        // One for each command: two of them may run at once.
        let file = self.home.path().join(format!("order-{what}.json"));
        std::fs::write(&file, serde_json::to_vec(&self.spec).unwrap()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let program = self.program().display().to_string();
        let mut words = self.through.clone();
        words.extend([program, what.to_owned(), file.display().to_string(), number.to_string()]);
        let mut command = self.who.command(&words);
        command.stdin(Stdio::null()).envs(self.env.iter().cloned());
        command
    }

    /// Where the ordinary user can execute it.
    fn program(&self) -> PathBuf {
        let reachable = Path::new(PROGRAM)
            .ancestors()
            .skip(1)
            .all(|folder| std::fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0));
        if reachable || self.who == Who::Root {
            return PROGRAM.into();
        }
        let copy = self.home.path().join("program");
        if !copy.exists() {
            // By another program: a descriptor open for writing, inherited by a run that starts just now, would make the
            // copy "busy".
            assert!(Command::new("cp").arg(PROGRAM).arg(&copy).status().unwrap().success());
        }
        copy
    }

    /// The program's answer.
    pub fn call(&self, what: &str, number: u64) -> serde_json::Value {
        let output = self.command(what, number).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{what}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    #[track_caller]
    pub fn run(&self) -> Done {
        let answer = self.call("run", 0);
        self.done(&answer)
    }

    #[track_caller]
    pub fn done(&self, answer: &serde_json::Value) -> Done {
        let exit = serde_json::from_value(answer["exit"].clone())
            .unwrap_or_else(|_| panic!("{:?}: {answer} {}", self.who, self.errors()));
        let done = Done { exit, lines: self.lines(), start: answer["times"]["start"].as_f64().unwrap_or(0.0) };
        assert_eq!(self.errors(), "", "the supervisor has nothing to complain about");
        done
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.folder().join("supervisor-errors")).unwrap_or_default()
    }

    /// Of the log, without their times.
    pub fn lines(&self) -> Vec<String> {
        let log = std::fs::read(self.folder().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log).into_owned();
        text.lines().map(|line| line.split_once(' ').map_or("", |(_, text)| text).to_owned()).collect()
    }

    /// Runs in the background; returns when the command was executed.
    pub fn background(&self, stays: u64) -> Child {
        let mut child = self.command("start", stays).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
        assert_eq!(line, "{}\n", "{:?}", self.who);
        child
    }

    /// Nothing of the run is left on the machine: processes, mounts, control groups.
    #[track_caller]
    pub fn leaves_nothing(&self) {
        let folder = self.folder().display().to_string();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let link = |name: &str| std::fs::read_link(entry.path().join(name)).unwrap_or_default();
            if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
                let place = link("cwd");
                assert!(!place.starts_with(self.folder()), "{} lives in {}", entry.path().display(), place.display());
                let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                let words = String::from_utf8_lossy(&words).into_owned();
                assert!(!words.contains(&self.marker()), "{words}");
            }
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(&folder), "{mounts}");
        let name: String = self.spec.name.0.chars().filter(char::is_ascii_alphanumeric).collect();
        for controller in ["memory", "pids", "cpu"] {
            let found = Command::new("find")
                .args([&format!("/sys/fs/cgroup/{controller}"), "-name", &format!("cloister-{name}-*")])
                .output()
                .unwrap();
            assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
        }
    }

    /// A word to put into command lines whose processes must not survive.
    pub fn marker(&self) -> String {
        format!("marker-{}", self.spec.name.0)
    }
}

/// Waits until `condition`, at most ten seconds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not in time: {what}");
}
