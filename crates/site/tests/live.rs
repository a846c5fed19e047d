//! An open page is told of every change, and what it was told makes the page that a fresh render makes. Spec site.md 14.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::time::Duration;

use axum::body::Body;
use common::{Rig, accepted, failed, job_fact, started, succeeded};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use site::pages::draw;
use site::store::read::request_page;
use tower::ServiceExt;

const PAGE: &str = "/winter-pressures/winter-chest/812/events";

/// One open stream.
struct Stream {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Frame {
    event: String,
    id: i64,
    data: Value,
}

impl Stream {
    async fn open(rig: &Rig, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(path).header("Host", "127.0.0.1");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let Some(event) = field("event: ") else { continue };
                let id = field("id: ").map_or(0, |id| id.parse().unwrap());
                return Some(Frame { event, id, data: serde_json::from_str(&field("data: ").unwrap()).unwrap() });
            }
            let waited = tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await;
            // An event comes within the time of this test.
            let frame = waited.unwrap()?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }
}

/// A page in a browser: its parts, and the rows within the part of jobs.
#[derive(Default)]
struct Browser {
    parts: Vec<(String, String)>,
    rows: Vec<(String, String)>,
}

impl Browser {
    fn put(&mut self, patch: &Value, fresh: &[(String, String)]) {
        for piece in patch.as_array().unwrap() {
            let (id, html) = (piece["id"].as_str().unwrap(), piece["html"].as_str().unwrap());
            if let Some(row) = self.rows.iter_mut().find(|(row, _)| row == id) {
                let jobs = self.parts.iter_mut().find(|(part, _)| part == "jobs").unwrap();
                assert!(jobs.1.contains(&row.1), "the row {id} is in the page");
                jobs.1 = jobs.1.replace(&row.1, html);
                row.1 = html.to_owned();
            } else if let Some(part) = self.parts.iter_mut().find(|(part, _)| part == id) {
                part.1 = html.to_owned();
                if id == "jobs" {
                    self.rows = fresh.to_vec();
                }
            } else {
                self.parts.push((id.to_owned(), html.to_owned()));
                if id == "jobs" {
                    self.rows = fresh.to_vec();
                }
            }
        }
    }
}

async fn fresh(rig: &Rig) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let now = rig.site.clock.microseconds();
    let place = ("winter-pressures", "winter-chest");
    let page = request_page(rig.site.store.readers(), place, 812, now).await.unwrap().unwrap();
    let drawn = draw(&page, &rig.site.memory, &rig.site.line.seen(page.backend.id), now);
    let parts = drawn.parts.iter().map(|(id, html)| ((*id).to_owned(), html.as_str().to_owned())).collect();
    (parts, drawn.rows.iter().map(|(id, html)| (id.clone(), html.as_str().to_owned())).collect())
}

#[tokio::test]
async fn a_patched_page_is_a_fresh_page() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let (directive, order) = rig.request(&north, 812, &["tabulate", "plot", "write"]).await;
    let mut stream = Stream::open(&rig, PAGE, None).await;
    let mut other = Stream::open(&rig, "/api/v1/job-requests/812/events", None).await;
    let mut browser = Browser::default();
    let first = stream.next().await.unwrap();
    assert_eq!(first.event, "patch");
    browser.put(&first.data, &fresh(&rig).await.1);
    assert_eq!(browser.parts, fresh(&rig).await.0);
    assert_eq!(other.next().await.unwrap(), first);
    let reset = job_fact("job.reset", 812, "tabulate", json!({"code": "waiting_on_reboot"}));
    let steps = [
        vec![(1, accepted(&directive, &order))],
        vec![(2, started(812, "tabulate", 1))],
        vec![(3, reset), (4, started(812, "tabulate", 2))],
        vec![(9, succeeded(812, "tabulate", 5)), (9, started(812, "plot", 1))],
        vec![(12, failed(812, "plot", 3)), (12, started(812, "write", 1)), (13, succeeded(812, "write", 1))],
    ];
    let mut seen = Vec::new();
    for facts in steps {
        rig.tell(&mut north, facts).await;
        let arrival: i64 = rig.one("SELECT max(arrival) FROM backend_fact").await;
        loop {
            let frame = stream.next().await.unwrap();
            assert_eq!(frame.event, "patch");
            browser.put(&frame.data, &fresh(&rig).await.1);
            seen.push(frame);
            if seen.last().unwrap().id == arrival {
                break;
            }
        }
        assert_eq!(browser.parts, fresh(&rig).await.0);
    }
    assert_eq!(stream.next().await.unwrap().event, "done");
    assert_eq!(stream.next().await, None);
    // Another reader was told the same, in the same order.
    for frame in &seen {
        assert_eq!(&other.next().await.unwrap(), frame);
    }
    // One that comes back goes on behind what it saw; one that saw something unknown reads the page again.
    let mut again = Stream::open(&rig, PAGE, Some(&seen[0].id.to_string())).await;
    for frame in &seen[1..] {
        assert_eq!(&again.next().await.unwrap(), frame);
    }
    assert_eq!(again.next().await.unwrap().event, "done");
    for unknown in ["77777", "x", "-5"] {
        let mut lost = Stream::open(&rig, PAGE, Some(unknown)).await;
        assert_eq!(lost.next().await.unwrap().event, "reset");
    }
    let mut lost = Stream::open(&rig, &format!("{PAGE}?last-event-id=77777"), None).await;
    assert_eq!(lost.next().await.unwrap().event, "reset");
    drop((stream, other, again, lost));
    assert_eq!(rig.site.hub.readers(), 0);
}

#[tokio::test]
async fn streams_end_with_the_site_and_only_of_what_there_is() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let _ = rig.request(&north, 812, &["tabulate"]).await;
    for nothing in [
        "/winter-pressures/winter-chest/813/events",
        "/other/winter-chest/812/events",
        "/winter-pressures/winter-chest/0812/events",
        "/api/v1/job-requests/x/events",
    ] {
        let request = Request::get(nothing).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
        assert_eq!(rig.router.clone().oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND, "{nothing}");
    }
    let mut stream = Stream::open(&rig, PAGE, None).await;
    assert_eq!(stream.next().await.unwrap().event, "patch");
    rig.site.stop();
    assert_eq!(stream.next().await, None);
}

/// Another page in a browser: its parts, each with the rows that it holds within its text.
struct Open {
    page: &'static str,
    stream: Stream,
    parts: Vec<(String, String)>,
}

impl Open {
    async fn page(rig: &Rig, page: &'static str) -> Self {
        let html = get(rig, page).await;
        let live = html.split_once("data-live=\"").unwrap().1.split_once('"').unwrap().0.replace("&amp;", "&");
        Self { page, stream: Stream::open(rig, &live, None).await, parts: Vec::new() }
    }

    fn put(&mut self, patch: &Value) {
        for piece in patch.as_array().unwrap() {
            let (id, html) = (piece["id"].as_str().unwrap(), piece["html"].as_str().unwrap().to_owned());
            if let Some(part) = self.parts.iter_mut().find(|(part, _)| part == id) {
                part.1 = html;
            } else if id.contains('-') {
                let (part, row) =
                    self.parts.iter_mut().find_map(|(_, part)| Some((row(part, id)?, part))).map(swap).unwrap();
                part.replace_range(row, &html);
            } else {
                self.parts.push((id.to_owned(), html));
            }
        }
    }

    /// Reads the stream until the page in the browser is the page that is read anew.
    async fn settle(&mut self, rig: &Rig) {
        loop {
            let fresh = get(rig, self.page).await;
            if !self.parts.is_empty() && self.parts.iter().all(|(_, part)| fresh.contains(part.as_str())) {
                return;
            }
            let frame = self.stream.next().await.unwrap();
            assert_eq!(frame.event, "patch", "{}", self.page);
            self.put(&frame.data);
        }
    }
}

fn swap<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}

/// Where the row of an id is within a part: a row of a table, or a card.
fn row(part: &str, id: &str) -> Option<std::ops::Range<usize>> {
    for (begin, ends) in [
        (format!("<tr id={id}>"), ["<tr id=", "</tbody>"]),
        (format!("<section class=card id={id}>"), ["<section ", "</div>"]),
    ] {
        if let Some(from) = part.find(&begin) {
            let behind = from + begin.len();
            let end = ends.iter().filter_map(|end| part[behind..].find(end)).min().unwrap();
            return Some(from..behind + end);
        }
    }
    None
}

async fn get(rig: &Rig, path: &str) -> String {
    let request = Request::get(path).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
    let answer = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn pages_of_many_things_follow_any_facts() {
    for seed in [1_u64, 20, 300] {
        let rig = Rig::new().await;
        let mut north = rig.backend("north").await;
        let mut pages = Vec::new();
        for page in [
            "/",
            "/status/",
            "/event-log/",
            "/event-log/?status=failed&q=plot",
            "/orgs/northfield/logs/",
            "/winter-pressures/logs/?backend=north",
            "/winter-pressures/winter-chest/",
            "/winter-pressures/winter-chest/logs/",
        ] {
            pages.push(Open::page(&rig, page).await);
        }
        // Twice the same filters are one page: the key that the script adds is none of them.
        let same = Stream::open(&rig, "/event-log/events?q=plot&status=failed&colour=red", None).await;
        let mut random = seed;
        let mut next = |most: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % most
        };
        // What can still happen: a job and whether it runs.
        let mut open: Vec<(i64, &str, bool)> = Vec::new();
        let mut number = 0;
        for second in 1..=8 {
            let mut facts = Vec::new();
            if open.len() < 3 {
                number += 1;
                let (directive, order) = rig.request(&north, number, &["tabulate", "plot"]).await;
                facts.push((second, accepted(&directive, &order)));
                open.extend([(number, "tabulate", false), (number, "plot", false)]);
            }
            for _ in 0..=next(3) {
                let at = usize::try_from(next(open.len() as u64)).unwrap();
                let (request, action, runs) = open[at];
                if !runs {
                    facts.push((second, started(request, action, 1)));
                    open[at].2 = true;
                } else {
                    let end = if next(2) == 0 { succeeded } else { failed };
                    facts.push((second, end(request, action, next(90))));
                    open.swap_remove(at);
                }
                if open.is_empty() {
                    break;
                }
            }
            rig.tell(&mut north, facts).await;
            for page in &mut pages {
                page.settle(&rig).await;
            }
        }
        assert!(number > 1, "rows were added while the pages were open");
        assert_eq!(rig.site.hub.readers(), pages.len() + 1);
        drop((pages, same));
        assert_eq!(rig.site.hub.readers(), 0);
    }
}

#[tokio::test]
async fn later_pages_and_wrong_ones_are_not_live() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let _ = rig.request(&north, 812, &["tabulate"]).await;
    assert!(!get(&rig, "/event-log/?after=900").await.contains("data-live"));
    for nothing in [
        "/event-log/events?after=900",
        "/event-log/events?status=blue",
        "/orgs/nowhere/logs/events",
        "/users/nobody/logs/events",
        "/winter-pressures/nowhere/logs/events",
        "/winter-pressures/nowhere/events",
        "/nowhere/logs/events",
    ] {
        let request = Request::get(nothing).header("Host", "127.0.0.1").body(Body::empty()).unwrap();
        assert_eq!(rig.router.clone().oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(rig.site.hub.readers(), 0);
}
