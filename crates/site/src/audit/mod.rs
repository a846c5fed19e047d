//! The audit log: every act is one row, in the transaction of the act, chained by hashes.
//! Spec site.md 11.8; the hash rule is review.md 15.

mod act;
mod verify;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::Row;

pub use act::{Act, Actor, fields};
pub use verify::{Verified, VerifyError, verify};

use crate::Opened;
use crate::access::{Permission, Viewer};
use crate::clock::now;
use crate::store::{Change, StoreError};

/// `prev` of the first record.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// `SHA-256(prev ‖ JCS(record))`, both as text, in hexadecimal digits (review.md 15). The record holds `prev` too.
fn chained(prev: &str, record: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(prev.as_bytes());
    hash.update(record.as_bytes());
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// Writes an act down, in the transaction that does it.
///
/// # Errors
/// The database failed; then the act does not happen either.
pub async fn record(change: &mut Change, act: Act) -> Result<i64, StoreError> {
    let last = sqlx::query("SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **change)
        .await?;
    let (seq, prev): (i64, String) = match last {
        Some(row) => (row.try_get::<i64, _>("seq")? + 1, row.try_get("hash")?),
        None => (1, BEGINNING.to_owned()),
    };
    let at = now();
    let text_hash = match &act.reason {
        Some(reason) => Some(beside(change, reason).await?),
        None => None,
    };
    let mut record = Map::new();
    record.insert("seq".into(), json!(seq));
    record.insert("at".into(), json!(at));
    record.insert("kind".into(), json!(act.action));
    record.insert("actor".into(), act.actor.written());
    record.insert("prev".into(), json!(prev));
    let (object_kind, object_id) = act.object.unzip();
    for (name, value) in [
        ("object_kind", object_kind.map(Value::from)),
        ("object_id", object_id.map(Value::from)),
        ("project", act.project.map(Value::from)),
        ("text_hash", text_hash.map(Value::from)),
        ("request_id", act.request_id.map(Value::from)),
        ("before", act.before.map(Value::Object)),
        ("after", act.after.map(Value::Object)),
    ] {
        if let Some(value) = value {
            record.insert(name.into(), value);
        }
    }
    let record = canonical(&Value::Object(record))?;
    sqlx::query(
        "INSERT INTO audit_event (seq, at, action, actor, object_kind, object_id, project, record, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(seq)
    .bind(at)
    .bind(act.action)
    .bind(act.actor.account())
    .bind(object_kind)
    .bind(object_id)
    .bind(act.project)
    .bind(&record)
    .bind(chained(&prev, &record))
    .execute(&mut **change)
    .await?;
    Ok(seq)
}

/// RFC 8785.
fn canonical(value: &Value) -> Result<String, StoreError> {
    serde_json_canonicalizer::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Free text lies beside the chain, by its hash, so that unlawful text can be blanked without breaking it.
async fn beside(change: &mut Change, text: &str) -> Result<String, StoreError> {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    sqlx::query("INSERT INTO audit_text (sha256, body) VALUES (?1, ?2) ON CONFLICT (sha256) DO NOTHING")
        .bind(&hash)
        .bind(text)
        .execute(&mut **change)
        .await?;
    Ok(hash)
}

/// Notes that somebody who signed in was not let into the staff area.
pub(crate) async fn staff_denied(site: &Opened, viewer: &Viewer, permission: Permission) {
    let after = Map::from_iter([("permission".to_owned(), json!(permission.as_str()))]);
    let act = Act::new(Actor::of(viewer), "staff_denied").after(after);
    let written = async {
        let mut change = site.store.change().await?;
        record(&mut change, act).await?;
        change.commit().await.map_err(StoreError::from)
    };
    if let Err(error) = written.await {
        tracing::error!(%error, "a denied way into the staff area was not written down");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests;
