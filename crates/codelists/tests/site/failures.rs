//! Each way in which a download can fail, and that not a byte on disk is another afterwards.

use std::fs;
use std::time::Duration;

use codelists::{Error, Versions};

use crate::server::{Reply, Server, csv};
use crate::study::{Study, codes};

/// Ten lists of which the third answers like this, and what the update says.
fn third(reply: Reply) -> (Vec<&'static str>, String) {
    let server = Server::start();
    let ids: Vec<String> = (0..10).map(|n| format!("org/list-{n}/v1")).collect();
    ids.iter().for_each(|id| server.list(id, csv("code\n1\n")));
    server.list(&ids[2], reply);
    let mut study = Study::of(&server);
    study.asking.patience = Duration::from_millis(600);
    study.write("codelists.txt", ids.join("\n"));
    study.write("org-list-0.csv", "code\nold\n");
    let before = study.bytes();
    let result = study.update();
    assert_eq!(study.bytes(), before, "nothing is written until all have arrived");
    let text = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
    (codes(result), text)
}

#[test]
fn one_that_fails_of_ten_changes_nothing() {
    let draft = "<html>This version is a DRAFT</html>";
    for (name, reply, code, says) in [
        ("missing", Reply::With(404, "text/html", b"no".to_vec()), "C401", "status 404"),
        ("forbidden", Reply::With(403, "text/html", b"no".to_vec()), "C401", "status 403"),
        ("broken", Reply::With(500, "text/html", b"no".to_vec()), "C401", "status 500"),
        ("silent", Reply::Silent, "C401", "in time"),
        ("truncated", Reply::Truncated(b"code\n1\n".to_vec()), "C401", "broke off"),
        ("to plain http", Reply::Redirect("http://127.0.0.2/x".into()), "C401", "not https"),
        ("to a file", Reply::Redirect("file:///etc/hostname".into()), "C401", "redirected"),
        ("wrong media type", Reply::With(200, "text/html", b"code\n1\n".to_vec()), "C403", "`text/html`"),
        ("no media type", Reply::With(200, "", b"code\n1\n".to_vec()), "C403", "no media type"),
        ("a draft", Reply::With(200, "text/html; charset=utf-8", draft.into()), "C402", "draft"),
        ("not UTF-8", Reply::With(200, "text/csv", b"code\n\xff\n".to_vec()), "C403", "UTF-8"),
        ("only a header", Reply::With(200, "text/csv", b"code,term\n".to_vec()), "C403", "no row"),
        ("nothing", Reply::With(200, "text/csv", Vec::new()), "C403", "no header"),
    ] {
        let (codes, text) = third(reply);
        assert_eq!(codes, [code], "{name}: {text}");
        assert!(text.contains(says), "{name}: {text}");
    }
}

#[test]
fn an_endless_answer_is_cut() {
    let server = Server::start();
    server.list("org/endless/v1", Reply::Endless);
    let study = Study::of(&server);
    let result = study.add(&["org/endless/v1"], Versions::KeepOld);
    let text = result.as_ref().map_or_else(ToString::to_string, |_| String::new());
    assert!(text.contains("64 MiB"), "{text}");
    assert_eq!(codes(result), ["C401"]);
    assert!(study.bytes().is_empty());
}

#[test]
fn a_passing_failure_is_asked_again_and_a_redirect_followed() {
    let server = Server::start();
    server.list("org/busy/v1", Reply::FailFirst(2, b"code\n1\n".to_vec()));
    server.list("org/moved/v1", Reply::Redirect("/elsewhere.csv?x=1".into()));
    server
        .set("/elsewhere.csv?x=1", Reply::With(200, "Text/CSV; charset=utf-8; header=present", b"code\n2\n".to_vec()));
    let study = Study::of(&server);
    study.add(&["org/busy/v1", "org/moved/v1"], Versions::KeepOld).unwrap();
    assert_eq!((study.read("org-busy.csv"), study.read("org-moved.csv")), ("code\n1\n".into(), "code\n2\n".into()));
    assert_eq!(server.asked().iter().filter(|asked| asked.line.contains("/busy/")).count(), 3);

    server.list("org/never/v1", Reply::FailFirst(3, b"code\n1\n".to_vec()));
    assert_eq!(codes(study.add(&["org/never/v1"], Versions::KeepOld)), ["C401"]);
    server.list("org/loop/v1", Reply::Redirect("/codelist/org/loop/v1/download.csv".into()));
    assert_eq!(codes(study.add(&["org/loop/v1"], Versions::KeepOld)), ["C401"]);
}

#[test]
fn nobody_there() {
    let study = Study::at("http://127.0.0.1:1");
    assert_eq!(codes(study.add(&["org/list/v1"], Versions::KeepOld)), ["C401"]);
    assert!(study.bytes().is_empty());
}

#[test]
fn links_that_came_with_a_repository_are_never_followed() {
    let server = Server::start();
    server.list("org/list/v1", csv("code\n1\n"));
    let study = Study::of(&server);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "old").unwrap();
    study.write("codelists.txt", "org/list/v1\n");
    std::os::unix::fs::symlink(outside.path().join("precious"), study.path("org-list.csv")).unwrap();
    study.update().unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("precious")).unwrap(), "old");
    assert_eq!(study.read("org-list.csv"), "code\n1\n");
    assert!(study.check().ok());

    fs::rename(study.path(""), outside.path().join("lists")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("lists"), study.folder.path().join("codelists")).unwrap();
    assert!(matches!(study.update(), Err(Error::Folder(_))), "{:?}", study.update());
    assert!(study.project().check().is_err());

    let study = Study::of(&server);
    study.write("codelists.txt", "org/list/v1\n");
    fs::create_dir(study.path("org-list.csv")).unwrap();
    fs::write(study.path("org-list.csv/own"), "mine").unwrap();
    let before = study.bytes();
    assert!(matches!(study.update(), Err(Error::Folder(_))), "a folder is in the way");
    assert_eq!(study.bytes(), before);
}

#[test]
fn what_a_killed_command_left_is_removed_and_no_part_of_the_result() {
    let server = Server::start();
    server.list("org/list/v1", csv("code\n1\n"));
    let study = Study::of(&server);
    study.write("codelists.txt", "org/list/v1\n");
    let left = study.folder.path().join(".codelists-1234.new");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("half.csv"), "co").unwrap();
    study.update().unwrap();
    assert!(!left.exists());
}

#[test]
fn a_file_that_somebody_else_changes_meanwhile_is_not_lost() {
    let server = Server::start();
    server.list("org/list/v1", csv("code\n1\n"));
    server.pause(Duration::from_millis(300));
    let study = Study::of(&server);
    study.write("codelists.txt", "org/list/v1\n");
    std::thread::scope(|scope| {
        let update = scope.spawn(|| study.update());
        std::thread::sleep(Duration::from_millis(100));
        assert!(matches!(study.update(), Err(Error::Busy)), "one at a time");
        study.write("codelists.txt", "org/list/v1\n# a thought\n");
        assert!(matches!(update.join().unwrap(), Err(Error::Changed { .. })));
    });
    assert_eq!(study.read("codelists.txt"), "org/list/v1\n# a thought\n");
    assert!(!study.path("org-list.csv").exists());
}
