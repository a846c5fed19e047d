//! An open page follows its request: one page load, one stream, every change in order, and in the end the page that a
//! new reader gets. Spec site.md 14. Orders and contents are asserted, never times.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;

use serde_json::Value;

use crate::rig::{House, PROJECT, can_isolate, until};
use crate::tables::number;
use crate::wire::{Recorder, ask, requests, send};

const ACTIONS: &str = "  first:
    run: python:v2 analysis/work.py first
    outputs:
      moderately_sensitive: {o: output/first.txt}
  second:
    needs: [first]
    run: python:v2 analysis/work.py second
    outputs:
      moderately_sensitive: {o: output/second.txt}
";

const WORK: &str = "import sys, time\n\
    time.sleep(2)\n\
    open(f'output/{sys.argv[1]}.txt', 'w').write('done')\n";

/// One event of a stream.
#[derive(Debug)]
struct Event {
    name: String,
    id: i64,
    data: Value,
}

/// All events up to the end of the stream.
fn events(at: SocketAddr, path: &str, opened: impl FnOnce()) -> Vec<Event> {
    let mut lines = BufReader::new(send(at, "GET", path, "Accept: text/event-stream\r\n", "").unwrap()).lines();
    let status = lines.next().unwrap().unwrap();
    assert!(status.contains(" 200 "), "{status}");
    let mut opened = Some(opened);
    let (mut all, mut name, mut id) = (Vec::new(), String::new(), 0);
    for line in lines.map(Result::unwrap) {
        if let Some(found) = line.strip_prefix("event: ") {
            name = found.to_owned();
        } else if let Some(found) = line.strip_prefix("id: ") {
            id = found.parse().unwrap();
        } else if let Some(found) = line.strip_prefix("data: ") {
            all.push(Event { name: name.clone(), id, data: serde_json::from_str(found).unwrap() });
            // The stream is open once it has told what there is.
            if let Some(opened) = opened.take() {
                opened();
            }
        }
    }
    all
}

/// The classes of the label of a row or of the state, in the order in which they came, each once in a row.
fn states(events: &[Event], id: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for piece in events.iter().filter_map(|event| event.data.as_array()).flatten() {
        let html = piece["html"].as_str().unwrap();
        let Some((_, html)) = html.split_once(id) else { continue };
        let word = ["Pending", "Running", "Succeeded", "Failed"]
            .into_iter()
            .filter_map(|word| Some((html.find(word)?, word)))
            .min()
            .map(|(_, word)| word.to_owned());
        let word = word.unwrap_or_else(|| panic!("{id} has no state: {html}"));
        if seen.last() != Some(&word) {
            seen.push(word);
        }
    }
    seen
}

#[test]
fn an_open_page_follows_its_request() {
    if !can_isolate() {
        return;
    }
    let mut house = House::of(ACTIONS, &[("analysis/work.py", WORK)], &["fresh".to_owned()]);
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    house.kill_backend();
    let request = house.request("fresh", &["run_all"]).expect("the site is there");
    let reader = Recorder::before(house.site_at);
    let page = format!("/{PROJECT}/fresh/{request}/");
    let loaded = ask(reader.address, "GET", &page, "", "").unwrap();
    assert_eq!(loaded.status, 200);
    // Nothing can happen before the stream is open.
    let told = events(reader.address, &format!("{page}events"), || house.start_backend());

    let calls: Vec<String> = reader
        .connections()
        .iter()
        .flat_map(|bytes| requests(bytes).0)
        .map(|sent| format!("{} {}", sent.method, sent.path))
        .collect();
    assert_eq!(calls, [format!("GET {page}"), format!("GET {page}events")], "one page load, one stream");

    // The first event is the page as it was loaded; each further one is behind it.
    let (first, last) = (&told[0], told.last().unwrap());
    assert_eq!(first.name, "patch");
    for part in first.data.as_array().unwrap() {
        let html = part["html"].as_str().unwrap();
        assert!(loaded.body.contains(html), "{} is not in the page as it was loaded: {html}", part["id"]);
    }
    assert!(told.windows(2).all(|pair| pair[0].id <= pair[1].id), "ids go up");
    assert_eq!(told.iter().filter(|event| event.name == "done").count(), 1);
    assert_eq!(last.name, "done");
    assert!(told.iter().all(|event| ["patch", "done"].contains(&event.name.as_str())), "no reset was needed");

    // What a person sees: no step is shown twice, none goes back, none is left out that lasts. The first job waits so
    // shortly that its waiting can fall between two patches, of which there are two a second at most.
    let all = ["Pending", "Running", "Succeeded"];
    assert_eq!(states(&told, "id=state"), all);
    let listed = house.ask("GET", &format!("/api/v1/job-requests/{request}"), "x", "").unwrap().json();
    for job in listed["jobs"].as_array().unwrap() {
        let row = format!("id=\"j-{}\"", job["identifier"].as_str().unwrap());
        let seen = states(&told, &row);
        let is_short = job["action"] == "first" && seen == all[1..];
        assert!(seen == all || is_short, "{}: {seen:?}", job["action"]);
    }

    // In the end it is the page of a new reader, part for part.
    let fresh = ask(house.site_at, "GET", &page, "", "").unwrap().body;
    let mut parts: Vec<(&str, &str)> = Vec::new();
    for piece in told.iter().filter_map(|event| event.data.as_array()).flatten() {
        let (id, html) = (piece["id"].as_str().unwrap(), piece["html"].as_str().unwrap());
        // A row that came later replaces the one that the whole list had.
        parts.retain(|(known, _)| *known != id && !(id.starts_with("j-") && *known == "jobs"));
        parts.push((id, html));
    }
    assert!(parts.len() > 5, "{parts:?}");
    for (id, html) in parts {
        assert!(fresh.contains(html), "{id} is not in the page of a new reader: {html}");
    }
}
