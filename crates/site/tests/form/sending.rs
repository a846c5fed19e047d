//! From the form to a signed order; what makes one request of two, and what makes none.

use http::StatusCode;
use serde_json::Value;

use crate::rig::{Rig, STUDY};

pub(crate) const PAGE: &str = "/winter-pressures/winter-chest/run-jobs/";

#[tokio::test]
async fn a_sent_form_is_an_order_for_the_commit_that_it_showed() {
    let rig = Rig::new().await;
    let shown = rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes()), ("analysis/tidy.py", b"print(1)\n")]);
    let page = rig.get(1, PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.field("commit"), shown);
    // The branch moves while the form is open.
    let newer = rig.repo.commit("main", &[("project.yaml", b"version: '4.0'\nactions: {}\n")]);
    let fields = [
        ("form_key", page.field("form_key")),
        ("commit", page.field("commit")),
        ("backend", "tpp".to_owned()),
        ("action", "tidy".to_owned()),
        ("action", "table".to_owned()),
        ("note", "first look".to_owned()),
        ("do", "submit".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = rig.post(1, PAGE, &fields).await;
    assert_eq!((sent.status, sent.location.as_str()), (StatusCode::SEE_OTHER, "/winter-pressures/winter-chest/1/"));

    let order: Value = serde_json::from_str(&rig.one("SELECT text FROM directive WHERE backend = 1").await).unwrap();
    assert_eq!(order["type"], "job_request");
    let body = &order["body"];
    assert_eq!(body["commit"], shown);
    assert_ne!(body["commit"], newer);
    assert_eq!(body["requested_actions"], serde_json::json!(["tidy", "table"]));
    assert_eq!(body["number"], 1);
    assert_eq!(body["requested_by"]["username"], "sample-r");
    assert_eq!(body["project"]["number"], "POS-2026-0412");
    assert_eq!(body["orgs"], serde_json::json!(["northfield"]));
    assert_eq!(body["codelists"], "ok");
    let identifier = rig.one("SELECT identifier FROM job_request WHERE number = 1").await;
    assert_eq!(body["request"], identifier.as_str());
    assert!(identifier.len() == 16 && identifier.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')));
    let row = "SELECT status || ' ' || delivery || ' ' || note || ' ' || codelists FROM job_request";
    assert_eq!(rig.one(row).await, "pending waiting first look ok");
    assert_eq!(rig.one("SELECT body FROM project_yaml").await, STUDY);
    assert_eq!(rig.one("SELECT count(*) FROM audit_event WHERE action = 'request_made'").await, "1");

    // A reload after the submit, and a second tab with the same form: one request.
    let again = rig.post(1, PAGE, &fields).await;
    assert_eq!(again.location, sent.location);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "1");
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "1");
}
