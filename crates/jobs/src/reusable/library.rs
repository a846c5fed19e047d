//! Which commit `name:tag` is and what its action.yaml runs: each distinct one once, several at the same time.
//! Spec project-yaml.md 9; jobs.md 19, 20. Blocks: it waits for git.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pipeline::reusable::{ACTION_FILE, LARGEST_ACTION_FILE};
use pipeline::{ActionFile, Registry, ReusableAction, ReusableFault, RuntimeRef};
use repositories::{
    AllowedRepo, Branch, Commit, CommitOnBranch, Error, FileError, LocalRepos, Mirrors, Network, Settings, Tag,
};

use super::Origin;

/// Distinct `name:tag` of one request; studies have a handful.
pub const MOST: usize = 200;
/// Repositories that are asked at the same time.
const AT_ONCE: usize = 4;

/// When a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Never: only what was fetched before counts.
    Never,
    /// For what was not fetched before.
    Missing,
    /// For every tag, which may have moved.
    Always,
}

/// Commits that count whatever their tags say now, by `name:tag`: the address they were taken from, and the commit.
pub type Pins = BTreeMap<RuntimeRef, (String, Commit)>;

/// From where it is known which commit a tag is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was pinned.
    Pinned,
    /// It was fetched before, and is as it was then.
    Cache,
    /// The source said so just now.
    Source,
}

/// A reusable action that can be used.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub action: ReusableAction,
    /// From where that is known.
    pub came: Came,
    /// Its code.
    pub(super) commit: CommitOnBranch,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// It cannot be used, P801 to P808.
    #[error(transparent)]
    Fault(ReusableFault),
    /// It was not fetched before, and nothing was asked.
    #[error("it was not fetched before, and no connection may be opened now")]
    NotHere,
    /// Far more are named than any study needs.
    #[error("more than {MOST} different reusable actions are named; name fewer")]
    TooMany,
    /// Its source is out of reach: later it may be there.
    #[error("{0}")]
    Outage(String),
    /// This machine.
    #[error("{0}")]
    Machine(String),
}

impl From<ReusableFault> for NotFound {
    fn from(fault: ReusableFault) -> Self {
        Self::Fault(fault)
    }
}

/// Copies of the repositories of reusable actions.
#[derive(Debug, Clone)]
pub struct Library {
    /// `None` if there is no place of reusable actions: then none is found.
    origin: Option<Origin>,
    /// What was fetched before.
    here: Mirrors,
    /// `None` where nothing may be fetched.
    source: Option<Mirrors>,
}

impl Library {
    /// A library in the folder of these settings.
    ///
    /// # Errors
    /// There is no git, or the folder cannot be made.
    pub fn open(origin: Option<Origin>, settings: Settings) -> Result<Self, Error> {
        let here = Mirrors::open(Settings { network: Network::Off, ..settings.clone() })?;
        let source = match settings.network {
            Network::Allowed => Some(Mirrors::open(settings)?),
            Network::Off => None,
        };
        Ok(Self { origin, here, source })
    }

    /// A library of a laptop: copies in `folder`, fetched unless `offline`.
    ///
    /// # Errors
    /// In words: `url` or `organisation` is none, there is no git, or the folder cannot be made.
    pub fn on_a_laptop(url: &str, organisation: &str, folder: &Path, offline: bool) -> Result<Self, String> {
        let origin = Origin::new(url, organisation, LocalRepos::Allowed).map_err(|bad| bad.to_string())?;
        let network = if offline { Network::Off } else { Network::Allowed };
        let settings = Settings { network, ..Settings::new(folder) };
        Self::open(Some(origin), settings).map_err(|error| error.to_string())
    }

    /// The address of an action's repository, for people.
    pub fn address(&self, name: &str) -> Option<String> {
        self.origin.as_ref()?.of(name).ok().map(|repo| repo.to_string())
    }

    /// What each of these is. `registry` says which runtimes an action.yaml may name. Of more than [`MOST`] nothing is asked.
    pub fn look_up(
        &self,
        wanted: &BTreeSet<RuntimeRef>,
        pins: &Pins,
        ask: Ask,
        registry: &Registry,
    ) -> BTreeMap<RuntimeRef, Result<Found, NotFound>> {
        if wanted.len() > MOST {
            return wanted.iter().map(|one| (one.clone(), Err(NotFound::TooMany))).collect();
        }
        let open: Mutex<Vec<&RuntimeRef>> = Mutex::new(wanted.iter().collect());
        let done = Mutex::new(BTreeMap::new());
        let work = || {
            while let Some(reference) = { open.lock().unwrap_or_else(PoisonError::into_inner).pop() } {
                let answer = self.one(reference, pins.get(reference), ask, registry);
                done.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.clone(), answer);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..wanted.len().min(AT_ONCE) {
                scope.spawn(work);
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn one(
        &self,
        reference: &RuntimeRef,
        pin: Option<&(String, Commit)>,
        ask: Ask,
        registry: &Registry,
    ) -> Result<Found, NotFound> {
        let Some(origin) = &self.origin else {
            let why = "no place of reusable actions is named".to_owned();
            return Err(ReusableFault::NoRepository { address: reference.name.clone(), why }.into());
        };
        let repo = origin.of(&reference.name).map_err(|rule| ReusableFault::Name { rule })?;
        let address = repo.to_string();
        let tag: Tag = reference.tag.parse().map_err(|error: repositories::NotATag| ReusableFault::NoTag {
            address: address.clone(),
            why: Some(error.to_string()),
        })?;
        // A pin of another place says nothing about this one.
        let pin = pin.filter(|(from, _)| *from == address).map(|(_, commit)| *commit);
        let (commit, came) = match pin {
            Some(commit) => (self.pinned(&repo, commit, ask), Came::Pinned),
            None => self.tagged(&repo, &tag, ask),
        };
        let commit = commit.map_err(|error| judged(error, &address))?;
        let words = read(&commit, registry)?;
        let action = ReusableAction {
            reference: reference.clone(),
            repository: address,
            commit: commit.commit().to_string(),
            words,
        };
        Ok(Found { action, came, commit })
    }

    /// The source that may be asked.
    fn asked(&self, ask: Ask) -> Option<&Mirrors> {
        self.source.as_ref().filter(|_| ask != Ask::Never)
    }

    /// What is on `main` once stays approved, so the source is asked only for what is not here.
    fn pinned(&self, repo: &AllowedRepo, commit: Commit, ask: Ask) -> Result<CommitOnBranch, Error> {
        match (self.here.ensure(repo, &Branch::main(), commit), self.asked(ask)) {
            (Err(Error::Offline { .. }), Some(source)) => source.ensure(repo, &Branch::main(), commit),
            (answer, _) => answer,
        }
    }

    fn tagged(&self, repo: &AllowedRepo, tag: &Tag, ask: Ask) -> (Result<CommitOnBranch, Error>, Came) {
        let asked = self.asked(ask);
        if ask != Ask::Always || asked.is_none() {
            match (self.here.resolve_tag(repo, tag), asked) {
                (Err(Error::Offline { .. }), Some(_)) => {}
                (answer, _) => return (answer, Came::Cache),
            }
        }
        match asked {
            Some(source) => (source.resolve_tag(repo, tag), Came::Source),
            None => (self.here.resolve_tag(repo, tag), Came::Cache),
        }
    }

    /// What was looked up and stored before, by the commit it had then.
    ///
    /// # Errors
    /// It can neither be had here nor fetched.
    pub fn again(&self, action: &ReusableAction) -> Result<Found, NotFound> {
        let repo = Origin::exactly(&action.repository).map_err(|bad| NotFound::Machine(bad.to_string()))?;
        let commit: Commit = action.commit.parse().map_err(|error| NotFound::Machine(format!("{error}")))?;
        let commit = self.pinned(&repo, commit, Ask::Missing).map_err(|error| judged(error, &repo.to_string()))?;
        Ok(Found { action: action.clone(), came: Came::Pinned, commit })
    }
}

fn read(commit: &CommitOnBranch, registry: &Registry) -> Result<Vec<String>, NotFound> {
    let bytes = commit.file(ACTION_FILE, LARGEST_ACTION_FILE).map_err(|error| match error {
        FileError::TooLarge { size, limit, .. } => {
            ReusableFault::BadActionFile { why: format!("it has {size} bytes; at most {limit} are read") }.into()
        }
        FileError::Tree(repositories::ReadError::Repository(error)) => NotFound::Machine(error.to_string()),
        FileError::Absent { commit, .. } => {
            ReusableFault::NoActionFile { why: format!("commit {commit} has no file {ACTION_FILE} at its top") }.into()
        }
        other => ReusableFault::NoActionFile { why: other.to_string() }.into(),
    })?;
    Ok(ActionFile::read(&bytes, registry)?.words)
}

/// What an answer of git means for a reusable action.
fn judged(error: Error, address: &str) -> NotFound {
    let address = address.to_owned();
    match error {
        Error::Offline { .. } => NotFound::NotHere,
        Error::Unreachable { .. } => NotFound::Outage(error.to_string()),
        Error::TagMissing { .. } => ReusableFault::NoTag { address, why: None }.into(),
        Error::CommitNotFound { commit, .. } => {
            ReusableFault::NoTag { address, why: Some(format!("there is no commit {commit}")) }.into()
        }
        Error::BranchMissing { branch, .. } => {
            ReusableFault::NotOnMain { why: format!("{address} has no branch `{branch}`") }.into()
        }
        Error::NotOnBranch { commit, branch, .. } => {
            ReusableFault::NotOnMain { why: format!("commit {commit} is not on the branch `{branch}` of {address}") }
                .into()
        }
        Error::RepositoryNotFound { why, .. } | Error::Moved { why, .. } => {
            // What git says after that is advice for people who push.
            let first = why.split("; ").next().unwrap_or_default();
            ReusableFault::NoRepository { address, why: first.trim_start_matches("fatal: ").to_owned() }.into()
        }
        Error::TooLargeToFetch { .. } | Error::TooDeep { .. } => {
            ReusableFault::NoRepository { address, why: error.to_string() }.into()
        }
        other => NotFound::Machine(other.to_string()),
    }
}
