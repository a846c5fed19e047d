//! The page of a request and its twin in the API say the same, in every state. Spec site.md 13, 20.7.

use serde_json::Value;

use super::html::text;
use super::{get, page, request_path, site};

/// What stands behind a mark, up to the next quote.
fn behind(html: &str, mark: &str) -> Vec<String> {
    html.split(mark).skip(1).map(|rest| rest.split(['"', ' ', '>']).next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_page_says_what_its_twin_says() {
    let (_folder, site) = site().await;
    for number in 1..=9 {
        let html = page(&site, &request_path(number)).await;
        let (_, twin) = get(&site, &format!("/api/v1/job-requests/{number}")).await;
        let twin: Value = serde_json::from_str(&twin).unwrap();
        let mut read = text(&html);
        for (coded, is) in
            [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        {
            read = read.replace(coded, is);
        }
        let has = |what: &str| {
            assert!(read.contains(what), "request {number}: the page has no {what:?}\n{read}");
        };
        // The same jobs in both, none more.
        let mut rows = behind(&html, "<li id=\"j-");
        let mut jobs: Vec<String> = Vec::new();
        for job in twin["jobs"].as_array().unwrap() {
            jobs.push(job["identifier"].as_str().unwrap().to_owned());
            let begun = rows.iter().any(|row| Some(row.as_str()) == job["identifier"].as_str());
            assert!(begun, "request {number}: {job}");
            if job["status"] == "succeeded" || job["status"] == "failed" {
                has(job["runtime"].as_str().unwrap());
            }
        }
        rows.sort();
        jobs.sort();
        assert_eq!(rows, jobs, "request {number}");
        has(&format!("Job request: {number}"));
        for field in ["organisation", "workspace", "identifier"] {
            if let Some(value) = twin[field].as_str() {
                has(value);
            }
        }
        has(twin["requested_by"]["name"].as_str().unwrap());
        has(&twin["commit"].as_str().map_or("-".to_owned(), |commit| commit[..7].to_owned()));
        has(if twin["force_run_dependencies"] == true { "Yes" } else { "No" });
        // A list may be long; the counts are the card's.
        let counts = &twin["counts"];
        let total: i64 =
            ["pending", "running", "succeeded", "failed"].iter().map(|name| counts[*name].as_i64().unwrap()).sum();
        assert_eq!(usize::try_from(total).unwrap(), jobs.len(), "request {number}");
        if total > 0 {
            let done = counts["succeeded"].as_i64().unwrap() + counts["failed"].as_i64().unwrap();
            has(&format!("{done} / {total}"));
        }
        // The graph has the same jobs.
        let (_, graph) = get(&site, &format!("/api/v1/job-requests/{number}/graph")).await;
        let graph: Value = serde_json::from_str(&graph).unwrap();
        let own = graph["actions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|node| node["request"] == number && node["part"] != "reused");
        let mut of_graph: Vec<String> = own.map(|node| node["job"].as_str().unwrap().to_owned()).collect();
        of_graph.sort();
        assert_eq!(of_graph, jobs, "request {number}");
    }
}
