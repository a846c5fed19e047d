//! Commits of real repositories into the store and from there into a workspace.
//! Spec jobs.md 18, 20; rows 40 and 41 of sandbox.md 13 as far as a workspace is concerned.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jobs::ObjectId;
use jobs::store::{Durability, Store};
use jobs::tree::{CommitTree, Entry, Input, Note, of_commit};
use repositories::{AllowList, BadTree, CommitOnBranch, Limits, LocalRepos, Mirrors, ReadError, Settings};
use sandbox::folder::SafeFolder;
use tempfile::TempDir;

/// A repository with the one commit that a `git fast-import` stream describes.
fn commit(dir: &Path, files: &[(&str, &[u8], &[u8])]) -> CommitOnBranch {
    let source = dir.join("source");
    let git = |words: &[&str], input: &[u8]| {
        let mut command = Command::new("git");
        command
            .args(words)
            .env("GIT_DIR", &source)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "git {words:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "--bare"], b"");
    let mut stream = b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n".to_vec();
    for (mode, path, bytes) in files {
        let quoted: String = path.iter().map(|b| format!("\\{b:03o}")).collect();
        if *mode == "160000" {
            stream.extend(format!("M {mode} {} \"{quoted}\"\n", "1".repeat(40)).into_bytes());
            continue;
        }
        stream.extend(format!("M {mode} inline \"{quoted}\"\ndata {}\n", bytes.len()).into_bytes());
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    }
    git(&["fast-import", "--quiet"], &stream);
    let head = git(&["rev-parse", "refs/heads/main"], b"").parse().unwrap();
    let list = AllowList::new::<&str>([], LocalRepos::Allowed).unwrap();
    let repo = list.check(&source.to_str().unwrap().parse().unwrap()).unwrap();
    let mut settings = Settings::new(dir.join("mirrors"));
    settings.first_wait = Duration::from_millis(1);
    Mirrors::open(settings).unwrap().ensure(&repo, &"main".parse().unwrap(), head).unwrap()
}

fn read(code: &CommitOnBranch, store: &Store) -> CommitTree {
    of_commit(code, &Limits::BACKEND, store).unwrap()
}

#[test]
fn a_commit_becomes_a_tree_and_a_workspace() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(&dir.path().join("state"), Durability::Kill).unwrap();
    let big = vec![b'x'; 3 << 20];
    let code = commit(
        dir.path(),
        &[
            ("100644", b"project.yaml", b"version: 3\r\n"),
            ("100755", b"analysis/run.sh", b"#!/bin/sh\n"),
            ("100644", b"data/big.bin", &big),
            ("100644", b"again.yaml", b"version: 3\r\n"),
            ("120000", b"inside", b"analysis/run.sh"),
            ("120000", b"outside", b"/etc/hostname"),
            ("100644", b".gitattributes", b"* text eol=lf ident export-subst\n"),
            ("100644", b"bad\xff", b"x"),
            ("160000", b"library", b""),
            ("160000", b"other", b""),
            ("100644", b"large.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
        ],
    );
    let CommitTree { tree, tree_id, notes } = read(&code, &store);
    assert_eq!(tree_id.len(), 40);
    let file = |bytes: &[u8], mode| Entry::File { mode, object: ObjectId::of(bytes), size: bytes.len() as u64 };
    assert_eq!(tree.entries["project.yaml"], file(b"version: 3\r\n", 0o644));
    assert_eq!(tree.entries["again.yaml"], tree.entries["project.yaml"]);
    assert_eq!(tree.entries["analysis/run.sh"], file(b"#!/bin/sh\n", 0o755));
    assert_eq!(tree.entries["data/big.bin"], file(&big, 0o644));
    assert_eq!(tree.entries["outside"], Entry::Link { target: "/etc/hostname".into() });
    assert_eq!(tree.entries.len(), 8);
    assert_eq!(
        notes,
        [
            Note::BadName { path: "bad\u{fffd}".into() },
            Note::LfsPointers { path: "large.csv".into(), count: 1 },
            Note::Submodules { path: "library".into(), count: 2 },
        ]
    );
    let said: Vec<String> = notes.iter().map(Note::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    the name of `bad�` is not UTF-8; actions do not see it
    `large.csv` is kept in git LFS; actions see only the pointer to it: commit the file itself
    `library` (and 1 more) is a submodule; actions do not see it: commit the files themselves
    ");
    let workspace = TempDir::new().unwrap();
    tree.write_to(&store, &SafeFolder::at(workspace.path()).unwrap()).unwrap();
    assert_eq!(fs::read(workspace.path().join("project.yaml")).unwrap(), b"version: 3\r\n");
    assert_eq!(fs::read(workspace.path().join("inside")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(fs::read_link(workspace.path().join("outside")).unwrap(), Path::new("/etc/hostname"));
    assert_eq!(read(&code, &store).tree, tree, "again, from the same store");
}

#[test]
fn a_commit_is_what_its_clone_is_on_a_laptop() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(&dir.path().join("state"), Durability::Kill).unwrap();
    let code = commit(
        dir.path(),
        &[
            ("100644", b"project.yaml", b"version: 3\n"),
            ("100755", b"analysis/run.sh", b"#!/bin/sh\n"),
            ("100644", b"analysis/deep/er/a.py", b"print(1)\r\n"),
            ("120000", b"analysis/link", b"../project.yaml"),
            ("100644", "d\u{e9}j\u{e0} vu.csv".as_bytes(), b""),
        ],
    );
    let clone = dir.path().join("clone");
    let mut git = Command::new("git");
    git.args(["clone", "-q", "-b", "main"]).arg(dir.path().join("source")).arg(&clone);
    assert!(git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success());
    let snapshot = jobs::tree::snapshot(&clone, &|_| false, &store).unwrap();
    assert_eq!(read(&code, &store).tree, snapshot.tree);
    assert_eq!(snapshot.notes, []);
}

#[test]
fn row_40_a_folder_link_of_a_commit_leads_no_input_outside() {
    let dir = TempDir::new().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let store = Store::open(&dir.path().join("state"), Durability::Kill).unwrap();
    let target = outside.to_str().unwrap().as_bytes().to_vec();
    let code = commit(dir.path(), &[("100644", b"project.yaml", b"x"), ("120000", b"output", &target)]);
    let tree = read(&code, &store).tree;
    let object = store.put(&b"patients"[..]).unwrap();
    let input = Input { path: "output/input.csv".into(), object, size: 8 };

    // Positive control: who writes by path after the links are there writes outside.
    let plain = dir.path().join("plain");
    fs::create_dir(&plain).unwrap();
    tree.write_to(&store, &SafeFolder::at(&plain).unwrap()).unwrap();
    fs::write(plain.join("output/control.csv"), "x").unwrap();
    assert!(outside.join("control.csv").exists());
    fs::remove_file(outside.join("control.csv")).unwrap();

    let refused = tree.with_inputs(&[input]).unwrap_err().to_string();
    assert!(refused.starts_with("`output` is a link"), "{refused}");
    // And the folder itself refuses whoever forgets to ask.
    let folder = SafeFolder::at(&plain).unwrap();
    assert!(folder.create("output/input.csv", 0o644).is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn nothing_of_a_commit_that_is_refused_is_stored() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(&dir.path().join("state"), Durability::Kill).unwrap();
    let code =
        commit(dir.path(), &[("100644", b"a", b"first"), ("100644", b"b", b"second"), ("120000", b"c", b"a\0b")]);
    let error = of_commit(&code, &Limits::BACKEND, &store).unwrap_err();
    assert!(matches!(&error, ReadError::BadCommit { path, why: BadTree::Target, .. } if path.as_str() == Some("c")));
    assert!(!store.contains(ObjectId::of(b"first")) && !store.contains(ObjectId::of(b"second")));
    let limits = Limits { bytes: 10, ..Limits::BACKEND };
    let error = of_commit(&code, &limits, &store).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { .. }), "{error}");
}

#[test]
fn row_42_an_alias_bomb_in_project_yaml_is_refused() {
    let dir = TempDir::new().unwrap();
    let mut bomb =
        "version: \"3.0\"\nexpectations:\n  population_size: 10\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    }
    // Positive control: small enough to be read, and 10^30 items when expanded.
    assert!(bomb.len() < 4096 && bomb.matches("*a28").count() == 10);
    let code = commit(dir.path(), &[("100644", b"project.yaml", bomb.as_bytes())]);
    let file = code.project_file().unwrap();
    assert_eq!(file.bytes, bomb.as_bytes());
    let before = peak_kib();
    let loaded = pipeline::load(&file.bytes, "project.yaml");
    assert!(loaded.project.is_none());
    assert!(peak_kib() - before < 64 << 10, "bounded memory");
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
