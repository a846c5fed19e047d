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

#[test]
fn a_folder_may_hold_work_trees_and_know_no_organisation() {
    let (shelf, study) = (Shelf::new(), study());
    let tree = shelf.0.path().join("count-rows");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("action.yaml"), FINE.2).unwrap();
    std::fs::write(tree.join("count.py"), COUNT).unwrap();
    // What is not committed is not there.
    std::fs::create_dir(tree.join("later")).unwrap();
    let repository = Repository(tree.join(".git"));
    repository.git(&["init", "-q", "--initial-branch=main"], b"");
    let tree = tree.to_str().unwrap();
    repository.git(&["--work-tree", tree, "add", "action.yaml", "count.py"], b"");
    let who = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    repository.git(&[&who[..], &["--work-tree", tree, "commit", "-q", "-m", "one"]].concat(), b"");
    repository.git(&["tag", "v1.0"], b"");
    std::fs::write(shelf.0.path().join("count-rows/count.py"), "not committed").unwrap();
    shelf.run(&study, &["run_all"]).done();
    assert_eq!(study.read("output/count.txt"), "3 it's ['action.yaml', 'count.py', 'output']\n");
}

#[test]
fn a_study_that_names_hundreds_asks_nobody() {
    let (shelf, cache) = (Shelf::new(), tempfile::tempdir().unwrap());
    let action =
        |n: u32| format!("  a{n}:\n    run: action-{n}:v1\n    outputs: {{highly_sensitive: {{x: output/{n}.csv}}}}\n");
    let study = Study::of(&(0..201).map(action).collect::<String>(), &[]);
    let cloister = |words: &[&str]| {
        let mut command = study.command(words);
        command.env("CLOISTER_ACTIONS_URL", shelf.0.path()).env("CLOISTER_CACHE_DIR", cache.path());
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let copies = || std::fs::read_dir(cache.path().join("actions")).unwrap().count();
    let (code, said) = cloister(&["run", "run_all"]);
    assert!(code == Some(1) && said.contains("more than 200 different reusable actions"), "{said}");
    assert_eq!((cloister(&["check", "-q"]).0, copies()), (Some(1), 0));
    assert_eq!((cloister(&["plan", "a7"]).0, copies()), (Some(0), 0), "what is not fetched leaves nothing");
}

const FINE: (&str, &str, &str) = ("100644", "action.yaml", "run: python:v2 python count.py\n");

/// A study with the project.yaml that these words make of `count`.
fn study_with(run: &str) -> Study {
    let study = study();
    let yaml = study.read("project.yaml").replace("count-rows:v1.0", run);
    study.write("project.yaml", &yaml);
    study
}

#[test]
fn each_fault_is_told_by_its_code_before_anything_runs() {
    let shelf = Shelf::new();
    let action = |name: &str, branch: &str, files: &[File<'_>]| {
        let repository = shelf.repository(name);
        repository.commit("main", &[("100644", "README.md", "an action")]);
        repository.tag("v1.0", &repository.commit(branch, files));
        repository
    };
    let file = |text: &'static str| [("100644", "action.yaml", text)];
    action("draft", "draft", &[FINE]);
    action("plain", "main", &[("100644", "count.py", COUNT)]);
    action("linked", "main", &[("120000", "action.yaml", "/etc/passwd")]);
    action("bad", "main", &file("run: [python:v2"));
    action("other", "main", &file("run: draft:v1.0 a.py"));
    action("patients", "main", &file("run: cohortextractor:v1 generate_cohort"));
    let huge = format!("run: python:v2 a.py\n# {}", "x".repeat(1 << 20));
    action("huge", "main", &[("100644", "action.yaml", &huge)]);
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    (1..60).for_each(|n| bomb += &format!("a{n}: &a{n} [*a{m}, *a{m}]\n", m = n - 1));
    action("bomb", "main", &[("100644", "action.yaml", &(bomb + "run: python:v2 a.py\n"))]);
    let blob = action("blob", "main", &[FINE]);
    let object = blob.git(&["rev-parse", "main:action.yaml"], b"");
    blob.tag("v2.0", &object);
    for (run, code) in [
        ("nowhere:v1.0", "P801"),
        ("draft:v7.7", "P802"),
        ("blob:v2.0", "P802"),
        ("draft:v1.0", "P803"),
        ("plain:v1.0", "P804"),
        ("linked:v1.0", "P804"),
        ("bad:v1.0", "P805"),
        ("huge:v1.0", "P805"),
        ("bomb:v1.0", "P805"),
        ("other:v1.0", "P806"),
        ("patients:v1.0", "P807"),
        ("--upload-pack:v1.0", "P808"),
        ("a..b:v1.0", "P808"),
        ("../draft:v1.0", "P307"),
        ("draft:--upload-pack=x", "P304"),
    ] {
        let study = study_with(run);
        let ran = shelf.run(&study, &["run_all"]).failed();
        let place = format!("error[{code}]: ");
        assert!(ran.err.contains(&place) && ran.err.contains("project.yaml:10:10"), "{run}: {}", ran.err);
        assert!(!study.has("output/rows.csv") && !study.has("actions.lock"), "{run}: nothing ran");
        shelf.cloister(&study, &["check", "--resolve"]).failed().says(&place);
    }
    // Without `--resolve` nothing is asked, so that nothing is known.
    shelf.cloister(&study_with("nowhere:v1.0"), &["check", "--allow", "P809"]).done().says("1 hidden");
    shelf.cloister(&study_with("nowhere:v1.0"), &["check"]).done().says("note[P809]");
    // What is not needed for what is asked for is not asked about.
    let study = study_with("nowhere:v1.0");
    shelf.run(&study, &["rows"]).done();
    // Without a place there are no reusable actions.
    study.cloister(&["check"]).failed().says("error[P307]").says("actions.url");
}

#[test]
fn a_commit_is_pinned_until_its_entry_is_removed() {
    let ((shelf, repository, first), study) = (counting(), study());
    shelf.run(&study, &["run_all"]).done();
    let text = COUNT.replace("f\"", "f\"newer ");
    let newer = repository.commit("main", &[FINE, ("100644", "count.py", &text)]);
    // An annotated tag is an object of its own.
    repository.git(&["tag", "-f", "-a", "-m", "second", "v1.0", &newer], b"");
    assert!(shelf.run(&study, &["run_all"]).done().ran().is_empty());
    shelf.run(&study, &["-f", "count"]).done();
    assert!(!study.read("output/count.txt").contains("newer"), "the tag has moved, the pin has not");
    let asked = shelf.cloister(&study, &["check", "--resolve"]).done();
    assert!(asked.err.contains(&format!("is commit {newer} now")) && asked.err.contains(&first), "{}", asked.err);
    let pinned = study.read("actions.lock");
    std::fs::remove_file(study.folder.join("actions.lock")).unwrap();
    let again = shelf.run(&study, &["run_all"]).done();
    assert_eq!(again.ran(), ["count"], "{}", again.out);
    assert!(again.out.contains("count.py changed"), "{}", again.out);
    assert!(study.read("output/count.txt").starts_with("newer 3 "));
    assert_eq!(lock(&study)["actions"]["count-rows:v1.0"]["commit"], newer.as_str());
    // A fresh clone with the first pin on a machine that has fetched nothing.
    let clone = self::study();
    clone.write("actions.lock", &pinned);
    let ran = shelf.run(&clone, &["run_all"]).done();
    assert!(ran.err.contains("fetching the reusable action count-rows:v1.0 from "), "{}", ran.err);
    assert!(clone.read("output/count.txt").starts_with("3 "));
    assert_eq!(clone.read("actions.lock"), pinned, "not a byte of it changes");
}

#[test]
fn without_a_connection_what_was_fetched_counts() {
    let ((shelf, repository, commit), study) = (counting(), study());
    shelf.run(&study, &["--offline", "run_all"]).failed().says("was not fetched before");
    assert!(!study.has("output/rows.csv"), "nothing ran");
    shelf.cloister(&study, &["--offline", "check"]).done().says("note[P809]");
    shelf.run(&study, &["run_all"]).done();
    std::fs::remove_dir_all(&repository.0).unwrap();
    std::fs::remove_file(study.folder.join("actions.lock")).unwrap();
    let ran = shelf.run(&study, &["--offline", "-f", "count"]).done();
    assert!(
        ran.err.contains(&format!("offline: count-rows:v1.0 is commit {commit}, as when it was last")),
        "{}",
        ran.err
    );
    // Pinned and fetched: nobody asks for a repository that has vanished. Only who asks hears of it.
    shelf.run(&study, &["-f", "count"]).done();
    std::fs::remove_file(study.folder.join("actions.lock")).unwrap();
    shelf.cloister(&study, &["check", "--resolve"]).failed().says("error[P801]");
}

#[test]
fn of_what_was_not_fetched_nothing_is_said_to_have_changed() {
    let ((shelf, _repository, _), study) = (counting(), study());
    shelf.run(&study, &["run_all"]).done();
    // As on a machine that has the results, and has fetched nothing.
    let cache = tempfile::tempdir().unwrap();
    let mut command = study.command(&["plan", "run_all", "--format", "json"]);
    let done = command.env("CLOISTER_ACTIONS_URL", shelf.0.path()).env("CLOISTER_CACHE_DIR", cache.path()).output();
    let plan: serde_json::Value = serde_json::from_slice(&done.unwrap().stdout).unwrap();
    let count = plan["actions"].as_array().unwrap().iter().find(|action| action["action"] == "count").unwrap();
    assert_eq!((&count["decision"], &count["state"]), (&"keep".into(), &"up_to_date".into()), "{count}");
}

#[test]
fn plan_and_info_say_what_it_is() {
    let ((shelf, _repository, commit), study) = (counting(), study());
    shelf.cloister(&study, &["plan"]).done().says("count-rows:v1.0 not installed");
    shelf.cloister(&study, &["info", "--project"]).done().says("count-rows:v1.0: not fetched yet");
    shelf.cloister(&study, &["plan", "--resolve"]).done().says("fetching the reusable action");
    assert!(!study.has("actions.lock"), "plan writes nothing");
    let json = shelf.cloister(&study, &["plan", "--format", "json"]).done().out;
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    let count = plan["actions"].as_array().unwrap().iter().find(|action| action["action"] == "count").unwrap();
    assert_eq!(count["runtime"]["written"], "count-rows:v1.0");
    assert_eq!(count["runtime"]["resolved"], "python:v2");
    let words = ["python:v2", "python", "count.py", "output/rows.csv", "output/count.txt", "--config"];
    let config = r#"{"unit": "it\u0027s"}"#;
    assert_eq!(count["command"], serde_json::json!([&words[..], &[config]].concat()));
    shelf.cloister(&study, &["info", "--project"]).done().says(&format!("count-rows:v1.0: commit {commit} of "));
}

#[test]
fn words_of_a_shell_mean_nothing() {
    let (shelf, study) = (Shelf::new(), study());
    let repository = shelf.repository("count-rows");
    let text = "import sys\nopen('output/count.txt', 'w').write(repr(sys.argv[1:6]))\n";
    let run = "run: python:v2 python a.py $HOME && touch `id` ';'\n";
    repository.tag("v1.0", &repository.commit("main", &[("100644", "action.yaml", run), ("100755", "a.py", text)]));
    shelf.run(&study, &["run_all"]).done();
    assert_eq!(study.read("output/count.txt"), "['$HOME', '&&', 'touch', '`id`', ';']");
}

#[test]
fn links_of_a_repository_lead_nowhere() {
    let shelf = Shelf::new();
    let outside = tempfile::tempdir().unwrap();
    let to = outside.path().to_str().unwrap();
    let secret = outside.path().join("secret.txt");
    std::fs::write(&secret, "secret").unwrap();
    let repository = shelf.repository("count-rows");
    let tries = [
        // A link where the needed output's folder must be.
        vec![("120000", "output", to)],
        // A link where the declared output must be.
        vec![("120000", "output/count.txt", secret.to_str().unwrap())],
    ];
    for (n, links) in tries.into_iter().enumerate() {
        let run = ("100644", "action.yaml", "run: python:v2 python -c pass\n");
        let tag = format!("v1.{n}");
        repository.tag(&tag, &repository.commit("main", &[links, vec![run]].concat()));
        let study = study_with(&format!("count-rows:{tag}"));
        shelf.run(&study, &["run_all"]).failed().says("output");
        assert!(!study.has("output/count.txt"));
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "nothing is written there");
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret");
    }
}

#[test]
fn a_study_cannot_say_where_code_comes_from() {
    let ((shelf, _repository, commit), study) = (counting(), study());
    study.write("cloister.toml", &format!("[actions]\nurl = {:?}\n", shelf.0.path()));
    study.cloister(&["run", "run_all"]).failed().says("warning[X302]").says("error[P307]");
    std::fs::remove_file(study.folder.join("cloister.toml")).unwrap();
    let entry = |repository: &str, commit: &str| {
        format!(
            r#"{{"schema": "cloister.actions/1", "actions": {{"count-rows:v1.0": {{"repository": "{repository}", "commit": "{commit}"}}}}}}"#
        )
    };
    // A pin of another place says nothing of this one.
    study.write("actions.lock", &entry("/srv/elsewhere/count-rows", &commit.replace(&commit[..4], "0000")));
    shelf.run(&study, &["run_all"]).done();
    assert_eq!(lock(&study)["actions"]["count-rows:v1.0"]["commit"], commit.as_str());
    // A pin cannot make of a draft what was approved.
    let draft = _repository.commit("draft", &[FINE, ("100644", "count.py", "steal()")]);
    let here = lock(&study)["actions"]["count-rows:v1.0"]["repository"].as_str().unwrap().to_owned();
    study.write("actions.lock", &entry(&here, &draft));
    shelf.run(&study, &["-f", "count"]).failed().says("error[P803]");
    for bad in ["", "{}", "[]", r#"{"schema": "cloister.actions/2", "actions": {}}"#, &entry(&here, "main")] {
        study.write("actions.lock", bad);
        shelf.run(&study, &["-f", "count"]).failed().says("actions.lock cannot be used");
    }
    study.write("actions.lock", &" ".repeat(2_000_000));
    shelf.run(&study, &["-f", "count"]).failed().says("actions.lock cannot be used");
    std::fs::remove_file(study.folder.join("actions.lock")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", study.folder.join("actions.lock")).unwrap();
    shelf.run(&study, &["-f", "count"]).failed().says("actions.lock");
}
