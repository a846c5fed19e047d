//! Backups from the command line, beside a site that serves; killed at any instant they leave nothing that misleads.

use std::time::Duration;

use crate::rig::{Office, cloister, said};

#[test]
fn a_backup_is_made_tried_and_put_back() {
    let office = Office::open();
    assert_eq!(office.run(&["user", "add", "sample-r", "--name", "Sample Researcher"]).code, Some(0));
    let (dir, new) = (office.home.path().join("backups"), office.home.path().join("new"));
    let dir = dir.to_str().unwrap();
    let made = office.run(&["backup", dir, "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(made["audit_records"], 1);
    // What comes later is not in it.
    assert_eq!(office.run(&["user", "add", "later", "--name", "Later"]).code, Some(0));
    let tried = office.run(&["backup", dir, "--verify"]);
    assert!(tried.code == Some(0) && tried.out.contains(" is whole: 0 facts, 1 records of the audit log"), "{tried:?}");
    let back = said(&cloister(&["restore", dir], &new).output().unwrap());
    assert!(back.code == Some(0) && back.out.contains("counts again"), "{back:?}");
    let users = said(&cloister(&["user", "list", "--json"], &new).output().unwrap());
    assert!(users.out.contains("sample-r") && !users.out.contains("later"), "{users:?}");
    let chain = said(&cloister(&["audit-verify"], &new).output().unwrap());
    assert!(chain.out.contains("all 2 records"), "{chain:?}");
    // Not over something; not from nothing; and no command begins a site by a wrong folder.
    for (words, data, why) in [
        (vec!["restore", dir], &new, "is not empty"),
        (vec!["restore", dir, "--name", "2020"], &office.home.path().join("other"), "there is no backup"),
        (vec!["user", "list"], &office.home.path().join("other"), "error: there is no site in"),
        (vec!["backup", dir], &office.home.path().join("other"), "error: there is no site in"),
    ] {
        let refused = said(&cloister(&words, data).output().unwrap());
        assert!(refused.code == Some(1) && refused.err.contains(why), "{words:?}: {refused:?}");
    }
    assert!(!office.home.path().join("other").exists());
    assert_eq!(office.run(&["backup", dir, "--keep", "0"]).code, Some(2));
    let kept = office.run(&["backup", dir, "--keep", "1"]);
    assert!(kept.out.contains("1 older backup removed"), "{kept:?}");
}

#[test]
fn a_backup_that_is_killed_leaves_those_before_it() {
    let office = Office::open();
    let dir = office.home.path().join("backups");
    let dir = dir.to_str().unwrap();
    assert_eq!(office.run(&["backup", dir]).code, Some(0));
    for turn in 0..12 {
        assert_eq!(office.run(&["user", "add", &format!("user-{turn}"), "--name", "A person"]).code, Some(0));
        let mut making = cloister(&["backup", dir, "--keep", "3"], &office.data()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(turn * 9));
        let _ = making.kill();
        making.wait().unwrap();
        let tried = office.run(&["backup", dir, "--verify"]);
        assert_eq!(tried.code, Some(0), "after {turn}: {tried:?}");
    }
    let names = std::fs::read_dir(dir).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().is_some());
    assert!(names.count() >= 1);
    assert_eq!(office.run(&["backup", dir, "--keep", "1"]).code, Some(0));
    assert_eq!(office.run(&["audit-verify"]).code, Some(0));
}
