//! `check-upstream`: what is sent, and each kind of answer.

use codelists::{Severity, State};

use crate::server::{Reply, Server, csv};
use crate::study::{Study, found};

fn up_to_date() -> (Server, Study) {
    let server = Server::start();
    server.list("org/list/v1", csv("code\n1\n"));
    let study = Study::of(&server);
    study.write("codelists.txt", "org/list/v1\n# a&b=c\n");
    study.update().unwrap();
    (server, study)
}

fn json(body: &str) -> Reply {
    Reply::With(200, "application/json", body.into())
}

#[test]
fn both_files_are_sent_as_a_form() {
    let (server, study) = up_to_date();
    server.set("/api/v1/check/", json(r#"{"status": "ok"}"#));
    assert!(study.project().check_all(&study.site, &study.asking).unwrap().findings.is_empty());
    let asked = server.asked().pop().unwrap();
    assert!(asked.line.starts_with("POST /api/v1/check/ "), "{}", asked.line);
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(asked.body.starts_with("codelists=org%2Flist%2Fv1%0A%23"), "{}", asked.body);
    assert!(asked.body.contains("a%26b%3Dc") && asked.body.contains("&manifest=%7B%0A"), "{}", asked.body);
}

#[test]
fn a_change_is_a_fault_except_in_a_workflow() {
    let (server, mut study) = up_to_date();
    for answer in [
        r#"{"status":"error","data":{"added":[],"removed":[],"changed":["org-list.csv"]}}"#,
        r#"{"status":"error","data":{"added":["org/new/v1"],"removed":[],"changed":[]}}"#,
        r#"{"status":"error","data":{"error":"org/list/v9 could not be found"}}"#,
    ] {
        server.set("/api/v1/check/", json(answer));
        study.asking.ci = false;
        let report = study.project().check_upstream(&study.site, &study.asking).unwrap();
        assert_eq!((found(&report), report.ok()), (vec!["C301"], false), "{answer}");
        assert_eq!(report.repair(), Some("codelists update"));
        study.asking.ci = true;
        let report = study.project().check_all(&study.site, &study.asking).unwrap();
        assert_eq!((found(&report), report.ok()), (vec!["C301"], true), "{answer}");
    }
    server.set("/api/v1/check/", json(r#"{"status":"error","data":{"changed":["org-list.csv"]}}"#));
    let report = study.project().check_all(&study.site, &study.asking).unwrap();
    assert_eq!(report.lines[0].state, State::Stale);
    assert_eq!(server.asked().pop().unwrap().headers["user-agent"], "cloister/1.2.3 (GitHub CI)");
}

#[test]
fn no_answer_or_another_one_is_only_a_note() {
    let (server, study) = up_to_date();
    for reply in [
        json("<html>"),
        json(r#"{"status":"maybe"}"#),
        json(r#"{"status":"error"}"#),
        json(r#"{"status":"error","data":{}}"#),
        Reply::With(500, "text/html", b"oops".to_vec()),
        Reply::Redirect("/elsewhere".into()),
    ] {
        server.set("/api/v1/check/", reply);
        let report = study.project().check_all(&study.site, &study.asking).unwrap();
        assert_eq!(report.findings.iter().map(|(s, f)| (*s, f.code())).collect::<Vec<_>>(), [(Severity::Note, "C302")]);
        assert!(report.ok() && report.repair().is_none());
    }
    let away = Study::at("http://127.0.0.1:1");
    away.write("codelists.txt", "");
    away.write("codelists.json", "{\"files\": {}}");
    assert_eq!(found(&away.project().check_all(&away.site, &away.asking).unwrap()), ["C302"]);
}

#[test]
fn in_a_workflow_a_missing_manifest_is_replaced_by_a_download() {
    let (server, mut study) = up_to_date();
    server.set("/api/v1/check/", json(r#"{"status":"ok"}"#));
    std::fs::remove_file(study.path("codelists.json")).unwrap();
    let before = study.bytes();
    study.asking.ci = true;
    let report = study.project().check_all(&study.site, &study.asking).unwrap();
    assert_eq!((found(&report), report.ok()), (vec!["C201"], true));
    study.write("org-list.csv", "code\n2\n");
    let report = study.project().check_all(&study.site, &study.asking).unwrap();
    assert_eq!((found(&report), report.ok()), (vec!["C201", "C205"], false));
    study.write("org-list.csv", "code\n1\n");
    assert_eq!(study.bytes(), before, "nothing is left of it");
}
