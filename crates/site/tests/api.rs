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
        ("/api/v1/job-requests/812/graph", "/api/v1/job-requests/{request}/graph", 200),
        ("/api/v1/job-requests/19021/graph", "/api/v1/job-requests/{request}/graph", 200),
        ("/api/v1/job-requests/325/graph", "/api/v1/job-requests/{request}/graph", 200),
        ("/api/v1/job-requests/9/graph", "/api/v1/job-requests/{request}/graph", 404),
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
        // Open to every origin, without credentials.
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        assert!(!headers.contains_key("access-control-allow-credentials"), "{path}");
        if let Some(tag) = headers.get("etag") {
            let tag = tag.to_str().unwrap();
            for (given, status) in [
                (tag.to_owned(), 304),
                (format!("W/\"other\", {tag}"), 304),
                (tag.trim_start_matches("W/").to_owned(), 304),
                ("*".to_owned(), 304),
                ("W/\"other\"".to_owned(), 200),
            ] {
                let request = Request::get(path).header("Host", "127.0.0.1").header("If-None-Match", &given);
                let answer = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                assert_eq!(answer.status().as_u16(), status, "{path} {given}");
            }
        }
    }
}

/// Every call of the document is a route, and every route of the API that reads is in the document.
#[tokio::test]
async fn the_document_has_every_call() {
    let rig = Rig::new().await;
    let (_, _, document) = get(&rig, "/api/v1/openapi.json").await;
    let mut told: Vec<(String, String)> = Vec::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        told.extend(calls.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    // The document itself, and the stream, whose events are no JSON.
    let apart = ["/api/v1/openapi.json", "/api/v1/job-requests/{request}/events"];
    let routes = site::web::routes();
    let mut are: Vec<(String, String)> = routes
        .table()
        .filter(|route| route.path.starts_with("/api/v1/") && !apart.contains(&route.path))
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    told.sort();
    are.sort();
    assert_eq!(told, are);
}

#[tokio::test]
async fn a_graph_says_how_each_action_takes_part() {
    let rig = world().await;
    let (_, _, graph) = get(&rig, "/api/v1/job-requests/19021/graph").await;
    let actions = graph["actions"].as_array().unwrap();
    // As the seed's project.yaml has them: the report reads what the two before it write.
    let job = "54fy7iwzg25g3bvp";
    let ran: Vec<&Value> = actions.iter().filter(|action| !action["job"].is_null()).collect();
    assert!(ran.iter().any(|action| action["job"] == job && action["request"] == 19021), "{graph:#}");
    assert!(actions.iter().all(|action| action["part"] != "not_part" || action["status"].is_null()), "{graph:#}");
    // Without a project.yaml the jobs tell.
    let (_, _, graph) = get(&rig, "/api/v1/job-requests/812/graph").await;
    assert_eq!(graph["actions"][1]["needs"], json!(["tabulate"]));
    assert_eq!(
        (&graph["actions"][1]["part"], &graph["actions"][1]["code"]),
        (&json!("requested"), &json!("nonzero_exit"))
    );
}

/// The shape of items that older programs read: these fields, and no others.
#[tokio::test]
async fn older_programs_find_open_requests() {
    let rig = world().await;
    let north = rig.backend("south").await;
    let (_, order) = rig.request(&north, 814, &["plot"]).await;
    rig.cancel(&north, &order, &["plot"]).await;
    let (status, _, list) = get(&rig, "/api/v2/job-requests/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&list["count"], &list["next"], &list["previous"]), (&json!(2), &json!(null), &json!(null)));
    assert_eq!(
        list["results"][0],
        json!({"backend": "south", "sha": "5e1f".repeat(10), "identifier": "aaaaaaaaaaaaa814",
            "force_run_dependencies": false, "requested_actions": ["plot"], "cancelled_actions": ["plot"],
            "created_by": "sample-r", "created_at": common::at(814).to_string(),
            "workspace": {"name": "winter-chest", "repo": "https://git.example.org/northfield/winter-chest",
                "branch": "main", "db": "full", "created_by": null, "created_at": "1970-01-01T00:00:00.000001Z"}})
    );
    let (_, _, of_one) = get(&rig, "/api/v2/job-requests/?backend=north").await;
    assert_eq!((&of_one["count"], &of_one["results"][0]["identifier"]), (&json!(1), &json!("aaaaaaaaaaaaa813")));
    let (_, _, none) = get(&rig, "/api/v2/job-requests/?backend=nowhere").await;
    assert_eq!(none["results"], json!([]));
    for wrong in ["?after=0", "?after=x", "?colour=red", "?backend=a&backend=b"] {
        let (status, _, problem) = get(&rig, &format!("/api/v2/job-requests/{wrong}")).await;
        assert_eq!((status.as_u16(), &problem["status"]), (400, &json!(400)), "{wrong}");
    }
    for number in 900..1_005 {
        rig.request(&north, number, &["plot"]).await;
    }
    let (_, _, page) = get(&rig, "/api/v2/job-requests/?backend=south").await;
    assert_eq!((page["results"].as_array().unwrap().len(), &page["count"]), (100, &json!(106)));
    let next = page["next"].as_str().unwrap().strip_prefix("http://127.0.0.1").unwrap();
    let (_, _, page) = get(&rig, next).await;
    assert_eq!((page["results"].as_array().unwrap().len(), &page["next"]), (6, &json!(null)));
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
