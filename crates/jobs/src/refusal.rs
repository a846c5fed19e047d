//! A path that ends a job as `job_error/unsafe_output`: what stands there and what to do about it.
//! Spec jobs.md 4, 10, 11; sandbox.md 10.

use std::path::Path;

use sandbox::folder::{FolderError, Kind};

use crate::log::visible;

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// A symbolic link.
    Link,
    /// A pipe, socket or device.
    Special(Kind),
    /// A folder where a file must be.
    IsFolder,
    /// A file where a folder must be.
    NotAFolder,
    /// Another file system is mounted there.
    OtherMount,
    /// The name or pattern itself: which rule it breaks.
    Name(&'static str),
    /// It belongs to Cloister or to the project's own settings and would be changed.
    Protected,
}

/// `unsafe_output`: nothing of the job is stored or published. `Display` names the path escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {}", visible(path), explain(*why))]
pub struct Unsafe {
    /// As found, or as declared; invalid UTF-8 replaced.
    pub path: String,
    /// What is wrong with it.
    pub why: Why,
}

impl Unsafe {
    /// A refusal of `path`.
    pub fn new(path: impl Into<String>, why: Why) -> Self {
        Self { path: path.into(), why }
    }

    /// The refusal behind a folder's error, if it is one and not an accident of the machine.
    pub fn from_folder(error: &FolderError) -> Option<Self> {
        let why = match error {
            FolderError::Link { .. } => Why::Link,
            FolderError::Special { kind, .. } => Why::Special(*kind),
            FolderError::IsFolder { .. } => Why::IsFolder,
            FolderError::NotAFolder { .. } => Why::NotAFolder,
            FolderError::OtherMount { .. } => Why::OtherMount,
            FolderError::BadPath { why, .. } => Why::Name(why),
            _ => return None,
        };
        Some(Self::new(text(error.path()?), why))
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn explain(why: Why) -> String {
    match why {
        Why::Link => "is a link, and links are never followed: write a real file or folder there".to_owned(),
        Why::Special(kind) => format!("is {kind}: write a regular file there"),
        Why::IsFolder => "is a folder: a file must be there".to_owned(),
        Why::NotAFolder => "is a file: a folder must be there, because outputs or inputs lie below it".to_owned(),
        Why::OtherMount => "lies on another mounted file system: write it in the workspace itself".to_owned(),
        Why::Name(rule) => format!("cannot be an output: {rule}"),
        Why::Protected => "belongs to the project's own settings and would be changed by an output: write to another \
                           path"
            .to_owned(),
    }
}
