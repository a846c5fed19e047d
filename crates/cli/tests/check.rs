//! `cloister check` as a person types it: the built program on real studies and on broken files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn studies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies")
}

fn cloister(folder: &Path, words: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_cloister"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks a file of these bytes and gives (exit code, the `short` lines).
fn check(bytes: &[u8]) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), bytes).unwrap();
    let out = cloister(folder.path(), &["check", "--only", "project", "--format", "short"]);
    (out.status.code().unwrap(), text(&out.stdout).lines().map(str::to_owned).collect())
}

const GOOD: &str = "version: '4.0'\n\nactions:\n  clean:\n    run: python:v2 python analysis/clean.py\n    outputs:\n      highly_sensitive:\n        rows: output/clean.csv\n  describe:\n    run: python:v2 python analysis/describe.py\n    needs: [clean]\n    outputs:\n      moderately_sensitive:\n        table: output/table.csv\n";

#[test]
fn a_good_file_has_only_the_note_of_its_version() {
    let (code, lines) = check(GOOD.as_bytes());
    assert_eq!(code, 0, "{lines:?}");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("project.yaml:1:10: warning[P111]"), "{lines:?}");
}

/// Each mistake, and where its error must stand: worked out by counting lines and columns of the text.
#[test]
fn typical_mistakes_have_a_place() {
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("needs-cycle", GOOD.replace("clean.py\n", "clean.py\n    needs: [describe]\n").into(), "[P405]"),
        ("climbing out", GOOD.replace("output/table.csv", "../table.csv").into(), "project.yaml:14:16: error[P515]"),
        ("misspelt key", GOOD.replace("needs:", "need:").into(), "project.yaml:11:5: error[P203]"),
        (
            "wrong tag",
            GOOD.replace("python:v2 python analysis/d", "python:2 python analysis/d").into(),
            "project.yaml:10:10: error[P304]",
        ),
        ("unbalanced quote", GOOD.replace("describe.py", "\"describe.py").into(), "project.yaml:10:"),
        ("empty", Vec::new(), "[P004]"),
        ("only comments", b"# nothing\n".to_vec(), "[P004]"),
        ("not UTF-8", [GOOD.as_bytes(), b"# caf\xe9\n"].concat(), "project.yaml:15:6: error[P001]"),
        ("tab", GOOD.replace("  clean:", "\tclean:").into(), "project.yaml:4:1: error[P002]"),
        ("too large", vec![b'#'; 9 << 20], "[P007]"),
        ("NUL", GOOD.replace("clean.csv", "cl\0ean.csv").into(), "error[P002]"),
    ];
    for (name, bytes, expected) in cases {
        let (code, lines) = check(&bytes);
        assert_eq!(code, 1, "{name}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains(expected)), "{name}: {expected} is not in {lines:?}");
    }
}

#[test]
fn every_study_of_a_seed_has_no_error() {
    let mut seen = 0;
    for entry in fs::read_dir(studies()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("project.yaml").is_file() {
            continue;
        }
        let out = cloister(&folder, &["check", "--format", "json"]);
        assert_eq!(out.status.code(), Some(0), "{}: {}", folder.display(), text(&out.stdout));
        let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(document["schema"], "cloister.check/1");
        assert_eq!(document["ok"], true);
        assert_eq!(document["summary"]["errors"], 0);
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn usage_faults_exit_2_and_no_project_exits_1() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(cloister(folder.path(), &["chekc"]).status.code(), Some(2));
    assert_eq!(cloister(folder.path(), &["check", "--nonsense"]).status.code(), Some(2));
    let out = cloister(folder.path(), &["check"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("X101"), "{}", text(&out.stderr));
    assert_eq!(cloister(folder.path(), &[]).status.code(), Some(0));
    assert_eq!(cloister(folder.path(), &["--version"]).status.code(), Some(0));
}

#[test]
fn allow_hides_a_warning_and_never_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), GOOD).unwrap();
    let out = cloister(folder.path(), &["check", "--only", "project", "--strict"]);
    assert_eq!(out.status.code(), Some(1), "P111 counts with --strict");
    assert!(text(&out.stdout).ends_with("; with --strict warnings count as errors\n"), "{}", text(&out.stdout));
    let out = cloister(folder.path(), &["check", "--only", "project", "--strict", "--allow", "P111"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out.stdout).contains("1 hidden"), "{}", text(&out.stdout));
    fs::write(folder.path().join("project.yaml"), GOOD.replace("output/table.csv", "../t.csv")).unwrap();
    let out = cloister(folder.path(), &["check", "--allow", "P515"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("an error cannot be hidden"), "{}", text(&out.stderr));
    for option in ["--allow", "--deny"] {
        let out = cloister(folder.path(), &["check", option, "P1111"]);
        assert_eq!(out.status.code(), Some(2));
        assert!(text(&out.stderr).contains("did you mean P111?"), "{}", text(&out.stderr));
    }
}

#[test]
fn fix_writes_only_what_is_sure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("project.yaml");
    fs::write(&file, GOOD.replace("needs:", "need:")).unwrap();
    let out = cloister(folder.path(), &["check", "--fix", "--dry-run", "--only", "project"]);
    assert!(text(&out.stdout).contains("+    needs: [clean]"), "{}", text(&out.stdout));
    assert_eq!(fs::read_to_string(&file).unwrap(), GOOD.replace("needs:", "need:"), "a dry run writes nothing");
    let out = cloister(folder.path(), &["check", "--fix", "--only", "project"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), GOOD);
    assert_eq!(out.status.code(), Some(0), "what is mended is no fault any more");
    let human = text(&out.stdout);
    assert!(human.ends_with("1 warning in project.yaml (2 actions)\n") && !human.contains("P203"), "{human}");

    fs::write(&file, GOOD.replace("needs:", "need:")).unwrap();
    let out = cloister(folder.path(), &["check", "--fix", "--format", "json", "--only", "project"]);
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), &document["ok"]), (Some(0), &true.into()));
}

#[test]
fn a_folder_inside_a_study_and_a_path_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), GOOD).unwrap();
    fs::create_dir(folder.path().join("analysis")).unwrap();
    let out = cloister(folder.path(), &["check", "analysis", "--only", "project"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stderr).starts_with("note: using "), "{}", text(&out.stderr));
    let out = cloister(folder.path(), &["check", "nofile.yaml"]);
    assert_eq!(out.status.code(), Some(1));
    let err = text(&out.stderr);
    assert!(err.contains("nofile.yaml does not exist") && !err.contains("--project-dir"), "{err}");
    fs::remove_file(folder.path().join("project.yaml")).unwrap();
    let err = text(&cloister(folder.path(), &["check"]).stderr);
    assert!(err.contains("X101") && !err.contains("--project-dir"), "{err}");
}

/// All faults of a settings file at once; what a study may not set is ignored whatever stands there.
#[test]
fn the_settings_of_a_study_only_tighten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), GOOD).unwrap();
    let settings = folder.path().join("cloister.toml");
    fs::write(&settings, "[run]\nisolation = \"none\"\n[network]\noffline = \"perhaps\"\n").unwrap();
    let out = cloister(folder.path(), &["check", "--only", "project"]);
    let err = text(&out.stderr);
    assert_eq!((out.status.code(), err.matches("warning[X302]").count()), (Some(0), 2), "{err}");
    assert!(!err.contains("X303"), "{err}");
    fs::write(&settings, "[run]\ncpus = 0\nmemory = \"much\"\nconcurrency = 3\n").unwrap();
    let out = cloister(folder.path(), &["check", "--only", "project"]);
    let err = text(&out.stderr);
    assert_eq!((out.status.code(), err.matches("error[X303]").count()), (Some(1), 2), "{err}");
    let out = cloister(folder.path(), &["info", "--config"]);
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(text(&out.stderr).matches("error[X303]").count(), 2);
    let shown = text(&out.stdout);
    let setting = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(setting("run.cpus").contains("2 (default)"), "{shown}");
    assert!(setting("run.concurrency").contains("3 ("), "{shown}");
}

#[test]
fn a_list_of_images_says_why_it_may_lack_some() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), "version: [").unwrap();
    let out = cloister(folder.path(), &["info", "--list-project-images"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("error[P002]"), "{}", text(&out.stderr));
}

fn git(folder: &Path, words: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    text(&Command::new("git").args(identity).args(words).current_dir(folder).output().unwrap().stdout).trim().to_owned()
}

#[test]
fn fix_asks_git_and_git_runs_nothing_that_the_repository_names() {
    let folder = tempfile::tempdir().unwrap();
    let (file, ran) = (folder.path().join("project.yaml"), folder.path().join("ran"));
    let git = |words: &[&str]| git(folder.path(), words);
    fs::write(&file, GOOD).unwrap();
    git(&["init", "-q"]);
    git(&["add", "project.yaml"]);
    git(&["commit", "-q", "-m", "x"]);
    let broken = GOOD.replace("needs:", "need:");
    fs::write(&file, &broken).unwrap();
    let out = cloister(folder.path(), &["check", "--fix", "--only", "project"]);
    assert!(text(&out.stderr).contains("uncommitted changes"), "{}", text(&out.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), broken, "git could not give it back");

    let tree = git(&["rev-parse", "HEAD^{tree}"]);
    git(&["config", "core.repositoryFormatVersion", "1"]);
    git(&["config", "extensions.partialClone", "origin"]);
    git(&["config", "remote.origin.promisor", "true"]);
    git(&["config", "remote.origin.url", &folder.path().join(".git").display().to_string()]);
    git(&["config", "remote.origin.uploadpack", &format!("sh -c 'touch {}' #", ran.display())]);
    fs::remove_file(folder.path().join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    git(&["rev-parse", "HEAD:./project.yaml"]);
    assert!(ran.exists(), "the positive control: git asks the remote for what is missing");
    fs::remove_file(&ran).unwrap();
    cloister(folder.path(), &["check", "--fix", "--only", "project"]);
    assert!(!ran.exists());
}

#[test]
fn explain_knows_each_code() {
    let folder = tempfile::tempdir().unwrap();
    let out = cloister(folder.path(), &["check", "--explain", "p515"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out.stdout).contains("P515"));
    assert_eq!(cloister(folder.path(), &["check", "--explain", "P999"]).status.code(), Some(2));
    for code in ["X103", "c301"] {
        let out = cloister(folder.path(), &["check", "--explain", code]);
        assert_eq!(out.status.code(), Some(2));
        let err = text(&out.stderr);
        assert!(err.contains("pages are for P codes") && !err.contains("did you mean"), "{err}");
    }
}

#[test]
fn codelists_are_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.yaml"), GOOD).unwrap();
    fs::create_dir(folder.path().join("codelists")).unwrap();
    fs::write(folder.path().join("codelists/codelists.txt"), "# é\n  org/list \norg/a/v1\n").unwrap();
    let out = cloister(folder.path(), &["check", "--only", "project,codelists", "--format", "short"]);
    assert_eq!(out.status.code(), Some(1));
    let lines = text(&out.stdout);
    let last = lines.lines().last().unwrap();
    let expected = "codelists/codelists.txt:2:3: error[C102] `org/list` names a codelist without a version";
    assert_eq!(last, expected, "{lines}");
    let out = cloister(folder.path(), &["check", "--only", "codelists"]);
    let human = text(&out.stdout);
    assert!(human.contains("codelists/codelists.txt:2:3") && human.contains("^^^^^^^^\n"), "{human}");
    assert!(human.ends_with("1 error in codelists/codelists.txt (2 actions)\n"), "{human}");

    fs::write(folder.path().join("codelists/codelists.txt"), "org/a/v1\n").unwrap();
    let out = cloister(folder.path(), &["check", "--only", "codelists", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let last = document["diagnostics"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["code"], &last["path"]), (&"C201".into(), &"codelists/codelists.json".into()));
    assert_eq!((&document["ok"], &document["summary"]["errors"]), (&false.into(), &1.into()));
    assert!(last["help"].as_str().unwrap().contains("cloister codelists update"));
    assert_eq!(cloister(folder.path(), &["check", "--only", "project"]).status.code(), Some(0));
}
