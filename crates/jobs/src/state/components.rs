//! Stores what made an output: each distinct component once, so that a hundred jobs over one tree of code keep one tree.
//! Spec jobs.md 17.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use super::{State, StateError};
use crate::provenance::{CodeTree, Component, Components};
use crate::{JobId, ObjectId};

/// What a job keeps of one component.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Its hash in the run key.
    hash: ObjectId,
    /// The row that holds it, named by the hash of its text: who made an input is in the text but not in the run key. A
    /// code tree, which has nothing beside what is in the run key, is named by its hash there.
    body: ObjectId,
}

/// What there is to store of a finished job, made before the transaction that stores it.
pub(super) struct Ready {
    kept: String,
    run_key: String,
    /// Hash and text of every component but the code.
    small: Vec<(ObjectId, String)>,
    /// Large, and mostly there already: made into text only if it is not.
    code: CodeTree,
}

impl Ready {
    pub(super) fn new(components: &Components) -> Result<Self, serde_json::Error> {
        let hashes = components.hashes();
        let mut kept = BTreeMap::new();
        let mut small = Vec::new();
        for (&component, &hash) in &hashes {
            let body = match body(components, component)? {
                None => hash,
                Some(text) => {
                    let body = ObjectId::of(text.as_bytes());
                    small.push((body, text));
                    body
                }
            };
            kept.insert(component, Kept { hash, body });
        }
        let kept = serde_json::to_string(&kept)?;
        let run_key = crate::provenance::run_key(&hashes).hex();
        Ok(Self { kept, run_key, small, code: components.code.clone() })
    }

    pub(super) async fn store(&self, tx: &mut SqliteConnection, job: JobId) -> Result<(), StateError> {
        for (hash, text) in &self.small {
            insert(tx, *hash, text).await?;
        }
        let hash = self.code.hash();
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM component WHERE hash = ?)")
            .bind(hash.hex())
            .fetch_one(&mut *tx)
            .await?;
        if !there {
            insert(tx, hash, &serde_json::to_string(&self.code)?).await?;
        }
        sqlx::query("UPDATE job SET run_key = ?, components = ? WHERE id = ?")
            .bind(&self.run_key)
            .bind(&self.kept)
            .bind(job.to_string())
            .execute(tx)
            .await?;
        Ok(())
    }
}

/// As JSON text; `None` for the code, which is written and read apart, because many jobs share one tree.
fn body(components: &Components, component: Component) -> Result<Option<String>, serde_json::Error> {
    let text = match component {
        Component::Code => return Ok(None),
        Component::Command => serde_json::to_string(&components.command),
        Component::Config => serde_json::to_string(&components.config),
        Component::Image => serde_json::to_string(&components.image),
        Component::Inputs => serde_json::to_string(&components.inputs),
        Component::Outputs => serde_json::to_string(&components.outputs),
        Component::Environment => serde_json::to_string(&components.environment),
        Component::Data => serde_json::to_string(&components.data),
    };
    text.map(Some)
}

async fn insert(tx: &mut SqliteConnection, hash: ObjectId, text: &str) -> Result<(), StateError> {
    let query = sqlx::query("INSERT OR IGNORE INTO component (hash, body) VALUES (?, ?)");
    query.bind(hash.hex()).bind(text).execute(tx).await?;
    Ok(())
}

/// The hash of each component, from what a job keeps.
pub(super) fn hashes(kept: Option<&str>) -> Result<BTreeMap<Component, ObjectId>, StateError> {
    let kept: BTreeMap<Component, Kept> = kept.map_or(Ok(BTreeMap::new()), serde_json::from_str)?;
    Ok(kept.into_iter().map(|(component, kept)| (component, kept.hash)).collect())
}

impl State {
    /// What made the outputs of these jobs; a job without a record is left out. Equal trees of code are shared.
    ///
    /// # Errors
    /// The database refused, or holds what this program did not write.
    pub async fn components_of(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Components>, StateError> {
        let mut moment = self.readers.begin().await?;
        let rows = sqlx::query(
            "SELECT job.id, kept.key, component.hash, component.body FROM json_each(?) AS asked \
             CROSS JOIN job ON job.id = asked.value CROSS JOIN json_each(job.components) AS kept \
             CROSS JOIN component ON component.hash = kept.value->>'body' \
             WHERE kept.key <> 'code' ORDER BY job.id",
        )
        .bind(serde_json::to_string(jobs)?)
        .fetch_all(&mut *moment)
        .await?;
        let mut texts: BTreeMap<JobId, BTreeMap<String, String>> = BTreeMap::new();
        for row in rows {
            let job: JobId = row.try_get::<String, _>(0)?.parse()?;
            texts.entry(job).or_default().insert(row.try_get(1)?, row.try_get(3)?);
        }
        let trees = code_of(&mut moment, jobs).await?;
        let mut found = BTreeMap::new();
        for (job, texts) in texts {
            let text = |component: Component| {
                let missing = || StateError::Stored(format!("job {job} has no component {}", component.as_str()));
                texts.get(component.as_str()).ok_or_else(missing)
            };
            let code = trees.get(&job).cloned();
            let missing = || StateError::Stored(format!("job {job} has no component code"));
            let components = Components {
                command: serde_json::from_str(text(Component::Command)?)?,
                config: serde_json::from_str(text(Component::Config)?)?,
                image: serde_json::from_str(text(Component::Image)?)?,
                code: code.ok_or_else(missing)?,
                inputs: serde_json::from_str(text(Component::Inputs)?)?,
                outputs: serde_json::from_str(text(Component::Outputs)?)?,
                environment: serde_json::from_str(text(Component::Environment)?)?,
                data: serde_json::from_str(text(Component::Data)?)?,
            };
            found.insert(job, components);
        }
        Ok(found)
    }

    /// How many descriptions are kept. The cost does not depend on how many jobs there were.
    ///
    /// # Errors
    /// The database refused.
    pub async fn components_held(&self) -> Result<usize, StateError> {
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM component").fetch_one(&self.readers).await?;
        Ok(usize::try_from(rows).unwrap_or(0))
    }

    /// Forgets what made the outputs of all jobs but these: their records, and every component that no job of `keep`
    /// has. Run keys stay. Gives the number of components removed; their room in the file is used again.
    ///
    /// [`State::components_of`] leaves the other jobs out from now on, as those that never had a record, and
    /// [`State::latest_jobs`] gives no hashes for them. So `keep` must name whatever may be judged again: the latest
    /// jobs, and those that become the latest when an open one is cancelled ([`State::latest_ended_jobs`]).
    ///
    /// # Errors
    /// The database refused.
    pub async fn forget_components(&self, keep: &[JobId]) -> Result<u64, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        sqlx::query(
            "UPDATE job SET components = NULL \
             WHERE components IS NOT NULL AND id NOT IN (SELECT value FROM json_each(?))",
        )
        .bind(serde_json::to_string(keep)?)
        .execute(&mut *tx)
        .await?;
        let removed = sqlx::query(
            "DELETE FROM component WHERE hash NOT IN (SELECT kept.value->>'body' \
             FROM job CROSS JOIN json_each(job.components) AS kept WHERE kept.value->>'body' IS NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        self.commit(tx).await?;
        Ok(removed.rows_affected())
    }
}

/// The code tree of each job, every distinct one read and parsed once.
async fn code_of(connection: &mut SqliteConnection, jobs: &[JobId]) -> Result<BTreeMap<JobId, CodeTree>, StateError> {
    let rows = sqlx::query(
        "SELECT job.id, job.components->'code'->>'body' FROM json_each(?) AS asked \
         CROSS JOIN job ON job.id = asked.value WHERE job.components IS NOT NULL",
    )
    .bind(serde_json::to_string(jobs)?)
    .fetch_all(&mut *connection)
    .await?;
    let mut parsed: BTreeMap<Arc<str>, CodeTree> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for row in rows {
        let job: JobId = row.try_get::<String, _>(0)?.parse()?;
        let hash: String = row.try_get(1)?;
        let tree = match parsed.get(hash.as_str()) {
            Some(tree) => tree.clone(),
            None => {
                let text: String = sqlx::query_scalar("SELECT body FROM component WHERE hash = ?")
                    .bind(&hash)
                    .fetch_one(&mut *connection)
                    .await?;
                let tree: CodeTree = serde_json::from_str(&text)?;
                parsed.insert(hash.into(), tree.clone());
                tree
            }
        };
        found.insert(job, tree);
    }
    Ok(found)
}
