//! Somebody who recorded every byte of a backend, has its token and plays and forges: the built programs refuse, keep
//! nothing of it, and say so to staff and operator. Spec protocol.md 2, 3.2, 4.2, 11 ("bad input").

use backend::identity::Identity;
use protocol::fact::chain::Chain;
use protocol::fact::envelope::Fact;
use protocol::fact::intake::{read_batch, write_batch};
use protocol::fact::{FactBody, FactKind};
use protocol::keys::SigningKey;
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;
use protocol::text::whole::Epoch;
use serde_json::{Value, json};

use crate::marks;
use crate::rig::{BACKEND, House, can_isolate, until};
use crate::tables::{number, rows};
use crate::wire::{Answer, Recorder, Sent, ask, requests};

const ACTIONS: &str = "  first:
    run: python:v2 analysis/work.py
    outputs:
      moderately_sensitive: {o: output/first.txt}
";
const WORK: &str = "open('output/first.txt', 'w').write('done')\n";

/// A call as a process with this token makes it.
fn call(house: &House, token: &str, boot: &str, path: &str, body: &str) -> Answer {
    let headers = format!(
        "Authorization: {token}\r\nCloister-Protocol: 1.0\r\nCloister-Boot: {boot}\r\nContent-Type: application/json\r\n\
         X-Request-Id: {boot}\r\n"
    );
    ask(house.site_at, "POST", &format!("/backend/v1/{path}"), &headers, body).unwrap()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{}", answer.body);
}

fn header<'a>(sent: &'a Sent, name: &str) -> &'a str {
    &sent.headers.iter().find(|(known, _)| known == name).unwrap().1
}

fn body(kind: &str, body: &Value) -> FactBody {
    FactBody::read(FactKind::named(kind).unwrap(), body).unwrap()
}

/// What facts have made of the site.
fn tables(house: &House) -> Vec<Vec<String>> {
    [
        "SELECT arrival, hash, text, not_applied FROM backend_fact ORDER BY arrival",
        "SELECT identifier, status, code, params, attempt, started_at, finished_at FROM job ORDER BY identifier",
        "SELECT number, status, reason, delivery FROM job_request ORDER BY number",
        "SELECT job, attempt, code FROM job_attempt ORDER BY job, attempt",
    ]
    .iter()
    .flat_map(|query| rows(&house.at_site(), query))
    .collect()
}

fn alarms(house: &House) -> Vec<String> {
    let query = "SELECT action FROM audit_event WHERE action IN ('backend_bad_chain', 'backend_chain_conflict',
        'backend_wrong_backend') ORDER BY action";
    rows(&house.at_site(), query).into_iter().map(|row| row[0].clone()).collect()
}

/// The backend, with a request that ended, and all that it sent.
fn recorded() -> (House, Vec<Sent>) {
    let workspaces = ["played".to_owned(), "behind".to_owned()];
    let mut house = House::of(ACTIONS, &[("analysis/work.py", WORK)], &workspaces);
    let recorder = Recorder::before(house.site_at);
    house.start_site();
    house.enrol(recorder.address);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    house.request("played", &["run_all"]).expect("the site is there");
    let done = "SELECT count(*) FROM job WHERE status = 'succeeded'";
    until("its job has ended", 60, || number(&house.at_site(), done) == 1);
    let [told, _] = house.at_backend();
    let all = "SELECT count(*) FROM fact";
    until("all is told", 60, || number(&told, all) == number(&house.at_site(), "SELECT count(*) FROM backend_fact"));
    house.kill_backend();
    let sent = recorder.connections().iter().flat_map(|bytes| requests(bytes).0).collect();
    (house, sent)
}

#[test]
fn the_site_refuses_what_is_replayed_or_forged() {
    if !can_isolate() {
        return;
    }
    let (house, sent) = recorded();
    let batches: Vec<&Sent> = sent.iter().filter(|sent| sent.path == "/backend/v1/facts").collect();
    let text = |sent: &Sent| {
        let encoding = sent.headers.iter().find(|(name, _)| name == "content-encoding");
        String::from_utf8(marks::unpacked(encoding.map(|(_, value)| value.as_str()), &sent.body)).unwrap()
    };
    let (token, boot) = (header(batches[0], "authorization"), header(batches[0], "cloister-boot"));
    let other_boot = "01KAZ7Q0V5T9M3XJ2C8R4W6YDE";
    let mut facts: Vec<Fact> = batches.iter().flat_map(|sent| read_batch(text(sent).as_bytes()).unwrap()).collect();
    // A batch may have been sent again, on another connection.
    facts.sort_by_key(|fact| fact.seq);
    facts.dedup_by_key(|fact| fact.seq);
    let (last, before) = (facts.last().unwrap(), tables(&house));
    assert!(facts.len() > 5, "{}", facts.len());

    // Played again by a process of its own: it did not introduce itself, and cannot while the writer is there. With the
    // writer's own name: known, and nothing moves.
    let hello = |head: &Value| {
        json!({ "versions": ["1.0"], "features": [], "program": "1.0.0", "boot": other_boot, "epoch": 1, "head": head,
            "directive_cursor": 0, "now": "2027-03-04T09:15:02.000000Z" })
        .to_string()
    };
    let head = json!({ "seq": last.seq, "hash": last.hash });
    refused(&call(&house, token, other_boot, "facts", &text(batches[0])), 409, "hello_first");
    refused(&call(&house, token, other_boot, "hello", &hello(&head)), 409, "already_connected");
    for batch in &batches {
        let answer = call(&house, token, boot, "facts", &text(batch));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(tables(&house), before, "what is known already changes nothing");

    // Forged behind the head: by a key of the attacker's, and with a changed word.
    let slug: BackendSlug = BACKEND.parse().unwrap();
    let at: Moment = "2027-03-04T09:15:02.000000Z".parse().unwrap();
    let key = Identity::read(&house.path("state"), &slug).unwrap().signing_key().unwrap();
    let stranger = SigningKey::new(&[99; 32], key.id().clone());
    let chain = |fact: &Fact| Chain { backend: slug.clone(), epoch: Epoch::LEAST, head: fact.head() };
    let paused = body("backend.mode", &json!({ "mode": "paused" }));
    let forged = chain(last).append(at, &paused, &stranger).unwrap();
    refused(&call(&house, token, boot, "facts", &write_batch([forged.text()])), 422, "bad_chain");
    let real = chain(last).append(at, &paused, &key).unwrap();
    let changed = real.text().replace("\"paused\"", "\"open\"");
    assert_ne!(changed, real.text());
    refused(&call(&house, token, boot, "facts", &write_batch([changed.as_str()])), 422, "bad_chain");
    // Another history, even by the backend's own key; and a place that is not the next one.
    let rewritten = chain(&facts[0]).append(at, &paused, &key).unwrap();
    refused(&call(&house, token, boot, "facts", &write_batch([rewritten.text()])), 409, "chain_conflict");
    let mut further = chain(last);
    let skipped = (0..2).map(|_| further.append(at, &paused, &key).unwrap()).last().unwrap();
    refused(&call(&house, token, boot, "facts", &write_batch([skipped.text()])), 409, "gap");
    // No token, a wrong one, and none of a backend.
    for wrong in ["", "Bearer 123", "Basic bm9ydGg6"] {
        assert_eq!(call(&house, wrong, boot, "facts", &text(batches[0])).status, 401);
    }
    assert_eq!(tables(&house), before, "nothing of it is stored");
    assert_eq!(alarms(&house), ["backend_bad_chain", "backend_chain_conflict"]);

    // Another backend, with its own token: not the first one's facts, and nothing of the first one's jobs.
    house.another("south");
    let southern: BackendSlug = "south".parse().unwrap();
    let south = Identity::read(&house.path("south-state"), &southern).unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(house.path("south-state/identity.json")).unwrap()).unwrap();
    let token = format!("Bearer {}", kept["enrolled"]["token"].as_str().unwrap());
    let answer = call(&house, &token, other_boot, "hello", &hello(&json!({ "seq": 0, "hash": "0".repeat(64) })));
    assert_eq!(answer.status, 200, "{}", answer.body);
    for _ in 0..3 {
        refused(&call(&house, &token, other_boot, "facts", &text(batches[0])), 403, "wrong_backend");
    }
    assert_eq!(alarms(&house), ["backend_bad_chain", "backend_chain_conflict", "backend_wrong_backend"]);
    let job = &rows(
        &house.at_site(),
        "SELECT j.identifier, r.identifier FROM job j JOIN job_request r ON r.number = j.job_request",
    )[0];
    let ended = json!({ "job": job[0], "request": job[1], "state": "failed", "code": "internal_error",
        "params": { "ref": "abcdefghij" }, "runtime_s": 1 });
    let mut own = Chain::new(southern, Epoch::LEAST);
    let lie = own.append(at, &body("job.finished", &ended), &south.signing_key().unwrap()).unwrap();
    let answer = call(&house, &token, other_boot, "facts", &write_batch([lie.text()]));
    assert_eq!(answer.status, 200, "content never blocks a chain: {}", answer.body);
    let apart = rows(&house.at_site(), "SELECT kind, not_applied FROM backend_fact WHERE not_applied IS NOT NULL");
    assert_eq!(apart.len(), 1, "{apart:?}");
    let stays = tables(&house);
    assert!(before.iter().all(|row| stays.contains(row)), "nothing of the first backend's moved");

    // Staff see it, and the operator's log has a line for each refusal.
    let staff = house.staff();
    let page = |path: &str| ask(house.site_at, "GET", path, &staff, "").unwrap();
    let shown = page("/staff/backends/south/");
    assert_eq!(shown.status, 200, "{}", shown.body);
    let list = shown.body.split("Messages that changed nothing").nth(1).unwrap();
    assert!(list.contains("fact 1/1") && list.contains("job.finished") && list.contains(&apart[0][1]), "{list}");
    let audit = page("/staff/audit/");
    for alarm in alarms(&house) {
        assert!(audit.body.contains(&alarm), "{alarm} is not on the page of the audit: {}", audit.body);
    }
    let said = std::fs::read_to_string(house.path("site.log")).unwrap();
    for (words, least) in [("facts are refused", 7), ("does not fit this site's", 3)] {
        assert!(said.matches(words).count() >= least, "{words}: {said}");
    }
}

#[test]
fn the_backend_refuses_what_a_site_replays_or_forges() {
    if !can_isolate() {
        return;
    }
    let (mut house, _) = recorded();
    house.kill_site();
    let site = house.at_site();
    let [told, own] = house.at_backend();
    let jobs = "SELECT id, code, attempts FROM job ORDER BY id";
    let before = rows(&own, jobs);
    let order = &rows(&site, "SELECT text, backend, cursor FROM directive WHERE kind = 'job_request'")[0];
    let [text, backend, cursor] = &order[..] else { panic!("{order:?}") };
    let put = |id: &str, text: &str| {
        let next = "UPDATE backend SET line_last = line_last + 1 WHERE id = ? RETURNING line_last";
        let next = rows(&site, &next.replace('?', backend))[0][0].clone();
        let text = text.replace(&format!("\"cursor\":{cursor},"), &format!("\"cursor\":{next},")).replace('\'', "''");
        let row = format!(
            "INSERT INTO directive (backend, cursor, id, kind, text, at, expires_at)
             VALUES ({backend}, {next}, '{id}', 'notice', '{text}', 0, 0) RETURNING cursor"
        );
        assert_eq!(rows(&site, &row).len(), 1);
        assert!(text.contains(&format!("\"cursor\":{next},")), "{text}");
        next
    };
    // The order that it had, at a new place: signed for another one. The same under another id, with another action, and to
    // another backend.
    let id = serde_json::from_str::<Value>(text).unwrap()["id"].as_str().unwrap().to_owned();
    let ids = ["01KAZ7Q0V5T9M3XJ2C8R4W6YDA", "01KAZ7Q0V5T9M3XJ2C8R4W6YDB", "01KAZ7Q0V5T9M3XJ2C8R4W6YDC"];
    let forged = [
        put("01KAZ7Q0V5T9M3XJ2C8R4W6YDD", text),
        put(ids[0], &text.replace(&id, ids[0])),
        put(ids[1], &text.replace(&id, ids[1]).replace("\"run_all\"", "\"first\"")),
        put(ids[2], &text.replace(&id, ids[2]).replace("\"backend\":\"north\"", "\"backend\":\"south\"")),
    ];
    house.start_site();
    house.start_backend();
    // One bad directive never stops those behind it.
    let good = house.request("behind", &["run_all"]).expect("the site is there");
    let query = format!("SELECT count(*) FROM job_request WHERE number = {good} AND status = 'succeeded'");
    until("the request behind them has run", 60, || number(&site, &query) == 1);
    let now = rows(&own, jobs);
    assert_eq!(now.len(), before.len() + 1, "the forged orders made no job: {now:?}");
    assert!(before.iter().all(|job| now.contains(job)), "{before:?} {now:?}");
    let rejected = "SELECT text FROM fact WHERE text LIKE '%\"directive.rejected\"%' ORDER BY seq";
    let rejected: Vec<Value> = rows(&told, rejected)
        .iter()
        .map(|row| serde_json::from_str::<Value>(&row[0]).unwrap()["body"].clone())
        .collect();
    let places: Vec<String> = rejected.iter().map(|body| body["cursor"].to_string()).collect();
    assert_eq!(places, forged);
    for body in &rejected {
        assert!(["bad_signature", "wrong_backend"].contains(&body["code"].as_str().unwrap()), "{body}");
    }
    let staff = house.staff();
    let page = ask(house.site_at, "GET", &format!("/staff/backends/{BACKEND}/"), &staff, "").unwrap();
    let list = page.body.split("Messages that changed nothing").nth(1).unwrap();
    for place in &forged[1..] {
        assert!(list.contains(&format!("directive {place}")), "{place}: {list}");
    }
    assert!(list.contains("bad_signature"), "{list}");
    let said = std::fs::read_to_string(house.path("backend.log")).unwrap();
    assert!(said.matches("a directive is not applied").count() >= forged.len(), "{said}");
}
