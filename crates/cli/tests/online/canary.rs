//! The canary: marker strings in every place of a study and its machine that must not leave, and jobs that end in every
//! way. Not one of them is in any byte that the backend sent. Spec protocol.md 9.

use std::collections::{BTreeMap, BTreeSet};

use protocol::fact::intake::read_batch;
use serde_json::Value;

use crate::marks::{self, AROUND, LINKED, NAME, PRINTED, RAISED, VALUE};
use crate::rig::{House, can_isolate, files, until};
use crate::tables::{number, rows};
use crate::wire::{Recorder, Sent, requests};

/// An exit number that nothing else has.
const ODD: i64 = 113;

const ACTIONS: &str = "  good:
    run: python:v2 analysis/work.py good
    outputs:
      highly_sensitive: {rows: output/good/*.txt}
      moderately_sensitive: {table: output/good/*.csv}
  bad:
    run: python:v2 analysis/work.py bad
    outputs:
      moderately_sensitive: {table: output/bad/*.csv}
  behind:
    needs: [bad]
    run: python:v2 analysis/work.py behind
    outputs:
      moderately_sensitive: {table: output/behind/*.csv}
  thrown:
    run: python:v2 analysis/work.py thrown
    outputs:
      moderately_sensitive: {table: output/thrown/*.csv}
  missing:
    run: python:v2 analysis/work.py missing
    outputs:
      moderately_sensitive: {table: output/missing/*.csv}
  hostile:
    run: python:v2 analysis/work.py hostile
    outputs:
      moderately_sensitive: {table: output/hostile/*.csv}
  slow:
    run: python:v2 analysis/work.py slow
    outputs:
      moderately_sensitive: {table: output/slow/*.csv}
";

fn work() -> String {
    format!(
        "import os, sys, time\n\
         what = sys.argv[1]\n\
         folder = f'output/{{what}}'\n\
         os.makedirs(folder, exist_ok=True)\n\
         print('{PRINTED}', os.environ)\n\
         print('{PRINTED}', file=sys.stderr, flush=True)\n\
         def write(name):\n\
         \x20   open(f'{{folder}}/{NAME}{{name}}', 'w').write('patient,{VALUE}\\n1,{VALUE}\\n')\n\
         if what == 'good':\n\
         \x20   write('.csv'); write('.txt')\n\
         elif what == 'bad':\n\
         \x20   write('.csv'); sys.exit({ODD})\n\
         elif what == 'thrown':\n\
         \x20   raise ValueError('{RAISED}')\n\
         elif what == 'missing':\n\
         \x20   write('.tsv')\n\
         elif what == 'hostile':\n\
         \x20   os.symlink('/etc/{LINKED}', f'{{folder}}/{NAME}.csv')\n\
         else:\n\
         \x20   time.sleep(600)\n"
    )
}

/// Code of each action's job as the site knows it.
fn codes(house: &House, request: i64) -> BTreeMap<String, String> {
    let found = rows(&house.at_site(), &format!("SELECT action, code FROM job WHERE job_request = {request}"));
    found.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

#[test]
fn no_mark_leaves_the_backend() {
    if !can_isolate() {
        return;
    }
    let mut house = House::of(ACTIONS, &[("analysis/work.py", &work())], &["canary".to_owned()]);
    house.env = vec![("CLOISTER_CANARY".to_owned(), AROUND.to_owned()), (AROUND.to_owned(), AROUND.to_owned())];
    let recorder = Recorder::before(house.site_at);
    house.start_site();
    house.enrol(recorder.address);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    let request = house.request("canary", &["run_all"]).expect("the site is there");
    let slow = |house: &House| codes(house, request).get("slow").cloned().unwrap_or_default();
    until("the slow one runs", 60, || slow(&house) == "executing");
    house.kill_backend();
    house.start_backend();
    let ended = |house: &House| {
        let query = format!(
            "SELECT count(*) FROM job WHERE job_request = {request} AND action <> 'slow' AND finished_at IS NOT NULL"
        );
        number(&house.at_site(), &query) == 6
    };
    until("six have ended", 60, || ended(&house));
    let cancel = house.ask("POST", &format!("/api/v1/job-requests/{request}/cancel"), "c", r#"{"actions":["slow"]}"#);
    let cancel = cancel.unwrap();
    assert_eq!(cancel.status, 202, "{}", cancel.body);
    until("the slow one is cancelled", 60, || slow(&house) == "cancelled_by_user");
    let codes = codes(&house, request);
    for (action, code) in [
        ("good", "succeeded"),
        ("bad", "nonzero_exit"),
        ("behind", "dependency_failed"),
        ("thrown", "nonzero_exit"),
        ("missing", "unmatched_patterns"),
    ] {
        assert_eq!(codes[action], code, "{action}: {codes:?}");
    }
    assert_ne!(codes["hostile"], "internal_error", "{codes:?}");
    house.kill_backend();

    // The marks are inside: what is looked for was there to leave.
    let inside = inside(&house);
    for mark in [NAME, VALUE, PRINTED, RAISED] {
        assert!(inside.contains(mark), "{mark} is nowhere inside: {inside:?}");
    }

    let (calls, kinds) = look_through(&recorder);
    for path in ["enrol", "hello", "directives", "facts", "people", "gauges"] {
        assert!(calls.contains_key(&format!("/backend/v1/{path}")), "{path}: {calls:?}");
    }
    for kind in ["backend.opened", "request.accepted", "job.started", "job.stage", "job.finished", "cancel.done"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    println!("{calls:?}; facts: {kinds:?}");
}

/// Every byte that the backend sent: on the list of what may leave, and without a mark. Gives how often each call was made,
/// and the types of the facts.
pub fn look_through(recorder: &Recorder) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for bytes in recorder.connections() {
        assert_eq!(marks::found(&bytes), [""; 0], "in {}", String::from_utf8_lossy(&bytes));
        let (whole, cut) = requests(&bytes);
        for sent in &whole {
            kinds.extend(message(sent));
            *calls.entry(sent.path.split('?').next().unwrap().to_owned()).or_default() += 1;
        }
        // The last of a process that was killed.
        cut.iter().for_each(head);
    }
    (calls, kinds)
}

/// The marks that are inside the backend's folders, where they were to leave from.
pub fn inside(house: &House) -> BTreeSet<&'static str> {
    ["high", "medium", "state"]
        .iter()
        .flat_map(|folder| files(&house.path(folder)))
        .flat_map(|(path, bytes)| [marks::found(path.as_os_str().as_encoded_bytes()), marks::found(&bytes)].concat())
        .collect()
}

/// Names of headers that may be sent.
const HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "cloister-boot",
    "cloister-protocol",
    "content-length",
    "content-type",
    "host",
    "x-request-id",
];

/// The call is on the list, and has no more headers and no more of a query than it may have.
fn head(sent: &Sent) {
    let (path, query) = sent.path.split_once('?').map_or((sent.path.as_str(), ""), |(path, query)| (path, query));
    let known = ["POST enrol", "POST hello", "GET directives", "POST facts", "POST gauges", "GET people"];
    let call = path.strip_prefix("/backend/v1/").map(|path| format!("{} {path}", sent.method));
    assert!(call.is_some_and(|call| known.contains(&call.as_str())), "{} {}", sent.method, sent.path);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        assert!(["after", "wait"].contains(&name) && value.bytes().all(|b| b.is_ascii_digit()), "{}", sent.path);
    }
    for (name, value) in &sent.headers {
        assert!(HEADERS.contains(&name.as_str()), "{name}: {value}");
    }
}

/// Checks a request against the published schema of its message, and gives the types of its facts.
fn message(sent: &Sent) -> Vec<String> {
    head(sent);
    let encoding = sent.headers.iter().find(|(name, _)| name == "content-encoding");
    let body = marks::unpacked(encoding.map(|(_, value)| value.as_str()), &sent.body);
    assert!(marks::found(&body).is_empty());
    let call = sent.path.split('?').next().unwrap().rsplit('/').next().unwrap();
    let kind = match call {
        "enrol" => "messages/enrol",
        "hello" => "messages/backend_hello",
        "gauges" => "messages/gauges",
        "facts" => return facts(&body),
        _ => {
            assert!(body.is_empty(), "{} has a body: {}", sent.path, String::from_utf8_lossy(&body));
            return Vec::new();
        }
    };
    fits(kind, &serde_json::from_slice(&body).unwrap());
    Vec::new()
}

fn facts(body: &[u8]) -> Vec<String> {
    let batch = read_batch(body).unwrap_or_else(|bad| panic!("{bad}: {}", String::from_utf8_lossy(body)));
    let mut kinds = Vec::new();
    for fact in batch {
        fact.content().unwrap_or_else(|bad| panic!("{bad}: {}", fact.text()));
        let value: Value = serde_json::from_str(fact.text()).unwrap();
        let kind = value["type"].as_str().unwrap().to_owned();
        fits(&format!("facts/{kind}"), &value);
        if kind == "job.finished" {
            assert!(!has_number(&value["body"], ODD), "an exit number of study code: {value}");
        }
        kinds.push(kind);
    }
    kinds
}

fn has_number(value: &Value, number: i64) -> bool {
    match value {
        Value::Number(found) => found.as_i64() == Some(number),
        Value::Array(list) => list.iter().any(|one| has_number(one, number)),
        Value::Object(map) => map.values().any(|one| has_number(one, number)),
        _ => false,
    }
}

fn fits(kind: &str, value: &Value) {
    let schema = &protocol::kinds::published()["$defs"][kind];
    assert!(schema.is_object(), "no message is called {kind}");
    let checked = jsonschema::draft202012::new(schema).unwrap();
    let faults: Vec<String> = checked.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{kind}: {faults:?}: {value}");
}
