//! What planning, scheduling and people ask of the state. The cost of none of it depends on history.
//! Spec jobs.md 9.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::ActionName;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{
    DEFINITION_FORMAT, Job, JobDefinition, LatestJobs, LatestRow, PastRun, State, StateError, Status, StoredPin, Tells,
    Times, components,
};
use crate::collect::CollectedOutput;
use crate::{JobId, Request, RequestId, WorkspaceName};

macro_rules! job_query {
    ($rest:literal) => {
        concat!(
            "SELECT id, request, seq, code, reason, message, numbers, created_at, updated_at, started_at, completed_at, ",
            "code_updated_at_ns, next_try_at, cancel_requested_at, fence, attempts, run_key, definition, tries FROM job ",
            $rest
        )
    };
}

/// The latest jobs of the asked actions.
pub(super) const LATEST: &str = "SELECT job.action, job.id, job.request, job.code, request.commit_id, job.completed_at, \
         job.run_key, job.components FROM json_each(?1) AS asked \
         CROSS JOIN latest_job ON latest_job.workspace = ?2 AND latest_job.action = asked.value \
         CROSS JOIN job ON job.id = latest_job.job CROSS JOIN request ON request.id = job.request";

/// The newest ended jobs of the asked actions, cancelled ones left out. What is newer and not cancelled is open: passing
/// over it costs what there is to do, not what was done.
pub(super) const LATEST_ENDED: &str = "SELECT job.action, job.id, job.request, job.code, request.commit_id, \
         job.completed_at, job.run_key, job.components FROM json_each(?1) AS asked \
         CROSS JOIN job ON job.seq = (SELECT seq FROM job WHERE workspace = ?2 AND action = asked.value \
         AND cancelled = 0 AND state IN ('succeeded', 'failed') ORDER BY seq DESC LIMIT 1) \
         CROSS JOIN request ON request.id = job.request";

/// The pins of the asked jobs.
pub(super) const PINS: &str = "SELECT pin.job, pin.action, pin.pinned FROM json_each(?) AS asked CROSS JOIN pin ON pin.job = asked.value \
             ORDER BY pin.job, pin.position";

/// The outputs of the asked jobs.
pub(super) const OUTPUTS: &str = "SELECT output.job, output.path, level, size, object, mtime_ns, excluded, row_count, col_count \
             FROM json_each(?) AS asked CROSS JOIN output ON output.job = asked.value ORDER BY output.job, output.path";

/// The last success of the asked actions.
pub(super) const HISTORY: &str = "SELECT job.action, job.id, job.completed_at, job.milliseconds, job.peak_bytes FROM json_each(?1) AS asked \
             CROSS JOIN job ON job.seq = (SELECT seq FROM job WHERE workspace = ?2 AND action = asked.value \
             AND state = 'succeeded' ORDER BY seq DESC LIMIT 1)";

/// One job.
pub(super) const ONE: &str = job_query!("WHERE id = ?");

/// The jobs of a request.
pub(super) const OF_REQUEST: &str = job_query!("WHERE request = ? ORDER BY seq");

/// Every job that has not ended.
pub(super) const OPEN: &str = job_query!("WHERE state IN ('pending', 'running') ORDER BY seq");

fn read_job(row: &SqliteRow) -> Result<Job, StateError> {
    let definition: JobDefinition = serde_json::from_str(&row.try_get::<String, _>(17)?)?;
    if definition.format > DEFINITION_FORMAT {
        return Err(StateError::Stored(format!("a job of format {}, made by a newer program", definition.format)));
    }
    Ok(Job {
        id: row.try_get::<String, _>(0)?.parse()?,
        request: row.try_get::<String, _>(1)?.parse()?,
        seq: row.try_get(2)?,
        status: Status {
            code: row.try_get::<String, _>(3)?.parse()?,
            reason: row.try_get::<Option<String>, _>(4)?.map(|reason| reason.parse()).transpose()?,
            message: row.try_get(5)?,
            numbers: serde_json::from_str(&row.try_get::<String, _>(6)?)?,
            tells: Tells::default(),
        },
        times: Times {
            created_at: row.try_get(7)?,
            updated_at: row.try_get(8)?,
            started_at: row.try_get(9)?,
            completed_at: row.try_get(10)?,
            status_code_updated_at: row.try_get(11)?,
        },
        next_try_at: row.try_get(12)?,
        cancel_requested_at: row.try_get(13)?,
        fence: row.try_get(14)?,
        attempts: row.try_get(15)?,
        tries: row.try_get(18)?,
        run_key: row.try_get::<Option<String>, _>(16)?.map(|key| key.parse()).transpose()?,
        definition,
        pins: Vec::new(),
    })
}

fn asked<'a>(actions: impl IntoIterator<Item = &'a ActionName>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&actions.into_iter().collect::<Vec<_>>())
}

/// `query` is [`LATEST`] or [`LATEST_ENDED`].
pub(super) async fn latest_rows(
    connection: &mut SqliteConnection,
    query: &'static str,
    workspace: &WorkspaceName,
    actions: &BTreeSet<ActionName>,
) -> Result<BTreeMap<ActionName, LatestRow>, StateError> {
    let rows = sqlx::query(query).bind(asked(actions)?).bind(workspace.as_str()).fetch_all(connection).await?;
    let mut latest = BTreeMap::new();
    for row in rows {
        let commit: Option<String> = row.try_get(4)?;
        let entry = LatestRow {
            job: row.try_get::<String, _>(1)?.parse()?,
            request: row.try_get::<String, _>(2)?.parse()?,
            code: row.try_get::<String, _>(3)?.parse()?,
            commit: commit
                .map(|text| text.parse())
                .transpose()
                .map_err(|e: crate::BadCommit| StateError::Stored(e.to_string()))?,
            completed_at: row.try_get(5)?,
            run_key: row.try_get::<Option<String>, _>(6)?.map(|key| key.parse()).transpose()?,
            hashes: components::hashes(row.try_get::<Option<String>, _>(7)?.as_deref())?,
        };
        latest.insert(ActionName::new(row.try_get::<String, _>(0)?), entry);
    }
    Ok(latest)
}

impl State {
    /// The latest jobs of these actions in this workspace, all at one moment.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn latest_jobs<'a>(
        &self,
        workspace: &WorkspaceName,
        actions: impl IntoIterator<Item = &'a ActionName>,
    ) -> Result<LatestJobs, StateError> {
        self.latest(LATEST, workspace, actions).await
    }

    /// As [`State::latest_jobs`], but where the latest job is pending or running, the newest job that has ended and is
    /// not cancelled instead: what will be the latest once the jobs of a killed run are ended. To be shown; storing a
    /// plan made from it gives [`StateError::PlanOutdated`] while such a job is open.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn latest_ended_jobs<'a>(
        &self,
        workspace: &WorkspaceName,
        actions: impl IntoIterator<Item = &'a ActionName>,
    ) -> Result<LatestJobs, StateError> {
        self.latest(LATEST_ENDED, workspace, actions).await
    }

    async fn latest<'a>(
        &self,
        query: &'static str,
        workspace: &WorkspaceName,
        actions: impl IntoIterator<Item = &'a ActionName>,
    ) -> Result<LatestJobs, StateError> {
        let asked: BTreeSet<_> = actions.into_iter().cloned().collect();
        let mut connection = self.readers.acquire().await?;
        let rows = latest_rows(&mut connection, query, workspace, &asked).await?;
        Ok(LatestJobs { workspace: workspace.clone(), asked, rows })
    }

    /// A request as stored, with its phase: `checking`, `planned` or `rejected`.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn request(&self, id: RequestId) -> Result<Option<(Request, String)>, StateError> {
        let row = sqlx::query("SELECT body, phase FROM request WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        let read = |row: SqliteRow| Ok((serde_json::from_str(&row.try_get::<String, _>(0)?)?, row.try_get(1)?));
        row.map(read).transpose()
    }

    /// One job.
    ///
    /// # Errors
    /// There is no such job, the database refused, or it holds what this program did not write.
    pub async fn job(&self, id: JobId) -> Result<Job, StateError> {
        let row = sqlx::query(ONE).bind(id.to_string()).fetch_optional(&self.readers).await?;
        let jobs = self.with_pins(row.iter().map(read_job).collect::<Result<_, _>>()?).await?;
        jobs.into_iter().next().ok_or(StateError::UnknownJob(id))
    }

    /// The jobs of a request in the order of its plan.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn jobs_of(&self, request: RequestId) -> Result<Vec<Job>, StateError> {
        let rows = sqlx::query(OF_REQUEST).bind(request.to_string()).fetch_all(&self.readers).await?;
        self.with_pins(rows.iter().map(read_job).collect::<Result<_, _>>()?).await
    }

    /// Every pending or running job, oldest first: what scheduling works from.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn open_jobs(&self) -> Result<Vec<Job>, StateError> {
        let rows = sqlx::query(OPEN).fetch_all(&self.readers).await?;
        self.with_pins(rows.iter().map(read_job).collect::<Result<_, _>>()?).await
    }

    async fn with_pins(&self, mut jobs: Vec<Job>) -> Result<Vec<Job>, StateError> {
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let rows = sqlx::query(PINS).bind(serde_json::to_string(&ids)?).fetch_all(&self.readers).await?;
        let mut pins: BTreeMap<JobId, Vec<StoredPin>> = BTreeMap::new();
        for row in rows {
            let pin = StoredPin {
                action: ActionName::new(row.try_get::<String, _>(1)?),
                job: row.try_get::<String, _>(2)?.parse()?,
            };
            pins.entry(row.try_get::<String, _>(0)?.parse()?).or_default().push(pin);
        }
        for job in &mut jobs {
            job.pins = pins.remove(&job.id).unwrap_or_default();
        }
        Ok(jobs)
    }

    /// The recorded outputs of these jobs, sorted by path.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn outputs_of(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Vec<CollectedOutput>>, StateError> {
        let rows = sqlx::query(OUTPUTS).bind(serde_json::to_string(jobs)?).fetch_all(&self.readers).await?;
        let natural = |number: i64| u64::try_from(number).unwrap_or(0);
        let mut outputs: BTreeMap<JobId, Vec<CollectedOutput>> = BTreeMap::new();
        for row in rows {
            let level = serde_json::Value::String(row.try_get(2)?);
            let output = CollectedOutput {
                path: row.try_get(1)?,
                level: serde_json::from_value(level)?,
                size: natural(row.try_get(3)?),
                object: row.try_get::<String, _>(4)?.parse()?,
                mtime_ns: row.try_get(5)?,
                excluded: row.try_get(6)?,
                row_count: row.try_get::<Option<i64>, _>(7)?.map(natural),
                col_count: row.try_get::<Option<i64>, _>(8)?.map(natural),
            };
            outputs.entry(row.try_get::<String, _>(0)?.parse()?).or_default().push(output);
        }
        Ok(outputs)
    }

    /// The last success of each of these actions in this workspace, for estimates.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn history<'a>(
        &self,
        workspace: &WorkspaceName,
        actions: impl IntoIterator<Item = &'a ActionName>,
    ) -> Result<BTreeMap<ActionName, PastRun>, StateError> {
        let rows = sqlx::query(HISTORY).bind(asked(actions)?).bind(workspace.as_str()).fetch_all(&self.readers).await?;
        let natural = |number: i64| u64::try_from(number).unwrap_or(0);
        let mut past = BTreeMap::new();
        for row in rows {
            let run = PastRun {
                job: row.try_get::<String, _>(1)?.parse()?,
                completed_at: row.try_get(2)?,
                milliseconds: row.try_get::<Option<i64>, _>(3)?.map(natural),
                peak_bytes: row.try_get::<Option<i64>, _>(4)?.map(natural),
            };
            past.insert(ActionName::new(row.try_get::<String, _>(0)?), run);
        }
        Ok(past)
    }
}
