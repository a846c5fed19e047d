//! A study in a folder of its own, the program run in it, and what stands in the folder afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::kinds::Kind;

/// Two sets of inputs of one action that give different results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Old,
    New,
}

/// Files by their path below the study.
pub type Files = BTreeMap<String, Vec<u8>>;

pub struct Rig {
    home: tempfile::TempDir,
    pub kind: &'static Kind,
}

pub struct Ran {
    pub code: Option<i32>,
    pub err: String,
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran { code: output.status.code(), err: String::from_utf8_lossy(&output.stderr).into_owned() }
}

impl Rig {
    /// The study with both ages of inputs made, none of them in place.
    pub fn new(kind: &'static Kind) -> Self {
        let rig = Self { home: tempfile::tempdir().unwrap(), kind };
        for folder in ["study", "tmp", "old", "new"] {
            fs::create_dir(rig.home.path().join(folder)).unwrap();
        }
        for (age, folder) in [(Age::Old, "old"), (Age::New, "new")] {
            let folder = rig.home.path().join(folder);
            (kind.inputs)(&rig, &folder, age);
        }
        rig
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn study(&self) -> PathBuf {
        self.home.path().join("study")
    }

    /// `cloister action` and these words, in a folder.
    pub fn action(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
        command.arg("action").args(words).current_dir(folder).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).env("TMPDIR", self.home().join("tmp"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// The action of this rig in its study.
    pub fn command(&self) -> Command {
        self.action(&self.study(), self.kind.words)
    }

    /// Puts inputs of an age in their place.
    pub fn put(&self, age: Age) {
        let folder = self.home().join(if age == Age::Old { "old" } else { "new" });
        for (name, bytes) in files(&folder) {
            write(&self.study().join(name), &bytes);
        }
    }

    /// Runs the action without any trouble; gives its results.
    pub fn whole(&self, age: Age) -> Files {
        self.put(age);
        let done = ran(&mut self.command());
        assert_eq!(done.code, Some(0), "{}", done.err);
        let results: Files = self
            .kind
            .results
            .iter()
            .map(|name| ((*name).to_owned(), fs::read(self.study().join(name)).unwrap()))
            .collect();
        assert!(results.values().all(|bytes| !bytes.is_empty()));
        results
    }

    /// What stands under the names of results.
    pub fn results(&self) -> Files {
        let found = |name: &&str| Some(((*name).to_owned(), fs::read(self.study().join(name)).ok()?));
        self.kind.results.iter().filter_map(found).collect()
    }

    pub fn replace_results(&self, results: Option<&Files>) {
        for name in self.kind.results {
            let _ = fs::remove_file(self.study().join(name));
        }
        for (name, bytes) in results.into_iter().flatten() {
            write(&self.study().join(name), bytes);
        }
    }

    /// Names of temporary files, and of everything else that is neither input nor result: there must be none of these.
    pub fn temporary(&self) -> Vec<String> {
        let names = files(&self.study()).into_keys();
        let ours = |name: &String| {
            let last = name.rsplit('/').next().unwrap_or_default();
            last.starts_with(".cloister-") && last.ends_with(".tmp")
        };
        let inputs = files(&self.home().join("new"));
        let (temporary, others): (Vec<_>, Vec<_>) = names
            .filter(|name| !inputs.contains_key(name) && !self.kind.results.contains(&name.as_str()))
            .partition(ours);
        assert!(others.is_empty(), "nobody asked for {others:?}");
        temporary
    }
}

pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All files below a folder.
pub fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut below = vec![folder.to_owned()];
    while let Some(at) = below.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                below.push(entry.path());
                continue;
            }
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}
