//! Requests and plans: a plan is stored in one transaction that looks again at what it was made from.
//! Spec jobs.md 2 and 3 (rule 7).

use std::collections::BTreeMap;

use jiff::Timestamp;
use pipeline::ActionName;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection};

use super::cancel::{CancelOrder, cancel_all, cancel_and_answer};
use super::event::{Answer, Event, append};
use super::{Cancelled, JobState, LatestJobs, NewJob, Recorded, State, StateError, StatusCode, Times, read};
use crate::{CodeSource, JobId, Pin, Request, RequestId};

impl State {
    /// Notes a request before it is checked and planned. A known one is left as it is.
    ///
    /// # Errors
    /// The id is known with another repository, workspace or commit.
    pub async fn accept(&self, request: &Request) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        if known_jobs(&mut tx, request).await?.is_none() {
            insert_request(&mut tx, request).await?;
        }
        self.commit(tx).await
    }

    /// Notes that a request cannot be decided yet; gives the Unix second since which that is so.
    ///
    /// # Errors
    /// The request is unknown, or was answered before.
    pub async fn still_checking(&self, request: RequestId, now: Timestamp) -> Result<i64, StateError> {
        let mut writers = self.writers.lock().await;
        let since: Option<i64> = sqlx::query_scalar(
            "UPDATE request SET checking_since = coalesce(checking_since, ?) WHERE id = ? AND phase = 'checking' \
             RETURNING checking_since",
        )
        .bind(now.as_second())
        .bind(request.to_string())
        .fetch_optional(&mut *writers.durable)
        .await?;
        since.ok_or(StateError::UnknownRequest(request))
    }

    /// Notes that a request was refused; it never has jobs. One that has its answer is left as it is.
    ///
    /// # Errors
    /// The request is unknown, or was answered before.
    pub async fn reject(&self, request: RequestId, rejection: &Value, now: Timestamp) -> Result<(), StateError> {
        let told = json!({ "request": request, "code": rejection["code"] });
        let answer = Answer { kind: "request.rejected", answers: None, body: &told };
        self.refuse(request, rejection, &answer, now).await
    }

    /// The same with what is told of it.
    ///
    /// # Errors
    /// As for [`State::reject`].
    pub async fn refuse(
        &self,
        request: RequestId,
        rejection: &Value,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let workspace: Option<String> = sqlx::query_scalar(
            "UPDATE request SET phase = 'rejected', rejection = ? WHERE id = ? AND phase = 'checking' RETURNING workspace",
        )
        .bind(rejection.to_string())
        .bind(request.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let workspace = workspace.ok_or(StateError::UnknownRequest(request))?;
        let body = json!({ "code": rejection["code"] });
        answer.send(&mut tx, now).await?;
        let event = Event { kind: "request_rejected", workspace: &workspace, request: request.to_string(), body };
        append(&mut tx, event, now).await?;
        apply_wishes(&mut tx, request, now).await?;
        self.commit(tx).await
    }

    /// Stores the jobs of a plan with their pins, and makes them the latest ones of their actions.
    ///
    /// `seen` is what the plan was made from. A request that is already planned changes nothing.
    ///
    /// # Errors
    /// A latest job has changed since `seen` was read ([`StateError::PlanOutdated`]: read and plan again), or the id is
    /// known with another repository, workspace or commit.
    pub async fn record_plan(
        &self,
        request: &Request,
        jobs: &[NewJob],
        seen: &LatestJobs,
        now: Timestamp,
    ) -> Result<Recorded, StateError> {
        let id = |job: &NewJob| JobId::of(&request.id, &job.definition.action);
        let told = json!({
            "request": request.id,
            "jobs": jobs.iter().map(|job| json!({ "job": id(job), "action": job.definition.action })).collect::<Vec<_>>(),
        });
        let answer = Answer { kind: "request.planned", answers: None, body: &told };
        self.record_plan_as(request, jobs, seen, &answer, now).await
    }

    /// The same with what is told of it, which goes out before any news of its jobs. A plan without jobs says that there
    /// is nothing to do. A workspace is bound to the repository and project of the first plan in it.
    ///
    /// # Errors
    /// As for [`State::record_plan`].
    pub async fn record_plan_as(
        &self,
        request: &Request,
        jobs: &[NewJob],
        seen: &LatestJobs,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Result<Recorded, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        match known_jobs(&mut tx, request).await? {
            Some((phase, count)) if phase != "checking" => return Ok(Recorded::NoChange(count)),
            Some(_) => {}
            None => insert_request(&mut tx, request).await?,
        }
        let present = read::latest_rows(&mut tx, read::LATEST, &seen.workspace, &seen.asked).await?;
        let moved = |action: &&ActionName| {
            let kind = |rows: &BTreeMap<ActionName, super::LatestRow>| {
                rows.get(*action)
                    .map(|row| (row.job, if row.code.state().is_active() { None } else { Some(row.code.state()) }))
            };
            kind(&present) != kind(&seen.rows)
        };
        let actions: Vec<_> = seen.asked.iter().filter(moved).cloned().collect();
        if !actions.is_empty() {
            return Err(StateError::PlanOutdated { actions });
        }
        insert_jobs(&mut tx, request, jobs, now).await?;
        let ids: Vec<_> = jobs.iter().map(|job| JobId::of(&request.id, &job.definition.action)).collect();
        answer.send(&mut tx, now).await?;
        super::workspace::bind(&mut tx, request).await?;
        let event = Event {
            kind: "request_planned",
            workspace: request.workspace.as_str(),
            request: request.id.to_string(),
            body: json!({ "jobs": ids, "created_by": request.created_by }),
        };
        append(&mut tx, event, now).await?;
        apply_wishes(&mut tx, request.id, now).await?;
        self.commit(tx).await?;
        Ok(Recorded::Created(jobs.len()))
    }
}

/// The phase and the number of jobs of a known request.
async fn known_jobs(tx: &mut SqliteConnection, request: &Request) -> Result<Option<(String, usize)>, StateError> {
    let row = sqlx::query("SELECT phase, jobs, body FROM request WHERE id = ?")
        .bind(request.id.to_string())
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let known: Request = serde_json::from_str(&row.try_get::<String, _>(2)?)?;
    let same_code = match (&known.code, &request.code) {
        (CodeSource::Commit { repo_url: a, commit: x, .. }, CodeSource::Commit { repo_url: b, commit: y, .. }) => {
            a == b && x == y
        }
        (a, b) => a == b,
    };
    if !same_code || known.workspace != request.workspace {
        return Err(StateError::InconsistentRequest(request.id));
    }
    Ok(Some((row.try_get(0)?, usize::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0))))
}

async fn insert_request(tx: &mut SqliteConnection, request: &Request) -> Result<(), StateError> {
    sqlx::query(
        "INSERT INTO request (id, workspace, commit_id, phase, body, created_at) VALUES (?, ?, ?, 'checking', ?, ?)",
    )
    .bind(request.id.to_string())
    .bind(request.workspace.as_str())
    .bind(request.code.commit().map(crate::Commit::as_str))
    .bind(serde_json::to_string(request)?)
    .bind(request.created_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// A fixed number of statements, however many jobs there are.
async fn insert_jobs(
    tx: &mut SqliteConnection,
    request: &Request,
    jobs: &[NewJob],
    now: Timestamp,
) -> Result<(), StateError> {
    let mut rows = Vec::with_capacity(jobs.len());
    let mut pins = Vec::new();
    for job in jobs {
        let action = &job.definition.action;
        let id = JobId::of(&request.id, action);
        for (position, need) in job.pins.iter().enumerate() {
            let pinned = match need.pin {
                Pin::Existing(job) => job,
                Pin::New => JobId::of(&request.id, &need.action),
            };
            pins.push(json!({ "job": id, "position": position, "action": need.action, "pinned": pinned }));
        }
        // The definition is a text within the text: it comes back byte for byte.
        let definition = serde_json::to_string(&job.definition)?;
        rows.push(json!({
            "id": id, "action": action, "is_database": job.definition.is_database, "definition": definition,
        }));
    }
    let times = Times::created(now);
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM job").fetch_one(&mut *tx).await?;
    let rows = Value::Array(rows).to_string();
    sqlx::query(
        "INSERT INTO job (seq, id, request, workspace, action, is_database, state, code, message, numbers, created_at, \
         updated_at, code_updated_at_ns, definition) \
         SELECT ?1 + key + 1, value->>'id', ?2, ?3, value->>'action', value->>'is_database', ?4, ?5, 'Created', '{}', \
         ?6, ?6, ?7, value->>'definition' FROM json_each(?8)",
    )
    .bind(last)
    .bind(request.id.to_string())
    .bind(request.workspace.as_str())
    .bind(JobState::Pending.as_str())
    .bind(StatusCode::Created.as_str())
    .bind(times.created_at)
    .bind(times.status_code_updated_at)
    .bind(&rows)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO pin (job, position, action, pinned) \
         SELECT value->>'job', value->>'position', value->>'action', value->>'pinned' FROM json_each(?)",
    )
    .bind(Value::Array(pins).to_string())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO latest_job (workspace, action, job) \
         SELECT ?1, value->>'action', value->>'id' FROM json_each(?2) WHERE true \
         ON CONFLICT (workspace, action) DO UPDATE SET job = excluded.job",
    )
    .bind(request.workspace.as_str())
    .bind(&rows)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE request SET phase = 'planned', jobs = ? WHERE id = ?")
        .bind(i64::try_from(jobs.len()).unwrap_or(i64::MAX))
        .bind(request.id.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// What was cancelled while the request was being checked and planned: for orders from outside with their answers.
async fn apply_wishes(tx: &mut SqliteConnection, request: RequestId, now: Timestamp) -> Result<(), StateError> {
    let rows = sqlx::query("DELETE FROM cancel_wish WHERE request = ? RETURNING action, wished_by, answers")
        .bind(request.to_string())
        .fetch_all(&mut *tx)
        .await?;
    let mut orders: BTreeMap<(String, String), Vec<ActionName>> = BTreeMap::new();
    let mut ours = Vec::new();
    for row in rows {
        let action = ActionName::new(row.try_get::<String, _>(0)?);
        match (row.try_get::<Option<String>, _>(1)?, row.try_get::<String, _>(2)?) {
            (Some(by), id) if !id.is_empty() => orders.entry((id, by)).or_default().push(action),
            _ => ours.push(JobId::of(&request, &action)),
        }
    }
    let ids = serde_json::to_string(&ours)?;
    let rows = sqlx::query("SELECT job.seq, job.id FROM json_each(?) AS asked CROSS JOIN job ON job.id = asked.value")
        .bind(ids)
        .fetch_all(&mut *tx)
        .await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        jobs.push((row.try_get(0)?, row.try_get::<String, _>(1)?.parse()?));
    }
    cancel_all(tx, jobs, None, &mut Cancelled::default(), now).await?;
    for ((id, by), actions) in orders {
        cancel_and_answer(tx, CancelOrder { id: &id, by: &by }, request, &actions, now).await?;
    }
    Ok(())
}
