//! Whether the records and the store of a project are as they were written, and what of the store nothing needs.
//! Spec jobs.md 9, 17, 21.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::path::Path;

use super::LocalError;
use super::snapshots::{held_by_snapshots, snapshots};
use super::study::{Places, give_to_owner};
use crate::ObjectId;
use crate::log::visible;
use crate::state::{Needed, State, StateError};
use crate::store::{Durability, Freed, Store};

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
    let Some((places, folder)) = Places::of_past(project, Path::new("/"))? else { return Ok(None) };
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
    for name in snapshots(&folder)? {
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

pub(crate) type Held = BTreeMap<ObjectId, Vec<Needed>>;

/// What a state needs of the store, and what is wrong with it.
pub(crate) async fn read_whole(path: &Path) -> Result<(Held, Vec<String>), StateError> {
    let Some(state) = State::open_to_read(path).await? else {
        return Ok((Held::default(), vec!["it is empty".to_owned()]));
    };
    let problems = state.problems().await?;
    let needed = if problems.is_empty() { state.needed_objects().await? } else { Held::default() };
    state.close().await?;
    Ok((needed, problems))
}

/// Removes stored objects that neither the records nor a snapshot need, or only counts them. The code of the last run goes
/// as well: the next one stores it again. `None` if nothing ever ran here.
///
/// # Errors
/// A run goes on, or the state or the store cannot be read.
pub async fn gc(project: &Path, dry_run: bool) -> Result<Option<Freed>, LocalError> {
    let Some((places, folder)) = Places::of_past(project, Path::new("/"))? else { return Ok(None) };
    let _lock = places.take_lock()?;
    give_to_owner(&folder, &places.home)?;
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
