//! Walks over all public pages from the home page: links lead somewhere, elements nest, ids are unique, nothing acts.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;

use super::html::{Element, elements};
use super::{get, page, request_path, site};

/// Other parts of the site that these pages link to; their own tests look at them.
const ELSEWHERE: [&str; 6] = ["/api/", "/login/", "/docs/", "/settings/", "/staff/", "/static/"];

/// The absolute path that a link on a page leads to, without its fragment; none for links out of the site.
fn target(from: &str, href: &str) -> Option<String> {
    let href = href.split('#').next().unwrap().replace("&amp;", "&");
    let base = from.split('?').next().unwrap();
    if href.is_empty() || href.starts_with("https://") {
        return None;
    }
    if href.starts_with('/') {
        return Some(href);
    }
    if href.starts_with('?') {
        return Some(format!("{base}{href}"));
    }
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for step in href.split('/') {
        match step {
            ".." => drop(parts.pop()),
            "." => {}
            step => parts.push(step),
        }
    }
    Some(parts.join("/"))
}

/// Whatever the texts hold: no script of the page's own, no inline style, no handler, one heading, unique ids.
fn nothing_acts(path: &str, html: &str, elements: &[Element]) {
    let mut ids = BTreeSet::new();
    for element in elements {
        for (name, value) in &element.attributes {
            assert!(*name != "style" && !name.starts_with("on"), "{path}: {name}={value}");
            assert!(!value.trim().to_ascii_lowercase().starts_with("javascript:"), "{path}: {value}");
        }
        if element.name == "script" {
            assert!(element.get("src").unwrap().starts_with("/static/live."), "{path}");
        }
        assert!(!["style", "iframe", "object", "img", "b2"].contains(&element.name), "{path}: <{}>", element.name);
        if let Some(id) = element.get("id") {
            assert!(ids.insert(id), "{path}: the id {id} is there twice");
        }
    }
    for element in elements {
        for reference in ["aria-describedby", "aria-labelledby", "for"] {
            for id in element.get(reference).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(id), "{path}: {reference}={id} leads nowhere");
            }
        }
        if let Some(id) = element.get("href").and_then(|href| href.strip_prefix('#')) {
            assert!(ids.contains(id), "{path}: #{id} leads nowhere");
        }
    }
    assert_eq!(elements.iter().filter(|e| e.name == "h1").count(), 1, "{path}");
    for hidden in ['\u{202e}', '\u{7}', '\0', '\u{85}'] {
        assert!(!html.contains(hidden), "{path} holds {:x}", u32::from(hidden));
    }
}

#[tokio::test]
async fn every_page_nests_and_every_link_leads_somewhere() {
    let (_folder, site) = site().await;
    let mut waiting = vec!["/".to_owned(), "/job-requests/1/".to_owned()];
    let mut seen: BTreeMap<String, StatusCode> = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        if seen.contains_key(&path) || ELSEWHERE.iter().any(|other| path.starts_with(other)) {
            continue;
        }
        let (status, html) = get(&site, &path).await;
        seen.insert(path.clone(), status);
        assert!(status == StatusCode::OK || status == StatusCode::MOVED_PERMANENTLY, "{path}: {status}");
        if !html.starts_with("<!doctype html>") {
            continue;
        }
        let elements = elements(&html);
        nothing_acts(&path, &html, &elements);
        for element in elements.iter().filter(|e| e.name == "a") {
            waiting.extend(element.get("href").and_then(|href| target(&path, href)));
        }
    }
    for number in 1..=9 {
        assert!(seen.contains_key(&request_path(number)), "request {number} is linked from nowhere");
    }
    assert!(seen.len() > 60, "only {} pages: {seen:?}", seen.len());
}

#[tokio::test]
async fn hostile_names_are_shown_and_do_nothing() {
    let (_folder, site) = site().await;
    let html = page(&site, &request_path(9)).await;
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("⟨U+202E⟩evil"));
    assert!(html.contains("run 👩‍🔬 it"));
    assert!(html.contains("“&lt;img src=x&gt;”, a code that this site does not know"));
    assert!(html.contains(super::world::LONG));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_cannot_be_is_400() {
    let (_folder, site) = site().await;
    for path in [
        "/odd-project/pincer-measures/1/",
        "/hazardous-prescribing/odd/1/",
        "/hazardous-prescribing/pincer-measures/99/",
        "/hazardous-prescribing/pincer-measures/01/",
        "/hazardous-prescribing/pincer-measures/+1/",
        "/hazardous-prescribing/pincer-measures/-1/",
        "/hazardous-prescribing/pincer-measures/99999999999999999999/",
        "/hazardous-prescribing/pincer-measures/1/nosuchjobnosuchj/",
        "/hazardous-prescribing/pincer-measures/1/project.yaml?view=0",
        "/hazardous-prescribing/pincer-measures/1/project.yaml?view=2",
        "/hazardous-prescribing/pincer-measures/7/project.yaml",
        "/users/nobody-n/",
        "/orgs/nowhere/",
        "/status/nowhere/",
        "/jobs/abc/",
        "/jobs/%27%3B--/",
        "/static/style.css",
        "/nowhere/",
    ] {
        assert_eq!(get(&site, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/event-log/?after=-1", "/event-log/?status=blue", "/event-log/?from=x", "/event-log.csv?to=x"] {
        assert_eq!(get(&site, path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    let (_, html) = get(&site, "/event-log/?q=keep%20me&status=blue").await;
    assert!(html.contains("value=\"keep me\""), "the form is kept");
}
