//! Nothing that was signed can be changed unseen: any byte of any fact or directive, changed, left out or doubled.
//! Spec protocol.md 11. Changes that say the same (an escape for its letter) are the same message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use common::golden;
use proptest::prelude::*;
use protocol::directive::envelope::{Draft, Rejected, open};
use protocol::directive::{DirectiveBody, DirectiveKind};
use protocol::fact::backend::RejectedCode;
use protocol::fact::chain::Chain;
use protocol::fact::envelope::{BadContent, Fact};
use protocol::fact::{FactBody, FactKind};
use protocol::json::{self, Limits};
use protocol::keys::{Keys, SigningKey};
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch};
use serde_json::{Value, json};

const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 12, values: 50_000 };

fn key() -> SigningKey {
    SigningKey::new(&[7; 32], "k-1".parse().unwrap())
}

fn keys() -> Keys {
    Keys::from([("k-1".parse().unwrap(), key().public())])
}

fn at(second: i64) -> Moment {
    Moment::from_microseconds(1_800_000_000_000_000 + second * 1_000_000).unwrap()
}

fn north() -> BackendSlug {
    "north".parse().unwrap()
}

/// A signed fact of every golden body.
fn facts() -> Vec<(FactKind, Fact)> {
    let golden = golden();
    let mut facts = Vec::new();
    for &kind in FactKind::ALL {
        for body in &golden[&format!("facts/{}", kind.name())] {
            let epoch = body["epoch"].as_u64().filter(|_| kind == FactKind::Opened).unwrap_or(1);
            let mut chain = Chain::new(north(), Epoch::try_from(epoch).unwrap());
            let body = FactBody::read(kind, body).unwrap();
            facts.push((kind, chain.append(at(0), &body, &key()).unwrap()));
        }
    }
    facts
}

fn draft(kind: DirectiveKind, body: &Value) -> Draft {
    Draft {
        cursor: Cursor::try_from(4071).unwrap(),
        id: "01KAZ7Q0V5T9M3XJ2C8R4W6YDE".parse().unwrap(),
        backend: north(),
        at: at(0),
        expires_at: at(100),
        critical: vec![],
        body: DirectiveBody::read(kind, body).unwrap(),
    }
}

fn directives() -> Vec<Draft> {
    let golden = golden();
    let all = DirectiveKind::ALL.iter();
    all.flat_map(|&kind| {
        golden[&format!("directives/{}", kind.name())].iter().map(move |body| draft(kind, body)).collect::<Vec<_>>()
    })
    .collect()
}

/// What a text was signed as, if it is still found to be right.
fn fact_passes(text: &[u8]) -> Option<Value> {
    let value = json::read(text, &LIMITS).ok()?;
    let fact = Fact::read(value.clone()).ok()?;
    (fact.verify(&keys())).then_some(value)
}

fn directive_passes(text: &[u8]) -> Option<Value> {
    let value = json::read(text, &LIMITS).ok()?;
    open(&value, &north(), &keys(), at(1)).ok()?;
    Some(value)
}

#[test]
fn every_golden_body_is_signed_and_read_back() {
    for (kind, fact) in facts() {
        assert!(fact.verify(&keys()));
        assert_eq!(fact.content().unwrap().body.kind(), kind);
    }
    for draft in directives() {
        let text = draft.sign(&key()).unwrap();
        let opened = open(&json::read(text.as_bytes(), &LIMITS).unwrap(), &north(), &keys(), at(1)).unwrap();
        assert_eq!(
            (opened.cursor, &opened.id, opened.at, &opened.body),
            (draft.cursor, &draft.id, draft.at, &draft.body)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1200))]

    #[test]
    fn a_changed_byte_is_found(which: prop::sample::Index, place: prop::sample::Index, how in 0u8..3, bit in 0u32..8, up: bool) {
        thread_local! {
            static FACTS: Vec<String> = facts().iter().map(|(_, fact)| fact.text().to_owned()).collect();
            static ORDERS: Vec<String> = directives().iter().map(|draft| draft.sign(&key()).unwrap()).collect();
        }
        let text = if up { FACTS.with(|all| which.get(all).clone()) } else { ORDERS.with(|all| which.get(all).clone()) };
        let mut bytes = text.clone().into_bytes();
        let i = place.index(bytes.len());
        match how {
            0 => bytes[i] ^= 1 << bit,
            1 => drop(bytes.remove(i)),
            _ => bytes.insert(i, bytes[i]),
        }
        let passed = if up { fact_passes(&bytes) } else { directive_passes(&bytes) };
        if let Some(value) = passed {
            // Only what says the same may pass; the name of the key alone is not under a fact's signature, and another
            // name is no key.
            prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}

fn code(value: &Value, me: &str, now: i64) -> RejectedCode {
    let Err(Rejected(code)) = open(value, &me.parse().unwrap(), &keys(), at(now)) else { panic!("applied: {value}") };
    code
}

/// A hostile or broken site, row by row (spec protocol.md 3.2 (3)).
#[test]
fn directives_that_are_not_applied() {
    let body = json!({"code": "upgrade_needed", "date": "2027-03-04T09:15:02.104000Z"});
    let right = draft(DirectiveKind::Notice, &body);
    let value = |draft: &Draft| -> Value { serde_json::from_str(&draft.sign(&key()).unwrap()).unwrap() };
    let whole = value(&right);
    assert!(open(&whole, &north(), &keys(), at(400)).is_ok(), "five minutes of tolerance");
    assert_eq!(code(&whole, "north", 401), RejectedCode::Expired);
    assert_eq!(code(&whole, "south", 1), RejectedCode::WrongBackend);
    let stranger: Value =
        serde_json::from_str(&right.sign(&SigningKey::new(&[8; 32], "k-1".parse().unwrap())).unwrap()).unwrap();
    assert_eq!(code(&stranger, "north", 1), RejectedCode::BadSignature);
    let unknown_key: Value =
        serde_json::from_str(&right.sign(&SigningKey::new(&[7; 32], "k-2".parse().unwrap())).unwrap()).unwrap();
    assert_eq!(code(&unknown_key, "north", 1), RejectedCode::BadSignature);
    let critical = Draft { critical: vec!["colour"], ..right.clone() };
    assert_eq!(code(&value(&critical), "north", 1), RejectedCode::UnknownCritical);
    let understood = Draft { critical: vec!["code", "date"], ..right };
    assert!(open(&value(&understood), &north(), &keys(), at(1)).is_ok());
    for (value, expected) in [(json!([]), RejectedCode::Malformed), (json!({}), RejectedCode::Malformed)] {
        assert_eq!(code(&value, "north", 1), expected);
    }
    // Changed after it was signed.
    let mut changed = whole;
    changed["expires_at"] = json!("2099-01-01T00:00:00.000000Z");
    assert_eq!(code(&changed, "north", 1), RejectedCode::BadSignature);
}

/// What a captured backend might sign: kept in the chain, never applied (spec protocol.md 4.2, 9 (c), 11).
#[test]
fn facts_with_a_right_signature_that_say_what_may_not_be_said() {
    let golden = golden();
    let started = &golden["facts/job.started"][0];
    let signed = |change: &dyn Fn(&mut Value)| {
        // A forger uses the same keys and the same canonical form, and its own words.
        let mut bare = json!({
            "v": 1, "backend": "north", "epoch": 1, "seq": 1, "at": "2027-03-04T09:15:07.000000Z",
            "prev": "0".repeat(64), "type": "job.started", "body": started,
        });
        change(&mut bare);
        forge(bare)
    };
    assert!(signed(&|_| {}).content().is_ok());
    let apart = |change: &dyn Fn(&mut Value)| {
        let fact = signed(change);
        assert!(fact.verify(&keys()), "the chain goes on");
        fact.content().unwrap_err()
    };
    assert_eq!(apart(&|f| f["type"] = json!("job.exploded")), BadContent::UnknownType);
    assert_eq!(apart(&|f| f["note"] = json!("mark")), BadContent::Envelope);
    assert_eq!(apart(&|f| f["at"] = json!("2027-03-04T09:15:07Z")), BadContent::Envelope);
    assert_eq!(apart(&|f| f["at"] = json!("2027-03-04T09:15:07.000001Z")), BadContent::TooFine);
    assert!(matches!(apart(&|f| f["body"]["path"] = json!("/srv/high/x")), BadContent::Body(_)));
    assert!(matches!(apart(&|f| f["body"] = json!("x".repeat(100_000))), BadContent::Body(_)));
    assert!(matches!(apart(&|f| drop(f["body"].as_object_mut().unwrap().remove("image"))), BadContent::Body(_)));
    let opened = golden["facts/backend.opened"][0].clone();
    assert!(matches!(
        apart(&|f| {
            f["type"] = json!("backend.opened");
            f["body"] = opened.clone();
            f["seq"] = json!(2);
        }),
        BadContent::Envelope
    ));
}

/// Signs any object as a fact, with the public pieces of the rule: SHA-256, JCS, Ed25519.
fn forge(bare: Value) -> Fact {
    use ed25519_dalek::Signer;
    use sha2::{Digest, Sha256};
    let text = format!("{}{}", bare["prev"].as_str().unwrap(), json::canonical(&bare).unwrap());
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    let signer = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let signature = signer.sign(format!("cloister-fact-v1\n{hash}").as_bytes());
    let mut whole = bare;
    whole["hash"] = json!(hash);
    whole["key"] = json!("k-1");
    whole["sig"] = json!(data_encoding::BASE64.encode(&signature.to_bytes()));
    Fact::read(whole).unwrap()
}
