//! Bare mirrors, and the question they answer: is this commit on that branch, and are its files here?
//! Spec jobs.md 19, 20.

mod ensure;
mod folder;
mod remote;

use std::convert::Infallible;
use std::path::Path;

pub(crate) use folder::Mirror;

use crate::file::{FileError, LARGEST_PROJECT_FILE, PROJECT_FILE, ProjectFile, read_file};
use crate::git::Git;
use crate::objects::Objects;
use crate::tree::{read_names, read_tree};
use crate::{
    AllowedRepo, Branch, Commit, Error, Limits, ReadError, RepoUrl, Settings, Tag, TreeNames, TreeSink, TreeSummary,
};

/// The mirrors below one folder. Any number of processes and threads may use them at once. All methods block: they wait
/// for git, for other processes that fetch the same repository, and between tries.
#[derive(Debug, Clone)]
pub struct Mirrors {
    settings: Settings,
    git: Git,
}

impl Mirrors {
    /// Finds git and makes the folder.
    ///
    /// # Errors
    /// `NoGit`; `Machine` if the folder cannot be made.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let git = Git::find()?;
        let what = format!("the folder of mirrors {} cannot be made", settings.root.display());
        folder::make_private(&settings.root).map_err(Error::machine(what))?;
        Ok(Self { settings, git })
    }

    /// Makes sure that the commit is here with all its files, and that `refs/heads/{branch}` contains it. Asks the network
    /// only for what the mirror cannot prove by itself; what was proven once stays so, also if the branch is rewritten.
    ///
    /// # Errors
    /// Refusals ([`Error::refusal`]), an outage ([`Error::is_outage`]) after five tries, `Offline`, or the machine's.
    pub fn ensure(&self, repo: &AllowedRepo, branch: &Branch, commit: Commit) -> Result<CommitOnBranch, Error> {
        ensure::ensure(self, repo.url(), branch, commit)
    }

    /// The commit of a reusable action: of the tag (light or annotated), else of the branch of that name; it must be on
    /// `main`. Offline the commit that the tag had when it was last resolved.
    ///
    /// # Errors
    /// `TagMissing`, `NotOnBranch` (not approved yet), otherwise as [`ensure`](Self::ensure).
    pub fn resolve_tag(&self, repo: &AllowedRepo, tag: &Tag) -> Result<CommitOnBranch, Error> {
        ensure::resolve(self, repo.url(), tag, &Branch::main())
    }

    /// The commit of a tag (light or annotated), else of the branch of that name; it must be on `branch`. Offline the commit
    /// that the name had when it was last resolved.
    ///
    /// # Errors
    /// `TagMissing`, `NotOnBranch`, otherwise as [`ensure`](Self::ensure).
    pub fn named(&self, repo: &AllowedRepo, name: &Tag, branch: &Branch) -> Result<CommitOnBranch, Error> {
        ensure::resolve(self, repo.url(), name, branch)
    }

    /// The commit at the head of a branch, asked from the source now.
    ///
    /// # Errors
    /// `BranchMissing`, otherwise as [`ensure`](Self::ensure).
    pub fn head(&self, repo: &AllowedRepo, branch: &Branch) -> Result<Commit, Error> {
        ensure::head(self, repo.url(), branch)
    }
}

/// A commit that is on its branch and whose files are in the mirror: the only way to read any.
#[derive(Debug, Clone)]
pub struct CommitOnBranch {
    git: Git,
    mirror: Mirror,
    url: RepoUrl,
    branch: Branch,
    commit: Commit,
}

impl CommitOnBranch {
    /// The commit.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    /// The branch.
    pub fn branch(&self) -> &Branch {
        &self.branch
    }

    /// The original address.
    pub fn url(&self) -> &RepoUrl {
        &self.url
    }

    /// The bare repository that holds it.
    pub fn mirror(&self) -> &Path {
        self.mirror.path()
    }

    /// Reads the whole tree into `sink`: names, kinds and limits of all of it first, then bytes.
    ///
    /// # Errors
    /// `BadCommit` or `TooLarge` naming the path before anything is handed to the sink (a link's target and an object's
    /// bytes can be found bad later); the sink's; `Repository` if the mirror is damaged.
    pub fn read_tree<S: TreeSink>(&self, limits: &Limits, sink: &mut S) -> Result<TreeSummary, ReadError<S::Error>> {
        read_tree(&mut self.objects()?, self.commit, limits, sink)
    }

    /// project.yaml: a regular file of at most 8 MiB.
    ///
    /// # Errors
    /// [`FileError`], in bounded time and memory whatever stands there.
    pub fn project_file(&self) -> Result<ProjectFile, FileError> {
        Ok(ProjectFile::new(self.commit, self.file(PROJECT_FILE, LARGEST_PROJECT_FILE)?))
    }

    /// Any regular file of at most `limit` bytes, by its path.
    ///
    /// # Errors
    /// As [`project_file`](Self::project_file).
    pub fn file(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        read_file(&mut self.objects()?, self.commit, path, limit)
    }

    /// For reading many files: git is started once.
    ///
    /// # Errors
    /// The machine's.
    pub fn reader(&self) -> Result<Reader, Error> {
        Ok(Reader { objects: self.objects()?, commit: self.commit })
    }

    /// The names of the whole tree, without a byte of any file.
    ///
    /// # Errors
    /// `BadCommit` or `TooLarge` naming the path; `Repository` if the mirror is damaged.
    pub fn names(&self, limits: &Limits) -> Result<TreeNames, ReadError<Infallible>> {
        read_names(&mut self.objects()?, self.commit, limits)
    }

    /// Keeps the commit for ever, whatever becomes of the branch. Once is enough; more do nothing.
    ///
    /// # Errors
    /// `Damaged`, or the machine's.
    pub fn pin(&self) -> Result<(), Error> {
        ensure::pin(&self.git, &self.mirror, &self.branch, self.commit)
    }

    fn objects(&self) -> Result<Objects, Error> {
        Objects::open(&self.git, self.mirror.path())
    }
}

/// Reads files of one commit, one after the other.
#[derive(Debug)]
pub struct Reader {
    objects: Objects,
    commit: Commit,
}

impl Reader {
    /// Any regular file of at most `limit` bytes, by its path.
    ///
    /// # Errors
    /// As [`CommitOnBranch::project_file`].
    pub fn file(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        read_file(&mut self.objects, self.commit, path, limit)
    }
}
