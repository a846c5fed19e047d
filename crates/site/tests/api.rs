//! The API: every answer is what the OpenAPI document says, nothing is a 5xx, and old records are in it too. Spec site.md 13.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use axum::body::Body;
use common::{Rig, accepted, failed, job_id, started, succeeded};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn get(rig: &Rig, path: &str) -> (StatusCode, http::HeaderMap, Value) {
    // The rate of an address is not what is tested here.
    let request = Request::get(path).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
    let response = rig.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Checks an answer against the schema that the document has for it.
fn fits(document: &Value, template: &str, status: StatusCode, value: &Value) {
    let media = if status == StatusCode::OK { "application/json" } else { "application/problem+json" };
    let schema = &document["paths"][template]["get"]["responses"][status.as_str()]["content"][media]["schema"];
    assert!(schema.is_object(), "{template} {status}");
    let whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], "allOf": [schema]});
    let checker = jsonschema::validator_for(&whole).unwrap();
    let faults: Vec<String> =
        checker.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{template}: {faults:?}\n{value:#}");
}

async fn world() -> Rig {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let (directive, order) = rig.request(&north, 812, &["tabulate", "plot"]).await;
    rig.tell(
        &mut north,
        vec![
            (1, accepted(&directive, &order)),
            (5, started(812, "tabulate", 1)),
            (377, succeeded(812, "tabulate", 372)),
            (378, started(812, "plot", 1)),
            (378, failed(812, "plot", 0)),
        ],
    )
    .await;
    let _ = rig.request(&north, 813, &["tabulate"]).await;
    site::import::import(&rig.site, include_str!("../../demo/history/seeds.jsonl")).await.unwrap();
    rig
}

#[tokio::test]
async fn every_call_answers_as_the_document_says() {
    let rig = world().await;
    let (status, headers, document) = get(&rig, "/api/v1/openapi.json").await;
    assert_eq!((status, document["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));
    assert_eq!(headers["access-control-allow-origin"], "*");
    let job = format!("/api/v1/jobs/{}", job_id(812, "plot"));
    for (path, template, status) in [
        ("/api/v1/job-requests", "/api/v1/job-requests", 200),
        ("/api/v1/job-requests?status=failed&limit=1", "/api/v1/job-requests", 200),
        ("/api/v1/job-requests?colour=red", "/api/v1/job-requests", 400),
        ("/api/v1/job-requests?limit=0", "/api/v1/job-requests", 400),
        ("/api/v1/job-requests?status=blue", "/api/v1/job-requests", 400),
        ("/api/v1/job-requests/812", "/api/v1/job-requests/{request}", 200),
        ("/api/v1/job-requests/aaaaaaaaaaaaa812", "/api/v1/job-requests/{request}", 200),
        ("/api/v1/job-requests/0812", "/api/v1/job-requests/{request}", 404),
        ("/api/v1/job-requests/9999", "/api/v1/job-requests/{request}", 404),
        ("/api/v1/job-requests/19021", "/api/v1/job-requests/{request}", 200),
        ("/api/v1/job-requests/325", "/api/v1/job-requests/{request}", 200),
        (&job, "/api/v1/jobs/{job}", 200),
        ("/api/v1/jobs/54fy7iwzg25g3bvp", "/api/v1/jobs/{job}", 200),
        ("/api/v1/jobs/x", "/api/v1/jobs/{job}", 404),
        ("/api/v1/workspaces/winter-chest", "/api/v1/workspaces/{workspace}", 200),
        ("/api/v1/workspaces/nowhere", "/api/v1/workspaces/{workspace}", 404),
        ("/api/v1/workspaces/winter-chest/actions?backend=north", "/api/v1/workspaces/{workspace}/actions", 200),
        ("/api/v1/workspaces/winter-chest/actions?backend=x&backend=y", "/api/v1/workspaces/{workspace}/actions", 400),
        ("/api/v1/projects", "/api/v1/projects", 200),
        ("/api/v1/orgs", "/api/v1/orgs", 200),
        ("/api/v1/backends", "/api/v1/backends", 200),
    ] {
        let (found, headers, value) = get(&rig, path).await;
        assert_eq!(found.as_u16(), status, "{path}: {value}");
        fits(&document, template, found, &value);
        assert_eq!(headers.contains_key("etag"), found == StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_the_answers_say() {
    let rig = world().await;
    let (_, headers, one) = get(&rig, "/api/v1/job-requests/812").await;
    for (field, value) in [
        ("number", json!(812)),
        ("organisation", json!("Northfield University")),
        ("workspace", json!("winter-chest")),
        ("backend", json!("north")),
        ("status", json!("failed")),
        ("cancelled", json!(false)),
        ("reason", json!({"code": "job_failure"})),
        ("requested_by", json!({"name": "Sample Researcher", "username": "sample-r"})),
        ("requested_actions", json!(["tabulate", "plot"])),
        ("started_at", json!(common::at(5).to_string())),
        ("finished_at", json!(common::at(378).to_string())),
        ("runtime", json!("00:06:12")),
        ("counts", json!({"pending": 0, "running": 0, "succeeded": 1, "failed": 1})),
    ] {
        assert_eq!(one[field], value, "{field}");
    }
    let plot = &one["jobs"][1];
    assert_eq!(
        (&plot["code"], &plot["params"], &plot["runtime"]),
        (&json!("nonzero_exit"), &json!({"exit": "error"}), &json!("00:00:00"))
    );
    assert_eq!(
        plot["needs"],
        json!([{"job": job_id(812, "tabulate"), "action": "tabulate", "request": null, "kind": "waits"}])
    );
    // An unchanged answer is not sent again.
    let request =
        Request::get("/api/v1/job-requests/812").header("Host", "127.0.0.1").header("If-None-Match", &headers["etag"]);
    let response = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    // An old record: outputs as its project.yaml declares them.
    let (_, _, old) = get(&rig, "/api/v1/job-requests/19021").await;
    assert_eq!(old["jobs"][0]["outputs"], json!([{"level": "moderately_sensitive", "pattern": "output/report.html"}]));
    assert_eq!((&old["is_import"], &old["runtime"]), (&json!(true), &json!("00:02:01")));
    let (_, _, statuses) = get(&rig, "/api/v2/workspaces/winter-chest/statuses/").await;
    assert_eq!(statuses, json!({"plot": "failed", "tabulate": "succeeded"}));
    let (_, _, list) = get(&rig, "/api/v1/job-requests?limit=2").await;
    assert_eq!(
        (list["items"][0]["number"].as_i64(), list["next"].as_str(), list["total"].as_u64()),
        (Some(19021), Some("11881"), Some(7))
    );
    let (_, _, list) = get(&rig, "/api/v1/job-requests?limit=2&after=4382").await;
    assert_eq!((list["items"][0]["number"].as_i64(), list["next"].as_str()), (Some(813), Some("812")));
    let (_, _, found) = get(&rig, "/api/v1/job-requests?q=54fy7iw").await;
    assert_eq!(found["items"][0]["number"], json!(19021));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_input_is_our_fault(paths in prop::collection::vec(("[a-z0-9.%_-]{0,20}", "[ -~]{0,40}"), 20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            for (name, query) in paths {
                for before in ["job-requests?", "job-requests/", "jobs/", "workspaces/"] {
                    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
                    let Ok(request) = Request::get(format!("/api/v1/{before}{name}?q={query}&{query}")).header("Host", "127.0.0.1").body(Body::empty()) else { continue };
                    let response = rig.router.clone().oneshot(request).await.unwrap();
                    assert!(!response.status().is_server_error(), "{before}{name} {query}");
                }
            }
        });
    }
}
