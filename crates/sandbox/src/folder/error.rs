//! What can go wrong with a path beneath a hostile folder.
//! Spec sandbox.md 10: every refusal is typed and names the path.

use std::io;
use std::path::{Path, PathBuf};

use super::Kind;

/// Why something beneath a [`SafeFolder`](super::SafeFolder) was not opened, made or removed.
///
/// Paths are relative to the folder and shown with control characters escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The path itself is not acceptable: absolute, empty, or with an empty, `.` or `..` segment or a NUL.
    #[error("{} is not a plain relative path: {why}", shown(path))]
    BadPath {
        /// As given.
        path: PathBuf,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// Nothing is there.
    #[error("{} does not exist", shown(path))]
    Missing {
        /// The first part of the path that is absent.
        path: PathBuf,
    },
    /// A symbolic link stands where a file or folder must be; it was not followed.
    #[error("{} is a link; links are never followed, a real file or folder must be there", shown(path))]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A device, pipe or socket stands where a file must be.
    #[error("{} is {kind}, not a regular file", shown(path))]
    Special {
        /// What was found.
        path: PathBuf,
        /// Its kind.
        kind: Kind,
    },
    /// A folder stands where a file must be.
    #[error("{} is a folder, a file must be there", shown(path))]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file stands where a folder must be.
    #[error("{} is a file, a folder must be there", shown(path))]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// Another file system is mounted there.
    #[error("{} lies on another mounted file system", shown(path))]
    OtherMount {
        /// Where it is mounted, or something below.
        path: PathBuf,
    },
    /// It exists and must not.
    #[error("{} exists already", shown(path))]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Somebody changed it while it was read or walked.
    #[error("{} changed while it was being read", shown(path))]
    Changed {
        /// What changed.
        path: PathBuf,
    },
    /// More entries than allowed.
    #[error("there are more than {limit} files and folders")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// The system refused.
    #[error("{}: {source}", shown(path))]
    Io {
        /// What was touched.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl FolderError {
    /// The path that is at fault, if one is.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::BadPath { path, .. }
            | Self::Missing { path }
            | Self::Link { path }
            | Self::Special { path, .. }
            | Self::IsFolder { path }
            | Self::NotAFolder { path }
            | Self::OtherMount { path }
            | Self::Exists { path }
            | Self::Changed { path }
            | Self::Io { path, .. } => Some(path),
            Self::TooMany { .. } => None,
        }
    }

    /// Whether nothing is there, and nothing else is wrong.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Whether a link, special file, file-for-folder or folder-for-file is the cause: never an accident of the machine.
    pub fn is_unsafe(&self) -> bool {
        matches!(
            self,
            Self::BadPath { .. }
                | Self::Link { .. }
                | Self::Special { .. }
                | Self::IsFolder { .. }
                | Self::NotAFolder { .. }
                | Self::OtherMount { .. }
        )
    }

    /// Whether the caller lacks the permission.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }

    pub(super) fn io(path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.as_ref().to_owned(), source: source.into() }
    }
}

impl From<FolderError> for io::Error {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Io { source, .. } => source,
            FolderError::Missing { .. } => io::Error::new(io::ErrorKind::NotFound, error),
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// A path as it may be printed: quoted, control characters and invalid UTF-8 escaped, cut when endless.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == 400 {
            out.push('…');
            break;
        }
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push('`');
    out
}
