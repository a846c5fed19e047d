//! Both sides against a broken or hostile other one, and what was once signed by another program with the same rules.
//! Spec protocol.md 3.2, 4.2, 5, 11.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{golden, room};
use protocol::directive::due::{Due, JobNow, Met, cancelling, due};
use protocol::directive::envelope::{Directive, Draft, open};
use protocol::directive::inbox::{self, Arrived, Inbox, Reader};
use protocol::directive::{DirectiveBody, DirectiveKind};
use protocol::fact::backend::{DirectiveRejected, KeyChanged, Mode, ModeChanged, RejectedCode};
use protocol::fact::chain::Chain;
use protocol::fact::envelope::{Fact, Head};
use protocol::fact::intake::{self, FactsRefused, Sender, Stored};
use protocol::fact::words::Cancelled;
use protocol::fact::{FactBody, FactKind};
use protocol::keys::{Keys, SigningKey};
use protocol::order::Order;
use protocol::release::{Declaration, Declaring, Held, Uploading, declaring, uploading};
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::names::{ActionName, BackendSlug};
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};
use serde_json::{Value, json};

fn key(byte: u8, id: &str) -> SigningKey {
    SigningKey::new(&[byte; 32], id.parse().unwrap())
}

fn keys(key: &SigningKey) -> Keys {
    Keys::from([(key.id().clone(), key.public())])
}

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

fn north() -> BackendSlug {
    "north".parse().unwrap()
}

const NOON: &str = "2027-03-04T12:00:00.000000Z";

/// A site's log of facts.
struct Log(Vec<Fact>);
impl Stored for Log {
    fn head(&self) -> Head {
        self.0.last().map_or_else(Head::start, Fact::head)
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        self.0.get(usize::try_from(seq.get()).unwrap() - 1).map(|fact| fact.hash.clone())
    }
}

fn signed(name: &str) -> Vec<u8> {
    fs::read(room().join("golden/1.0/signed").join(name)).unwrap()
}

/// `golden/1.0/signed/facts.json` was made by another program (Python's json, hashlib and cryptography) from the rule of 4.1.
#[test]
fn facts_signed_elsewhere_are_taken_in_and_made_again() {
    let key = key(1, "north-1");
    let sender = Sender { backend: north(), epoch: Epoch::LEAST, keys: keys(&key) };
    let facts = intake::read_batch(&signed("facts.json")).unwrap();
    let intake = intake::take_in(&sender, &Log(vec![]), facts).unwrap();
    let mut chain = Chain::new(north(), Epoch::LEAST);
    for taken in &intake.new {
        let content = taken.content.clone().unwrap();
        let ours = chain.append(content.at, &content.body, &key).unwrap();
        assert_eq!(ours.text(), taken.fact.text());
    }
    assert_eq!(intake.answer.through.get(), 5);
}

#[test]
fn directives_signed_elsewhere_are_opened_and_made_again() {
    let key = key(2, "site-1");
    let list: Vec<Value> = serde_json::from_slice(&signed("directives.json")).unwrap();
    for whole in list {
        let opened = open(&whole, &north(), &keys(&key), at(NOON)).unwrap();
        let draft = Draft {
            cursor: opened.cursor,
            id: opened.id,
            backend: north(),
            at: opened.at,
            expires_at: at("2027-03-18T09:15:02.104000Z"),
            critical: if opened.body.kind() == DirectiveKind::JobRequest { vec!["permissions"] } else { vec![] },
            body: opened.body,
        };
        assert_eq!(serde_json::from_str::<Value>(&draft.sign(&key).unwrap()).unwrap(), whole);
    }
}

fn mode(mode: Mode) -> FactBody {
    ModeChanged { mode, kind: None, ends_at: None }.into()
}

#[test]
fn what_is_no_batch() {
    let key = key(1, "north-1");
    let mut chain = Chain::new(north(), Epoch::LEAST);
    let facts: Vec<Fact> = (0..501).map(|_| chain.append(at(NOON), &mode(Mode::Open), &key).unwrap()).collect();
    let batch = |facts: &[Fact]| intake::write_batch(facts.iter().map(Fact::text));
    assert_eq!(intake::read_batch(batch(&facts[..500]).as_bytes()).unwrap().len(), 500);
    for bad in [
        batch(&facts),
        batch(&[]),
        batch(&[facts[0].clone(), facts[2].clone()]),
        batch(&[facts[1].clone(), facts[0].clone()]),
        batch(&[facts[0].clone(), facts[0].clone()]),
        batch(&facts[..1]).replace("\"v\":1", "\"v\":2"),
        batch(&facts[..1]).replace("\"seq\":1", "\"seq\":0"),
        batch(&facts[..1]).replace("}]}", "}],\"more\":1}"),
        "[]".into(),
        "{\"facts\":{}}".into(),
        "{\"facts\":[1]}".into(),
    ] {
        assert!(matches!(intake::read_batch(bad.as_bytes()), Err(FactsRefused::Malformed(_))), "{bad:.80}");
    }
    let large = format!("{{\"facts\":[{{\"x\":\"{}\"}}]}}", "a".repeat(1 << 20));
    assert!(matches!(intake::read_batch(large.as_bytes()), Err(FactsRefused::NotJson(_))));
}

#[test]
fn a_new_key_counts_from_the_next_fact_on() {
    let (old, new) = (key(1, "north-1"), key(3, "north-2"));
    let mut chain = Chain::new(north(), Epoch::LEAST);
    let changed = KeyChanged { key: new.id().clone(), public_key: new.public().text() };
    let mut facts = vec![
        chain.append(at(NOON), &mode(Mode::Open), &old).unwrap(),
        chain.append(at(NOON), &changed.into(), &old).unwrap(),
    ];
    let fork = chain.clone();
    facts.push(chain.append(at(NOON), &mode(Mode::Paused), &new).unwrap());
    let sender = Sender { backend: north(), epoch: Epoch::LEAST, keys: keys(&old) };
    let intake = intake::take_in(&sender, &Log(vec![]), facts.clone()).unwrap();
    assert_eq!(intake.keys, keys(&new));
    // Sent again after the change, with the keys that count now.
    let later = Sender { keys: intake.keys, ..sender.clone() };
    assert!(intake::take_in(&later, &Log(facts.clone()), facts.clone()).unwrap().new.is_empty());
    // The old key tells nothing more.
    let mut fork = fork;
    let stolen = fork.append(at(NOON), &mode(Mode::Paused), &old).unwrap();
    let refused = intake::take_in(&sender, &Log(vec![]), vec![facts[0].clone(), facts[1].clone(), stolen]);
    assert!(matches!(refused, Err(FactsRefused::BadChain { .. })));
}

fn directive(cursor: u64, id: u64, key: &SigningKey) -> Value {
    let draft = Draft {
        cursor: cursor.try_into().unwrap(),
        id: Ulid::from_parts(id, 0),
        backend: north(),
        at: at(NOON),
        expires_at: at(NOON),
        critical: vec![],
        body: DirectiveBody::read(DirectiveKind::Notice, &json!({"code": "upgrade_needed", "date": NOON})).unwrap(),
    };
    serde_json::from_str(&draft.sign(key).unwrap()).unwrap()
}

/// One bad directive never stops the others; a gap is asked for again; a second history stops the line.
#[test]
fn a_line_with_everything_wrong_in_it() {
    let (site, stranger) = (key(2, "site-1"), key(9, "site-1"));
    let (me, site_keys) = (north(), keys(&site));
    let reader = Reader { me: &me, keys: &site_keys, now: at(NOON) };
    let mut inbox = Inbox::new();
    let ids: BTreeMap<u64, Ulid> = (1..10).map(|n| (n, Ulid::from_parts(n, 0))).collect();
    let id_at = |cursor: Cursor| ids.get(&cursor.get()).cloned();
    let mut unreadable = directive(4, 4, &site);
    unreadable["cursor"] = json!("four");
    let answer = [
        directive(1, 1, &site),
        directive(2, 2, &stranger),
        json!({"cursor": 3, "noise": true}),
        unreadable,
        directive(5, 5, &site),
        directive(5, 5, &site),
        directive(2, 77, &stranger), // noise in an old place
        directive(8, 8, &site),      // 6 and 7 are missing
        directive(6, 6, &site),
    ];
    let received = inbox.receive(Cursor::LEAST, &answer, reader, id_at);
    let what: Vec<String> = received
        .arrived
        .iter()
        .map(|arrived| match arrived {
            Arrived::Apply(directive) => format!("{}", directive.cursor),
            Arrived::Reject(DirectiveRejected { cursor, code, .. }) => format!("{cursor} {code:?}"),
        })
        .collect();
    assert_eq!(what, ["1", "2 BadSignature", "3 Malformed", "4 BadSignature", "5"]);
    assert!(received.ask_again && !inbox.stopped);
    assert_eq!(inbox.cursor.get(), 5);
    // Restart: all of it again changes nothing.
    let again = inbox.receive(Cursor::LEAST, &answer[..5], reader, id_at);
    assert!(again.arrived.is_empty() && !inbox.stopped);
    let conflict = inbox.receive(inbox.cursor, &[directive(5, 55, &site), directive(6, 6, &site)], reader, id_at);
    assert!(inbox.stopped);
    let [Arrived::Reject(why)] = conflict.arrived.as_slice() else { panic!("{conflict:?}") };
    assert_eq!((why.cursor.get(), why.code), (5, RejectedCode::CursorConflict));
    assert!(
        inbox.receive(inbox.cursor, &[directive(6, 6, &site)], reader, id_at).arrived.is_empty(),
        "it stays stopped"
    );
    for bad in ["", "[]", "{}", "{\"directives\":1}", &inbox::write_answer(vec!["1"; 101])] {
        assert!(inbox::read_answer(bad.as_bytes()).is_err(), "{bad:.40}");
    }
}

#[derive(Default)]
struct Known {
    directives: Vec<Ulid>,
    orders: BTreeMap<RequestId, Order>,
}

impl Met for Known {
    fn directive(&self, id: &Ulid) -> bool {
        self.directives.contains(id)
    }
    fn order(&self, request: &RequestId) -> Option<Order> {
        self.orders.get(request).cloned()
    }
}

#[test]
fn twice_is_once() {
    let DirectiveBody::JobRequest(order) =
        DirectiveBody::read(DirectiveKind::JobRequest, &golden()["directives/job_request"][0]).unwrap()
    else {
        panic!()
    };
    let directive = |id, order: &Order| Directive {
        cursor: Cursor::LEAST.next(),
        id: Ulid::from_parts(id, 0),
        at: at(NOON),
        body: order.clone().into(),
    };
    let mut met = Known::default();
    assert_eq!(due(&met, &directive(1, &order)), Due::Plan);
    met.directives.push(Ulid::from_parts(1, 0));
    met.orders.insert(order.request.clone(), order.clone());
    assert_eq!(due(&met, &directive(1, &order)), Due::Nothing);
    assert_eq!(due(&met, &directive(2, &order)), Due::Stands);
    let same = Order { force_run_dependencies: true, ..order.clone() };
    assert_eq!(due(&met, &directive(2, &same)), Due::Stands);
    for other in [
        Order { workspace: "other".parse().unwrap(), ..order.clone() },
        Order { commit: "f".repeat(40).parse().unwrap(), ..order.clone() },
        Order { repo_url: "https://git.example.org/other".parse().unwrap(), ..order.clone() },
    ] {
        assert_eq!(due(&met, &directive(2, &other)), Due::Inconsistent);
    }
}

#[test]
fn a_cancel_with_an_unknown_action_stops_nothing() {
    let name = |n: &str| n.parse::<ActionName>().unwrap();
    let now = |action: &ActionName| match action.as_str() {
        "runs" => Some(JobNow::Unfinished),
        "done" => Some(JobNow::Ended),
        _ => None,
    };
    let all = cancelling(&[name("runs"), name("done")], now);
    assert_eq!(all, BTreeMap::from([(name("runs"), Cancelled::Stopped), (name("done"), Cancelled::AlreadyFinished)]));
    let none = cancelling(&[name("runs"), name("rnus")], now);
    assert_eq!(none, BTreeMap::from([(name("rnus"), Cancelled::Unknown)]));
}

#[test]
fn releases_are_taken_once_and_only_as_declared() {
    let declaration = |change: &dyn Fn(&mut Value)| -> Declaration {
        let mut value = golden()["messages/declaration"][0].clone();
        change(&mut value);
        serde_json::from_value(value).unwrap()
    };
    let known = declaration(&|_| {});
    assert_eq!(declaring(None, &known), Declaring::New);
    assert_eq!(declaring(Some(&known), &known), Declaring::Same);
    assert_eq!(
        declaring(Some(&known), &declaration(&|d| d["files"].as_array_mut().unwrap().reverse())),
        Declaring::Same
    );
    for other in [
        declaration(&|d| drop(d["files"].as_array_mut().unwrap().pop())),
        declaration(&|d| d["files"][0]["size"] = json!(1)),
        declaration(&|d| d["files"][0]["sha256"] = json!("c".repeat(64))),
        // The same hashes and names, other pairs.
        declaration(&|d| {
            let one = d["files"][0]["sha256"].take();
            d["files"][0]["sha256"] = d["files"][1]["sha256"].take();
            d["files"][1]["sha256"] = one;
        }),
    ] {
        assert_eq!(declaring(Some(&known), &other), Declaring::Conflict);
    }
    let (name, hash) = (known.files[0].name.clone(), known.files[0].sha256.clone());
    let upload = |name, hash, held| uploading(&known, name, hash, held);
    assert_eq!(upload(&name, &hash, Held::Nothing), Uploading::Take);
    assert_eq!(upload(&name, &hash, Held::Whole), Uploading::Already);
    assert_eq!(upload(&name, &hash, Held::Removed), Uploading::Gone);
    assert_eq!(upload(&name, &known.files[1].sha256, Held::Nothing), Uploading::HashMismatch);
    assert_eq!(upload(&"output/other.csv".parse().unwrap(), &hash, Held::Nothing), Uploading::NotDeclared);
    let clash = |d: &mut Value| {
        d["files"][1]["name"] = json!("OUTPUT/Table.csv");
        d["files"][1]["url"] = json!("OUTPUT/Table.csv");
    };
    let clash = serde_json::to_string(&declaration(&clash)).unwrap();
    assert!(protocol::message::from_bytes::<Declaration>(clash.as_bytes()).is_err());
}

#[test]
fn a_fact_that_is_too_large_is_not_made() {
    let key = key(1, "north-1");
    let mut body = golden()["facts/request.accepted"][0].clone();
    let job = body["jobs"][1].clone();
    body["jobs"][1]["run_command"] = json!("x".repeat(65_536));
    let jobs: Vec<Value> = (0..5)
        .map(|n| {
            let mut job = job.clone();
            let action: ActionName = format!("a{n}").parse().unwrap();
            let request: RequestId = body["answer"]["request"].as_str().unwrap().parse().unwrap();
            job["action"] = json!(action.as_str());
            job["job"] = json!(protocol::text::ids::JobId::of(&request, &action).as_str());
            job["run_command"] = json!("x".repeat(65_000));
            job
        })
        .collect();
    body["jobs"] = json!(jobs);
    let body = FactBody::read(FactKind::Accepted, &body).unwrap();
    let mut chain = Chain::new(north(), Epoch::LEAST);
    let before = chain.clone();
    assert!(chain.append(at(NOON), &body, &key).is_err());
    assert_eq!(chain, before, "nothing moved");
}

#[test]
fn signed_messages_keep_the_published_schema() {
    let published = protocol::kinds::published();
    let check = |group: &str, whole: &Value| {
        let name = format!("{group}/{}", whole["type"].as_str().unwrap());
        let schema = jsonschema::validator_for(&published["$defs"][&name]).unwrap();
        assert!(schema.is_valid(whole), "{name}: {:?}", schema.iter_errors(whole).next());
        let mut more = whole.clone();
        more["note"] = json!("mark");
        assert!(!schema.is_valid(&more), "{name}: the envelope is closed");
        more = whole.clone();
        more["body"]["note"] = json!("mark");
        assert!(!schema.is_valid(&more), "{name}: the body is closed");
    };
    let facts: Value = serde_json::from_slice(&signed("facts.json")).unwrap();
    facts["facts"].as_array().unwrap().iter().for_each(|fact| check("facts", fact));
    let directives: Vec<Value> = serde_json::from_slice(&signed("directives.json")).unwrap();
    directives.iter().for_each(|directive| check("directives", directive));
}
