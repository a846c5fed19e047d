#![doc = include_str!("../README.md")]

mod allow;
mod error;
mod file;
mod git;
mod mirrors;
mod names;
mod objects;
mod rewrite;
mod settings;
mod text;
mod tree;
mod url;

pub use allow::{AllowList, AllowedRepo, BadPattern, LocalRepos, NotAllowed};
pub use error::{BadTree, Error, ReadError, Refusal, TreeLimit};
pub use file::{FileError, FileKind, PROJECT_FILE, ProjectFile};
pub use mirrors::{CommitOnBranch, Mirrors, Reader};
pub use names::{Branch, Commit, NotABranch, NotACommit, NotATag, Tag};
pub use rewrite::{BadRewrite, Rewrites};
pub use settings::{BadTokenHost, Network, Settings, Tokens};
pub use text::visible;
pub use tree::{Limits, TreeName, TreeNames, TreePath, TreeSink, TreeSummary};
pub use url::{BadUrl, RepoUrl};
