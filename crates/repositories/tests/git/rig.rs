//! Repositories made for a test by git itself, and the room's settings that reach them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sha1::{Digest, Sha1};

use repositories::{AllowList, AllowedRepo, Branch, Commit, LocalRepos, Mirrors, Settings, TreePath, TreeSink};

/// git as the test calls it: a newcomer's, without the settings of whoever runs the test.
pub(crate) fn git(repository: &Path, words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(words)
        .env("GIT_DIR", repository)
        .envs(quiet())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let done = child.wait_with_output().unwrap();
    feed.join().unwrap();
    assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

pub(crate) fn quiet() -> Vec<(&'static str, &'static str)> {
    vec![
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("HOME", "/dev/null"),
        ("LC_ALL", "C"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsync"),
        ("GIT_CONFIG_VALUE_0", "none"),
        ("GIT_AUTHOR_NAME", "A Researcher"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "A Researcher"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ("GIT_AUTHOR_DATE", "1700000000 +0000"),
        ("GIT_COMMITTER_DATE", "1700000000 +0000"),
    ]
}

/// A bare repository that stands for a code host.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
}

impl Source {
    pub(crate) fn new(path: &Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        git(path, &["init", "-q", "--bare", "--initial-branch=main"], b"");
        Self { path: path.to_owned() }
    }

    pub(crate) fn git(&self, words: &[&str], input: &[u8]) -> String {
        String::from_utf8(git(&self.path, words, input)).unwrap().trim().to_owned()
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        self.git(&["hash-object", "-w", "--stdin"], bytes)
    }

    /// A tree of exactly these entries in this order, however hostile.
    pub(crate) fn tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        self.object("tree", &raw_tree(entries))
    }

    /// Many trees, each with entries made from the one before it, by one call of git.
    pub(crate) fn trees(&self, first: String, count: usize, of: impl Fn(&str) -> Vec<u8>) -> String {
        let dir = tempfile::TempDir::new().unwrap();
        let (mut last, mut paths) = (first, String::new());
        for n in 0..count {
            let raw = of(&last);
            let whole = [format!("tree {}\0", raw.len()).as_bytes(), &raw].concat();
            last = data_encoding::HEXLOWER.encode(&Sha1::digest(whole));
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, raw).unwrap();
            paths += &format!("{}\n", path.display());
        }
        let words = ["hash-object", "-w", "--literally", "-t", "tree", "--stdin-paths", "--no-filters"];
        let made = self.git(&words, paths.as_bytes());
        assert_eq!(made.lines().last().unwrap_or(&last), last);
        last
    }

    pub(crate) fn object(&self, kind: &str, raw: &[u8]) -> String {
        self.git(&["hash-object", "-w", "--literally", "-t", kind, "--stdin"], raw)
    }

    /// A commit of a tree; the branch then points to it.
    pub(crate) fn commit(&self, branch: &str, tree: &str, parents: &[&str]) -> Commit {
        let mut words = vec!["commit-tree", tree, "-m", "a change"];
        for parent in parents {
            words.extend(["-p", parent]);
        }
        let id = self.git(&words, b"");
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &id], b"");
        id.parse().unwrap()
    }

    /// A commit that holds one file, on top of another.
    pub(crate) fn simple(&self, branch: &str, text: &str, parents: &[&str]) -> Commit {
        let blob = self.blob(text.as_bytes());
        let tree = self.tree(&[("100644", b"project.yaml", &blob)]);
        self.commit(branch, &tree, parents)
    }

    /// A line of commits, the oldest first.
    pub(crate) fn line(&self, branch: &str, count: usize) -> Vec<Commit> {
        let mut stream = String::new();
        for n in 0..count {
            stream += &format!("commit refs/heads/{branch}\nmark :{}\n", n + 1);
            stream += &format!("committer A <a@example.org> {} +0000\ndata 1\nx\n", 1_700_000_000 + n);
            let text = format!("version: 3 # {n}\n");
            stream += &format!("M 100644 inline project.yaml\ndata {}\n{text}\n", text.len());
        }
        self.git(&["fast-import", "--quiet"], stream.as_bytes());
        let list = self.git(&["rev-list", "--reverse", branch], b"");
        list.lines().map(|line| line.parse().unwrap()).collect()
    }

    pub(crate) fn repo(&self) -> AllowedRepo {
        let list = AllowList::new::<&str>([], LocalRepos::Allowed).unwrap();
        list.check(&self.path.to_str().unwrap().parse().unwrap()).unwrap()
    }
}

pub(crate) fn raw_tree(entries: &[(&str, &[u8], &str)]) -> Vec<u8> {
    let mut raw = Vec::new();
    let (mut last, mut bytes) = ("", Vec::new());
    for (mode, name, id) in entries {
        raw.extend_from_slice(mode.as_bytes());
        raw.push(b' ');
        raw.extend_from_slice(name);
        raw.push(0);
        if last != *id {
            (last, bytes) = (id, hex(id));
        }
        raw.extend_from_slice(&bytes);
    }
    raw
}

pub(crate) fn hex(id: &str) -> Vec<u8> {
    (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect()
}

/// Settings with waits short enough for a test.
pub(crate) fn settings(root: &Path) -> Settings {
    let mut settings = Settings::new(root);
    settings.first_wait = Duration::from_millis(1);
    settings
}

pub(crate) fn mirrors(root: &Path) -> Mirrors {
    Mirrors::open(settings(root)).unwrap()
}

pub(crate) fn branch(name: &str) -> Branch {
    name.parse().unwrap()
}

/// What was read, as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    File { executable: bool, bytes: Vec<u8> },
    Link(Vec<u8>),
}

/// Keeps everything in memory, and counts what it is asked.
#[derive(Default)]
pub(crate) struct Keep {
    pub(crate) all: BTreeMap<Vec<u8>, Got>,
    pub(crate) stored: usize,
    linked: bool,
}

impl TreeSink for Keep {
    type Stored = Vec<u8>;
    type Error = std::io::Error;

    fn store(&mut self, size: u64, bytes: &mut dyn Read) -> std::io::Result<Vec<u8>> {
        let mut kept = Vec::new();
        bytes.read_to_end(&mut kept)?;
        assert_eq!(kept.len() as u64, size);
        self.stored += 1;
        Ok(kept)
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, stored: &Vec<u8>) -> std::io::Result<()> {
        assert_eq!(stored.len() as u64, size);
        assert!(!self.linked, "links come last");
        self.all.insert(path.as_bytes().to_vec(), Got::File { executable, bytes: stored.clone() });
        Ok(())
    }

    fn link(&mut self, path: &TreePath, target: &[u8]) -> std::io::Result<()> {
        self.linked = true;
        self.all.insert(path.as_bytes().to_vec(), Got::Link(target.to_vec()));
        Ok(())
    }
}
