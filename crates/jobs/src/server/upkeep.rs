//! Copies of a backend's records, and whether records and store are as they were written.
//! Spec jobs.md 9 (a snapshot each day, the newest kept), 17, 21.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Folders, ServerError};
use crate::local::{Finding, SNAPSHOT_NAME, SNAPSHOTS, Verified, is_snapshot, read_whole};
use crate::state::State;
use crate::store::{Durability, Store};

/// Names of snapshots, oldest first.
pub(super) fn snapshots(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| is_snapshot(name)).collect();
    names.sort();
    names
}

/// Copies the records as they are now; older snapshots than the newest seven go. Works while the backend runs.
///
/// # Errors
/// The records cannot be read or are not whole (nothing is copied then), or the folder cannot be written.
pub async fn snapshot(state: &Path, now: Timestamp) -> Result<PathBuf, ServerError> {
    let folders = Folders::of_state(state)?;
    let folder = folders.state.join("snapshots");
    std::fs::create_dir_all(&folder).map_err(ServerError::io(&folder))?;
    let half = folder.join(format!("{}.tmp", std::process::id()));
    let _ = std::fs::remove_file(&half);
    let copied = copy(&folders, &half).await;
    if copied.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    copied?;
    let path = folder.join(format!("{}.sqlite", now.strftime(SNAPSHOT_NAME)));
    std::fs::rename(&half, &path).map_err(ServerError::io(&path))?;
    std::fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(ServerError::io(&folder))?;
    let names = snapshots(&folder);
    for old in names.iter().take(names.len().saturating_sub(SNAPSHOTS)) {
        let old = folder.join(old);
        std::fs::remove_file(&old).map_err(ServerError::io(&old))?;
    }
    Ok(path)
}

async fn copy(folders: &Folders, half: &Path) -> Result<(), ServerError> {
    let state = State::open(&folders.records()).await?;
    let copied = state.copy_to(half).await;
    state.close().await?;
    copied?;
    let (_, problems) = read_whole(half).await?;
    if let Some(problem) = problems.into_iter().next() {
        let why = format!("nothing was copied, because the records are damaged: {problem}");
        return Err(ServerError::io(&folders.records())(std::io::Error::other(why)));
    }
    std::fs::File::open(half).and_then(|file| file.sync_all()).map_err(ServerError::io(half))
}

/// Reads everything again: each page of the records, the chain of events, each object, each snapshot. Changes nothing.
///
/// # Errors
/// No backend ever ran with this state folder, or the store cannot be read.
pub async fn verify(state: &Path) -> Result<Verified, ServerError> {
    let folders = Folders::of_state(state)?;
    let mut verified = Verified::default();
    let needed = match read_whole(&folders.records()).await {
        Ok((needed, problems)) => {
            verified.findings.extend(problems.into_iter().map(Finding::State));
            needed
        }
        Err(error) => {
            verified.findings.push(Finding::State(error.to_string()));
            Default::default()
        }
    };
    let store = Store::open(&folders.high, Durability::Kill)?;
    let survey = store.survey()?;
    (verified.objects, verified.bytes) = (survey.objects, survey.bytes);
    let of = |id: &crate::ObjectId| needed.get(id).cloned().unwrap_or_default();
    verified.findings.extend(survey.damaged.iter().map(|id| Finding::Damaged(*id, of(id))));
    let gone = needed.iter().filter(|(id, _)| !store.contains(**id) && !survey.damaged.contains(id));
    verified.findings.extend(gone.map(|(id, of)| Finding::Missing(*id, of.clone())));
    verified.findings.extend(survey.foreign.into_iter().map(Finding::Foreign));
    let folder = folders.state.join("snapshots");
    for name in snapshots(&folder) {
        verified.snapshots += 1;
        let bad = match read_whole(&folder.join(&name)).await {
            Ok((_, problems)) => problems.into_iter().next(),
            Err(error) => Some(error.to_string()),
        };
        verified.findings.extend(bad.map(|what| Finding::Snapshot(name, what)));
    }
    Ok(verified)
}
