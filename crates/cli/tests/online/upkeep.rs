//! What an operator does to the record of a backend, beside a site that runs: a new epoch after a restore, a new key, the line,
//! a workspace that was moved, the ledger. Spec protocol.md 1, 2, 3.2, 7.4, 9 (d).

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::rig::{House, can_isolate, files, said, until};
use crate::tables::{number, rows};

const ACTIONS: &str = "  only:
    run: python:v2 analysis/work.py
    outputs:
      moderately_sensitive: {o: output/only.txt}
";
const WORK: &str = "open('output/only.txt', 'w').write('done')\n";

fn begun(workspaces: &[&str]) -> Option<House> {
    if !can_isolate() {
        return None;
    }
    let names: Vec<String> = workspaces.iter().map(|&name| name.to_owned()).collect();
    let mut house = House::of(ACTIONS, &[("analysis/work.py", WORK)], &names);
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    Some(house)
}

fn runs_through(house: &House, workspace: &str) {
    let request = house.request(workspace, &["run_all"]).unwrap();
    let query = format!("SELECT count(*) FROM job_request WHERE number = {request} AND status = 'succeeded'");
    until("the request has succeeded", 120, || number(&house.at_site(), &query) == 1);
}

fn operate(house: &House, words: &[&str]) -> Output {
    house.cloister(&[&["backend"], words].concat()).output().unwrap()
}

#[track_caller]
fn done(house: &House, words: &[&str]) -> Value {
    let output = operate(house, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

#[track_caller]
fn refused(house: &House, words: &[&str], why: &str) {
    let output = operate(house, words);
    assert!(!output.status.success() && said(&output).contains(why), "{words:?}: {}", said(&output));
}

/// What operators did: what, to what, why.
fn acts(house: &House) -> Vec<(String, Value, String)> {
    let [_, jobs] = house.at_backend();
    let query = "SELECT record FROM event WHERE record->>'kind' = 'operator' ORDER BY seq";
    let read = |row: &Vec<String>| {
        let body = serde_json::from_str::<Value>(&row[0]).unwrap()["body"].take();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert!(text("who").starts_with("uid "));
        (text("did"), body["what"].clone(), text("why"))
    };
    rows(&jobs, query).iter().map(read).collect()
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for (path, bytes) in files(from) {
        let place = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, bytes).unwrap();
        fs::set_permissions(&place, fs::metadata(&path).unwrap().permissions()).unwrap();
    }
}

#[test]
fn a_restored_backend_goes_on_in_an_epoch_that_staff_confirm() {
    let Some(mut house) = begun(&["one", "two", "three"]) else { return };
    runs_through(&house, "one");
    house.kill_backend();
    copy(&house.path("state"), &house.path("monday"));
    house.start_backend();
    runs_through(&house, "two");
    house.kill_backend();
    copy(&house.path("monday"), &house.path("state"));

    // The site has facts that this backend knows nothing of: it rests.
    house.start_backend();
    // It rests long enough to have something to tell: its mode.
    let says = |words: &str| fs::read_to_string(house.path("backend.log")).is_ok_and(|log| log.contains(words));
    until("it rests", 60, || says("the connection rests") && says("offline: true"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let open = ["new-epoch", "backend.toml", "--reason", "restored", "--yes"];
    let why = ["--why", "disk failed, copy of Monday"];
    refused(&house, &[&open[..], &why].concat(), "stop it first");
    house.kill_backend();
    refused(&house, &open, "--why");
    refused(&house, &[&open[..4], &why].concat(), "--yes");
    refused(&house, &[&open[..], &why, &["--continue-at", "9000"]].concat(), "has no fact 9000");
    assert_eq!(done(&house, &[&open[..], &why].concat()), json!({"epoch": 2}));
    let nothing = json!({"reason": "restored", "continue_at": null, "site_epoch": null});
    let last = acts(&house).pop().unwrap();
    assert_eq!(last, ("new_epoch".to_owned(), nothing, "disk failed, copy of Monday".to_owned()));

    house.start_backend();
    let offered = "SELECT count(*) FROM backend_epoch WHERE epoch = 2 AND state = 'proposed'";
    until("the epoch is offered", 60, || number(&house.at_site(), offered) == 1);
    let lost = house.confirm_epoch();
    assert!(lost > 0, "the second request's facts are lost to the backend");
    runs_through(&house, "three");
    let open = "SELECT count(*) FROM backend_fact WHERE epoch = 2 AND not_applied IS NULL";
    assert!(number(&house.at_site(), open) > 3);
    // What was known before is so still.
    assert_eq!(number(&house.at_site(), "SELECT count(*) FROM job_request WHERE status = 'succeeded'"), 3);
}

#[test]
fn key_line_binding_and_ledger() {
    let Some(mut house) = begun(&["one", "two"]) else { return };
    runs_through(&house, "one");

    // The ledger, while the backend runs.
    let ledger = |more: &[&str]| {
        let output = operate(&house, &[&["egress", "--state", "state", "--json"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let all = ledger(&["--bodies"]);
    assert_eq!(all[0]["call"], "POST enrol");
    let places: Vec<u64> = all.iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=all.len() as u64).collect::<Vec<_>>());
    let facts: String =
        all.iter().filter(|one| one["call"] == "POST facts").map(|one| one["body"].to_string()).collect();
    assert!(facts.contains("job.finished"), "{facts}");
    assert!(ledger(&[]).iter().all(|one| one.get("body").is_none()));
    assert_eq!(ledger(&["--since", "2999-01-01"]), [Value::Null; 0]);
    let since = all[2]["at"].as_str().unwrap();
    assert!(ledger(&["--since", since]).len() >= all.len() - 2);
    refused(&house, &["egress", "--state", "state", "--since", "monday"], "is no day");
    refused(&house, &["egress"], "--state");
    refused(&house, &["egress", "--state", "nowhere"], "nowhere");

    // A workspace that was moved, while the backend runs.
    let rebind = ["rebind", "one", "--state", "state", "--why", "moved"];
    refused(&house, &rebind[..4], "--why");
    refused(&house, &["rebind", "none", "--state", "state", "--why", "moved"], "bound to nothing");
    assert_eq!(done(&house, &rebind)["project"], "trials");
    let [told, jobs] = house.at_backend();
    assert_eq!(number(&jobs, "SELECT count(*) FROM workspace WHERE name = 'one' AND repo_url IS NULL"), 1);

    // The line and the key, while it is stopped.
    let (line, key) = (["resume-line", "backend.toml", "--why", "a"], ["rotate-key", "backend.toml", "--why", "a"]);
    refused(&house, &line, "stop it first");
    refused(&house, &key, "stop it first");
    house.kill_backend();
    assert_eq!(done(&house, &line), json!({"was_stopped": false}));
    rows(&told, "UPDATE standing SET stopped = 1");
    assert_eq!(done(&house, &line), json!({"was_stopped": true}));
    let new = done(&house, &key);
    assert_eq!((&new["key"], new["words"].as_str().unwrap().split(' ').count()), (&json!("north-2"), 6));
    house.start_backend();
    runs_through(&house, "two");
    let keys = "SELECT count(*) FROM backend_fact WHERE kind = 'backend.key' AND not_applied IS NULL";
    assert_eq!(number(&house.at_site(), keys), 1);
    let did: Vec<String> = acts(&house).into_iter().map(|(did, ..)| did).collect();
    assert_eq!(did, ["rebind", "resume_line", "resume_line", "rotate_key"]);
    // A byte of the ledger that was changed is named.
    house.kill_backend();
    rows(&told, "UPDATE egress SET bytes = CAST('{}' AS BLOB) WHERE seq = 2");
    refused(&house, &["egress", "--state", "state"], "entry 2 of the egress ledger");
}
