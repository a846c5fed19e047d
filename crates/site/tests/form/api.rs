//! The same by the API: checked, made once for each key, refused in the form that programs read.

use http::StatusCode;
use serde_json::json;

use crate::rig::{Rig, STUDY};
use crate::sending::study;

const CHECK: &str = "/api/v1/workspaces/winter-chest/check";
const MAKE: &str = "/api/v1/job-requests";

#[tokio::test]
async fn a_check_gives_faults_and_plan_and_stores_nothing() {
    let rig = study().await;
    let checked = rig.call(1, CHECK, None, &json!({"backend": "tpp", "actions": ["table"], "force": true})).await;
    assert_eq!(checked.status, StatusCode::OK, "{}", checked.body);
    let answer = checked.json();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["head"]["commit"], answer["commit"]);
    let steps: Vec<_> = answer["plan"]["steps"].as_array().unwrap().iter().map(|step| step["action"].clone()).collect();
    assert_eq!(steps, ["extract", "tidy", "table"]);
    assert_eq!(answer["plan"]["steps"][0]["reason"], "forced");
    assert_eq!(answer["plan"]["steps"][0]["database"], true);
    let bad = STUDY.replace("needs: [tidy]", "needs: [tidi]");
    rig.repo.commit("main", &[("project.yaml", bad.as_bytes())]);
    let answer = rig.call(1, CHECK, None, &json!({"backend": "tpp", "actions": ["table"]})).await.json();
    assert_eq!((&answer["ok"], &answer["plan"]), (&json!(false), &json!(null)));
    let fault = answer["faults"].as_array().unwrap().iter().find(|fault| fault["code"] == "P404").unwrap();
    assert_eq!(fault["text"]["marked"], "tidi");
    assert_eq!(fault["line"], 18);
    assert_eq!(answer["errors"][0]["code"], "project_invalid");
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
}

#[tokio::test]
async fn one_key_is_one_request() {
    let rig = study().await;
    let body = json!({"workspace": "winter-chest", "backend": "tpp", "actions": ["tidy", "tidy"], "stale": "rerun"});
    assert_eq!(rig.call(1, MAKE, None, &body).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(rig.call(1, MAKE, Some("a b"), &body).await.status, StatusCode::BAD_REQUEST);
    let made = rig.call(1, MAKE, Some("k-1"), &body).await;
    assert_eq!((made.status, made.location.as_str()), (StatusCode::CREATED, "/api/v1/job-requests/1"), "{}", made.body);
    // The branch moves; a repeat is the same request all the same.
    rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes()), ("x", b"1")]);
    let again = rig.call(1, MAKE, Some("k-1"), &body).await;
    assert_eq!((again.status, &again.json()["identifier"]), (StatusCode::OK, &made.json()["identifier"]));
    let other = json!({"workspace": "winter-chest", "backend": "tpp", "actions": ["table"]});
    assert_eq!(rig.call(1, MAKE, Some("k-1"), &other).await.status, StatusCode::CONFLICT);
    assert_eq!(rig.call(1, MAKE, Some("k-2"), &other).await.status, StatusCode::CREATED);
    let order: serde_json::Value =
        serde_json::from_str(&rig.one("SELECT text FROM directive WHERE cursor = 1").await).unwrap();
    assert_eq!((&order["body"]["stale"], &order["body"]["requested_actions"]), (&json!("rerun"), &json!(["tidy"])));
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "2");
}

#[tokio::test]
async fn what_cannot_be_is_told_as_a_problem() {
    let rig = study().await;
    let good = json!({"workspace": "winter-chest", "backend": "tpp", "actions": ["tidy"]});
    let with = |name: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, status) in [
        (with("colour", json!("red")), 400),
        (with("actions", json!("tidy")), 400),
        (with("note", json!("a\u{0}b")), 400),
        (with("force_run_dependencies", json!("yes")), 400),
        (json!([]), 400),
        (with("actions", json!([])), 422),
        (with("actions", json!(["tdiy"])), 422),
        (with("backend", json!("north")), 422),
        (with("note", json!("n".repeat(501))), 422),
        (with("ref", json!("nothing")), 422),
        (with("workspace", json!("nothing")), 404),
    ] {
        let answer = rig.call(1, MAKE, Some("k"), &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].is_string() && problem["request_id"].is_string() && problem["errors"].is_array());
        if status == 422 {
            let error = &problem["errors"][0];
            assert!(
                error["code"].is_string() && error["message"].is_string() && error["field"].is_string(),
                "{problem}"
            );
        }
    }
    assert_eq!(rig.call(2, MAKE, Some("k"), &good).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        rig.call(2, CHECK, None, &json!({"backend": "tpp", "actions": ["tidy"]})).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
    let rig = Rig::new().await;
    rig.repo.commit("main", &[("project.yaml", b"version: 'x'\nactions: []\n")]);
    let invalid = rig.call(1, MAKE, Some("k"), &good).await;
    assert_eq!(invalid.status, StatusCode::UNPROCESSABLE_ENTITY);
    let lines: Vec<_> =
        invalid.json()["errors"].as_array().unwrap().iter().filter_map(|e| e["line"].as_u64()).collect();
    assert!(!lines.is_empty(), "{}", invalid.body);
}

/// Every answer of these calls, the refusals too, is as the published document says.
#[tokio::test]
async fn answers_are_as_the_document_says() {
    let rig = study().await;
    rig.ran(7, "extract", "succeeded", &"1".repeat(40), false).await;
    let document = rig.get(0, "/api/v1/openapi.json").await.json();
    let page = rig.get(0, "/api/").await;
    let fits = |path: &str, answer: &crate::rig::Answer| {
        let call = &document["paths"][path]["post"];
        assert!(call.is_object(), "no {path} in the document");
        page.has(&format!("<code>POST {path}</code>"));
        let content = &call["responses"][answer.status.as_str()]["content"];
        let kind = if answer.status.is_success() { "application/json" } else { "application/problem+json" };
        let mut schema = content[kind]["schema"].clone();
        assert!(schema.is_object(), "{path} {}: not in the document", answer.status);
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let answer = answer.json();
        if let Some(error) = validator.iter_errors(&answer).next() {
            panic!("{path}: {error} in {answer}");
        }
    };
    let good = json!({"workspace": "winter-chest", "backend": "tpp", "actions": ["table"], "note": "n", "ref": "main"});
    for body in [
        good.clone(),
        json!({"backend": "x", "actions": ["nothing"]}),
        json!({"x": 1}),
        json!({"backend": "tpp", "actions": [], "ref": "no"}),
    ] {
        fits("/api/v1/workspaces/{workspace}/check", &rig.call(1, CHECK, None, &body).await);
    }
    let wrong = json!({"workspace": "winter-chest", "backend": "", "actions": ["tabel"], "note": "n".repeat(501)});
    for (key, body) in [(None, &good), (Some("k"), &good), (Some("k"), &good), (Some("k"), &wrong), (Some("l"), &wrong)]
    {
        fits("/api/v1/job-requests", &rig.call(1, MAKE, key, body).await);
    }
    fits("/api/v1/job-requests", &rig.call(2, MAKE, Some("m"), &good).await);
    rig.repo.commit("main", &[("project.yaml", b"version: 9\nactions: {a: {}}\n")]);
    fits(
        "/api/v1/job-requests",
        &rig.call(1, MAKE, Some("n"), &json!({"workspace": "winter-chest", "backend": "tpp", "actions": ["a"]})).await,
    );
    let cancel = "/api/v1/job-requests/8/cancel";
    for body in [json!({"actions": []}), json!({"actions": ["x"]}), json!({"all": 1}), json!({}), json!({})] {
        fits("/api/v1/job-requests/{request}/cancel", &rig.call(1, cancel, None, &body).await);
    }
}
