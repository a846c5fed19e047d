//! Publishing into a project folder that somebody works in.
//! Every refusal is checked to have written nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use pipeline::PrivacyLevel;
use tempfile::TempDir;

use super::*;
use crate::refusal::Why;
use crate::store::Durability;

struct Desk {
    dir: TempDir,
    store: Store,
    _state: TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let (dir, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let store = Store::open(state.path(), Durability::Kill).unwrap();
        Self { dir, store, _state: state }
    }
    fn output(&self, path: &str, text: &str) -> CollectedOutput {
        CollectedOutput {
            path: path.to_owned(),
            level: PrivacyLevel::HighlySensitive,
            size: text.len() as u64,
            object: self.store.put(text.as_bytes()).unwrap(),
            mtime_ns: 0,
            excluded: None,
            row_count: None,
            col_count: None,
        }
    }
    fn publish(&self, outputs: &[(&str, &str)], old: &[(&str, &str)]) -> Result<Published, PublishError> {
        let outputs: Vec<_> = outputs.iter().map(|(path, text)| self.output(path, text)).collect();
        let old: Vec<_> = old
            .iter()
            .map(|(path, text)| Recorded { path: (*path).to_owned(), object: ObjectId::of(text.as_bytes()) })
            .collect();
        publish(&open_project(self.dir.path()).unwrap(), &self.store, &outputs, &old)
    }
    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join(path)).ok()
    }
}

#[test]
fn outputs_land_in_place() {
    let desk = Desk::new(&[("output/same.csv", "same"), ("output/old.csv", "old")]);
    let inode = fs::metadata(desk.dir.path().join("output/same.csv")).unwrap().ino();
    let done =
        desk.publish(&[("output/same.csv", "same"), ("output/old.csv", "new"), ("a/b/new.csv", "1")], &[]).unwrap();
    assert_eq!(done.written, ["output/old.csv", "a/b/new.csv"]);
    assert_eq!(done.unchanged, ["output/same.csv"]);
    assert_eq!(desk.text("output/old.csv").unwrap(), "new");
    assert_eq!(desk.text("a/b/new.csv").unwrap(), "1");
    let after = fs::metadata(desk.dir.path().join("output/same.csv")).unwrap();
    assert_eq!(after.ino(), inode, "nothing is written when nothing changed");
    let new = fs::metadata(desk.dir.path().join("a/b/new.csv")).unwrap();
    assert_eq!((new.permissions().mode() & 0o777, new.nlink()), (0o644, 1));
    assert_eq!(fs::read_dir(desk.dir.path().join("output")).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn a_hard_linked_target_is_replaced_not_written_into() {
    let desk = Desk::new(&[("notes.txt", "mine")]);
    fs::hard_link(desk.dir.path().join("notes.txt"), desk.dir.path().join("out.txt")).unwrap();
    desk.publish(&[("out.txt", "made")], &[]).unwrap();
    assert_eq!((desk.text("notes.txt").unwrap(), desk.text("out.txt").unwrap()), ("mine".into(), "made".into()));
}

#[test]
fn settings_are_never_changed_but_may_match() {
    for path in ["project.yaml", "cloister.toml", ".git/config", "sub/.Git/hooks/x", "metadata/a.log"] {
        let desk = Desk::new(&[(path, "before")]);
        let done = desk.publish(&[(path, "before")], &[]).unwrap();
        assert_eq!(done.unchanged, [path]);
        for text in ["after", "beforf"] {
            let refused = desk.publish(&[("a.csv", "1"), (path, text)], &[]).unwrap_err();
            assert!(matches!(&refused, PublishError::Unsafe(u) if *u == Unsafe::new(path, Why::Protected)));
            assert_eq!((desk.text(path).unwrap().as_str(), desk.text("a.csv")), ("before", None));
        }
        let absent = Desk::new(&[]).publish(&[(path, "made")], &[]).unwrap_err();
        assert!(matches!(absent, PublishError::Unsafe(_)), "{path} is not made either");
        let old = Desk::new(&[(path, "before")]);
        assert_eq!(old.publish(&[], &[(path, "before")]).unwrap().kept, [(path.to_owned(), KeptBecause::Protected)]);
        assert!(old.text(path).is_some());
    }
}

#[test]
fn nothing_is_written_through_links_or_over_folders() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("x.csv"), "outside").unwrap();
    let desk = Desk::new(&[("plain", "file"), ("folder/x/y", "1")]);
    symlink(outside.path(), desk.dir.path().join("link")).unwrap();
    symlink(outside.path().join("x.csv"), desk.dir.path().join("x.csv")).unwrap();
    symlink("plain", desk.dir.path().join("inner")).unwrap();
    for (path, at, why) in [
        ("link/x.csv", "link", Why::Link),
        ("link/new/x.csv", "link", Why::Link),
        ("x.csv", "x.csv", Why::Link),
        ("inner", "inner", Why::Link),
        ("plain/x.csv", "plain", Why::NotAFolder),
        ("folder/x", "folder/x", Why::IsFolder),
    ] {
        let refused = desk.publish(&[("a.csv", "1"), (path, "made")], &[]).unwrap_err();
        assert!(matches!(&refused, PublishError::Unsafe(u) if *u == Unsafe::new(at, why)), "{path}: {refused:?}");
        assert_eq!(desk.text("a.csv"), None, "all are checked before the first is written");
    }
    assert_eq!(fs::read_to_string(outside.path().join("x.csv")).unwrap(), "outside");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    let old = desk.publish(&[], &[("link/x.csv", "outside"), ("x.csv", "outside"), ("inner", "file")]).unwrap();
    assert_eq!(old.removed, [] as [&str; 0]);
    assert_eq!(old.kept.len(), 3);
    assert_eq!(fs::read_to_string(outside.path().join("x.csv")).unwrap(), "outside");
}

#[test]
fn obsolete_outputs_go_only_if_nobody_touched_them() {
    let desk = Desk::new(&[("gone.csv", "1"), ("edited.csv", "mine now"), ("Table.csv", "1"), ("kept.csv", "1")]);
    let old = [("gone.csv", "1"), ("edited.csv", "1"), ("Table.csv", "1"), ("kept.csv", "0"), ("absent.csv", "1")];
    let done = desk.publish(&[("table.csv", "1"), ("kept.csv", "1")], &old).unwrap();
    assert_eq!(done.removed, ["gone.csv"]);
    assert_eq!(
        done.kept,
        [("edited.csv".to_owned(), KeptBecause::Edited), ("Table.csv".to_owned(), KeptBecause::CaseTwin)]
    );
    assert_eq!(desk.text("gone.csv"), None);
    assert!(desk.text("Table.csv").is_some() && desk.text("kept.csv").is_some());
}

#[test]
fn lost_bytes_leave_the_old_file() {
    let desk = Desk::new(&[("a.csv", "old")]);
    let mut output = desk.output("a.csv", "new");
    output.object = ObjectId::of(b"never stored");
    let project = open_project(desk.dir.path()).unwrap();
    let failed = publish(&project, &desk.store, &[output], &[]).unwrap_err();
    assert!(matches!(failed, PublishError::Store(StoreError::Missing { .. })), "{failed:?}");
    assert_eq!(desk.text("a.csv").unwrap(), "old");
    assert_eq!(fs::read_dir(desk.dir.path()).unwrap().count(), 1);
}

#[test]
fn a_privileged_run_gives_files_to_the_owner_of_the_folder() {
    let desk = Desk::new(&[]);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to give files away");
        return;
    }
    std::os::unix::fs::chown(desk.dir.path(), Some(4_242), Some(4_243)).unwrap();
    desk.publish(&[("a/b.csv", "1")], &[]).unwrap();
    for path in ["a", "a/b.csv"] {
        let made = fs::metadata(desk.dir.path().join(path)).unwrap();
        assert_eq!((made.uid(), made.gid()), (4_242, 4_243), "{path}");
    }
}
