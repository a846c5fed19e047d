//! The table of intake, row by row, as a backend sees it over HTTP. Spec protocol.md 4.2.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use common::{Rig, accepted, at, failed, from, started, succeeded, text};
use http::{Method, StatusCode};
use protocol::fact::FactBody;
use protocol::fact::chain::Chain;
use protocol::fact::envelope::Fact;
use protocol::keys::SigningKey;
use protocol::text::hashes::Sha256Hex;
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_runs_and_its_row_says_so() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let (directive, order) = rig.request(&north, 812, &["tabulate", "plot"]).await;
    rig.tell(&mut north, vec![(1, accepted(&directive, &order))]).await;
    assert_eq!(rig.one::<String>("SELECT status FROM job_request").await, "pending");
    rig.tell(&mut north, vec![(5, started(812, "tabulate", 1))]).await;
    assert_eq!(rig.one::<String>("SELECT status FROM job_request").await, "running");
    rig.tell(
        &mut north,
        vec![(377, succeeded(812, "tabulate", 372)), (378, started(812, "plot", 1)), (378, failed(812, "plot", 0))],
    )
    .await;
    let row: (String, String, i64, i64, i64, i64, i64, String) = sqlx::query_as(
        "SELECT status, reason, runtime_s, first_started_at, last_finished_at, jobs_succeeded, jobs_failed, delivery
         FROM job_request",
    )
    .fetch_one(rig.site.store.readers())
    .await
    .unwrap();
    let expected = (
        "failed".into(),
        "job_failure".into(),
        372,
        at(5).microseconds(),
        at(378).microseconds(),
        1,
        1,
        "answered".into(),
    );
    assert_eq!(row, expected);
    let attempt: (i64, i64, String) = sqlx::query_as("SELECT a.started_at, a.ended_at, a.image FROM job_attempt a JOIN job j ON j.identifier = a.job WHERE j.action = 'plot'")
        .fetch_one(rig.site.store.readers())
        .await
        .unwrap();
    assert_eq!(attempt, (at(378).microseconds(), at(378).microseconds(), format!("sha256:{}", "0c".repeat(32))));
}

async fn facts_of(rig: &Rig) -> i64 {
    rig.one("SELECT count(*) FROM backend_fact").await
}

fn mode(kind: &str) -> FactBody {
    FactBody::Mode(from(json!({"mode": kind})))
}

#[tokio::test]
async fn each_row_of_the_table() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let one: Vec<Fact> = ["open", "paused", "open"].iter().map(|m| north.fact(1, &mode(m))).collect();

    // Beyond the head: a gap, and what is expected.
    let (status, answer) = rig.facts(&north, &one[1..]).await;
    assert_eq!((status, answer), (StatusCode::CONFLICT, json!({"code": "gap", "expected": 1})));
    // After the head.
    let (status, answer) = rig.facts(&north, &one[..2]).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({"epoch": 1, "through": 2, "hash": one[1].hash})));
    // All known; part known.
    let (status, answer) = rig.facts(&north, &one[..2]).await;
    assert_eq!((status, answer["through"].as_u64()), (StatusCode::OK, Some(2)));
    assert_eq!(facts_of(&rig).await, 2);
    let (status, answer) = rig.facts(&north, &one).await;
    assert_eq!((status, answer["through"].as_u64()), (StatusCode::OK, Some(3)));
    assert_eq!(facts_of(&rig).await, 3);

    // A known place with another hash, by the same key: nothing is stored.
    let mut other = Chain::new(text("north"), from(json!(1)));
    let lie: Vec<Fact> = (0..4).map(|_| other.append(at(2), &mode("paused"), &north.key).unwrap()).collect();
    let (status, answer) = rig.facts(&north, &lie).await;
    assert_eq!((status, answer), (StatusCode::CONFLICT, json!({"code": "chain_conflict"})));
    let (status, answer) = rig.facts(&north, &lie[3..]).await;
    assert_eq!((status, answer), (StatusCode::CONFLICT, json!({"code": "chain_conflict"})));

    // A wrong hash, a wrong signature, an unknown key.
    let fourth = north.fact(3, &mode("paused"));
    let changed = fourth.text().replace("\"paused\"", "\"open\"");
    let forged = format!("{{\"facts\":[{changed}]}}");
    let (status, answer) = rig.call(&north, Method::POST, "facts", forged).await;
    assert_eq!((status, answer), (StatusCode::UNPROCESSABLE_ENTITY, json!({"code": "bad_chain"})));
    let stranger = SigningKey::new(&[99; 32], north.key.id().clone());
    let mut branch = Chain { head: one[2].head(), ..north.chain.clone() };
    let by_stranger = branch.append(at(3), &mode("paused"), &stranger).unwrap();
    let (status, answer) = rig.facts(&north, &[by_stranger]).await;
    assert_eq!((status, answer), (StatusCode::UNPROCESSABLE_ENTITY, json!({"code": "bad_chain"})));
    assert_eq!(facts_of(&rig).await, 3);

    // Staff see each kind of alarm once an hour, however often the backend tries.
    let alarms: Vec<(String, i64)> = sqlx::query_as(
        "SELECT action, count(*) FROM audit_event WHERE object_kind = 'backend' GROUP BY action ORDER BY action",
    )
    .fetch_all(rig.site.store.readers())
    .await
    .unwrap();
    let expected = [("backend_bad_chain", 1), ("backend_chain_conflict", 1), ("backend_enrolled", 1)];
    assert_eq!(alarms, expected.map(|(action, count)| (action.to_owned(), count)));

    // The chain is good, the content is not: stored, marked, and the chain goes on.
    let unknown = started(812, "tabulate", 1);
    let fifth = north.fact(4, &unknown);
    let (status, answer) = rig.facts(&north, &[fourth, fifth]).await;
    assert_eq!((status, answer["through"].as_u64()), (StatusCode::OK, Some(5)));
    let apart: Option<String> = rig.one("SELECT not_applied FROM backend_fact WHERE seq = 5").await;
    assert_eq!(apart.as_deref(), Some("unknown_job"));
    assert_eq!(rig.one::<String>("SELECT mode FROM backend").await, "paused");
    rig.tell(&mut north, vec![(5, mode("open"))]).await;
    assert_eq!(rig.one::<String>("SELECT mode FROM backend").await, "open");
}

#[tokio::test]
async fn no_batches() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let fact = north.fact(1, &mode("open"));
    for (body, code) in [
        ("", "malformed"),
        ("{}", "malformed"),
        ("{\"facts\":[]}", "malformed"),
        ("{\"facts\":[{}]}", "malformed"),
        ("{\"facts\":[1e99]}", "malformed"),
        ("\u{0}", "malformed"),
    ] {
        let (status, answer) = rig.call(&north, Method::POST, "facts", body).await;
        assert_eq!((status, answer), (StatusCode::BAD_REQUEST, json!({"code": code})), "{body}");
    }
    let (status, _) = rig.call(&north, Method::POST, "facts", " ".repeat(1024 * 1024 + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    // One that is not the next of the one before it.
    let twice = format!("{{\"facts\":[{0},{0}]}}", fact.text());
    assert_eq!(rig.call(&north, Method::POST, "facts", twice).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(facts_of(&rig).await, 0);
}

#[tokio::test]
async fn a_fact_of_a_newer_version_is_kept_and_changes_nothing() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let fact = north.fact(1, &mode("open"));
    // The same place with a type that this version does not know, rightly signed: made by hand from the rule of 4.1.
    let mut whole: Value = serde_json::from_str(fact.text()).unwrap();
    let map = whole.as_object_mut().unwrap();
    map.insert("type".into(), json!("backend.sings"));
    for field in ["hash", "key", "sig"] {
        map.remove(field);
    }
    let bare = protocol::json::canonical(&whole).unwrap();
    let hash = Sha256Hex::of(&["0".repeat(64).as_bytes(), bare.as_bytes()]);
    let key = ed25519_dalek::SigningKey::from_bytes(&[b'n'; 32]);
    let sig = ed25519_dalek::Signer::sign(&key, format!("cloister-fact-v1\n{hash}").as_bytes());
    let map = whole.as_object_mut().unwrap();
    map.insert("hash".into(), json!(hash));
    map.insert("key".into(), json!(north.key.id()));
    map.insert("sig".into(), json!(data_encoding::BASE64.encode(&sig.to_bytes())));
    let (status, answer) = rig.call(&north, Method::POST, "facts", json!({"facts": [whole]}).to_string()).await;
    assert_eq!((status, answer["through"].as_u64()), (StatusCode::OK, Some(1)), "{answer}");
    assert_eq!(
        rig.one::<Option<String>>("SELECT not_applied FROM backend_fact").await.as_deref(),
        Some("unknown_type")
    );
    assert_eq!(rig.one::<String>("SELECT kind FROM backend_fact").await, "unknown");
}

#[tokio::test]
async fn a_flipped_bit_is_found_wherever_it_is() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let fact = north.fact(1, &mode("open"));
    let good = format!("{{\"facts\":[{}]}}", fact.text()).into_bytes();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 7);
        rig.site.clock.advance(1);
        let (status, _) = rig.call(&north, Method::POST, "facts", bad).await;
        assert!(status.is_client_error(), "byte {at}: {status}");
    }
    assert_eq!(facts_of(&rig).await, 0);
    assert_eq!(rig.call(&north, Method::POST, "facts", good).await.0, StatusCode::OK);
}

#[tokio::test]
async fn parts_of_a_long_answer_are_applied_together_across_batches() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let names: Vec<String> = (0..40).map(|n| format!("action_{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (directive, order) = rig.request(&north, 9, &names).await;
    let FactBody::Accepted(whole) = accepted(&directive, &order) else { unreachable!() };
    let parts = protocol::fact::parts::Parted::split_at(whole, 8 * 1024).unwrap();
    assert!(parts.len() > 2);
    for (n, part) in (0i64..).zip(parts) {
        assert_eq!(rig.one::<i64>("SELECT count(*) FROM job").await, 0);
        rig.tell(&mut north, vec![(n, FactBody::Accepted(part))]).await;
    }
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM job").await, 40);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM backend_fact WHERE not_applied IS NOT NULL").await, 0);
}
