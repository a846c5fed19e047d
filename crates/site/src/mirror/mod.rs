//! The code of studies as the site sees it: its own bare mirrors, a name made a commit once, and what that commit holds.
//! Spec site.md 7.1, 16; jobs.md 20. All waiting for git happens on threads of its own.

mod cache;
mod fault;
mod fresh;
mod seen;
mod study;

use std::sync::Arc;
use std::time::Duration;

use repositories::{
    AllowList, AllowedRepo, Branch, Commit, CommitOnBranch, FileError, LocalRepos, Network, RepoUrl, Tag,
};
use tokio::sync::Semaphore;

use cache::Cache;
pub use fault::{CannotOpen, MirrorFault};
pub use fresh::refresh_active;
use seen::Seen;
pub use study::{CodelistFault, Codelists, LARGEST_FILE, NoProject, Study};

/// The longest that a page waits for a repository (spec site.md 16).
const PAGE_WAITS: Duration = Duration::from_secs(10);
/// The longest that a fetch in the background takes.
const BACKGROUND: Duration = Duration::from_secs(300);
/// Bytes of the largest repository.
const LARGEST_REPOSITORY: u64 = 2_000_000_000;
/// Calls of git at once; the rest wait, so that a slow host cannot take all threads.
const AT_ONCE: usize = 8;

/// The site's mirrors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirrors(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// For a person who waits.
    quick: repositories::Mirrors,
    /// For nobody who waits.
    patient: repositories::Mirrors,
    /// What is here already.
    here: repositories::Mirrors,
    allowed: AllowList,
    seen: Seen,
    studies: Cache,
    turns: Arc<Semaphore>,
}

/// A repository and the branch whose commits a workspace may run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Its address.
    pub repo: String,
    /// The branch.
    pub branch: String,
}

/// Which commit is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The newest of the branch.
    Head,
    /// A branch, a tag or a commit, as somebody wrote it. It must be on the branch.
    Named(String),
}

/// The newest commit of a branch, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub commit: Commit,
    /// When the repository said so, in microseconds since the epoch.
    pub at: i64,
    /// Why it was not asked again now; `None` if it was.
    pub outdated: Option<String>,
}

/// A name that was made a commit, once.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The newest commit of the branch; `None` if it was never heard of.
    pub head: Option<Head>,
    /// What the chosen commit holds.
    pub study: Arc<Study>,
}

impl Resolved {
    /// The chosen commit.
    pub fn commit(&self) -> Commit {
        self.study.commit
    }

    /// The newer commit, if the branch has moved past the chosen one.
    pub fn moved_to(&self) -> Option<Commit> {
        self.head.as_ref().map(|head| head.commit).filter(|head| *head != self.study.commit)
    }
}

impl Mirrors {
    /// Makes the folder of the mirrors; asks no host.
    ///
    /// # Errors
    /// No git, a folder that cannot be made, or a setting that is no pattern of repositories.
    pub fn open(settings: &crate::Settings) -> Result<Self, CannotOpen> {
        let local = if settings.local_repositories { LocalRepos::Allowed } else { LocalRepos::Refused };
        let allowed = AllowList::new(&settings.repositories, local)?;
        let root = settings.data.join("mirrors");
        let mut quick = repositories::Settings::new(root.join("git"));
        quick.max_pack = LARGEST_REPOSITORY;
        let (mut patient, mut here) = (quick.clone(), quick.clone());
        (quick.time_limit, quick.first_wait) = (PAGE_WAITS, Duration::from_millis(200));
        patient.time_limit = BACKGROUND;
        here.network = Network::Off;
        Ok(Self(Arc::new(Shared {
            quick: repositories::Mirrors::open(quick)?,
            patient: repositories::Mirrors::open(patient)?,
            here: repositories::Mirrors::open(here)?,
            allowed,
            seen: Seen::at(root.join("heads"))?,
            studies: Cache::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })))
    }

    /// Makes a name a commit and reads what it holds. The repository is asked first, for at most ten seconds; if it does not
    /// answer, what was last known of it counts, and the answer says so.
    ///
    /// # Errors
    /// The repository or the name is refused, or nothing is known here and the repository does not answer.
    pub async fn resolve(&self, place: &Place, wanted: &Wanted, now: i64) -> Result<Resolved, MirrorFault> {
        let spot = self.checked(place)?;
        let asked = spot.clone();
        let head = match self.waiting(move |me| me.ask(&me.quick, &asked)).await {
            Ok(commit) => {
                self.0.seen.note(&spot.place, commit, now);
                Some(Head { commit, at: now, outdated: None })
            }
            Err(fault) if fault.is_failed_fetch() => {
                let known = self.0.seen.of(&spot.place);
                let why = fault.to_string();
                known.map(|(commit, at)| Head { commit, at, outdated: Some(why) })
            }
            Err(fault) => return Err(fault),
        };
        let outdated = head.as_ref().is_none_or(|head| head.outdated.is_some());
        let study = match wanted {
            Wanted::Head => self.at(spot, head.as_ref().ok_or(MirrorFault::NothingKnown)?.commit).await?,
            Wanted::Named(name) => {
                let (name, named) = (name.clone(), spot.clone());
                let found = self.waiting(move |me| me.named(outdated, &named, &name)).await?;
                self.read(spot.place, found).await?
            }
        };
        Ok(Resolved { head, study })
    }

    /// What a commit holds that was resolved before; no host is asked.
    ///
    /// # Errors
    /// It is not known here to be on the branch.
    pub async fn known(&self, place: &Place, commit: Commit) -> Result<Arc<Study>, MirrorFault> {
        self.at(self.checked(place)?, commit).await
    }

    /// One file of a commit that was resolved before; no host is asked. `None` if there is no such file, or it is a link,
    /// or larger than `limit` bytes.
    ///
    /// # Errors
    /// The commit is not known here to be on the branch, or the mirror is damaged.
    pub async fn file(
        &self,
        place: &Place,
        commit: Commit,
        path: String,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, MirrorFault> {
        let Spot { repo, branch, .. } = self.checked(place)?;
        self.waiting(move |me| match me.here.ensure(&repo, &branch, commit)?.file(&path, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FileError::Tree(repositories::ReadError::Repository(error))) => Err(error.into()),
            Err(_) => Ok(None),
        })
        .await
    }

    /// The newest commit of the branch as last heard, and when; no host is asked.
    pub fn last_heard(&self, place: &Place) -> Option<(Commit, i64)> {
        self.0.seen.of(&self.checked(place).ok()?.place)
    }

    /// Keeps a commit for ever, whatever becomes of its branch. No host is asked.
    ///
    /// # Errors
    /// It is not known here to be on the branch, or the mirror is damaged.
    pub async fn pin(&self, place: &Place, commit: Commit) -> Result<(), MirrorFault> {
        let Spot { repo, branch, .. } = self.checked(place)?;
        self.waiting(move |me| Ok(me.here.ensure(&repo, &branch, commit)?.pin()?)).await
    }

    /// Asks the repository for its newest commit, with the patience of nobody who waits.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub async fn refresh(&self, place: &Place, now: i64) -> Result<Commit, MirrorFault> {
        let spot = self.checked(place)?;
        let asked = spot.clone();
        let commit = self.working(move |me| me.ask(&me.patient, &asked)).await?;
        self.0.seen.note(&spot.place, commit, now);
        Ok(commit)
    }

    fn checked(&self, place: &Place) -> Result<Spot, MirrorFault> {
        let url: RepoUrl = place.repo.parse()?;
        let (repo, branch) = (self.0.allowed.check(&url)?, place.branch.parse()?);
        Ok(Spot { place: Place { repo: url.to_string(), branch: place.branch.clone() }, repo, branch })
    }

    /// A commit that is here.
    async fn at(&self, spot: Spot, commit: Commit) -> Result<Arc<Study>, MirrorFault> {
        if let Some(study) = self.0.studies.get(&spot.place, commit) {
            return Ok(study);
        }
        let Spot { place, repo, branch } = spot;
        let found = self.waiting(move |me| Ok(me.here.ensure(&repo, &branch, commit)?)).await?;
        self.read(place, found).await
    }

    async fn read(&self, place: Place, found: CommitOnBranch) -> Result<Arc<Study>, MirrorFault> {
        if let Some(study) = self.0.studies.get(&place, found.commit()) {
            return Ok(study);
        }
        let study = Arc::new(self.waiting(move |_| Study::read(&found)).await?);
        self.0.studies.put(place, &study);
        Ok(study)
    }

    /// Work that a person waits for. It goes on when the wait is over, so that the next one finds what it fetched.
    async fn waiting<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, MirrorFault> + Send + 'static,
    ) -> Result<T, MirrorFault> {
        match tokio::time::timeout(PAGE_WAITS, self.working(work)).await {
            Ok(done) => done,
            Err(_) => Err(MirrorFault::Slow { seconds: PAGE_WAITS.as_secs() }),
        }
    }

    async fn working<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, MirrorFault> + Send + 'static,
    ) -> Result<T, MirrorFault> {
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.map_err(|_| MirrorFault::Stopped)?;
        let me = Arc::clone(&self.0);
        let work = tokio::task::spawn_blocking(move || {
            let done = work(&me);
            drop(turn);
            done
        });
        work.await.map_err(|_| MirrorFault::Stopped)?
    }
}

/// A place whose repository the list allows.
#[derive(Debug, Clone)]
struct Spot {
    /// In the one spelling of its address.
    place: Place,
    repo: AllowedRepo,
    branch: Branch,
}

impl Shared {
    /// The head of the branch, with its files.
    fn ask(&self, with: &repositories::Mirrors, spot: &Spot) -> Result<Commit, MirrorFault> {
        let head = with.head(&spot.repo, &spot.branch)?;
        // What was read before is here, and on the branch.
        if self.studies.get(&spot.place, head).is_some() {
            return Ok(head);
        }
        Ok(with.ensure(&spot.repo, &spot.branch, head)?.commit())
    }

    fn named(&self, outdated: bool, spot: &Spot, name: &str) -> Result<CommitOnBranch, MirrorFault> {
        let Spot { repo, branch, .. } = spot;
        if let Ok(commit) = name.parse::<Commit>() {
            return match self.here.ensure(repo, branch, commit) {
                Err(repositories::Error::Offline { .. }) if !outdated => Ok(self.quick.ensure(repo, branch, commit)?),
                other => Ok(other?),
            };
        }
        let name: Tag = name.parse()?;
        let with = if outdated { &self.here } else { &self.quick };
        Ok(with.named(repo, &name, branch)?)
    }
}
