//! Snapshots and layouts against real folders, links and odd names included.
//! Row 40 of spec sandbox.md 13 is here.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use pipeline::Pattern;
use sandbox::folder::SafeFolder;
use tempfile::TempDir;

use super::*;
use crate::refusal::{Unsafe, Why};
use crate::store::{Durability, Store};

fn none(_: &str) -> bool {
    false
}

fn write(dir: &Path, path: &str, text: &str) {
    fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
    fs::write(dir.join(path), text).unwrap();
}

fn put(dir: &TempDir) -> Store {
    Store::open(dir.path(), Durability::Kill).unwrap()
}

#[test]
fn a_snapshot_is_the_folder_as_it_is() {
    let (dir, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (project, store) = (dir.path(), put(&state));
    for (path, text) in [
        ("project.yaml", "version: 3"),
        ("analysis/a.py", "print(1)"),
        ("analysis/__pycache__/a.pyc", "x"),
        ("output/result.csv", "a,b"),
        ("output/keep.md", "kept"),
        ("metadata/a.log", "log"),
        ("sub/metadata/b", "not ours"),
        (".git/HEAD", "ref"),
        ("sub/.git", "gitdir: ../.git"),
        (".hidden", "h"),
        ("analysis/.cloister-12-3.tmp", "left over"),
    ] {
        write(project, path, text);
    }
    fs::create_dir(project.join("empty")).unwrap();
    fs::set_permissions(project.join("analysis/a.py"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("analysis/a.py", project.join("inside")).unwrap();
    symlink("/etc/hosts", project.join("outside")).unwrap();
    symlink("../../x", project.join("sub/up")).unwrap();
    symlink("x", project.join("output/old.csv")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, project.join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::write(project.join(std::ffi::OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    let taken = snapshot(project, &|p| p.starts_with("output/") && p.ends_with(".csv"), &store).unwrap();
    let paths: Vec<&str> = taken.tree.entries.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            ".hidden",
            "analysis/__pycache__/a.pyc",
            "analysis/a.py",
            "inside",
            "output/keep.md",
            "project.yaml",
            "sub/metadata/b"
        ]
    );
    let object = crate::ObjectId::of(b"print(1)");
    assert_eq!(taken.tree.entries["analysis/a.py"], Entry::File { mode: 0o755, object, size: 8 });
    assert_eq!(taken.tree.entries["inside"], Entry::Link { target: "analysis/a.py".into() });
    assert_eq!(
        taken.notes,
        [
            Note::BadName { path: "bad\u{fffd}".into() },
            Note::LinkOut { path: "outside".into(), target: "/etc/hosts".into() },
            Note::Special { path: "pipe".into() },
            Note::LinkOut { path: "sub/up".into(), target: "../../x".into() },
        ]
    );
    assert_eq!(snapshot(project, &none, &store).unwrap().tree, snapshot(project, &none, &store).unwrap().tree);

    let workspace = TempDir::new().unwrap();
    let folder = SafeFolder::at(workspace.path()).unwrap();
    taken.tree.write_to(&store, &folder).unwrap();
    assert_eq!(fs::read_to_string(workspace.path().join("inside")).unwrap(), "print(1)");
    let back = snapshot(workspace.path(), &none, &store).unwrap();
    assert_eq!((back.tree, back.notes), (taken.tree, vec![]));
}

#[test]
fn many_files_keep_their_own_bytes() {
    let (dir, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for n in 0..300 {
        write(dir.path(), &format!("d{}/f{n}", n % 7), &format!("text {}", n % 50));
    }
    write(dir.path(), "big", &"x".repeat(3 << 20));
    let store = put(&state);
    let tree = snapshot(dir.path(), &none, &store).unwrap().tree;
    assert_eq!(tree.entries.len(), 301);
    for n in 0..300 {
        let text = format!("text {}", n % 50);
        assert_eq!(tree.object(&format!("d{}/f{n}", n % 7)), Some(crate::ObjectId::of(text.as_bytes())));
    }
    fs::write(dir.path().join("big"), "y".repeat(3 << 20)).unwrap();
    assert_ne!(snapshot(dir.path(), &none, &store).unwrap().tree.object("big"), tree.object("big"));
}

#[test]
fn row_40_inputs_go_over_code_but_never_behind_a_link() {
    let state = TempDir::new().unwrap();
    let store = put(&state);
    let file = |text: &str| {
        let object = store.put(text.as_bytes()).unwrap();
        Entry::File { mode: 0o644, object, size: text.len() as u64 }
    };
    let link = |target: &str| Entry::Link { target: target.to_owned() };
    let input = |path: &str, text: &str| Input {
        path: path.to_owned(),
        object: store.put(text.as_bytes()).unwrap(),
        size: text.len() as u64,
    };
    let tree = Tree {
        entries: [
            ("output/a.csv".to_owned(), file("code")),
            ("linked".to_owned(), link("/tmp")),
            ("plain".to_owned(), file("p")),
            ("z.csv".to_owned(), link("plain")),
        ]
        .into(),
    };
    let over = tree.with_inputs(&[input("output/a.csv", "made"), input("z.csv", "zed"), input("new/b", "b")]).unwrap();
    let workspace = TempDir::new().unwrap();
    over.write_to(&store, &SafeFolder::at(workspace.path()).unwrap()).unwrap();
    assert_eq!(fs::read_to_string(workspace.path().join("output/a.csv")).unwrap(), "made");
    assert_eq!(fs::read_to_string(workspace.path().join("z.csv")).unwrap(), "zed");
    assert_eq!(fs::read_to_string(workspace.path().join("plain")).unwrap(), "p");
    for (path, at, why) in [
        ("linked/x.csv", "linked", Why::Link),
        ("plain/x/y.csv", "plain", Why::NotAFolder),
        ("output", "output", Why::IsFolder),
    ] {
        assert_eq!(tree.with_inputs(&[input(path, "x")]).unwrap_err(), Unsafe::new(at, why));
    }
    let lost = Input { path: "x".into(), object: crate::ObjectId::of(b"never stored"), size: 1 };
    let workspace = TempDir::new().unwrap();
    let written = tree.with_inputs(&[lost]).unwrap().write_to(&store, &SafeFolder::at(workspace.path()).unwrap());
    assert!(matches!(written, Err(LayoutError::Object { path, .. }) if path == "x"));
}

#[test]
fn parents_of_outputs_are_made() {
    for (pattern, parent) in [
        ("output/a.csv", Some("output")),
        ("output/x/a_*.csv", Some("output/x")),
        ("output/*/a.csv", Some("output")),
        ("output/in*/b/c.csv", Some("output")),
        ("a.csv", None),
        ("*.csv", None),
        ("*/b.csv", None),
    ] {
        assert_eq!(Some(Pattern::new(pattern).parent_folder()).filter(|p| !p.is_empty()), parent, "{pattern}");
    }
    let dir = TempDir::new().unwrap();
    let folder = SafeFolder::at(dir.path()).unwrap();
    write(dir.path(), "file", "x");
    symlink("/tmp", dir.path().join("link")).unwrap();
    make_parents(&folder, &[Pattern::new("a/b/*.csv"), Pattern::new("a/x.csv")]).unwrap();
    assert!(dir.path().join("a/b").is_dir());
    for (pattern, at, why) in [("file/x.csv", "file", Why::NotAFolder), ("link/d/x.csv", "link", Why::Link)] {
        let refused = make_parents(&folder, &[Pattern::new(pattern)]).unwrap_err();
        assert!(matches!(&refused, LayoutError::Unsafe(u) if *u == Unsafe::new(at, why)), "{refused:?}");
    }
}
