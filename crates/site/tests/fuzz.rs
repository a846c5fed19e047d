//! Whatever a backend sends, the site answers with a refusal or keeps it apart, and goes on. Spec protocol.md 4.2, 11
//! (schema fuzzing, hostile backend).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use common::{North, Rig, at, from};
use http::{Method, StatusCode};
use protocol::fact::FactBody;
use protocol::json::canonical;
use protocol::keys::Purpose;
use protocol::text::hashes::Sha256Hex;
use serde_json::{Map, Value, json};

/// The same changes each time: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

fn strange(dice: &mut Dice) -> Value {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let all = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(9_007_199_254_740_991_u64),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("x".repeat(70_000)),
        json!("../../etc"),
        json!("\u{0}\u{202e}<script>"),
        json!("2027-03-04T09:15:02.000000Z"),
        json!([]),
        json!([[]]),
        json!({}),
        deep,
    ];
    all[dice.below(all.len())].clone()
}

/// Changes one place of a value: another value there, or an entry more or less.
fn bend(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(dice.below(map.len())).unwrap().clone();
            match dice.below(6) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert("more".to_owned(), strange(dice))),
                _ => bend(map.get_mut(&key).unwrap(), dice),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let place = dice.below(list.len());
            match dice.below(5) {
                0 => drop(list.remove(place)),
                1 => list.push(list[place].clone()),
                _ => bend(&mut list[place], dice),
            }
        }
        other => *other = strange(dice),
    }
}

/// A fact with this body whose place, hash and signature are right.
fn signed(north: &North, (seq, prev): (u64, &str), kind: &str, body: &Value) -> Option<(String, String)> {
    let mut fact: Map<String, Value> = from(json!({"v": 1, "backend": north.slug, "epoch": 1, "seq": seq,
        "at": at(7).to_string(), "prev": prev, "type": kind, "body": body}));
    let text = canonical(&Value::Object(fact.clone())).ok()?;
    let hash = Sha256Hex::of(&[prev.as_bytes(), text.as_bytes()]);
    let sig = north.key.sign(Purpose::Fact, hash.as_str());
    fact.insert("hash".into(), json!(hash));
    fact.insert("key".into(), json!(north.key.id()));
    fact.insert("sig".into(), json!(sig.as_str()));
    Some((canonical(&Value::Object(fact)).ok()?, hash.as_str().to_owned()))
}

#[tokio::test]
async fn signed_nonsense_is_kept_apart_and_the_chain_goes_on() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let _ = rig.request(&north, 1, &["a"]).await;
    let mut dice = Dice(1);
    let (mut seq, mut prev) = (0, "0".repeat(64));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/golden/1.0/facts");
    let mut kinds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    kinds.sort();
    assert!(kinds.len() >= 19);
    let mut sent = 0;
    for path in kinds {
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // A key that counts from here on would end this test: the next facts are signed by the old one.
        if kind == "backend.key" {
            continue;
        }
        let bodies: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for n in 0..12 {
            let mut body = bodies[n % bodies.len()].clone();
            for _ in 0..=dice.below(2) {
                bend(&mut body, &mut dice);
            }
            let Some((text, hash)) = signed(&north, (seq + 1, &prev), &kind, &body) else { continue };
            let (status, answer) = rig.call(&north, Method::POST, "facts", format!("{{\"facts\":[{text}]}}")).await;
            let is_small = text.len() <= 256 * 1024;
            if status == StatusCode::OK {
                (seq, prev) = (seq + 1, hash);
            } else {
                // Too deep or too large for a message at all.
                assert!(status.is_client_error(), "{status} {answer} {kind} {body}");
                assert!(!is_small || text.len() > 60_000 || text.contains("[[[["), "{status} {answer} {kind} {body}");
            }
            sent += 1;
        }
    }
    assert!(sent > 150, "{sent}");
    // It is all there, most of it apart; and the next right fact counts.
    let count: i64 = rig.one("SELECT count(*) FROM backend_fact").await;
    let apart: i64 = rig.one("SELECT count(*) FROM backend_fact WHERE not_applied IS NOT NULL").await;
    assert_eq!(count, i64::try_from(seq).unwrap());
    assert!(apart * 2 > count, "{apart} of {count}");
    let (text, _) = signed(&north, (seq + 1, &prev), "backend.mode", &json!({"mode": "paused"})).unwrap();
    let (status, answer) = rig.call(&north, Method::POST, "facts", format!("{{\"facts\":[{text}]}}")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(rig.one::<String>("SELECT mode FROM backend").await, "paused");
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM job_request").await, 1);
    site::facts::rebuild(&rig.site).await.unwrap();
}

#[tokio::test]
async fn no_call_breaks_the_site() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let fact = north.fact(1, &FactBody::Mode(from(json!({"mode": "open"}))));
    let batch: Value = serde_json::from_str(&format!("{{\"facts\":[{}]}}", fact.text())).unwrap();
    let hello = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": north.boot, "epoch": 1,
        "head": {"seq": 0, "hash": "0".repeat(64)}, "directive_cursor": 0, "now": at(0).to_string()});
    let gauges = json!({"at": at(0).to_string(), "boot": north.boot, "mode": "open", "version": "1.4.0",
        "pools": [{"pool": "db", "capacity": 6, "running": 5, "waiting": 9, "weight_running": 6}],
        "queue": [{"job": "z5lfvbtssar3t2id", "pool": "db", "position": 2}], "disk": "ok", "directive_cursor": 0,
        "fact_head": {"epoch": 1, "seq": 0}});
    let mut dice = Dice(2);
    for (call, whole) in [("hello", hello), ("gauges", gauges), ("facts", batch)] {
        for n in 0..120 {
            let mut bytes = if n % 3 == 0 {
                let mut text = whole.to_string().into_bytes();
                for _ in 0..=dice.below(3) {
                    let place = dice.below(text.len());
                    text[place] = u8::try_from(dice.below(256)).unwrap();
                }
                text
            } else {
                let mut bent = whole.clone();
                bend(&mut bent, &mut dice);
                bent.to_string().into_bytes()
            };
            if n % 7 == 0 {
                bytes.truncate(dice.below(bytes.len() + 1));
            }
            // No more than the calls of one second.
            rig.site.clock.advance(1);
            let (status, answer) = rig.call(&north, Method::POST, call, bytes.clone()).await;
            assert!(!status.is_server_error(), "{call}: {status} {answer}: {}", String::from_utf8_lossy(&bytes));
        }
    }
    for query in
        ["after=1&after=2", "after=%00", "after=1&wait=99999999999999999999", "wait=0&after=", "&&&=", "after==1"]
    {
        let (status, _) = rig.call(&north, Method::GET, &format!("directives?{query}"), "").await;
        assert!(!status.is_server_error(), "{query}: {status}");
        let (status, _) = rig.call(&north, Method::GET, &format!("people?{query}"), "").await;
        assert!(!status.is_server_error(), "{query}: {status}");
    }
    // And it is as good as before.
    assert_eq!(rig.hello(&mut north).await.0, StatusCode::OK);
}
