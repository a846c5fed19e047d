//! Takes in records of an older jobs site: a file of JSON lines, once; each becomes a fact of the site's own epoch.
//! Spec site.md 2.5. Done again it changes nothing; what is refused is told with its line and cause.

mod apply;
mod line;
mod place;
mod record;

use protocol::json::canonical;
use protocol::text::hashes::Sha256Hex;
use serde_json::json;

use crate::Site;
use crate::store::{Change, StoreError};

pub(crate) use apply::{apply, record};
pub(crate) use record::Record;

use line::{Line, read};

/// Lines of one transaction: the site goes on answering between them.
const STEP: usize = 500;
/// Bytes of one line: a large project.yaml and all around it.
const LINE_BYTES: usize = 16 * 1024 * 1024;

/// What came of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Requests taken in.
    pub requests: u64,
    /// Jobs taken in.
    pub jobs: u64,
    /// Requests that never had jobs because of an error, told by a job of that name.
    pub errors: u64,
    /// Organisations, projects, workspaces, people and backends that were made.
    pub places: u64,
    /// Lines that say what is known already.
    pub known: u64,
    /// Lines that were refused.
    pub refused: Vec<RefusedLine>,
}

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// From 1.
    pub line: usize,
    /// Why, in words.
    pub cause: Cause,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Not JSON, or a field is missing or of another type.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Longer than a line may be.
    #[error("it has more than {LINE_BYTES} bytes")]
    TooLong,
    /// A value that breaks the rule of its field.
    #[error("`{field}` is {rule}")]
    Rule {
        /// Which field.
        field: &'static str,
        /// What it should be.
        rule: &'static str,
    },
    /// It names what is not there.
    #[error("there is no {what} `{name}`; put a line for it before, or make it first")]
    Missing {
        /// Of which kind.
        what: &'static str,
        /// As named.
        name: String,
    },
    /// Its number or identifier is that of something else.
    #[error("{0} is known already, and says something else")]
    Taken(String),
}

/// Imports a file of JSON lines: first all that requests name and the requests, then their jobs, whatever their order.
///
/// # Errors
/// The database failed. A bad line is no error: it is in the report.
pub async fn import(site: &Site, text: &str) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut later = Vec::new();
    let mut change = site.store.change().await?;
    let mut done = 0;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let found = if line.len() > LINE_BYTES { Err(Cause::TooLong) } else { read(line) };
        match found {
            Err(cause) => report.refused.push(RefusedLine { line: number, cause }),
            Ok(Line::Job(_)) => later.push((number, line)),
            Ok(Line::Request(request)) => {
                let now = site.clock.microseconds();
                let taken = take(&mut change, &Record::Request(*request), now).await?;
                note(&mut report, number, taken, |report| &mut report.requests);
            }
            Ok(Line::Place(place)) => match place::make(&mut change, &place, site.clock.microseconds()).await? {
                Ok(true) => report.places += 1,
                Ok(false) => report.known += 1,
                Err(cause) => report.refused.push(RefusedLine { line: number, cause }),
            },
        }
        done += 1;
        if done % STEP == 0 {
            change.commit().await?;
            change = site.store.change().await?;
        }
    }
    for (number, line) in later {
        let Ok(Line::Job(record)) = read(line) else { continue };
        let is_error = matches!(*record, Record::Error(_));
        let taken = take(&mut change, &record, site.clock.microseconds()).await?;
        note(&mut report, number, taken, |report| if is_error { &mut report.errors } else { &mut report.jobs });
        done += 1;
        if done % STEP == 0 {
            change.commit().await?;
            change = site.store.change().await?;
        }
    }
    change.commit().await?;
    report.refused.sort_by_key(|refused| refused.line);
    Ok(report)
}

fn note(report: &mut Report, line: usize, taken: Result<bool, Cause>, count: impl Fn(&mut Report) -> &mut u64) {
    match taken {
        Ok(true) => *count(report) += 1,
        Ok(false) => report.known += 1,
        Err(cause) => report.refused.push(RefusedLine { line, cause }),
    }
}

/// Stores a record as a fact and applies it. False if it is known.
async fn take(change: &mut Change, record: &Record, now: i64) -> Result<Result<bool, Cause>, StoreError> {
    let place = match apply::place(change, record).await? {
        Ok(place) => place,
        Err(cause) => return Ok(Err(cause)),
    };
    let body = serde_json::to_value(record).map_err(|error| StoreError::Damaged(error.to_string()))?;
    match apply::known(change, record, &body).await? {
        Ok(false) => {}
        other => return Ok(other.map(|_| false)),
    }
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT head_seq, head_hash FROM backend_epoch WHERE backend = ? AND epoch = 0")
            .bind(place.backend)
            .fetch_optional(&mut **change)
            .await?;
    let (seq, prev) = row.unwrap_or_else(|| (0, Sha256Hex::zero().to_string()));
    let seq = seq + 1;
    // The same rule of hashes as every log; the site signs nothing that it says to itself.
    let bare = json!({"v": 1, "backend": place.slug, "epoch": 0, "seq": seq, "prev": prev, "type": record.kind(), "body": body});
    let text = canonical(&bare).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let hash = Sha256Hex::of(&[prev.as_bytes(), text.as_bytes()]);
    sqlx::query(
        "INSERT INTO backend_fact (backend, epoch, seq, arrival, kind, at, received_at, text, hash, request)
         VALUES (?1, 0, ?2, (SELECT coalesce(max(arrival), 0) + 1 FROM backend_fact), ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(place.backend)
    .bind(seq)
    .bind(record.kind())
    .bind(record.at())
    .bind(now)
    .bind(text)
    .bind(hash.as_str())
    .bind(record.request(&place))
    .execute(&mut **change)
    .await?;
    sqlx::query(
        "INSERT INTO backend_epoch (backend, epoch, state, head_seq, head_hash, opened_at) VALUES (?1, 0, 'import', ?2, ?3, ?4)
         ON CONFLICT (backend, epoch) DO UPDATE SET head_seq = ?2, head_hash = ?3",
    )
    .bind(place.backend)
    .bind(seq)
    .bind(hash.as_str())
    .bind(now)
    .execute(&mut **change)
    .await?;
    apply(change, place.backend, record).await?;
    Ok(Ok(true))
}
