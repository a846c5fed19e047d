//! Results of a backend's jobs: all of them into the high view, what reviewers may see into the medium one, logs and
//! manifest beside. Spec jobs.md 12-15. One writer at a time for each workspace.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::{ActionName, PrivacyLevel};
use sandbox::folder::SafeFolder;

use super::Folders;
use super::views::{HighView, MediumView, Reviewable};
use crate::collect::CollectedOutput;
use crate::engine::{Order, Publisher, keep_evidence};
use crate::log::log_name;
use crate::manifest::{BadManifest, JobResult, Manifest};
use crate::publish::{PublishError, Published};
use crate::refusal::Unsafe;
use crate::state::Job;
use crate::store::Store;
use crate::{AttemptId, WorkspaceName};

const FILE_MODE: u32 = 0o640;
/// A manifest of 100,000 outputs has about this many bytes.
const LARGEST_MANIFEST: u64 = 256 << 20;

/// The views and logs of a backend.
#[derive(Debug)]
pub(super) struct Views {
    folders: Folders,
    /// Who holds one writes that workspace.
    writing: Mutex<HashMap<WorkspaceName, Arc<Mutex<()>>>>,
}

impl Views {
    pub(super) fn new(folders: Folders) -> Self {
        Self { folders, writing: Mutex::default() }
    }

    fn turn(&self, workspace: &WorkspaceName) -> Arc<Mutex<()>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).entry(workspace.clone()).or_default().clone()
    }

    fn logs(&self, created_at: i64, job: &str) -> Result<SafeFolder, PublishError> {
        let path = self.folders.high.join("logs");
        let made = std::fs::create_dir_all(&path);
        made.map_err(|source| PublishError::Io { what: "the folder of logs cannot be made", source })?;
        Ok(SafeFolder::at(&path)?.make_folders(Folders::log_of(created_at, job))?)
    }
}

fn copy_file(folder: &SafeFolder, name: &str, from: &Path) -> Result<(), PublishError> {
    let bad = |source| PublishError::Io { what: "the finished log cannot be copied", source };
    let mut log = File::open(from).map_err(bad)?;
    folder.write_atomic(name, FILE_MODE, |file| io::copy(&mut log, file).map(drop).map_err(bad))
}

fn read_manifest(medium: &MediumView, workspace: &WorkspaceName) -> Result<Manifest, PublishError> {
    let Some(file) = medium.manifest()? else { return Ok(Manifest::new(workspace.as_str())) };
    let mut text = String::new();
    file.take(LARGEST_MANIFEST)
        .read_to_string(&mut text)
        .map_err(|source| PublishError::Io { what: "metadata/manifest.json cannot be read", source })?;
    Ok(Manifest::parse(&text)?)
}

/// Whether a path is that of an output which reviewers see.
fn is_seen(manifest: &Manifest, path: &str) -> bool {
    manifest.entry(path).is_some_and(|entry| {
        entry.get("level").and_then(|level| level.as_str()) == Some(PrivacyLevel::ModeratelySensitive.as_str())
            && entry.get("excluded").and_then(serde_json::Value::as_bool) == Some(false)
    })
}

/// What reviewers find in place of a file that is kept back.
fn note(path: &str, why: &str) -> String {
    format!(
        "The file {path} is not shown here: {why}.\n\nIt was made, and is kept where only the service sees it. Change the \
         action so that the file can be checked, or declare it as highly_sensitive, and run it again.\n"
    )
}

impl Publisher for Views {
    fn accept(&self, _: &[CollectedOutput]) -> Result<(), Unsafe> {
        Ok(())
    }

    fn publish(&self, order: &Order, log: Option<&Path>, store: &Store) -> Result<Published, PublishError> {
        let turn = self.turn(&order.workspace);
        let _writing = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let high = HighView::of(&self.folders.high, &order.workspace)?;
        let medium = MediumView::of(&self.folders.medium, &order.workspace)?;
        let mut published = Published::default();
        for output in &order.outputs {
            let written = high.put(output, store)?;
            if written { &mut published.written } else { &mut published.unchanged }.push(output.path.clone());
        }
        let mut manifest = read_manifest(&medium, &order.workspace)?;
        let entries = order.entries();
        let (action, actions) = (order.action.as_str(), order.actions.as_ref());
        manifest.record(&JobResult { action, outputs: &entries, actions }).map_err(BadManifest::from)?;
        // First what must no longer be seen, then what may be.
        for output in order.outputs.iter().filter(|output| Reviewable::of(output).is_none()) {
            medium.remove(&output.path)?;
        }
        for output in &order.outputs {
            if let Some(reviewable) = Reviewable::of(output) {
                medium.put(&reviewable, store)?;
            }
            let beside = format!("{}.txt", output.path);
            match &output.excluded {
                _ if is_seen(&manifest, &beside) => {}
                Some(why) if output.level == PrivacyLevel::ModeratelySensitive => {
                    medium.put_note(&beside, &note(&output.path, why))?;
                }
                _ => medium.remove(&beside)?,
            }
        }
        if let Some(log) = log {
            let name = log_name(&order.action);
            high.put_log(&name, log)?;
            medium.put_log(&name, log)?;
        }
        medium.put_manifest(&manifest.render().map_err(BadManifest::from)?)?;
        Ok(published)
    }

    fn keep(&self, order: &Order, log: Option<&Path>, volume: &Path) -> Result<(), PublishError> {
        let evidence: Vec<&str> = order.evidence.keys().map(String::as_str).collect();
        keep_evidence(&self.folders.high, &order.shared.job_id, volume, &evidence)?;
        let folder = self.logs(order.created_at, &order.shared.job_id)?;
        if let Some(log) = log {
            copy_file(&folder, "logs.txt", log)?;
        }
        let Some(metadata) = &order.metadata else { return Ok(()) };
        folder.write_atomic("metadata.json", FILE_MODE, |file| {
            file.write_all(metadata.as_bytes())
                .map_err(|source| PublishError::Io { what: "metadata.json cannot be written", source })
        })
    }

    fn keep_attempt(&self, job: &Job, attempt: AttemptId, lines: &Path) -> Result<(), PublishError> {
        let folder = self.logs(job.times.created_at, &job.id.to_string())?;
        copy_file(&folder, &format!("{:03}/logs.txt", attempt.number), lines)
    }

    fn wants_evidence(&self) -> bool {
        true
    }

    fn wants_metadata(&self) -> bool {
        true
    }

    fn log_path(&self, action: &ActionName) -> String {
        format!("metadata/{}", log_name(action))
    }
}
