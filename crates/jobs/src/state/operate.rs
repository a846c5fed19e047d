//! What an operator changes, on record with who and why; and how short ids are completed.
//! Spec jobs.md 6, 21.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row;

use super::event::{Event, append};
use super::{Flag, Job, State, StateError};
use crate::{AttemptId, JobId, RequestId};

/// Who acts, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// As the machine knows them.
    pub who: String,
    /// In their words; may be empty.
    pub why: String,
}

/// Something that an operator did.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// When, RFC 3339.
    pub at: String,
    /// Who and why.
    pub by: Operator,
    /// `flag`, `kill`, `cancel`, `rebind`, and what was done to the record of a backend.
    pub did: String,
    /// To what.
    pub what: Value,
}

/// An attempt as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Who ran it.
    pub owner: String,
    /// Unix seconds until which it is theirs; `None` if it dies with them.
    pub lease_until: Option<i64>,
    /// Unix seconds.
    pub started_at: i64,
    /// Unix seconds; `None` while it runs.
    pub ended_at: Option<i64>,
    /// The code that it ended with.
    pub ended_as: Option<String>,
    /// Beside the code.
    pub reason: Option<String>,
    /// Of the command, if it ran.
    pub exit_code: Option<i32>,
}

impl State {
    /// Puts on record that an operator did something.
    ///
    /// # Errors
    /// The database refused.
    pub async fn audit(&self, by: &Operator, did: &str, what: Value, now: Timestamp) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let body = json!({ "who": by.who, "why": by.why, "did": did, "what": what });
        append(&mut tx, Event { kind: "operator", workspace: "", request: String::new(), body }, now).await?;
        self.commit(tx).await
    }

    /// What operators did lately, newest first.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn acts(&self, limit: u32) -> Result<Vec<Act>, StateError> {
        let records: Vec<String> =
            sqlx::query_scalar("SELECT record FROM event WHERE record->>'kind' = 'operator' ORDER BY seq DESC LIMIT ?")
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |record: &String| {
            let record: Value = serde_json::from_str(record)?;
            let body = &record["body"];
            let by = Operator { who: text(&body["who"]), why: text(&body["why"]) };
            Ok(Act { at: text(&record["at"]), by, did: text(&body["did"]), what: body["what"].clone() })
        };
        records.iter().map(read).collect()
    }

    /// Sets a flag for an operator, on record.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_flag_by(
        &self,
        by: &Operator,
        name: &str,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Flag, StateError> {
        self.audit(by, "flag", json!({ "name": name, "value": value }), now).await?;
        self.set_flag(name, value, now).await
    }

    /// The jobs whose ids begin so, at most three: one is found, more are ambiguous.
    ///
    /// # Errors
    /// The database refused.
    pub async fn jobs_beginning(&self, prefix: &str) -> Result<Vec<JobId>, StateError> {
        self.beginning("SELECT id FROM job WHERE id >= ?1 AND id < ?1 || '~' LIMIT 3", prefix).await
    }

    /// The requests whose ids begin so, at most three.
    ///
    /// # Errors
    /// The database refused.
    pub async fn requests_beginning(&self, prefix: &str) -> Result<Vec<RequestId>, StateError> {
        self.beginning("SELECT id FROM request WHERE id >= ?1 AND id < ?1 || '~' LIMIT 3", prefix).await
    }

    async fn beginning<T: std::str::FromStr<Err = crate::BadId>>(
        &self,
        query: &'static str,
        prefix: &str,
    ) -> Result<Vec<T>, StateError> {
        let ids: Vec<String> = sqlx::query_scalar(query).bind(prefix).fetch_all(&self.readers).await?;
        ids.iter().map(|id| Ok(id.parse()?)).collect()
    }

    /// The newest jobs, newest first.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn newest_jobs(&self, limit: u32) -> Result<Vec<Job>, StateError> {
        let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM job ORDER BY seq DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let mut jobs = Vec::new();
        for id in ids {
            jobs.push(self.job(id.parse()?).await?);
        }
        Ok(jobs)
    }

    /// The attempts of a job, oldest first.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn attempts_of(&self, job: JobId) -> Result<Vec<PastAttempt>, StateError> {
        let rows = sqlx::query(
            "SELECT id, owner, started_at, ended_at, ended_as, reason, exit_code, lease_until FROM attempt WHERE job = ? ORDER BY number",
        )
        .bind(job.to_string())
        .fetch_all(&self.readers)
        .await?;
        let read = |row: sqlx::sqlite::SqliteRow| {
            Ok(PastAttempt {
                id: row.try_get::<String, _>(0)?.parse()?,
                owner: row.try_get(1)?,
                started_at: row.try_get(2)?,
                ended_at: row.try_get(3)?,
                ended_as: row.try_get(4)?,
                reason: row.try_get(5)?,
                exit_code: row.try_get(6)?,
                lease_until: row.try_get(7)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
