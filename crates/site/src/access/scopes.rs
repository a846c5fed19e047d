//! What an API token is for: never more than its owner may, often less.
//! Spec site.md 11.6.

use super::Permission;

/// One scope of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenScope {
    /// Reading what its owner may read.
    Read,
    /// Asking for runs.
    RequestRun,
    /// Cancelling requests.
    RequestCancel,
    /// Reading released files.
    ReleaseRead,
    /// Choosing released files for publication.
    PublishDraft,
    /// Everything else that its owner may do.
    Admin,
}

impl TokenScope {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Read, Self::RequestRun, Self::RequestCancel, Self::ReleaseRead, Self::PublishDraft, Self::Admin];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::RequestRun => "request:run",
            Self::RequestCancel => "request:cancel",
            Self::ReleaseRead => "release:read",
            Self::PublishDraft => "publish:draft",
            Self::Admin => "admin:*",
        }
    }

    /// What it lets a program do, for the form.
    pub fn explained(self) -> &'static str {
        match self {
            Self::Read => "read what I may read",
            Self::RequestRun => "ask for runs",
            Self::RequestCancel => "cancel requests",
            Self::ReleaseRead => "read released files",
            Self::PublishDraft => "choose released files for publication",
            Self::Admin => "everything else that I may do",
        }
    }

    /// What a word means.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == word)
    }

    /// The scope that an act with this permission needs.
    pub fn needed_for(permission: Permission) -> Self {
        match permission {
            Permission::JobRun => Self::RequestRun,
            Permission::JobCancel => Self::RequestCancel,
            Permission::ReleaseFileView => Self::ReleaseRead,
            Permission::SnapshotCreate => Self::PublishDraft,
            Permission::JobMetricsView => Self::Read,
            _ => Self::Admin,
        }
    }
}
