//! Pages stay within the bytes of spec site.md 18. Counts, never times.

use super::world::{Request, add, job};
use super::{get, page, request_path, site};

#[tokio::test]
async fn pages_have_few_bytes() {
    let (_folder, site) = site().await;
    let one = Request {
        jobs: vec![job("generate_measures", "succeeded", "succeeded", Some(4), Some(9))],
        ..Request::new(20, "succeeded")
    };
    add(&site, one).await;
    let actions: Vec<&'static str> = (0..100).map(|n| &*format!("generate_measures_{n:02}").leak()).collect();
    let jobs =
        (0i64..).zip(&actions).map(|(n, a)| job(a, "succeeded", "succeeded", Some(4 + n), Some(900 + n))).collect();
    let yaml: String = actions
        .iter()
        .map(|a| format!("  {a}:\n    run: python:v2 python analysis/{a}.py\n    outputs:\n      moderately_sensitive:\n        t: output/{a}.csv\n"))
        .collect();
    let yaml = Some(format!("version: '3.0'\nexpectations: {{population_size: 1000}}\nactions:\n{yaml}"));
    add(&site, Request { jobs, yaml, ..Request::new(21, "succeeded") }).await;
    for number in 30..60 {
        add(&site, Request { actions: super::world::THIRTEEN.to_vec(), ..Request::new(number, "failed") }).await;
    }
    for (path, most) in [
        (request_path(1), 25_000),
        (request_path(20), 12_000),
        (request_path(21), 90_000),
        ("/event-log/".to_owned(), 25_000),
        ("/event-log/?after=40".to_owned(), 25_000),
        ("/hazardous-prescribing/pincer-measures/logs/".to_owned(), 25_000),
        ("/".to_owned(), 14_000),
    ] {
        let bytes = page(&site, &path).await.len();
        assert!(bytes < most, "{path}: {bytes} bytes, less than {most} are allowed");
    }
    assert!(get(&site, "/nowhere/").await.1.len() < 4_000);
    let html = page(&site, &request_path(1)).await;
    let row = html.split("<li id=\"j-").nth(1).unwrap();
    assert!(row.len() <= 460, "a job row has {} bytes: {row}", row.len());
}
