//! What earlier runs are worth now: which outputs are still there, which were changed by hand, and what is out of date.
//! Spec jobs.md 17, 18; cli.md 4.3.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use pipeline::ActionName;
use sandbox::folder::{Kind, SafeFolder};

use super::StudyView;
use super::study::LocalError;
use crate::collect::CollectedOutput;
pub use crate::judge::Judging;
use crate::judge::{LARGEST_SCRIPT, Standing, Weighing};
use crate::plan::LatestJob;
use crate::provenance::Staleness;
use crate::state::{LatestJobs, PastRun};
use crate::store::hash_of;
use crate::{JobId, ObjectId, StatusCode};

/// A recorded output with other bytes than recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Whose output.
    pub action: ActionName,
    /// The job that made it.
    pub job: JobId,
    /// Its path.
    pub path: String,
    /// What is there now.
    pub object: ObjectId,
    /// Bytes.
    pub size: u64,
}

/// What planning needs to know of earlier runs.
pub struct Judged {
    /// What it was judged from; storing the plan checks it again.
    pub seen: LatestJobs,
    /// As the planner takes it.
    pub latest: BTreeMap<ActionName, LatestJob>,
    /// Of actions whose latest job succeeded, needs included.
    pub staleness: BTreeMap<ActionName, Staleness>,
    /// Recorded outputs that are gone, by action.
    pub missing: BTreeMap<ActionName, Vec<String>>,
    /// Recorded outputs that a person changed; they are used as they are.
    pub edited: Vec<Edited>,
    /// Recorded outputs that are as recorded.
    pub unchanged: Vec<(String, ObjectId)>,
    /// The last success of each action, for estimates.
    pub past: BTreeMap<ActionName, PastRun>,
}

impl StudyView<'_> {
    /// Judges the latest job of every action of the project. Hashes each recorded output: nothing is known by its time.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn judge(&self, what: &Judging<'_>) -> Result<Judged, LocalError> {
        let names: Vec<&ActionName> = what.project.actions.iter().map(|action| &action.name).collect();
        let asked = names.iter().map(|name| (*name).clone()).collect();
        let empty = LatestJobs { workspace: self.workspace.clone(), asked, rows: BTreeMap::new() };
        let Some(state) = self.state else {
            return Ok(Judged {
                seen: empty,
                latest: BTreeMap::new(),
                staleness: BTreeMap::new(),
                missing: BTreeMap::new(),
                edited: Vec::new(),
                unchanged: Vec::new(),
                past: BTreeMap::new(),
            });
        };
        let seen = if self.runs {
            state.latest_jobs(self.workspace, names.iter().copied()).await?
        } else {
            state.latest_ended_jobs(self.workspace, names.iter().copied()).await?
        };
        let succeeded: BTreeMap<ActionName, JobId> = seen
            .rows
            .iter()
            .filter(|(_, row)| row.code == StatusCode::Succeeded)
            .map(|(name, row)| (name.clone(), row.job))
            .collect();
        let jobs: Vec<JobId> = succeeded.values().copied().collect();
        let outputs = state.outputs_of(&jobs).await?;
        let made_by = state.components_of(&jobs).await?;
        let past = state.history(self.workspace, names).await?;
        let standing = standing(self.folder, &succeeded, outputs);

        let weighing = Weighing { seen: &seen, succeeded: &succeeded, standing: &standing, made_by: &made_by };
        let (latest, staleness) = weighing.weigh(what, |path| read(self.folder, path));
        let present = standing.values().flat_map(|s| &s.present).filter(|(_, now)| now.is_none());
        let unchanged = present.map(|(record, _)| (record.path.clone(), record.object)).collect();
        let edited = standing.iter().flat_map(|(action, s)| edited(action, succeeded.get(action), s)).collect();
        let gone = |s: Standing| s.missing.into_iter().map(|record| record.path).collect();
        let missing = standing.into_iter().filter(|(_, s)| !s.missing.is_empty()).map(|(n, s)| (n, gone(s))).collect();
        Ok(Judged { seen, latest, staleness, missing, edited, unchanged, past })
    }
}

impl Judged {
    /// What pinned jobs are read as, where a person changed an output.
    pub fn overrides(&self) -> Arc<BTreeMap<(JobId, String), (ObjectId, u64)>> {
        Arc::new(self.edited.iter().map(|e| ((e.job, e.path.clone()), (e.object, e.size))).collect())
    }
}

fn edited(action: &ActionName, job: Option<&JobId>, standing: &Standing) -> Vec<Edited> {
    let Some(job) = job else { return Vec::new() };
    let changed = |(record, now): &(CollectedOutput, Option<(ObjectId, u64)>)| {
        now.map(|(object, size)| Edited { action: action.clone(), job: *job, path: record.path.clone(), object, size })
    };
    standing.present.iter().filter_map(changed).collect()
}

/// Looks at every recorded output. A path that another action has made since is that action's matter.
fn standing(
    folder: &SafeFolder,
    succeeded: &BTreeMap<ActionName, JobId>,
    mut outputs: BTreeMap<JobId, Vec<CollectedOutput>>,
) -> BTreeMap<ActionName, Standing> {
    let mut all: BTreeMap<ActionName, Standing> = BTreeMap::new();
    let mut objects: BTreeMap<String, Vec<ObjectId>> = BTreeMap::new();
    for record in outputs.values().flatten() {
        objects.entry(record.path.clone()).or_default().push(record.object);
    }
    for (action, job) in succeeded {
        let standing = all.entry(action.clone()).or_default();
        for record in outputs.remove(job).unwrap_or_default() {
            match look(folder, &record.path) {
                None => standing.missing.push(record),
                Some((object, _)) if object == record.object => standing.present.push((record, None)),
                Some((object, _)) if objects.get(&record.path).is_some_and(|known| known.contains(&object)) => {
                    standing.present.push((record, None));
                }
                Some(now) => standing.present.push((record, Some(now))),
            }
        }
    }
    all
}

/// The bytes of a regular file; anything else counts as gone.
fn look(folder: &SafeFolder, path: &str) -> Option<(ObjectId, u64)> {
    let mut file = folder.open(path).ok()?;
    let object = hash_of(&mut file).ok()?;
    Some((object, file.size()))
}

fn read(folder: &SafeFolder, path: &str) -> Option<Vec<u8>> {
    let found = folder.stat(path).ok()??;
    if found.kind != Kind::File || found.size > LARGEST_SCRIPT {
        return None;
    }
    let mut bytes = Vec::new();
    folder.open(path).ok()?.take(LARGEST_SCRIPT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
