//! What can go wrong between a repository's address and its files. Outage is never mistaken for refusal.
//! Spec jobs.md 2 (codes), 20, 23.

use std::io;
use std::path::PathBuf;

use crate::text::visible;
use crate::{Branch, Commit, RepoUrl, Tag, TreePath};

/// Why code at a commit is not to be had. The text is for the person who asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source did not answer properly; asking later may help.
    #[error("{url} could not be fetched ({tries} tries): {why}; it is tried again later")]
    Unreachable {
        /// The address.
        url: RepoUrl,
        /// How often it was tried.
        tries: u32,
        /// What git said last, made harmless.
        why: String,
    },
    /// The mirror does not hold it, and fetching is off.
    #[error("{url}: {what} is not in the mirror here, and fetching is off; update the mirror or allow the network")]
    Offline {
        /// The address.
        url: RepoUrl,
        /// What is missing.
        what: String,
    },
    /// There is no such repository, or it may not be read.
    #[error("{url} does not exist, or may not be read from here ({why}); check its address, or ask for access to it")]
    RepositoryNotFound {
        /// The address.
        url: RepoUrl,
        /// What git said, made harmless.
        why: String,
    },
    /// It answers from another address, which the allow-list has not seen.
    #[error("{url} has moved, and redirects are not followed; use the address it has now ({why})")]
    Moved {
        /// The address.
        url: RepoUrl,
        /// What git said, made harmless.
        why: String,
    },
    /// No `refs/heads/{branch}`.
    #[error("{url} has no branch `{branch}`; push it, or name a branch that exists")]
    BranchMissing {
        /// The address.
        url: RepoUrl,
        /// The branch.
        branch: Branch,
    },
    /// Neither a tag nor a branch of that name.
    #[error("{url} has no tag or branch `{tag}`")]
    TagMissing {
        /// The address.
        url: RepoUrl,
        /// The tag.
        tag: Tag,
    },
    /// The repository has no such commit.
    #[error("{url} has no commit {commit}; push it, or check the 40 digits")]
    CommitNotFound {
        /// The address.
        url: RepoUrl,
        /// The commit.
        commit: Commit,
    },
    /// The commit exists, but the branch does not contain it.
    #[error(
        "commit {commit} of {url} is not on the branch `{branch}`: only commits that the branch contains are run (pull \
         requests and tags do not count); merge it, or name its branch"
    )]
    NotOnBranch {
        /// The address.
        url: RepoUrl,
        /// The branch.
        branch: Branch,
        /// The commit.
        commit: Commit,
    },
    /// More than this backend fetches.
    #[error("{url} is too large to fetch: more than {limit} bytes in one piece")]
    TooLargeToFetch {
        /// The address.
        url: RepoUrl,
        /// Bytes.
        limit: u64,
    },
    /// Folders in folders, more than git lists.
    #[error("{url} has folders nested too deeply to be written anywhere: more than 4,096 levels")]
    TooDeep {
        /// The address.
        url: RepoUrl,
    },
    /// The mirror does not hold what it must: its disk is damaged or somebody has changed it.
    #[error("the mirror {} is damaged: {why}; remove the folder, and it is fetched anew", mirror.display())]
    Damaged {
        /// The mirror's folder.
        mirror: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// git cannot be used.
    #[error("git cannot be used here: {why}; install git 2.36 or newer")]
    NoGit {
        /// Why.
        why: String,
    },
    /// This machine refuses something.
    #[error("{what}: {source}")]
    Machine {
        /// What was being done, with its path.
        what: String,
        /// Why not.
        source: io::Error,
    },
}

/// The codes of spec jobs.md 2 that this room can give rise to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is its meaning, and the spec's table gives the rule")]
pub enum Refusal {
    RepoNotAllowed,
    BranchMissing,
    CommitNotFound,
    CommitNotOnBranch,
    ProjectMissing,
    ProjectChanged,
    TooLarge,
}

impl Error {
    pub(crate) fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Machine { what, source }
    }

    /// The code with which a request is refused; `None` if the request is not at fault: wait and ask again, or call the
    /// operator. A missing repository counts as one that is not allowed: from outside the two look the same.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::RepositoryNotFound { .. } | Self::Moved { .. } => Some(Refusal::RepoNotAllowed),
            Self::BranchMissing { .. } => Some(Refusal::BranchMissing),
            Self::CommitNotFound { .. } => Some(Refusal::CommitNotFound),
            Self::NotOnBranch { .. } => Some(Refusal::CommitNotOnBranch),
            Self::TooLargeToFetch { .. } | Self::TooDeep { .. } => Some(Refusal::TooLarge),
            _ => None,
        }
    }

    /// Whether the source is out of reach, so that the request waits (`waiting_on_code`).
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Why the tree of a commit is not read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// `job_error/bad_commit`.
    #[error("commit {commit} cannot be used: `{}` {why}", visible(path.as_bytes()))]
    BadCommit {
        /// The commit.
        commit: Commit,
        /// The entry; empty for the commit as a whole.
        path: TreePath,
        /// What is wrong with it.
        why: BadTree,
    },
    /// `too_large`: a limit of spec jobs.md 23.
    #[error("commit {commit} is too large: {limit} (at `{}`)", visible(path.as_bytes()))]
    TooLarge {
        /// The commit.
        commit: Commit,
        /// Where the limit was passed.
        path: TreePath,
        /// Which limit.
        limit: TreeLimit,
    },
    /// The mirror, or this machine.
    #[error(transparent)]
    Repository(#[from] Error),
    /// What the sink answered.
    #[error("{0}")]
    Sink(E),
}

/// What makes a tree unfit to be written anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTree {
    /// `.git`, in any case or look-alike.
    #[error("is named like git's own folder")]
    DotGit,
    /// `.` or `..`, empty, with `/` or NUL.
    #[error("has a name that no file can have")]
    Name,
    /// More than 255 bytes.
    #[error("has a name of more than 255 bytes")]
    LongName,
    /// Twice the same name in one folder.
    #[error("is there twice")]
    Twice,
    /// Two names that differ only in case, one of them a link: made to be written through.
    #[error("is there twice, in upper and lower case, and one of the two is a link")]
    CaseTwin,
    /// Neither file, link, folder nor submodule.
    #[error("is of an unknown kind (mode {0:o})")]
    Mode(u32),
    /// The raw object does not parse.
    #[error("is not a readable folder of git")]
    Malformed,
    /// An entry names an object of another kind.
    #[error("is not what its folder says it is")]
    WrongKind,
    /// An empty target, one with NUL, or longer than 4,095 bytes.
    #[error("is a link whose target no link can have")]
    Target,
}

/// A limit of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeLimit {
    /// Files and links, or folders.
    #[error("it has more than {0} files or folders")]
    Entries(u64),
    /// Bytes of all files.
    #[error("its files have more than {0} bytes together")]
    Bytes(u64),
    /// Bytes of one file.
    #[error("a file has {size} bytes, more than {limit}")]
    OneFile {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// Bytes of one path.
    #[error("a path is longer than {0} bytes")]
    Path(usize),
    /// Bytes of all paths together.
    #[error("its paths have more than {0} bytes together")]
    Paths(usize),
}
