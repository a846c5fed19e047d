//! A folder, a home with a runtime of its own, and the program run there as root or as an ordinary user.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// No user of this machine needs to have this id.
const ORDINARY: u32 = 54_321;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    /// The caller itself if it is not root.
    Ordinary,
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub fn everyone() -> Vec<Who> {
    if is_root() { vec![Who::Root, Who::Ordinary] } else { vec![Who::Ordinary] }
}

pub struct Rig {
    pub who: Who,
    home: tempfile::TempDir,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn gives(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

impl Rig {
    pub fn new(who: Who) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("study")).unwrap();
        let place = home.path().join("python");
        // One that an ordinary user can execute too.
        let made = Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(&place).status();
        assert!(made.is_ok_and(|status| status.success()), "python3 with venv is needed: see scripts/prerequisites");
        fs::create_dir_all(home.path().join(".config/cloister")).unwrap();
        let settings = format!("[runtime.\"python:v2\"]\npath = {place:?}\n");
        fs::write(home.path().join(".config/cloister/cloister.toml"), settings).unwrap();
        // Where an ordinary user can execute it.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_cloister")).arg(home.path().join("cloister")).status();
        assert!(copied.unwrap().success());
        if who == Who::Ordinary && is_root() {
            own(home.path(), ORDINARY);
        }
        Self { who, home }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn folder(&self) -> PathBuf {
        self.home.path().join("study")
    }

    /// Where temporary folders of commands are.
    pub fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path().join(".cache/cloister/exec")).into_iter().flatten();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).filter(|name| name != ".lock").collect()
    }

    /// `cloister exec` and these words, behind `before`.
    pub fn command(&self, before: &[&str], words: &[&str]) -> Command {
        let program = self.home.path().join("cloister");
        let id = ORDINARY.to_string();
        let mut all: Vec<&str> = before.to_vec();
        let (user, group) = (format!("--reuid={id}"), format!("--regid={id}"));
        if self.who == Who::Ordinary && is_root() {
            all.extend(["setpriv", &user, &group, "--clear-groups", "--"]);
        }
        let program = program.to_str().unwrap();
        all.extend([program, "--quiet", "exec"]);
        all.extend(words);
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).current_dir(self.folder()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub fn exec_with(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(&[], words);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child: Child = child.unwrap();
        // A command that reads nothing is its own business.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub fn exec(&self, words: &[&str]) -> Ran {
        self.exec_with(words, "")
    }

    pub fn python(&self, script: &str) -> Ran {
        self.exec(&["python:v2", "python", "-c", script])
    }
}

pub fn own(path: &Path, id: u32) {
    let done = Command::new("chown").args(["-R", "-h", &format!("{id}:{id}")]).arg(path).status().unwrap();
    assert!(done.success());
}
