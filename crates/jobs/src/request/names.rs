//! Names that a request carries and that become folder names or arguments: a workspace, a commit.
//! Spec jobs.md 2.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a workspace: `[A-Za-z0-9_-]`, 1 to 100 characters, so that it is safe as a folder name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspaceName(String);

/// Not the name of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a workspace name: 1 to 100 letters, digits, `_` or `-`")]
pub struct BadWorkspaceName(String);

impl WorkspaceName {
    /// The workspace that every project folder is to itself.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkspaceName {
    type Err = BadWorkspaceName;
    fn from_str(text: &str) -> Result<Self, BadWorkspaceName> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=100).contains(&text.len()) && text.bytes().all(ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadWorkspaceName(text.chars().take(110).collect()))
        }
    }
}

impl TryFrom<String> for WorkspaceName {
    type Error = BadWorkspaceName;
    fn try_from(text: String) -> Result<Self, BadWorkspaceName> {
        text.parse()
    }
}

impl From<WorkspaceName> for String {
    fn from(name: WorkspaceName) -> Self {
        name.0
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A commit of git: 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(String);

/// Not the name of a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a commit: 40 lower-case hexadecimal digits")]
pub struct BadCommit(String);

impl Commit {
    /// The 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The first seven, for people.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl FromStr for Commit {
    type Err = BadCommit;
    fn from_str(text: &str) -> Result<Self, BadCommit> {
        if text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadCommit(text.chars().take(50).collect()))
        }
    }
}

impl TryFrom<String> for Commit {
    type Error = BadCommit;
    fn try_from(text: String) -> Result<Self, BadCommit> {
        text.parse()
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        commit.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspace_names_at_their_bounds() {
        assert!("a".repeat(100).parse::<WorkspaceName>().is_ok());
        assert!("a".repeat(101).parse::<WorkspaceName>().is_err());
        assert!("é".parse::<WorkspaceName>().is_err());
        assert!("a.b".parse::<WorkspaceName>().is_err());
    }
}
