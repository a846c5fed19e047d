//! `add`, `update` and `check` when the site behaves.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use codelists::{Site, State, Unlisted, Versions};

use crate::server::{Server, csv};
use crate::study::{LATER, NOW, Study, codes, found};

const ASTHMA: &str = "code,term\n195967001,Asthma\n";

fn two() -> (Server, Study) {
    let server = Server::start();
    server.list("org/asthma/v1", csv(ASTHMA));
    server.list("user/someone/other-list/1a2b", csv("code\r\n7\r\n"));
    let study = Study::of(&server);
    study.write("codelists.txt", "# ours\norg/asthma/v1\n\nuser/someone/other-list/1a2b/\n");
    (server, study)
}

/// The bytes of the manifest worked out by hand from the spec; the second hash is that of `code LF 7`.
#[test]
fn an_update_writes_what_is_listed_and_a_second_one_nothing() {
    let (server, study) = two();
    let updated = study.update().unwrap();
    assert_eq!(updated.added, ["org-asthma.csv", "user-someone-other-list.csv"]);
    assert_eq!(study.read("org-asthma.csv"), ASTHMA);
    assert_eq!(study.read("user-someone-other-list.csv"), "code\r\n7\r\n", "as downloaded");
    let expected = r#"{
  "files": {
    "org-asthma.csv": {
      "id": "org/asthma/v1",
      "url": "https://www.opencodelists.org/codelist/org/asthma/v1/",
      "downloaded_at": "2026-01-02 03:04:05.000006Z",
      "sha": "6ea683c59c7410a86e2e3f5e1124f53f576c68a2"
    },
    "user-someone-other-list.csv": {
      "id": "user/someone/other-list/1a2b",
      "url": "https://www.opencodelists.org/codelist/user/someone/other-list/1a2b/",
      "downloaded_at": "2026-01-02 03:04:05.000006Z",
      "sha": "f6d19618723a491057f81350123362205a539d0d"
    }
  }
}"#;
    assert_eq!(study.read("codelists.json"), expected);
    assert!(study.check().ok());

    let before = study.bytes();
    let inode = fs::metadata(study.folder.path().join("codelists")).unwrap().ino();
    let again = study.update_at(LATER, Unlisted::Keep).unwrap();
    assert_eq!((again.unchanged.len(), again.added.len() + again.changed.len() + again.removed.len()), (2, 0));
    assert_eq!(study.bytes(), before, "not even a date");
    assert_eq!(fs::metadata(study.folder.path().join("codelists")).unwrap().ino(), inode, "nothing is written");

    server.list("org/asthma/v1", csv("code,term\n1,Other\n"));
    let changed = study.update_at(LATER, Unlisted::Keep).unwrap();
    assert_eq!((changed.changed, changed.unchanged.len()), (vec!["org-asthma.csv".to_owned()], 1));
    let manifest = study.read("codelists.json");
    assert!(manifest.contains("2026-02-02 03:04:05.000006Z") && manifest.contains("2026-01-02 03:04:05.000006Z"));
    let agent = &server.asked()[0].headers["user-agent"];
    assert_eq!(agent, "cloister/1.2.3");
}

#[test]
fn everything_else_in_the_folder_stays_as_it_is() {
    let (_server, study) = two();
    study.write("README.md", "ours");
    fs::create_dir_all(study.path("local/deep")).unwrap();
    fs::write(study.path("local/deep/own.csv"), "code\n1\n").unwrap();
    std::os::unix::fs::symlink("README.md", study.path("link")).unwrap();
    fs::set_permissions(study.path("README.md"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(study.path("local"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(study.path(""), fs::Permissions::from_mode(0o775)).unwrap();
    let before = study.bytes();
    study.update().unwrap();
    let mut after = study.bytes();
    for new in ["codelists.json", "org-asthma.csv", "user-someone-other-list.csv"] {
        assert!(after.remove(&std::path::Path::new("codelists").join(new)).is_some());
    }
    assert_eq!(after, before);
    let mode = |name: &str| fs::metadata(study.path(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("README.md"), mode("local"), mode(""), mode("org-asthma.csv")), (0o600, 0o750, 0o775, 0o644));
}

#[test]
fn an_addition_makes_the_folder_and_says_no_to_what_is_listed() {
    let server = Server::start();
    for version in ["v1", "v2"] {
        server.list(&format!("org/asthma/{version}"), csv(&format!("code\n{version}\n")));
    }
    server.list("org/other/v1", csv("code\n1\n"));
    let study = Study::of(&server);
    let address = format!("{}/codelist/org/asthma/v1/#full-list", server.address);
    study.add(&[&address, "org/other/v1"], Versions::KeepOld).unwrap();
    assert_eq!(study.read("codelists.txt"), "org/asthma/v1\norg/other/v1\n");
    assert_eq!(study.read("org-asthma.csv"), "code\nv1\n");
    assert!(study.check().ok(), "{:?}", study.check());

    let before = study.bytes();
    assert_eq!(codes(study.add(&["org/asthma/v1"], Versions::KeepOld)), ["C103"]);
    assert_eq!(codes(study.add(&["org/asthma/v2"], Versions::KeepOld)), ["C104"]);
    assert_eq!(codes(study.add(&["https://x.example/codelist/a/b/c/", "a/b"], Versions::KeepOld)), ["C106", "C102"]);
    assert_eq!(codes(study.add(&["org/none/v1"], Versions::KeepOld)), ["C401"]);
    assert_eq!(study.bytes(), before);

    study.add(&["org/asthma/v2"], Versions::Replace).unwrap();
    assert_eq!(study.read("codelists.txt"), "org/asthma/v2\norg/other/v1\n", "in its old place");
    assert_eq!(study.read("org-asthma.csv"), "code\nv2\n");
    assert!(study.check().ok(), "the new entry of the manifest wins: {:?}", study.check());
}

#[test]
fn what_is_no_longer_listed_is_removed_only_if_it_can_be_had_again() {
    let (_server, study) = two();
    study.update().unwrap();
    study.write("codelists.txt", "org/asthma/v1\n");
    study.write("by-hand.csv", "code\n1\n");
    study.write("committed.csv", "code\n2\n");
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let done = Command::new("git").args(identity).args(words).current_dir(study.folder.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "codelists/committed.csv"]);
    git(&["commit", "-q", "-m", "x"]);

    let updated = study.update().unwrap();
    assert_eq!(updated.removed, ["committed.csv", "user-someone-other-list.csv"]);
    assert_eq!(updated.kept, ["by-hand.csv"]);
    assert!(study.path("by-hand.csv").exists() && !study.path("committed.csv").exists());
    assert_eq!(found(&study.check()), ["C204"]);
    assert_eq!(study.check().repair(), Some("codelists update --delete-unlisted"));
    let updated = study.update_at(NOW, Unlisted::Delete).unwrap();
    assert_eq!(updated.removed, ["by-hand.csv"]);
    assert!(study.check().ok());
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    let (_server, study) = two();
    study.update().unwrap();
    study.write("codelists.txt", "org/asthma/v1\n");
    study.write("committed.csv", "code\n2\n");
    let ran = study.folder.path().join("ran");
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let done = Command::new("git").args(identity).args(words).current_dir(study.folder.path()).output().unwrap();
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "codelists/committed.csv"]);
    git(&["commit", "-q", "-m", "x"]);
    let tree = git(&["rev-parse", "HEAD^{tree}"]);
    let program = format!("sh -c 'touch {}' #", ran.display());
    let elsewhere = study.folder.path().join(".git").display().to_string();
    for (name, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &elsewhere),
        ("remote.origin.uploadpack", &program),
        ("protocol.file.allow", "always"),
        ("core.fsmonitor", &program),
        ("core.pager", &program),
        ("pager.rev-parse", "true"),
        ("alias.rev-parse", &format!("!{program}")),
    ] {
        git(&["config", name, value]);
    }
    // git asks the remote for what is missing.
    fs::remove_file(study.folder.path().join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    git(&["rev-parse", "HEAD:./codelists/committed.csv"]);
    assert!(ran.exists(), "the positive control");
    fs::remove_file(&ran).unwrap();

    let updated = study.update().unwrap();
    assert!(!ran.exists(), "the repository's settings named it");
    assert_eq!(updated.kept, ["committed.csv"], "git cannot tell whether it could give it back");
}

#[test]
fn a_check_names_every_fault() {
    let (_server, study) = two();
    assert_eq!(found(&study.check()), ["C201"]);
    study.update().unwrap();
    study.write("codelists.txt", "org/asthma/v2\norg/new/v1\nuser/someone/other-list/1a2b\n");
    study.write("org-asthma.csv", "code,term\n195967001,Asthma and more\n");
    fs::remove_file(study.path("user-someone-other-list.csv")).unwrap();
    study.write("mine.csv", "code\n1\n");
    let report = study.check();
    assert_eq!(found(&report), ["C203", "C204", "C205"]);
    let states: Vec<_> = report.lines.iter().map(|line| (line.file.as_str(), line.state)).collect();
    assert_eq!(
        states,
        [
            ("org-asthma.csv", State::Stale),
            ("org-new.csv", State::Stale),
            ("user-someone-other-list.csv", State::Missing),
            ("mine.csv", State::Extra),
        ]
    );
    study.write("codelists.json", "{}");
    assert_eq!(found(&study.check()), ["C202"]);
    study.write("codelists.txt", b"\xff\n");
    assert_eq!(found(&study.check()), ["C101"]);
    study.write("codelists.txt", "a/b\nx/y/1\nx/y/1\nx/y/2\n");
    assert_eq!(found(&study.check()), ["C102", "C103", "C104"]);
    fs::remove_dir_all(study.path("")).unwrap();
    let nothing = study.check();
    assert!(nothing.ok() && !nothing.exists);
}

#[test]
fn the_kind_of_line_end_does_not_count() {
    let (_server, study) = two();
    study.update().unwrap();
    study.write("org-asthma.csv", ASTHMA.replace('\n', "\r\n"));
    assert!(study.check().ok());
}

#[test]
fn a_folder_may_be_the_mirror() {
    let mirror = tempfile::tempdir().unwrap();
    let place = mirror.path().join("codelist/org/asthma/v1");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("download.csv"), ASTHMA).unwrap();
    let mut study = Study::at("https://nobody.invalid");
    study.site = Site::new("https://nobody.invalid", mirror.path().to_str()).unwrap();
    study.add(&["https://nobody.invalid/codelist/org/asthma/v1/"], Versions::KeepOld).unwrap();
    assert_eq!(study.read("org-asthma.csv"), ASTHMA);
}

#[test]
fn eight_at_a_time() {
    let server = Server::start();
    server.pause(std::time::Duration::from_millis(100));
    let ids: Vec<String> = (0..20).map(|n| format!("org/list-{n}/v1")).collect();
    ids.iter().for_each(|id| server.list(id, csv("code\n1\n")));
    let study = Study::of(&server);
    study.write("codelists.txt", ids.join("\n"));
    study.update().unwrap();
    assert!((2..=8).contains(&server.most_at_once()), "{}", server.most_at_once());
}
