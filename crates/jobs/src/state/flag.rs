//! Settings that operators change while the program runs, such as `paused`; they survive restarts.
//! Spec jobs.md 6.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::event::Answer;
use super::{State, StateError};
use crate::schedule::Modes;

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Its value; `None` if it was taken away.
    pub value: Option<String>,
    /// Unix seconds since which it has this value.
    pub since: i64,
}

async fn modes(tx: &mut SqliteConnection) -> Result<Modes, StateError> {
    let rows = sqlx::query("SELECT name, value, since FROM flag ORDER BY name").fetch_all(tx).await?;
    Ok(Modes::of_flags(&rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?))
}

fn read(row: SqliteRow) -> Result<Flag, StateError> {
    Ok(Flag { name: row.try_get(0)?, value: row.try_get(1)?, since: row.try_get(2)? })
}

impl State {
    /// Sets a flag; set to the value it has, it keeps its time.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_flag(&self, name: &str, value: Option<&str>, now: Timestamp) -> Result<Flag, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let before = modes(&mut tx).await?;
        let since: i64 = sqlx::query_scalar(
            "INSERT INTO flag (name, value, since) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE \
             SET since = CASE WHEN value IS excluded.value THEN since ELSE excluded.since END, value = excluded.value \
             RETURNING since",
        )
        .bind(name)
        .bind(value)
        .bind(now.as_second())
        .fetch_one(&mut *tx)
        .await?;
        let after = modes(&mut tx).await?;
        if before != after {
            let answer = Answer { kind: "backend.mode", answers: None, body: &after.told() };
            answer.send(&mut tx, now).await?;
        }
        self.commit(tx).await?;
        Ok(Flag { name: name.to_owned(), value: value.map(str::to_owned), since })
    }

    /// All flags, by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn flags(&self) -> Result<Vec<Flag>, StateError> {
        let rows = sqlx::query("SELECT name, value, since FROM flag ORDER BY name").fetch_all(&self.readers).await?;
        rows.into_iter().map(read).collect()
    }
}
