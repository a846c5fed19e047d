//! Each command: what it prints, its exit code, and that a failure ends with the one command that repairs it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use serde_json::Value;

use crate::rig::{Rig, ran};
use crate::server::{Reply, csv};

#[test]
fn add_update_check() {
    let rig = Rig::default();
    let address = format!("{}/codelist/org/asthma/v1/", rig.server.address);
    let added = rig.cloister(&["add", &address]);
    assert_eq!((added.code, added.err.as_str()), (Some(0), ""));
    assert_eq!(added.out, "added    codelists/org-asthma.csv\n1 added, 0 changed, 0 removed, 0 unchanged\n");
    let checked = rig.cloister(&["check"]);
    let expected = format!("1 codelist: as downloaded, up to date with {}\n", rig.server.address);
    assert_eq!((checked.code, checked.out), (Some(0), expected));
    assert_eq!(rig.cloister(&["check", "--offline"]).out, "1 codelist: as downloaded\n");
    let updated = rig.cloister(&["update"]);
    assert_eq!((updated.code, updated.out.as_str()), (Some(0), "0 added, 0 changed, 0 removed, 1 unchanged\n"));
    assert_eq!(rig.cloister(&["check-upstream"]).code, Some(0));
}

#[test]
fn a_failed_check_ends_with_its_repair() {
    let rig = Rig::default();
    rig.write("codelists/codelists.txt", "org/asthma/v1\n");
    let no = rig.cloister(&["check"]);
    assert_eq!(no.code, Some(1));
    assert!(no.err.starts_with("error[C201]: "), "{}", no.err);
    assert!(no.err.ends_with("To repair this, run:\n  cloister codelists update\n"), "{}", no.err);
    assert_eq!(rig.cloister(&["update"]).code, Some(0));
    rig.write("codelists/own.csv", "code\n1\n");
    let no = rig.cloister(&["check"]);
    assert!(no.err.ends_with("run:\n  cloister codelists update --delete-unlisted\n"), "{}", no.err);
    let kept = rig.cloister(&["update"]);
    assert_eq!(kept.code, Some(1));
    assert!(kept.err.contains("codelists/own.csv") && kept.err.contains("--delete-unlisted"), "{}", kept.err);
    assert_eq!(rig.cloister(&["update", "--delete-unlisted"]).code, Some(0));
    assert_eq!(rig.cloister(&["check"]).code, Some(0));

    rig.write("codelists/codelists.txt", "org/asthma/v1\norg/asthma\norg/asthma/v1\norg/asthma/v2\n");
    let no = rig.cloister(&["check"]);
    let places: Vec<_> = no.err.lines().filter(|line| line.starts_with("error")).map(|l| &l[..38]).collect();
    assert_eq!(
        places,
        [
            "error[C102]: codelists/codelists.txt:2",
            "error[C103]: codelists/codelists.txt:3",
            "error[C104]: codelists/codelists.txt:4",
        ]
    );
    assert!(no.err.contains("mend codelists/codelists.txt, then run:\n  cloister codelists update\n"), "{}", no.err);
}

#[test]
fn json_says_it_for_programs() {
    let rig = Rig::default();
    rig.write("codelists/codelists.txt", "org/asthma/v1\nuser/someone/other/1a2b\n");
    let document: Value = serde_json::from_str(&rig.cloister(&["update", "--format", "json"]).out).unwrap();
    assert_eq!((&document["ok"], &document["added"][1]), (&true.into(), &"user-someone-other.csv".into()));
    rig.write("codelists/org-asthma.csv", "code\n");
    let no = rig.cloister(&["check", "--offline", "--format", "json"]);
    let document: Value = serde_json::from_str(&no.out).unwrap();
    assert_eq!(no.code, Some(1));
    assert_eq!((&document["schema"], &document["ok"]), (&"cloister.codelists/1".into(), &false.into()));
    assert_eq!(
        document["codelists"],
        serde_json::json!([
            {"id": "org/asthma/v1", "file": "org-asthma.csv", "status": "modified", "detail": null},
            {"id": "user/someone/other/1a2b", "file": "user-someone-other.csv", "status": "ok", "detail": null},
        ])
    );
    assert_eq!(document["faults"][0]["code"], "C205");
    assert_eq!(document["repair"], "cloister codelists update");
    let none: Value = serde_json::from_str(&rig.cloister(&["add", "x", "--format", "json"]).out).unwrap();
    assert_eq!((&none["ok"], &none["faults"][0]["code"]), (&false.into(), &"C102".into()));
}

#[test]
fn a_difference_is_told_code_by_code() {
    let rig = Rig::default();
    rig.cloister(&["add", "org/asthma/v1", "user/someone/other/1a2b"]);
    assert_eq!(rig.cloister(&["diff"]).out, "2 codelists the same, 0 not\n");
    rig.server.list("org/asthma/v1", csv("code,term\n195967001,Asthma (disorder)\n7,New\n"));
    rig.write("codelists/user-someone-other.csv", "code\n7\n8\n");
    rig.write("analysis/study.py", "codelist_from_csv(\"codelists/org-asthma.csv\", system=\"snomed\")\n");
    let no = rig.cloister(&["diff"]);
    let expected = "org/asthma/v1 (codelists/org-asthma.csv)\n  + 7 New\n  ~ 195967001 Asthma -> Asthma (disorder)\n  \
                    used by analysis/study.py\nuser/someone/other/1a2b (codelists/user-someone-other.csv)\n  - 8\n\
                    0 codelists the same, 2 not\n";
    assert_eq!((no.code, no.out.as_str()), (Some(1), expected));
    assert_eq!(rig.cloister(&["diff", "user-someone-other.csv"]).out.lines().count(), 3);
    let document: Value = serde_json::from_str(&rig.cloister(&["diff", "org/asthma", "--format", "json"]).out).unwrap();
    assert_eq!(document["codelists"][0]["added"], serde_json::json!([{"code": "7", "term": "New"}]));
    assert!(rig.cloister(&["diff", "nothing"]).err.contains("does not list `nothing`"));
}

#[test]
fn without_a_network_what_needs_none_still_works() {
    let rig = Rig::default();
    rig.cloister(&["add", "org/asthma/v1"]);
    let asked = rig.server.asked().len();
    for words in [&["update", "--offline"][..], &["add", "org/x/v1", "--offline"], &["check-upstream", "--offline"]] {
        let no = rig.cloister(words);
        assert_eq!(no.code, Some(1), "{words:?}");
        assert!(no.err.contains("--offline forbids"), "{}", no.err);
    }
    assert_eq!(rig.cloister(&["check", "--offline"]).code, Some(0));
    assert_eq!(rig.server.asked().len(), asked, "nobody was asked");
}

#[test]
fn a_study_may_not_choose_the_site() {
    let rig = Rig::default();
    rig.write("cloister.toml", "[codelists]\nurl = \"http://127.0.0.1:1\"\nmirror = \"/etc\"\nparallel = 2\n");
    let added = ran(rig.command(&["add", "org/asthma/v1"]).env_remove("X"));
    assert_eq!(added.code, Some(0), "{}", added.err);
    assert_eq!(added.err.matches("X302").count(), 2, "{}", added.err);
}

#[test]
fn a_change_at_the_source_fails_except_in_a_workflow() {
    let rig = Rig::default();
    rig.cloister(&["add", "org/asthma/v1"]);
    let body = br#"{"status":"error","data":{"added":[],"removed":[],"changed":["org-asthma.csv"]}}"#;
    rig.server.set("/api/v1/check/", Reply::With(200, "application/json", body.to_vec()));
    let no = rig.cloister(&["check"]);
    assert_eq!(no.code, Some(1));
    assert!(no.err.starts_with("error[C301]") && no.err.contains("org-asthma.csv"), "{}", no.err);
    let yes = ran(rig.command(&["check"]).env("GITHUB_WORKFLOW", "tests"));
    assert_eq!(yes.code, Some(0));
    assert!(yes.err.starts_with("warning[C301]"), "{}", yes.err);
    rig.server.set("/api/v1/check/", Reply::With(502, "text/html", Vec::new()));
    let note = rig.cloister(&["check"]);
    assert_eq!((note.code, &note.err[..11]), (Some(0), "note[C302]:"));
    assert_eq!(note.out, "1 codelist: as downloaded\n");
}

#[test]
fn outside_of_a_study_nothing_is_made() {
    let rig = Rig::default();
    fs::remove_file(rig.path("project.yaml")).unwrap();
    assert_eq!(rig.cloister(&["check"]).code, Some(0), "nothing to check");
    let no = rig.cloister(&["add", "org/asthma/v1"]);
    assert_eq!(no.code, Some(1));
    assert!(no.err.contains("X101"), "{}", no.err);
    assert_eq!(rig.cloister(&["add"]).code, Some(2));
    assert_eq!(rig.cloister(&[]).code, Some(2));
    assert_eq!(fs::read_dir(rig.folder()).unwrap().count(), 0);
}

#[test]
fn names_from_a_study_do_not_command_the_terminal() {
    let rig = Rig::default();
    rig.write("codelists/codelists.txt", "org/a\u{1b}[31m/v1\n");
    rig.write("codelists/x\u{1b}[2J.csv", "code\n1\n");
    let no = rig.cloister(&["check"]);
    assert!(no.code == Some(1) && !no.err.contains('\u{1b}'), "{}", no.err);
    rig.write("codelists/codelists.txt", "org/asthma/v1\n");
    let kept = rig.cloister(&["update"]);
    assert!(kept.code == Some(1) && !kept.err.contains('\u{1b}') && !kept.out.contains('\u{1b}'), "{}", kept.err);
}

#[test]
fn what_root_writes_belongs_to_the_owner_of_the_folder() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: only root can write into another user's folder");
        return;
    }
    let rig = Rig::default();
    assert!(Command::new("chown").args(["-R", "4321:4322"]).arg(rig.folder()).status().unwrap().success());
    assert_eq!(rig.cloister(&["add", "org/asthma/v1"]).code, Some(0));
    rig.server.list("org/asthma/v2", csv("code\n2\n"));
    assert_eq!(rig.cloister(&["add", "--replace", "org/asthma/v2"]).code, Some(0));
    for name in ["codelists", "codelists/codelists.txt", "codelists/codelists.json", "codelists/org-asthma.csv"] {
        let found = fs::metadata(rig.path(name)).unwrap();
        assert_eq!((found.uid(), found.gid()), (4321, 4322), "{name}");
    }
}

#[test]
fn from_inside_the_folder_it_stays_the_same_folder() {
    let rig = Rig::default();
    rig.cloister(&["add", "org/asthma/v1"]);
    rig.server.list("org/asthma/v1", csv("code\nnew\n"));
    let folder = rig.path("codelists");
    let before = fs::metadata(&folder).unwrap().ino();
    let updated = ran(rig.command(&["update"]).current_dir(&folder));
    assert_eq!(updated.code, Some(0), "{}", updated.err);
    assert_eq!(rig.read("codelists/org-asthma.csv"), "code\nnew\n");
    assert_eq!(fs::metadata(&folder).unwrap().ino(), before, "a shell that stands in it is not left behind");
    assert_eq!(rig.cloister(&["check"]).code, Some(0));
    let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["codelists.json", "codelists.txt", "org-asthma.csv"]);
}

#[test]
fn a_full_disk_changes_nothing() {
    let rig = Rig::default();
    rig.cloister(&["add", "org/asthma/v1", "user/someone/other/1a2b"]);
    rig.server.list("org/asthma/v1", csv("code\nsmall\n"));
    rig.server.list("user/someone/other/1a2b", csv(&format!("code\n{}", "1\n".repeat(100_000))));
    let before = (rig.read("codelists/org-asthma.csv"), rig.read("codelists/codelists.json"));
    let plain = rig.command(&["update"]);
    // No file may have more than 16 KiB: the second list cannot be written.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" codelists update"]).arg(plain.get_program());
    command.current_dir(rig.folder()).env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap());
    }
    let no = ran(&mut command);
    assert_eq!(no.code, Some(1), "{}", no.err);
    assert!(no.err.contains("too large") || no.err.contains("os error 27"), "{}", no.err);
    assert_eq!((rig.read("codelists/org-asthma.csv"), rig.read("codelists/codelists.json")), before);
    let left: Vec<_> = fs::read_dir(rig.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(rig.cloister(&["check", "--offline"]).code, Some(0));
}
