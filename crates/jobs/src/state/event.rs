//! The append-only record of every change, each entry chained to the one before by its hash; and the outbox.
//! Spec jobs.md 9; review.md 15 gives the form of the chain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};
use tokio::sync::watch;

use super::{State, StateError};

/// What the first entry is chained to.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A change to put on record.
pub(super) struct Event<'a> {
    pub(super) kind: &'static str,
    pub(super) workspace: &'a str,
    pub(super) request: String,
    pub(super) body: Value,
}

/// The chain is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// How many entries it has.
    pub events: i64,
    /// The hash of the last one; 64 zeros if there is none.
    pub hash: String,
}

/// Why a chain cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// An entry was changed, removed, inserted or moved.
    #[error("the record of events is broken at entry {seq}: {why}")]
    Broken {
        /// The first bad entry.
        seq: i64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A message that waits to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its place; messages are delivered in this order, at least once.
    pub seq: i64,
    /// When it was written, in microseconds since 1970.
    pub at_us: i64,
    /// What it tells.
    pub kind: String,
    /// Ids, actions, codes and times; nothing else may leave (spec jobs.md 16).
    pub body: Value,
}

/// JSON with sorted keys and no blanks (RFC 8785, for the texts and whole numbers that events hold).
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let members = sorted.iter().map(|(key, value)| format!("{}:{}", json!(key), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

fn chained(previous: &str, record: &str) -> String {
    let digest = Sha256::new_with_prefix(previous).chain_update(record).finalize();
    data_encoding::HEXLOWER.encode(&digest)
}

pub(super) async fn append(tx: &mut SqliteConnection, event: Event<'_>, now: Timestamp) -> Result<(), StateError> {
    let head = sqlx::query("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *tx).await?;
    let (last, previous) = match head {
        Some(row) => (row.try_get::<i64, _>(0)?, row.try_get::<String, _>(1)?),
        None => (0, START.to_owned()),
    };
    let record = canonical(&json!({
        "seq": last + 1,
        "at": format!("{now:.6}"),
        "kind": event.kind,
        "workspace": event.workspace,
        "request": event.request,
        "body": event.body,
        "prev": previous,
    }));
    sqlx::query("INSERT INTO event (seq, record, hash) VALUES (?, ?, ?)")
        .bind(last + 1)
        .bind(&record)
        .bind(chained(&previous, &record))
        .execute(tx)
        .await?;
    Ok(())
}

/// A message for outside.
pub(super) struct Message<'a> {
    pub(super) kind: &'a str,
    pub(super) body: &'a Value,
    /// It waits until the results of this attempt are in place.
    pub(super) held_for: Option<&'a str>,
    /// What it answers; a second answer to the same is not written.
    pub(super) answers: Option<&'a str>,
}

/// What is told outside of a request's plan or refusal.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// What it tells.
    pub kind: &'a str,
    /// The order that it answers, once.
    pub answers: Option<&'a str>,
    /// All of it.
    pub body: &'a Value,
}

impl Answer<'_> {
    pub(super) async fn send(&self, tx: &mut SqliteConnection, now: Timestamp) -> Result<bool, StateError> {
        let Self { kind, answers, body } = *self;
        send(tx, Message { kind, body, held_for: None, answers }, now).await
    }
}

/// Puts a message into the outbox; false if what it answers was answered before.
pub(super) async fn send(tx: &mut SqliteConnection, message: Message<'_>, now: Timestamp) -> Result<bool, StateError> {
    let insert = sqlx::query(
        "INSERT INTO outbox (kind, body, held_for, answers, at_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    let done = insert
        .bind(message.kind)
        .bind(message.body.to_string())
        .bind(message.held_for)
        .bind(message.answers)
        .bind(now.as_microsecond())
        .execute(tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The results of an attempt are in place: what waited for that is told now, behind all that was told before.
pub(super) async fn release(tx: &mut SqliteConnection, attempt: &str) -> Result<u64, StateError> {
    // The copies come first, so that no number is ever given twice.
    let copied = sqlx::query(
        "INSERT INTO outbox (kind, body, at_us) SELECT kind, body, at_us FROM outbox WHERE held_for = ? ORDER BY seq",
    );
    let count = copied.bind(attempt).execute(&mut *tx).await?.rows_affected();
    sqlx::query("DELETE FROM outbox WHERE held_for = ?").bind(attempt).execute(tx).await?;
    Ok(count)
}

impl State {
    /// Recomputes the chain of events from its beginning, in bounded memory.
    ///
    /// # Errors
    /// The first entry that does not follow from the one before it.
    pub async fn verify_chain(&self) -> Result<ChainHead, ChainError> {
        let mut head = ChainHead { events: 0, hash: START.to_owned() };
        loop {
            let page = sqlx::query("SELECT seq, record, hash FROM event WHERE seq > ? ORDER BY seq LIMIT 1000")
                .bind(head.events)
                .fetch_all(&self.readers)
                .await
                .map_err(StateError::from)?;
            if page.is_empty() {
                return Ok(head);
            }
            for row in page {
                let read = |error| ChainError::State(StateError::Database(error));
                let seq: i64 = row.try_get(0).map_err(read)?;
                let record: String = row.try_get(1).map_err(read)?;
                let hash: String = row.try_get(2).map_err(read)?;
                let broken = |why| ChainError::Broken { seq, why };
                if seq != head.events + 1 {
                    return Err(broken("an entry before it is missing"));
                }
                if chained(&head.hash, &record) != hash {
                    return Err(broken("its hash is not that of its content and the entry before"));
                }
                let says: Value = serde_json::from_str(&record).map_err(|_| broken("its content cannot be read"))?;
                if says["seq"] != json!(seq) || says["prev"] != json!(head.hash) {
                    return Err(broken("it belongs to another place"));
                }
                head = ChainHead { events: seq, hash };
            }
        }
    }

    /// The oldest messages that are not delivered yet, at most `limit`.
    ///
    /// # Errors
    /// The database refused.
    pub async fn outgoing(&self, limit: u32) -> Result<Vec<Outgoing>, StateError> {
        let rows = sqlx::query(
            "SELECT seq, kind, body, coalesce(at_us, 0) FROM outbox WHERE delivered_at IS NULL AND held_for IS NULL \
             ORDER BY seq LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let read = |row: sqlx::sqlite::SqliteRow| {
            let body: String = row.try_get(2)?;
            let (seq, kind, at_us) = (row.try_get(0)?, row.try_get(1)?, row.try_get(3)?);
            Ok(Outgoing { seq, at_us, kind, body: serde_json::from_str(&body)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Puts an answer into the outbox that goes with no other change; nothing happens if what it answers has one. What the body
    /// may hold is for the caller to say: [`Outgoing`]s leave the machine.
    ///
    /// # Errors
    /// The database refused.
    pub async fn answer(&self, answer: &Answer<'_>, now: Timestamp) -> Result<bool, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let told = answer.send(&mut tx, now).await?;
        self.commit(tx).await?;
        Ok(told)
    }

    /// Changes whenever there may be new messages: written by this process, or told of by [`State::look_again`].
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Another process has written to the file: there may be new messages.
    pub fn look_again(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Commits a change, and says that there may be new messages.
    pub(super) async fn commit(&self, tx: Transaction<'_, Sqlite>) -> Result<(), StateError> {
        tx.commit().await?;
        self.look_again();
        Ok(())
    }

    /// Marks every message up to this one as delivered.
    ///
    /// # Errors
    /// The database refused.
    pub async fn delivered(&self, through: i64, now: Timestamp) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        sqlx::query("UPDATE outbox SET delivered_at = ? WHERE delivered_at IS NULL AND held_for IS NULL AND seq <= ?")
            .bind(now.as_second())
            .bind(through)
            .execute(&mut *writers.durable)
            .await?;
        Ok(())
    }
}
