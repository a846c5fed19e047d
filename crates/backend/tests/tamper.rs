//! Every bit of what is stored: a changed fact, directive or entry of the ledger is found and named, and never sent or applied.
//! Spec protocol.md 11 (tamper).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::path::Path;

use backend::log::{Log, LogError};
use common::*;
use protocol::fact::backend::{Mode, RejectedCode};
use protocol::text::whole::{Cursor, Epoch, Seq};
use sqlx::{Connection, SqliteConnection};

/// A record with three facts, two directives and two messages that left.
async fn record(state: &Path) {
    let log = on_disk(state).await;
    log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused)), (moment(2), mode(Mode::Open))]).await.unwrap();
    let answer = [signed(&draft(1, cancel("a"))), signed(&draft(2, cancel("a")))];
    log.take_in(Cursor::LEAST, &answer, moment(1)).await.unwrap();
    log.leaves(moment(1), "POST facts", b"{}").await.unwrap();
    log.leaves(moment(2), "POST gauges", b"{}").await.unwrap();
    log.verify().await.unwrap();
}

/// Changes what is stored behind the program's back.
async fn change(state: &Path, sql: String) {
    let path = format!("sqlite://{}", state.join("backend.sqlite").display());
    let mut connection = SqliteConnection::connect(&path).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn column(state: &Path, sql: &'static str) -> String {
    let path = format!("sqlite://{}", state.join("backend.sqlite").display());
    let mut connection = SqliteConnection::connect(&path).await.unwrap();
    let text = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    text
}

/// What stands in a SQL text for these bytes.
fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("CAST(x'{digits}' AS TEXT)")
}

#[tokio::test]
async fn a_changed_bit_of_a_fact_is_found_and_never_sent() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path()).await;
    let original = column(folder.path(), "SELECT text FROM fact WHERE seq = 2").await.into_bytes();
    // Every 29th bit, so that each byte and each place of a bit comes up.
    for bit in (0..original.len() * 8).step_by(29) {
        let mut changed = original.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if std::str::from_utf8(&changed).is_err() {
            continue; // SQLite would not give it out as a text either.
        }
        change(folder.path(), format!("UPDATE fact SET text = {} WHERE seq = 2", hex(&changed))).await;
        let log = Log::open(folder.path(), who()).await.unwrap();
        let Err(LogError::Damaged { what }) = log.verify().await else { panic!("bit {bit} is not missed") };
        assert!(what.contains("fact 2 of epoch 1"), "bit {bit}: {what}");
        // Its signature alone can be changed unseen by the hash; that is for who verifies it, the site or `verify`.
        let sent = log.facts(Epoch::LEAST, Seq::LEAST.next(), 9).await;
        let of_signature = sent.as_ref().is_ok_and(|facts| !facts[1].verify(&keys(&key(1, "north-1"))));
        assert!(sent.is_err() || of_signature, "bit {bit} would be sent");
    }
}

#[tokio::test]
async fn a_changed_last_fact_stops_the_start() {
    for (sql, what) in [
        ("UPDATE fact SET hash = replace(hash, substr(hash, 1, 1), 'g') WHERE seq = 3", "not in its form"),
        ("UPDATE fact SET text = replace(text, 'open', 'shut') WHERE seq = 3", "fact 3 of epoch 1"),
        ("UPDATE fact SET seq = 4 WHERE seq = 3", "fact 4 of epoch 1"),
        ("DELETE FROM fact WHERE seq = 1; UPDATE fact SET seq = seq - 1", "fact 2 of epoch 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path()).await;
        change(folder.path(), sql.to_owned()).await;
        match Log::open(folder.path(), who()).await {
            Err(LogError::Damaged { what: named }) => assert!(named.contains(what), "{sql}: {named}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_changed_directive_is_not_applied_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path()).await;
    let sql = "UPDATE directive SET raw = replace(raw, 'sample-r', 'sample-q') WHERE cursor = 1";
    change(folder.path(), sql.to_owned()).await;
    let log = Log::open(folder.path(), who()).await.unwrap();
    let waiting: Vec<u64> = log.waiting().await.unwrap().iter().map(|one| one.cursor.get()).collect();
    assert_eq!(waiting, [2]);
    let last = log.facts(Epoch::LEAST, Seq::try_from(4).unwrap(), 9).await.unwrap();
    let protocol::fact::FactBody::DirectiveRejected(why) = last[0].content().unwrap().body else { panic!() };
    assert_eq!((why.cursor.get(), why.code), (1, RejectedCode::BadSignature));
    drop(log);
    // Told once.
    let log = Log::open(folder.path(), who()).await.unwrap();
    assert_eq!(log.standing().await.unwrap().head.seq.get(), 4);
}

#[tokio::test]
async fn a_directive_at_another_place_or_marked_as_waiting_again_is_not_applied() {
    for sql in [
        "UPDATE directive SET cursor = 9 WHERE cursor = 2",
        "UPDATE directive SET id = (SELECT id FROM directive WHERE cursor = 1) WHERE cursor = 2",
        "UPDATE directive SET received_at = received_at + 10000000000 WHERE cursor = 2",
    ] {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path()).await;
        change(folder.path(), sql.to_owned()).await;
        let log = Log::open(folder.path(), who()).await.unwrap();
        let waiting: Vec<u64> = log.waiting().await.unwrap().iter().map(|one| one.cursor.get()).collect();
        assert_eq!(waiting, [1], "{sql}");
    }
}

#[tokio::test]
async fn a_changed_ledger_is_found_and_named() {
    for (sql, entry) in [
        ("UPDATE egress SET bytes = x'7b20' WHERE seq = 1", 1),
        ("UPDATE egress SET at = at + 1 WHERE seq = 2", 2),
        ("UPDATE egress SET call = 'POST hello' WHERE seq = 1", 1),
        ("DELETE FROM egress WHERE seq = 1", 1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path()).await;
        change(folder.path(), sql.to_owned()).await;
        let log = Log::open(folder.path(), who()).await.unwrap();
        let Err(LogError::Damaged { what }) = log.verify().await else { panic!("{sql} is not missed") };
        assert!(what.contains(&format!("entry {entry} of the egress ledger")), "{sql}: {what}");
    }
}

#[tokio::test]
async fn a_file_of_others_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    change_new(folder.path(), "CREATE TABLE other (x); INSERT INTO other VALUES (1)").await;
    let Err(LogError::NotOurs { what, .. }) = Log::open(folder.path(), who()).await else { panic!() };
    assert!(what.contains("was not made by a backend"));
    assert_eq!(column(folder.path(), "SELECT CAST(x AS TEXT) FROM other").await, "1");
    let folder = tempfile::tempdir().unwrap();
    record(folder.path()).await;
    change(folder.path(), "PRAGMA user_version = 99".to_owned()).await;
    assert!(matches!(Log::open(folder.path(), who()).await, Err(LogError::NotOurs { .. })));
}

async fn change_new(state: &Path, sql: &str) {
    std::fs::File::create(state.join("backend.sqlite")).unwrap();
    change(state, sql.to_owned()).await;
}
