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
    /// The hash of the stored text; who made an input is in the text but not in the run key.
    body: ObjectId,
}

/// As JSON text; a code tree is written and read apart, because many jobs share one.
fn body(components: &Components, component: Component) -> Result<String, serde_json::Error> {
    match component {
        Component::Command => serde_json::to_string(&components.command),
        Component::Config => serde_json::to_string(&components.config),
        Component::Image => serde_json::to_string(&components.image),
        Component::Code => serde_json::to_string(&components.code),
        Component::Inputs => serde_json::to_string(&components.inputs),
        Component::Outputs => serde_json::to_string(&components.outputs),
        Component::Environment => serde_json::to_string(&components.environment),
        Component::Data => serde_json::to_string(&components.data),
    }
}

pub(super) async fn store(tx: &mut SqliteConnection, job: JobId, components: &Components) -> Result<(), StateError> {
    let hashes = components.hashes();
    let mut kept = BTreeMap::new();
    for (&component, &hash) in &hashes {
        let text = body(components, component)?;
        let id = ObjectId::of(text.as_bytes());
        sqlx::query("INSERT OR IGNORE INTO component (hash, body) VALUES (?, ?)")
            .bind(id.hex())
            .bind(text)
            .execute(&mut *tx)
            .await?;
        kept.insert(component, Kept { hash, body: id });
    }
    sqlx::query("UPDATE job SET run_key = ?, components = ? WHERE id = ?")
        .bind(crate::provenance::run_key(&hashes).hex())
        .bind(serde_json::to_string(&kept)?)
        .bind(job.to_string())
        .execute(tx)
        .await?;
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
        let rows = sqlx::query(
            "SELECT job.id, kept.key, component.hash, component.body FROM json_each(?) AS asked \
             CROSS JOIN job ON job.id = asked.value CROSS JOIN json_each(job.components) AS kept \
             CROSS JOIN component ON component.hash = kept.value->>'body' \
             WHERE kept.key <> 'code' ORDER BY job.id",
        )
        .bind(serde_json::to_string(jobs)?)
        .fetch_all(&self.readers)
        .await?;
        let mut texts: BTreeMap<JobId, BTreeMap<String, String>> = BTreeMap::new();
        for row in rows {
            let job: JobId = row.try_get::<String, _>(0)?.parse()?;
            texts.entry(job).or_default().insert(row.try_get(1)?, row.try_get(3)?);
        }
        let trees = self.code_of(jobs).await?;
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

    /// The code tree of each job, every distinct one read and parsed once.
    async fn code_of(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, CodeTree>, StateError> {
        let rows = sqlx::query(
            "SELECT job.id, job.components->'code'->>'body' FROM json_each(?) AS asked \
             CROSS JOIN job ON job.id = asked.value WHERE job.components IS NOT NULL",
        )
        .bind(serde_json::to_string(jobs)?)
        .fetch_all(&self.readers)
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
                        .fetch_one(&self.readers)
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
}
