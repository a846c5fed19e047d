//! Copies of the records of a project, and putting one of them in their place.
//! Spec jobs.md 9, 21. The project folder is hostile: every file in it is touched beneath its descriptor, through no link.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use sandbox::folder::{Kind, SafeFolder};

use super::LocalError;
use super::study::Places;
use super::upkeep::read_whole;
use crate::ObjectId;
use crate::log::visible;
use crate::publish::open_project;
use crate::state::{State, StateError};
use crate::store::{Durability, Store};

/// How many snapshots are kept.
pub const SNAPSHOTS: usize = 7;
/// Where they are.
const FOLDER: &str = "metadata/cloister/snapshots";
/// What their names are made of; text order is order of time.
pub(crate) const NAME: &str = "%Y%m%dT%H%M%S%3fZ";
/// Mode of the state file and of what is copied from it.
const MODE: u32 = 0o644;

/// Names of snapshots, oldest first. Only those that we make count: another file is neither used nor removed.
pub(super) fn snapshots(folder: &SafeFolder) -> Result<Vec<String>, LocalError> {
    if folder.stat(FOLDER)?.is_none() {
        return Ok(Vec::new());
    }
    let below = folder.folder(FOLDER)?;
    let mut names = Vec::new();
    let mut walk = below.walk(u64::MAX);
    while let Some(entry) = walk.next() {
        let entry = entry?;
        if entry.found.kind == Kind::Folder {
            walk.skip();
        } else if entry.found.kind == Kind::File
            && let Some(name) = entry.name().to_str().filter(|name| is_ours(name))
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// `20260102T030405006Z.sqlite`.
pub(crate) fn is_ours(name: &str) -> bool {
    let Some(time) = name.strip_suffix(".sqlite") else { return false };
    let form = b"ddddddddTdddddddddZ";
    let fits = |(byte, wanted): (u8, &u8)| if *wanted == b'd' { byte.is_ascii_digit() } else { byte == *wanted };
    time.len() == form.len() && time.bytes().zip(form).all(fits)
}

/// The objects that snapshots need: they are kept as long as the snapshots are.
pub(super) async fn held_by_snapshots(places: &Places) -> Result<Vec<ObjectId>, LocalError> {
    let mut held = Vec::new();
    for name in snapshots(&SafeFolder::at(&places.project)?)? {
        // Not read whole: this is asked at the end of every run.
        if let Ok(Some(state)) = State::open_to_read(&places.snapshots().join(name)).await {
            held.extend(state.needed_objects().await.unwrap_or_default().into_keys());
        }
    }
    Ok(held)
}

/// The name of the newest snapshot, to be told when the state cannot be read.
pub(super) fn newest_snapshot(places: &Places) -> Option<String> {
    snapshots(&SafeFolder::at(&places.project).ok()?).ok()?.pop()
}

fn refused(places: &Places, why: impl Into<String>) -> LocalError {
    LocalError::Io { path: places.snapshots(), source: io::Error::other(why.into()) }
}

/// Writes a copy of an open file beneath a folder, whole or not at all.
fn put(folder: &SafeFolder, path: &str, from: &mut impl io::Read) -> Result<(), LocalError> {
    folder.write_atomic(path, MODE, |file| {
        io::copy(from, file).and_then(|_| file.sync_all()).map_err(LocalError::io(Path::new(path)))
    })?;
    let (parent, _) = path.rsplit_once('/').unwrap_or((".", path));
    rustix::fs::fsync(folder.folder(parent)?).map_err(|error| LocalError::io(Path::new(parent))(error.into()))
}

/// Copies the records as they are now; older snapshots than the newest [`SNAPSHOTS`] go. Gives the file.
/// `None` if nothing ever ran here. Works while a run goes on. `runs` is the folder given to [`super::Study::open`].
///
/// # Errors
/// The state cannot be read or is not whole (nothing is copied then), or the folder cannot be written.
pub async fn snapshot(project: &Path, runs: &Path, now: Timestamp) -> Result<Option<PathBuf>, LocalError> {
    let Some((places, folder)) = Places::of_past(project, runs)? else { return Ok(None) };
    places.forget_journal_unless_running(&folder)?;
    places.make_runs()?;
    // SQLite writes by path: so in a folder of ours, and from there beneath the project's descriptor.
    let half = places.volumes().with_file_name(format!("snapshot-{}.sqlite", std::process::id()));
    let _ = std::fs::remove_file(&half);
    let made = copy(&places, &folder, &half, now).await;
    let _ = std::fs::remove_file(&half);
    let name = made?;
    let names = snapshots(&folder)?;
    for old in names.iter().take(names.len().saturating_sub(SNAPSHOTS)) {
        folder.remove(format!("{FOLDER}/{old}")).map_err(|error| error.first)?;
    }
    Ok(Some(places.snapshots().join(name)))
}

async fn copy(places: &Places, folder: &SafeFolder, half: &Path, now: Timestamp) -> Result<String, LocalError> {
    let state = State::open(&places.state()).await?;
    let copied = state.copy_to(half).await;
    state.close().await?;
    copied?;
    let (_, problems) = read_whole(half).await?;
    if let Some(problem) = problems.into_iter().next() {
        return Err(refused(places, format!("nothing was copied, because the records are damaged: {problem}")));
    }
    let name = format!("{}.sqlite", now.strftime(NAME));
    let mut from = File::open(half).map_err(LocalError::io(half))?;
    put(folder, &format!("{FOLDER}/{name}"), &mut from)?;
    Ok(name)
}

/// A snapshot that can be put in the place of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// How many of the objects that it needs are gone.
    pub lost: usize,
}

/// The newest snapshot that is whole, or the one of this name.
///
/// # Errors
/// There is none; the message names those that there are.
pub async fn snapshot_to_restore(project: &Path, name: Option<&str>) -> Result<Chosen, LocalError> {
    let places = Places::of(project, Path::new("/"))?;
    let folder = SafeFolder::at(&places.project)?;
    places.check(&folder)?;
    let mut wanted = snapshots(&folder)?;
    if wanted.is_empty() {
        return Err(refused(&places, "there is no snapshot; `cloister backend snapshot` makes one"));
    }
    let listed = wanted.join(", ");
    if let Some(name) = name {
        wanted.retain(|known| known == name || known.strip_suffix(".sqlite") == Some(name));
        if wanted.is_empty() {
            return Err(refused(&places, format!("there is no snapshot called {}; there are {listed}", visible(name))));
        }
    }
    let store = Store::open(&places.home, Durability::Kill)?;
    for name in wanted.into_iter().rev() {
        if let Ok((needed, problems)) = read_whole(&places.snapshots().join(&name)).await
            && problems.is_empty()
        {
            let lost = needed.keys().filter(|id| !store.contains(**id)).count();
            return Ok(Chosen { name, lost });
        }
    }
    Err(refused(&places, format!("no snapshot is whole; there are {listed}")))
}

/// What `restore` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The snapshot that is the state now.
    pub from: String,
    /// Where the state lies that was there before.
    pub replaced: Option<PathBuf>,
}

/// Puts a snapshot, the newest that is whole or the one of this name, in the place of the records.
///
/// # Errors
/// A run goes on, there is no such snapshot, or none that is whole; then nothing was changed.
pub async fn restore(project: &Path, name: Option<&str>, now: Timestamp) -> Result<Restored, LocalError> {
    let Chosen { name: from, .. } = snapshot_to_restore(project, name).await?;
    let places = Places::of(project, Path::new("/"))?;
    let folder = open_project(&places.project)?;
    let _lock = places.take_lock()?;
    places.forget_journal(&folder)?;
    // Whatever of the old records is still in their log is folded into their file, if they can be opened at all: so a kill
    // between the steps below leaves either the old records, whole, or the new ones.
    match State::open(&places.state()).await {
        Ok(state) => state.close().await?,
        Err(StateError::Open { .. } | StateError::Altered { .. } | StateError::NotOurs { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let home = folder.folder("metadata/cloister")?;
    let aside = format!("state.sqlite.replaced-{}", now.strftime(NAME));
    let replaced = match rustix::fs::linkat(&home, "state.sqlite", &home, aside.as_str(), AtFlags::empty()) {
        Ok(()) => Some(places.home.join(&aside)),
        Err(Errno::NOENT) => None,
        Err(error) => return Err(LocalError::io(&places.home.join(&aside))(error.into())),
    };
    for end in ["-wal", "-shm"] {
        let (old, new) = (format!("state.sqlite{end}"), format!("{aside}{end}"));
        match rustix::fs::renameat(&home, old.as_str(), &home, new.as_str()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(LocalError::io(&places.home.join(old))(error.into())),
        }
    }
    put(&folder, "metadata/cloister/state.sqlite", &mut folder.open(format!("{FOLDER}/{from}"))?)?;
    super::study::give_to_owner(&folder, &places.home)?;
    Ok(Restored { from, replaced })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_form_count() {
        assert!(is_ours("20260102T030405006Z.sqlite"));
        let now: Timestamp = "2026-01-02T03:04:05.006Z".parse().unwrap();
        assert!(is_ours(&format!("{}.sqlite", now.strftime(NAME))));
        for other in ["z1.sqlite", "20260102T030405006Z.sqlite.tmp", "20260102T03040500xZ.sqlite", ".sqlite"] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
