//! Keeping the records and the store of a project sound: verify, snapshot, restore.
//! Spec jobs.md 9, 17, 21.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sandbox::folder::SafeFolder;

use super::LocalError;
use super::study::{Places, give_to_owner};
use crate::ObjectId;
use crate::log::visible;
use crate::state::{Needed, State, StateError};
use crate::store::{Durability, Freed, Store};

/// How many snapshots are kept.
pub const SNAPSHOTS: usize = 7;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The state file, with what is wrong.
    State(String),
    /// An object whose bytes have changed, and the outputs that it is.
    Damaged(ObjectId, Vec<Needed>),
    /// An object that is gone, and the outputs that it was.
    Missing(ObjectId, Vec<Needed>),
    /// Something in the store's folder that is not ours.
    Foreign(String),
    /// A snapshot that is of no use, with what is wrong.
    Snapshot(String, String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |of: &[Needed]| {
            let one = |n: &Needed| format!("{} of {}", visible(&n.path), visible(n.action.as_str()));
            if of.is_empty() { "no output".to_owned() } else { of.iter().map(one).collect::<Vec<_>>().join(", ") }
        };
        match self {
            Self::State(what) => write!(f, "state.sqlite: {}", visible(what)),
            Self::Damaged(id, of) => write!(f, "object {id}: its bytes have changed; it is {}", whose(of)),
            Self::Missing(id, of) => write!(f, "object {id}: it is gone; it is {}", whose(of)),
            Self::Foreign(path) => write!(f, "objects/{}: not made by this program", visible(path)),
            Self::Snapshot(name, what) => write!(f, "snapshot {name}: {}", visible(what)),
        }
    }
}

/// What `verify` saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Objects that were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Snapshots that were read.
    pub snapshots: u64,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
}

/// Reads everything again: each page of the state, the chain of events, each object, each snapshot. Changes nothing.
/// `None` if nothing ever ran here.
///
/// # Errors
/// The project folder cannot be read, or a link stands where one of our files must be.
pub async fn verify(project: &Path) -> Result<Option<Verified>, LocalError> {
    let places = Places::of(project, Path::new("/"))?;
    let folder = SafeFolder::at(&places.project)?;
    places.check(&folder)?;
    if folder.stat("metadata/cloister/state.sqlite")?.is_none() {
        return Ok(None);
    }
    let mut verified = Verified::default();
    let needed = match read_whole(&places.state()).await {
        Ok((needed, problems)) => {
            verified.findings.extend(problems.into_iter().map(Finding::State));
            needed
        }
        Err(error) => {
            verified.findings.push(Finding::State(error.to_string()));
            Default::default()
        }
    };
    let store = Store::open(&places.home, Durability::Kill)?;
    let survey = store.survey()?;
    (verified.objects, verified.bytes) = (survey.objects, survey.bytes);
    let of = |id: &ObjectId| needed.get(id).cloned().unwrap_or_default();
    verified.findings.extend(survey.damaged.iter().map(|id| Finding::Damaged(*id, of(id))));
    let gone = needed.iter().filter(|(id, _)| !store.contains(**id) && !survey.damaged.contains(id));
    verified.findings.extend(gone.map(|(id, of)| Finding::Missing(*id, of.clone())));
    verified.findings.extend(survey.foreign.into_iter().map(Finding::Foreign));
    for name in snapshots(&places)? {
        verified.snapshots += 1;
        let bad = match read_whole(&places.snapshots().join(&name)).await {
            Ok((needed, problems)) => {
                let lost = needed.keys().filter(|id| !store.contains(**id)).count();
                let lost = (lost > 0).then(|| format!("{lost} of its objects are gone"));
                problems.into_iter().next().or(lost)
            }
            Err(error) => Some(error.to_string()),
        };
        verified.findings.extend(bad.map(|what| Finding::Snapshot(name, what)));
    }
    Ok(Some(verified))
}

type Held = std::collections::BTreeMap<ObjectId, Vec<Needed>>;

/// What a state needs of the store, and what is wrong with it.
async fn read_whole(path: &Path) -> Result<(Held, Vec<String>), StateError> {
    let Some(state) = State::open_to_read(path).await? else {
        return Ok((Held::default(), vec!["it is empty".to_owned()]));
    };
    let problems = state.problems().await?;
    let needed = if problems.is_empty() { state.needed_objects().await? } else { Held::default() };
    state.close().await?;
    Ok((needed, problems))
}

/// Names of snapshots, oldest first.
fn snapshots(places: &Places) -> Result<Vec<String>, LocalError> {
    let folder = SafeFolder::at(&places.project)?;
    if folder.stat("metadata/cloister/snapshots")?.is_none() {
        return Ok(Vec::new());
    }
    // No link: opened as a folder of ours.
    folder.folder("metadata/cloister/snapshots")?;
    let entries = fs::read_dir(places.snapshots()).map_err(LocalError::io(&places.snapshots()))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".sqlite") && !name.starts_with('.')).collect();
    names.sort();
    Ok(names)
}

/// The objects that snapshots need: they are kept as long as the snapshots are.
pub(super) async fn held_by_snapshots(places: &Places) -> Result<Vec<ObjectId>, LocalError> {
    let mut held = Vec::new();
    for name in snapshots(places)? {
        if let Ok((needed, _)) = read_whole(&places.snapshots().join(name)).await {
            held.extend(needed.into_keys());
        }
    }
    Ok(held)
}

/// Copies the records as they are now; older snapshots than the newest [`SNAPSHOTS`] go. Gives the file.
/// `None` if nothing ever ran here. Works while a run goes on.
///
/// # Errors
/// The state cannot be read, or the folder not be written.
pub async fn snapshot(project: &Path, now: Timestamp) -> Result<Option<PathBuf>, LocalError> {
    let places = Places::of(project, Path::new("/"))?;
    let folder = SafeFolder::at(&places.project)?;
    places.check(&folder)?;
    if folder.stat("metadata/cloister/state.sqlite")?.is_none() {
        return Ok(None);
    }
    let folder = folder.make_folders("metadata/cloister/snapshots")?;
    let name = format!("{}.sqlite", now.strftime("%Y%m%dT%H%M%S%3fZ"));
    let (half, whole) = (places.snapshots().join(format!(".{name}.tmp")), places.snapshots().join(&name));
    let state = State::open(&places.state()).await?;
    let copied = state.copy_to(&half).await;
    state.close().await?;
    copied?;
    File::open(&half).and_then(|file| file.sync_all()).map_err(LocalError::io(&half))?;
    fs::rename(&half, &whole).map_err(LocalError::io(&whole))?;
    drop(folder);
    sync(&places.snapshots())?;
    give_to_owner(&SafeFolder::at(&places.project)?, &places.home)?;
    let names = snapshots(&places)?;
    for old in names.iter().take(names.len().saturating_sub(SNAPSHOTS)) {
        let path = places.snapshots().join(old);
        fs::remove_file(&path).map_err(LocalError::io(&path))?;
    }
    Ok(Some(whole))
}

/// Removes stored objects that neither the records nor a snapshot need, or only counts them. The code of the last run goes
/// as well: the next one stores it again. `None` if nothing ever ran here.
///
/// # Errors
/// A run goes on, or the state or the store cannot be read.
pub async fn gc(project: &Path, dry_run: bool) -> Result<Option<Freed>, LocalError> {
    let places = Places::of(project, Path::new("/"))?;
    let folder = SafeFolder::at(&places.project)?;
    places.check(&folder)?;
    if folder.stat("metadata/cloister/state.sqlite")?.is_none() {
        return Ok(None);
    }
    let _lock = places.take_lock()?;
    // A state that is not whole does not know what is needed.
    let (needed, problems) = read_whole(&places.state()).await?;
    if let Some(problem) = problems.into_iter().next() {
        let source = io::Error::other(format!("nothing was removed, because it is damaged: {problem}"));
        return Err(LocalError::Io { path: places.state(), source });
    }
    let mut keep: HashSet<_> = needed.into_keys().collect();
    keep.extend(held_by_snapshots(&places).await?);
    Ok(Some(Store::open(&places.home, Durability::Kill)?.sweep(&keep, dry_run)?))
}

/// A name in a folder is there after a power cut.
fn sync(folder: &Path) -> Result<(), LocalError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LocalError::io(folder))
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
    let places = Places::of(project, Path::new("/"))?;
    let folder = SafeFolder::at(&places.project)?;
    places.check(&folder)?;
    let _lock = places.take_lock()?;
    let mut names = snapshots(&places)?;
    if let Some(name) = name {
        names.retain(|known| known == name || known.strip_suffix(".sqlite") == Some(name));
    }
    let mut found = None;
    for name in names.into_iter().rev() {
        if read_whole(&places.snapshots().join(&name)).await.is_ok_and(|(_, problems)| problems.is_empty()) {
            found = Some(name);
            break;
        }
    }
    let Some(from) = found else {
        let source = io::Error::other("there is no snapshot that is whole; `cloister backend snapshot` makes one");
        return Err(LocalError::Io { path: places.snapshots(), source });
    };
    // The new file is complete before the old one is touched; a kill in between leaves one of the two in place.
    let (state, half) = (places.state(), places.home.join(".restored.tmp"));
    let bytes = fs::read(places.snapshots().join(&from)).map_err(LocalError::io(&half))?;
    let mut file = File::create(&half).map_err(LocalError::io(&half))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(LocalError::io(&half))?;
    let aside = places.home.join(format!("state.sqlite.replaced-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    let replaced = match fs::hard_link(&state, &aside) {
        Ok(()) => Some(aside.clone()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(LocalError::io(&aside)(error)),
    };
    for end in ["-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        match fs::rename(with(&state), with(&aside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(LocalError::io(&with(&state))(error)),
            _ => {}
        }
    }
    fs::rename(&half, &state).map_err(LocalError::io(&state))?;
    sync(&places.home)?;
    Ok(Restored { from, replaced })
}

/// The name of the newest snapshot, to be told when the state cannot be read.
pub(super) fn newest_snapshot(places: &Places) -> Option<String> {
    snapshots(places).ok()?.pop()
}
