//! Whether the state is whole: its pages, its references, its chain of events, and that results are those recorded.
//! Spec jobs.md 9, 17 (`verify`); and a copy of it that is whole.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use pipeline::ActionName;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::event::{Event, append};
use super::{ChainError, State, StateError};
use crate::collect::CollectedOutput;
use crate::{JobId, ObjectId};

/// What SQLite lists before it stops.
const MOST: u32 = 50;

/// An output that must be in the store, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// The action that made it.
    pub action: ActionName,
    /// Its path.
    pub path: String,
}

/// The hash of what a job made: path, level, size and object of each output, in the order of their paths.
fn seal(outputs: &[CollectedOutput]) -> String {
    let mut sorted: Vec<_> = outputs.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hash = Sha256::new();
    for output in sorted {
        for part in [output.path.as_str(), output.level.as_str(), &output.size.to_string(), &output.object.hex()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// Puts what a job made into the chain of events: rows that change afterwards are found.
pub(super) async fn put_on_record(
    tx: &mut SqliteConnection,
    (workspace, request): (&str, &str),
    job: JobId,
    outputs: &[CollectedOutput],
    now: Timestamp,
) -> Result<(), StateError> {
    let body = json!({ "job": job, "count": outputs.len(), "outputs": seal(outputs) });
    append(tx, Event { kind: "job_outputs", workspace, request: request.to_owned(), body }, now).await
}

impl State {
    /// Everything that is wrong with the file, in words; none if it is whole.
    ///
    /// # Errors
    /// The file can no longer be read at all.
    pub async fn problems(&self) -> Result<Vec<String>, StateError> {
        let check = format!("PRAGMA integrity_check({MOST})");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(check)).fetch_all(&self.readers).await?;
        let mut problems: Vec<String> = rows.into_iter().filter(|row| row != "ok").collect();
        for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&self.readers).await? {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            problems.push(format!("a row of `{table}` refers to a row of `{parent}` that is not there"));
        }
        match self.verify_chain().await {
            Ok(_) => {}
            Err(ChainError::Broken { seq, why }) => {
                problems.push(format!("the record of events is broken at entry {seq}: {why}"));
            }
            Err(ChainError::State(error)) => problems.push(error.to_string()),
        }
        if problems.is_empty() {
            problems.extend(self.unlike_the_record().await?);
            problems.extend(self.codes_unlike_the_record().await?);
        }
        Ok(problems)
    }

    /// Jobs whose outputs are not those that the chain of events recorded.
    async fn unlike_the_record(&self) -> Result<Vec<String>, StateError> {
        const PAGE: i64 = 500;
        let mut problems = Vec::new();
        let mut after = 0;
        loop {
            let rows = sqlx::query(
                "SELECT seq, record->'body'->>'job', record->'body'->>'outputs' FROM event \
                 WHERE seq > ? AND record->>'kind' = 'job_outputs' ORDER BY seq LIMIT ?",
            )
            .bind(after)
            .bind(PAGE)
            .fetch_all(&self.readers)
            .await?;
            let Some(last) = rows.last() else { return Ok(problems) };
            after = last.try_get(0)?;
            let mut recorded = BTreeMap::new();
            for row in &rows {
                recorded.insert(row.try_get::<String, _>(1)?.parse::<JobId>()?, row.try_get::<String, _>(2)?);
            }
            let jobs: Vec<_> = recorded.keys().copied().collect();
            let outputs = self.outputs_of(&jobs).await?;
            for (job, sealed) in recorded {
                if seal(outputs.get(&job).map_or(&[], Vec::as_slice)) != sealed {
                    problems.push(format!("the outputs of job {job} are not those that its end recorded"));
                }
            }
        }
    }

    /// Jobs that stand where no event has put them.
    async fn codes_unlike_the_record(&self) -> Result<Vec<String>, StateError> {
        let jobs: Vec<String> = sqlx::query_scalar(
            "SELECT job.id FROM (SELECT record->'body'->>'job' AS id, max(seq) AS seq FROM event \
             WHERE record->>'kind' = 'job_state' GROUP BY 1) AS last \
             JOIN event ON event.seq = last.seq JOIN job ON job.id = last.id \
             WHERE job.code <> event.record->'body'->>'code' OR job.action <> event.record->'body'->>'action' LIMIT ?",
        )
        .bind(MOST)
        .fetch_all(&self.readers)
        .await?;
        Ok(jobs.into_iter().map(|job| format!("job {job} does not stand where its last event put it")).collect())
    }

    /// What the store must hold for this state: the outputs of the newest run and the newest success of each action.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn needed_objects(&self) -> Result<BTreeMap<ObjectId, Vec<Needed>>, StateError> {
        let rows = sqlx::query(
            "SELECT output.object, job.action, output.path FROM job JOIN output ON output.job = job.id WHERE job.id IN \
             (SELECT job FROM latest_job UNION SELECT id FROM job WHERE seq IN \
             (SELECT max(seq) FROM job WHERE state = 'succeeded' GROUP BY workspace, action))",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut needed: BTreeMap<ObjectId, Vec<Needed>> = BTreeMap::new();
        for row in rows {
            let whose = Needed { action: ActionName::new(row.try_get::<String, _>(1)?), path: row.try_get(2)? };
            needed.entry(row.try_get::<String, _>(0)?.parse()?).or_default().push(whose);
        }
        Ok(needed)
    }

    /// Writes a whole copy of this moment to a file that is not there yet; the caller makes it durable.
    ///
    /// # Errors
    /// The database refused, or the file is there.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let text = path.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?").bind(text).execute(&mut *writers.durable).await?;
        Ok(())
    }
}
