//! What a snapshot left out, or what is remarkable about it, in words.
//! Spec cli.md 4.3: links that leave the project are skipped with a note naming them.

use std::fmt;

use crate::log::visible;

/// One thing to tell the researcher about a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A link that is absolute or leaves the project.
    LinkOut {
        /// The link.
        path: String,
        /// Its text.
        target: String,
    },
    /// A file or folder that cannot be read, or changes all the time.
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// A pipe, socket or device.
    Special {
        /// Its path.
        path: String,
    },
    /// A name that is not UTF-8.
    BadName {
        /// Its path, with replacement characters.
        path: String,
    },
    /// More than 2 GiB or 100,000 files are copied for every run.
    Large {
        /// Files in all.
        files: u64,
        /// Bytes in all.
        bytes: u64,
        /// The top-level folders with the most bytes: name, files, bytes.
        largest: Vec<(String, u64, u64)>,
    },
    /// Files of a commit that are pointers of git LFS.
    LfsPointers {
        /// The first.
        path: String,
        /// How many there are.
        count: usize,
    },
    /// Submodules of a commit.
    Submodules {
        /// The first.
        path: String,
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkOut { path, target } => {
                let (path, target) = (visible(path), visible(target));
                write!(f, "`{path}` is a link that leaves the project (to `{target}`); actions do not see it")
            }
            Self::Unreadable { path, why } => {
                write!(f, "`{}` cannot be read, actions do not see it: {}", visible(path), visible(why))
            }
            Self::Special { path } => write!(f, "`{}` is not a regular file; actions do not see it", visible(path)),
            Self::BadName { path } => {
                write!(f, "the name of `{}` is not UTF-8; actions do not see it", visible(path))
            }
            Self::Large { files, bytes, largest } => {
                let mib = bytes >> 20;
                write!(f, "the project has {files} files, {mib} MiB, that are copied for every action")?;
                for (n, (name, files, bytes)) in largest.iter().enumerate() {
                    let lead = if n == 0 { "; most of it is in" } else { "," };
                    write!(f, "{lead} `{}/` ({files} files, {} MiB)", visible(name), bytes >> 20)?;
                }
                f.write_str(". Move what no action reads elsewhere")
            }
            Self::LfsPointers { path, count } => {
                write!(f, "`{}`{} is kept in git LFS", visible(path), others(*count))?;
                f.write_str("; actions see only the pointer to it: commit the file itself")
            }
            Self::Submodules { path, count } => {
                write!(f, "`{}`{} is a submodule", visible(path), others(*count))?;
                f.write_str("; actions do not see it: commit the files themselves")
            }
        }
    }
}

fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    }
}
