//! A site that lies: forged, replayed, expired, over-wide, mis-addressed orders; answers that are none; answers that would make
//! a backend spin, wait for ever or believe. It obtains nothing beyond spec protocol.md 1.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::desk::{Contact, Readings, Starts};
use backend::identity::Identity;
use backend::line::ground::Ground;
use backend::line::transport::{Answer, Transport, Unreachable};
use backend::line::{Line, Parts};
use backend::log::{Log, Memory};
use bytes::Bytes;
use common::*;
use http::{Request, Response};
use protocol::directive::body::{Credential, Resend, RightsChanged, Token};
use protocol::directive::envelope::Draft;
use protocol::enrol::Enrolled;
use protocol::fact::FactBody;
use protocol::fact::backend::{Mode, RejectedCode};
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::Ulid;
use protocol::text::time::Moment;
use protocol::text::whole::{Epoch, Seq};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Fewer than the 72 of production: each of them is lived through, a minute at a time.
const OFFLINE_HOURS: u64 = 3;

/// What is answered to the nth call of a path, if not the truth.
type Lies = dyn Fn(&str, usize) -> Option<Said> + Send + Sync;
type Said = (u16, Vec<(&'static str, String)>, String);

/// A site that says what the test wants, at once. What it does not want to lie about is said as an honest one would.
struct Liar {
    lies: Box<Lies>,
    calls: Mutex<Vec<String>>,
    tokens: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Liar")
    }
}

fn said(status: u16, body: &Value) -> Option<Said> {
    Some((status, vec![], body.to_string()))
}

fn hello(epoch: u64, seq: u64, hash: &str) -> Value {
    json!({
        "version": "1.0", "features": [], "head": {"epoch": epoch, "seq": seq, "hash": hash}, "directive_cursor": 0,
        "now": moment(0).to_string(), "limits": {"facts": 500, "bytes": 1_048_576, "wait": 55}, "people_revision": 0
    })
}

fn honest(path: &str) -> Said {
    let zeros = "0".repeat(64);
    match path {
        "hello" => said(200, &hello(1, 0, &zeros)).unwrap(),
        // Held for as long as the backend waits is an honest answer too; this site never has anything.
        "facts" => said(503, &json!({"code": "unavailable"})).unwrap(),
        _ => (204, vec![], String::new()),
    }
}

impl Transport for Liar {
    fn call(&self, request: Request<Bytes>) -> Answer<'_> {
        let path = request.uri().path().strip_prefix("/backend/v1/").unwrap().to_owned();
        let token = request.headers()["authorization"].to_str().unwrap().to_owned();
        self.tokens.lock().unwrap().push(token);
        let nth = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(path.clone());
            calls.iter().filter(|call| **call == path).count()
        };
        let lie = (self.lies)(&path, nth);
        Box::pin(async move {
            if lie.is_none() && path == "directives" {
                tokio::time::sleep(Duration::from_secs(55)).await;
            }
            let (status, headers, body) = lie.unwrap_or_else(|| honest(&path));
            if status == 0 {
                return Err(Unreachable("cut".to_owned()));
            }
            let mut answer = Response::builder().status(status);
            for (name, value) in headers {
                answer = answer.header(name, value);
            }
            Ok(answer.body(body.into()).unwrap())
        })
    }
}

/// A clock that goes with the test's, and chance from a counter.
#[derive(Debug)]
struct Still(tokio::time::Instant, std::sync::atomic::AtomicU64);

impl Ground for Still {
    fn now(&self) -> Moment {
        let gone = i64::try_from(self.0.elapsed().as_micros()).unwrap();
        Moment::from_microseconds(moment(0).microseconds() + gone).unwrap()
    }
    fn random(&self) -> u128 {
        let n = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
    }
}

struct Told {
    log: Arc<Log>,
    contact: Contact,
    calls: BTreeMap<String, usize>,
    tokens: Vec<String>,
}

/// A backend that has told three facts talks for so many seconds to a site that lies.
async fn talk(seconds: u64, lies: impl Fn(&str, usize) -> Option<Said> + Send + Sync + 'static) -> Told {
    let shelf: Arc<Memory> = Arc::default();
    let log = Arc::new(in_memory(&shelf).await);
    log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused)), (moment(2), mode(Mode::Open))]).await.unwrap();
    let liar = Arc::new(Liar { lies: Box::new(lies), calls: Mutex::default(), tokens: Mutex::default() });
    let enrolled = Enrolled {
        backend: north(),
        token: Token::new("t".repeat(40).parse().unwrap()),
        token_ends_at: moment(1),
        key: "north-1".parse().unwrap(),
        site_key: "site-1".parse().unwrap(),
        site_public_key: key(2, "site-1").public().text(),
    };
    let readings = watch::Sender::new(Readings::default());
    let parts = Parts {
        log: log.clone(),
        identity: Arc::new(Identity::in_memory(&[1; 32], enrolled).unwrap()),
        transport: liar.clone(),
        ground: Arc::new(Still(tokio::time::Instant::now(), Default::default())),
        site: "https://jobs.example.org".parse().unwrap(),
        program: "1.4.0".parse().unwrap(),
        boot: Ulid::from_parts(1, 0),
        take_over: false,
        minimal_gauges: false,
        offline_start: OFFLINE_HOURS as i64 * 3600,
    };
    let line = Line::new(parts, readings.subscribe()).await.unwrap();
    let stop = watch::Sender::new(false);
    let run = line.run(stop.subscribe());
    assert!(tokio::time::timeout(Duration::from_secs(seconds), run).await.is_err(), "the line gave up");
    let contact = *line.contact().borrow();
    let mut calls = BTreeMap::new();
    for call in liar.calls.lock().unwrap().iter() {
        *calls.entry(call.clone()).or_default() += 1;
    }
    let tokens = liar.tokens.lock().unwrap().clone();
    Told { log, contact, calls, tokens }
}

async fn rejected(log: &Log) -> Vec<(u64, RejectedCode)> {
    let facts = log.facts(Epoch::LEAST, Seq::LEAST.next(), 1000).await.unwrap();
    let why = |body| match body {
        FactBody::DirectiveRejected(why) => Some((why.cursor.get(), why.code)),
        _ => None,
    };
    facts.iter().filter_map(|fact| why(fact.content().unwrap().body)).collect()
}

fn line_of(directives: Vec<Value>) -> impl Fn(&str, usize) -> Option<Said> {
    move |path, nth| if path == "directives" && nth == 1 { said(200, &json!({"directives": directives})) } else { None }
}

#[tokio::test(start_paused = true)]
async fn orders_that_are_not_the_sites_own_come_to_nothing() {
    let mut forged = signed(&draft(1, cancel("a")));
    forged["body"]["actions"] = json!(["a", "b"]);
    let stranger = draft(2, cancel("a")).sign(&key(9, "site-1")).unwrap();
    let unknown_key = draft(3, cancel("a")).sign(&key(2, "site-2")).unwrap();
    let elsewhere = signed(&Draft { backend: "south".parse().unwrap(), ..draft(4, cancel("a")) });
    let expired = signed(&Draft { expires_at: moment(-301), ..draft(5, cancel("a")) });
    let in_time = signed(&Draft { expires_at: moment(-200), ..draft(6, cancel("a")) });
    let critical = signed(&Draft { critical: vec!["as_root"], ..draft(7, cancel("a")) });
    let replayed = signed(&Draft { cursor: 8.try_into().unwrap(), ..draft(6, cancel("a")) });
    let parsed = |text: String| serde_json::from_str(&text).unwrap();
    let all = vec![forged, parsed(stranger), parsed(unknown_key), elsewhere, expired, in_time, critical, replayed];
    let told = talk(100, line_of(all)).await;
    use RejectedCode::{BadSignature, Expired, UnknownCritical, WrongBackend};
    assert_eq!(
        rejected(&told.log).await,
        [
            (1, BadSignature),
            (2, BadSignature),
            (3, BadSignature),
            (4, WrongBackend),
            (5, Expired),
            (7, UnknownCritical)
        ]
    );
    let waiting: Vec<u64> = told.log.waiting().await.unwrap().iter().map(|one| one.cursor.get()).collect();
    assert_eq!(waiting, [6], "within the tolerance, and once");
}

#[tokio::test(start_paused = true)]
async fn forged_words_about_the_connection_change_nothing() {
    let forge = |cursor, body| {
        let mut whole = signed(&draft(cursor, body));
        whole["sig"] = signed(&draft(99, cancel("a")))["sig"].clone();
        whole
    };
    let token = Token::new("f".repeat(40).parse().unwrap());
    let credential = forge(1, Credential { token, valid_from: moment(0) }.into());
    let resend = forge(2, Resend { epoch: Epoch::LEAST, from_seq: Seq::LEAST.next() }.into());
    let rights = forge(3, RightsChanged { users: Default::default(), revision: 9.try_into().unwrap() }.into());
    let told = talk(100, line_of(vec![credential, resend, rights])).await;
    assert_eq!(rejected(&told.log).await.len(), 3);
    assert!(told.tokens.iter().all(|token| token.ends_with(&"t".repeat(40))), "a forged token was used");
    assert_eq!(told.calls["people"], 1, "only at hello");
}

#[tokio::test(start_paused = true)]
async fn a_right_credential_is_used_and_a_refused_one_is_not_the_end() {
    let token = Token::new("n".repeat(40).parse().unwrap());
    let credential = signed(&draft(1, Credential { token, valid_from: moment(0) }.into()));
    let answer = json!({"directives": [credential]});
    let told = talk(100, move |path, nth| match (path, nth) {
        ("directives", 1) => said(200, &answer),
        _ => None,
    })
    .await;
    assert!(told.tokens.last().unwrap().ends_with(&"n".repeat(40)));
    assert!(told.log.waiting().await.unwrap().is_empty());
}

/// Whatever a site answers, always, to one call or to all: no panic, no spinning, and what is wrong is not believed.
#[tokio::test(start_paused = true)]
async fn no_answer_makes_a_backend_spin() {
    let huge = format!("[{}]", "1,".repeat(3_000_000));
    let deep = "[".repeat(100_000);
    let directive = signed(&draft(7, cancel("a")));
    let gap = json!({"directives": [directive]}).to_string();
    let many = json!({"directives": vec![signed(&draft(1, cancel("a"))); 101]}).to_string();
    let old = json!({"epoch": 1, "through": 0, "hash": "0".repeat(64)}).to_string();
    let mut answers: Vec<Said> = [
        (200, "<html>not here</html>"),
        (200, ""),
        (200, "null"),
        (200, "{}"),
        (200, r#"{"directives":[]}"#),
        (200, gap.as_str()),
        (200, many.as_str()),
        (200, old.as_str()),
        (200, huge.as_str()),
        (200, deep.as_str()),
        (204, ""),
        (301, ""),
        (400, r#"{"code":"malformed"}"#),
        (401, r#"{"code":"unauthorised"}"#),
        (403, r#"{"code":"disabled"}"#),
        (404, ""),
        (409, r#"{"code":"already_connected"}"#),
        (409, r#"{"code":"hello_first"}"#),
        (409, r#"{"code":"gap","expected":1}"#),
        (409, r#"{"code":"wrong_epoch","epoch":1}"#),
        (409, r#"{"code":"chain_conflict"}"#),
        (413, r#"{"code":"too_large"}"#),
        (422, r#"{"code":"bad_chain"}"#),
        (426, r#"{"code":"no_common_version","versions":["9.0"]}"#),
        (429, r#"{"code":"too_many"}"#),
        (500, ""),
        (502, "<html>"),
        (503, r#"{"code":"unavailable"}"#),
        (0, ""),
    ]
    .into_iter()
    .map(|(status, body)| (status, vec![], body.to_owned()))
    .collect();
    let later = |after: &str| (503, vec![("Retry-After", after.to_owned())], r#"{"code":"unavailable"}"#.to_owned());
    answers.extend([later("0"), later("99999999999999"), later("-1"), later("Fri, 31 Dec 9999 23:59:59 GMT")]);
    for lie in answers {
        for target in ["hello", "directives", "facts", "gauges", "people", "*"] {
            if lie.2.len() > 1 << 20 && !["directives", "*"].contains(&target) {
                continue; // Longer than any other message may be; reading it is what takes the time of this test.
            }
            let (answer, of) = (lie.clone(), target.to_owned());
            let told = talk(600, move |path, _| (of == "*" || of == path).then(|| answer.clone())).await;
            let words = format!("{} {:?} to {target}: {:?}", lie.0, lie.2.get(..40), told.calls);
            let calls: usize = told.calls.values().sum();
            // Ten minutes: about 20 gauges and 11 polls of an idle backend, and each try that failed once a second at most
            // on the average of the waits, here the least of all chances.
            assert!(calls < 2_500, "{words}");
            assert_eq!(told.log.standing().await.unwrap().inbox.cursor.get(), 0, "{words}");
            told.log.verify().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_claims_another_history_stops_the_starts() {
    let other = Sha256Hex::of(&[b"another history"]);
    for (epoch, seq) in [(1, 2), (1, 9), (2, 1)] {
        let place = hello(epoch, seq, other.as_str());
        let told = talk(600, move |path, _| if path == "hello" { said(200, &place) } else { None }).await;
        assert_eq!(told.contact.starts, Starts::Stopped, "epoch {epoch}, fact {seq}");
        assert!(told.calls["hello"] <= 11, "{:?}", told.calls);
        assert_eq!(told.calls.len(), 1, "nothing but hello: {:?}", told.calls);
        assert_eq!(told.log.standing().await.unwrap().epoch, Epoch::LEAST, "no epoch is opened but by the operator");
    }
    // The same said of a batch.
    let taken = json!({"epoch": 1, "through": 3, "hash": other.as_str()});
    let told = talk(600, move |path, _| if path == "facts" { said(200, &taken) } else { None }).await;
    assert_eq!(told.contact.starts, Starts::Stopped);
    assert!(told.calls["facts"] <= 11, "{:?}", told.calls);
}

#[tokio::test(start_paused = true)]
async fn who_is_ended_by_a_take_over_says_no_more() {
    let told = talk(4000, |path, nth| {
        (path == "gauges" && nth == 3).then(|| said(409, &json!({"code": "superseded"})).unwrap())
    })
    .await;
    assert_eq!(told.contact.starts, Starts::Elsewhere);
    assert_eq!((told.calls["gauges"], told.calls["hello"]), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn damaged_facts_stop_and_orders_go_on() {
    let told = talk(600, |path, _| (path == "facts").then(|| said(422, &json!({"code": "bad_chain"})).unwrap())).await;
    assert_eq!((told.calls["facts"], told.contact.starts), (1, Starts::Allowed));
    assert!(told.calls["directives"] >= 10, "{:?}", told.calls);
}

#[tokio::test(start_paused = true)]
async fn no_contact_for_too_long_ends_the_starts() {
    let hours = |n: u64| n * 3600;
    let cut = |path: &str, nth: usize| (path != "hello" || nth > 1).then(|| (0, vec![], String::new()));
    assert_eq!(talk(hours(OFFLINE_HOURS - 1), cut).await.contact.starts, Starts::Allowed);
    let told = talk(hours(OFFLINE_HOURS + 1), cut).await;
    assert_eq!((told.contact.starts, told.contact.connected), (Starts::Offline, false));
    // And back: the first answer lets jobs start again.
    let begun = tokio::time::Instant::now();
    let back = move |path: &str, nth: usize| {
        let away = begun.elapsed() < Duration::from_secs(hours(OFFLINE_HOURS + 1));
        (away && (path != "hello" || nth > 1)).then(|| (0, vec![], String::new()))
    };
    let told = talk(hours(OFFLINE_HOURS + 1) + 300, back).await;
    assert_eq!((told.contact.starts, told.contact.connected), (Starts::Allowed, true));
}

/// Idle: at most two requests a minute besides the heartbeat (spec protocol.md 11).
#[tokio::test(start_paused = true)]
async fn an_idle_backend_is_quiet() {
    let head = {
        let log = in_memory(&Arc::default()).await;
        log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused)), (moment(2), mode(Mode::Open))]).await.unwrap();
        log.standing().await.unwrap().head
    };
    let place = hello(1, head.seq.get(), head.hash.as_str());
    let told = talk(3600, move |path, _| if path == "hello" { said(200, &place) } else { None }).await;
    assert_eq!(told.calls["hello"], 1);
    assert!(told.calls["gauges"] <= 121, "{:?}", told.calls);
    let others: usize = told.calls.iter().filter(|(path, _)| *path != "gauges").map(|(_, count)| count).sum();
    assert!(others <= 120, "{:?}", told.calls);
    assert!(!told.calls.contains_key("facts"));
}
