//! Walks the chain and names the first record that is not as it was written.
//! Spec site.md 11.8; review.md 15.

use serde_json::Value;
use sqlx::Row;

use super::{BEGINNING, canonical, chained};
use crate::store::{Store, StoreError};

/// Rows read at a time.
const PAGE: i64 = 1_000;

/// A chain that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records it has.
    pub records: i64,
    /// The hash of the last.
    pub head: String,
}

/// Why a chain is not whole, or cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A record is missing, altered, or was put in.
    #[error("the audit log is broken at record {seq}: {why}")]
    Broken {
        /// The first that is wrong.
        seq: i64,
        /// How.
        why: &'static str,
    },
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Recomputes the chain. A record that was cut off at the end cannot be seen without an older head to compare with.
///
/// # Errors
/// [`VerifyError::Broken`] names the first bad record.
pub async fn verify(store: &Store) -> Result<Verified, VerifyError> {
    let (mut records, mut head) = (0, BEGINNING.to_owned());
    loop {
        let rows = sqlx::query(
            "SELECT e.seq, e.at, e.action, e.actor, e.object_kind, e.object_id, e.project, e.record, e.hash
             FROM audit_event e WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2",
        )
        .bind(records)
        .bind(PAGE)
        .fetch_all(store.readers())
        .await
        .map_err(StoreError::from)?;
        if rows.is_empty() {
            return Ok(Verified { records, head });
        }
        for row in rows {
            let read = Read::of(&row).map_err(StoreError::from)?;
            records += 1;
            if let Some(why) = read.fault(records, &head)? {
                return Err(VerifyError::Broken { seq: records, why });
            }
            head = read.hash;
        }
    }
}

struct Read {
    seq: i64,
    columns: [(&'static str, Value); 6],
    actor: Option<i64>,
    record: String,
    hash: String,
}

impl Read {
    fn of(row: &sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Value::from);
        let number = |name| row.try_get::<Option<i64>, _>(name).map(Value::from);
        Ok(Self {
            seq: row.try_get("seq")?,
            columns: [
                ("seq", number("seq")?),
                ("at", number("at")?),
                ("kind", text("action")?),
                ("object_kind", text("object_kind")?),
                ("object_id", number("object_id")?),
                ("project", number("project")?),
            ],
            actor: row.try_get("actor")?,
            record: row.try_get("record")?,
            hash: row.try_get("hash")?,
        })
    }

    fn fault(&self, place: i64, prev: &str) -> Result<Option<&'static str>, StoreError> {
        if self.seq != place {
            return Ok(Some("it is missing"));
        }
        let Ok(record) = serde_json::from_str::<Value>(&self.record) else { return Ok(Some("it is not JSON")) };
        if canonical(&record)? != self.record {
            return Ok(Some("it is not in canonical form"));
        }
        if record.get("prev").and_then(Value::as_str) != Some(prev) {
            return Ok(Some("it does not follow the record before it"));
        }
        if chained(prev, &self.record) != self.hash {
            return Ok(Some("its hash is not that of its content"));
        }
        let null = Value::Null;
        let same = self.columns.iter().all(|(name, value)| record.get(*name).unwrap_or(&null) == value);
        let actor = record.get("actor").unwrap_or(&null);
        let account = (actor.get("kind").and_then(Value::as_str) == Some("account"))
            .then(|| actor.get("id").and_then(Value::as_i64))
            .flatten();
        Ok((!same || account != self.actor).then_some("its columns do not say what it says"))
    }
}
