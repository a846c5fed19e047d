//! The chain is whole as written, and each way to alter it is found.

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::{Act, Actor, BEGINNING, VerifyError, chained, fields, record, verify};
use crate::store::Store;

async fn written(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("site.sqlite")).await.unwrap();
    for at in 0..5 {
        let mut change = store.change().await.unwrap();
        let act = Act::new(Actor::Account { id: 7, token: None }, "role_granted").on("account", at).project(3);
        let act = act.after(fields([("role", json!("Auditor"))])).reason("because");
        assert_eq!(record(&mut change, act).await.unwrap(), at + 1);
        change.commit().await.unwrap();
    }
    store
}

/// Somebody with the file and without our triggers.
async fn tampered(folder: &tempfile::TempDir, sql: &'static str) -> Result<super::Verified, VerifyError> {
    let path = folder.path().join("site.sqlite");
    let mut file = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    for statement in ["DROP TRIGGER audit_event_is_never_changed", "DROP TRIGGER audit_event_is_never_removed", sql] {
        sqlx::query(statement).execute(&mut file).await.unwrap();
    }
    file.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    let verified = verify(&store).await;
    store.close().await;
    verified
}

#[tokio::test]
async fn what_is_written_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = written(&folder).await;
    let whole = verify(&store).await.unwrap();
    assert_eq!((whole.records, whole.head.len()), (5, 64));
    let text: String =
        sqlx::query_scalar("SELECT record FROM audit_event WHERE seq = 1").fetch_one(store.readers()).await.unwrap();
    assert!(text.contains(&format!("\"prev\":\"{BEGINNING}\"")) && !text.contains("because"));
}

#[test]
fn the_hash_is_the_rule_of_the_spec() {
    // SHA-256 of 64 zeros and `{}`, worked out with sha256sum.
    let by_hand = "5508d2b710e64bc470079e1b211d9c58e21011e59d0559e422345dc19d659a75";
    assert_eq!(chained(BEGINNING, "{}"), by_hand);
}

#[tokio::test]
async fn tables_refuse_to_change_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = written(&folder).await;
    for sql in ["UPDATE audit_event SET actor = 8", "DELETE FROM audit_event WHERE seq = 5"] {
        let mut change = store.change().await.unwrap();
        assert!(sqlx::query(sql).execute(&mut *change).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn an_act_that_is_rolled_back_leaves_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let store = written(&folder).await;
    let mut change = store.change().await.unwrap();
    record(&mut change, Act::new(Actor::Site, "x")).await.unwrap();
    change.rollback().await.unwrap();
    assert_eq!(verify(&store).await.unwrap().records, 5);
}

#[tokio::test]
async fn every_change_behind_our_back_is_named_with_its_record() {
    for (sql, place) in [
        ("UPDATE audit_event SET actor = 8 WHERE seq = 3", 3),
        ("UPDATE audit_event SET action = 'x' WHERE seq = 2", 2),
        ("UPDATE audit_event SET at = at + 1 WHERE seq = 5", 5),
        ("UPDATE audit_event SET object_id = NULL WHERE seq = 1", 1),
        ("UPDATE audit_event SET project = 4 WHERE seq = 1", 1),
        ("UPDATE audit_event SET record = replace(record, 'Auditor', 'Nobody') WHERE seq = 4", 4),
        ("UPDATE audit_event SET record = record || ' ' WHERE seq = 4", 4),
        ("UPDATE audit_event SET record = 'x' WHERE seq = 4", 4),
        ("UPDATE audit_event SET hash = (SELECT hash FROM audit_event WHERE seq = 1) WHERE seq = 2", 2),
        ("DELETE FROM audit_event WHERE seq = 2", 2),
        ("DELETE FROM audit_event WHERE seq = 1", 1),
        ("UPDATE audit_event SET seq = 9 WHERE seq = 3", 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        written(&folder).await.close().await;
        match tampered(&folder, sql).await {
            Err(VerifyError::Broken { seq, .. }) => assert_eq!(seq, place, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}
