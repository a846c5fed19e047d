//! Why a study's code cannot be shown, in words for the person who asked.
//! Spec site.md 7.1, 7.2; outage is never taken for refusal.

use repositories::{BadPattern, BadUrl, Error, NotABranch, NotATag, NotAllowed, Refusal};

/// Why the mirrors cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// git, or the folder.
    #[error(transparent)]
    Mirrors(#[from] Error),
    /// The list of repositories in the settings.
    #[error("the list of repositories in the settings: {0}")]
    Pattern(#[from] BadPattern),
    /// The folder of what was heard.
    #[error("the folder of the mirrors cannot be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// Why there is no commit to work with.
#[derive(Debug, thiserror::Error)]
pub enum MirrorFault {
    /// The address is none.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The operator's list does not have it.
    #[error("{0}")]
    NotAllowed(#[from] NotAllowed),
    /// The branch is no name of a branch.
    #[error(transparent)]
    Branch(#[from] NotABranch),
    /// The name is no name of anything.
    #[error("{0}; a commit is written with all its 40 digits")]
    Name(#[from] NotATag),
    /// What `repositories` says.
    #[error(transparent)]
    Repository(#[from] Error),
    /// The repository is slow.
    #[error(
        "the repository did not answer within {seconds} seconds; what it sends is still being fetched, so try again soon"
    )]
    Slow {
        /// How long was waited.
        seconds: u64,
    },
    /// It does not answer, and nothing was heard of it before.
    #[error(
        "the repository cannot be reached, and no commit of this branch is known here yet; try again when it can be reached"
    )]
    NothingKnown,
    /// The site is being stopped.
    #[error("the site is being stopped; try again")]
    Stopped,
}

impl MirrorFault {
    /// Whether the same may work later: the request is not at fault.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Repository(error) => {
                error.is_outage() || (error.refusal().is_none() && !matches!(error, Error::TagMissing { .. }))
            }
            Self::Slow { .. } | Self::NothingKnown | Self::Stopped => true,
            _ => false,
        }
    }

    /// Whether the repository could not be asked, for whatever reason: what was last known of it is better than nothing.
    pub fn is_failed_fetch(&self) -> bool {
        let refused = matches!(self, Self::Repository(Error::RepositoryNotFound { .. } | Error::Moved { .. }));
        refused || self.may_pass()
    }

    /// The code with which a backend would refuse it; `None` if it may pass or is about a name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) | Self::NotAllowed(_) => "repo_not_allowed",
            Self::Branch(_) => "branch_missing",
            Self::Name(_) => "commit_not_found",
            Self::Repository(error) => match error.refusal() {
                Some(Refusal::RepoNotAllowed) => "repo_not_allowed",
                Some(Refusal::BranchMissing) => "branch_missing",
                Some(Refusal::CommitNotOnBranch) => "commit_not_on_branch",
                Some(Refusal::CommitNotFound) => "commit_not_found",
                Some(Refusal::TooLarge) => "too_large",
                _ if matches!(error, Error::TagMissing { .. }) => "commit_not_found",
                _ => "code_unreachable",
            },
            Self::Slow { .. } | Self::NothingKnown | Self::Stopped => "code_unreachable",
        }
    }
}
