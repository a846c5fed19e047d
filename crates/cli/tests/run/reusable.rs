//! Reusable actions of bare repositories on this machine: what runs, what is pinned, what is refused and how it is told.
//! Spec project-yaml.md 9; cli.md 3, 5, 12; jobs.md 19.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::rig::{Ran, Study};

/// A folder of bare repositories, one for each reusable action.
struct Shelf(TempDir);

/// A bare repository in it.
struct Repository(PathBuf);

/// A file of a commit: mode, path, bytes.
type File<'a> = (&'a str, &'a str, &'a str);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn repository(&self, name: &str) -> Repository {
        let path = self.0.path().join("opensafely-actions").join(format!("{name}.git"));
        std::fs::create_dir_all(&path).unwrap();
        let repository = Repository(path);
        repository.git(&["init", "-q", "--bare", "--initial-branch=main"], b"");
        repository
    }

    /// The program in a study whose settings name this shelf.
    fn cloister(&self, study: &Study, words: &[&str]) -> Ran {
        study.with_env("CLOISTER_ACTIONS_URL", self.0.path().to_str().unwrap(), words)
    }

    fn run(&self, study: &Study, words: &[&str]) -> Ran {
        self.cloister(study, &[&["run"], words].concat())
    }
}

impl Repository {
    fn git(&self, words: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(words)
            .env("GIT_DIR", &self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "git {words:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// A commit of these files alone on a branch, on top of what it has; gives its name.
    fn commit(&self, branch: &str, files: &[File<'_>]) -> String {
        let mut stream = format!("commit refs/heads/{branch}\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n");
        let there = Command::new("git")
            .args(["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}")])
            .env("GIT_DIR", &self.0)
            .output()
            .unwrap();
        if there.status.success() {
            stream += &format!("from refs/heads/{branch}^0\n");
        }
        stream += "deleteall\n";
        for (mode, path, text) in files {
            stream += &format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len());
        }
        self.git(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        self.git(&["rev-parse", &format!("refs/heads/{branch}")], b"")
    }

    fn tag(&self, name: &str, commit: &str) {
        self.git(&["tag", "-f", name, commit], b"");
    }
}

/// Counts the lines of its first argument into its second, with a word from its config and its own folder.
const COUNT: &str = r#"
import json, os, sys
rows = open(sys.argv[1]).read().splitlines()
config = json.loads(sys.argv[sys.argv.index("--config") + 1]) if "--config" in sys.argv else {}
open(sys.argv[2], "w").write(f"{len(rows)} {config.get('unit')} {sorted(os.listdir('.'))}\n")
"#;

const ACTIONS: &str = r#"
  rows:
    run: python:v2 python analysis/rows.py
    outputs:
      highly_sensitive: {rows: output/rows.csv}
  count:
    needs: [rows]
    run: count-rows:v1.0 output/rows.csv output/count.txt
    config: {unit: "it's"}
    outputs:
      moderately_sensitive: {n: output/count.txt}
"#;

fn study() -> Study {
    let rows = "import os\nopen('output/rows.csv', 'w').write('a\\nb\\nc\\n')\n";
    Study::of(ACTIONS, &[("analysis/rows.py", rows), ("analysis/secret.txt", "the study's own")])
}

/// A shelf with `count-rows`, tagged v1.0; gives its commit.
fn counting() -> (Shelf, Repository, String) {
    let shelf = Shelf::new();
    let repository = shelf.repository("count-rows");
    let files = [("100644", "action.yaml", "run: python:v2 python count.py\n"), ("100644", "count.py", COUNT)];
    let commit = repository.commit("main", &files);
    repository.tag("v1.0", &commit);
    (shelf, repository, commit)
}

fn lock(study: &Study) -> serde_json::Value {
    serde_json::from_str(&study.read("actions.lock")).unwrap()
}

#[test]
fn an_action_of_another_repository_runs_with_its_own_code() {
    let ((shelf, _repository, commit), study) = (counting(), study());
    let first = shelf.run(&study, &["run_all"]).done();
    assert!(first.err.contains("fetching the reusable action count-rows:v1.0 from "), "{}", first.err);
    // Its own two files, the needed output's folder, and nothing of the study; the quote of the config is escaped JSON.
    assert_eq!(study.read("output/count.txt"), "3 it's ['action.yaml', 'count.py', 'output']\n");
    assert_eq!(lock(&study)["actions"]["count-rows:v1.0"]["commit"], commit.as_str());
    let manifest: serde_json::Value = serde_json::from_str(&study.read("metadata/manifest.json")).unwrap();
    let entry = &manifest["outputs"]["output/count.txt"];
    assert_eq!(entry["commit"], serde_json::Value::Null, "the study's, which is a folder");
    assert_eq!(entry["cloister"]["reusable"]["commit"], commit.as_str());
    let again = shelf.run(&study, &["run_all"]).done();
    assert!(again.ran().is_empty() && !again.err.contains("fetching"), "{}{}", again.out, again.err);
}
