//! The tree of a commit, object by object, into whatever takes files: everything is checked before the first byte is read.
//! Spec jobs.md 20, 23; sandbox.md 13 row 41.

mod names;
mod parse;
mod path;
mod read;
mod walk;

pub(crate) use parse::Mode;
pub use path::TreePath;
pub(crate) use read::{read_names, read_tree};
pub(crate) use walk::{commit_tree, tree_object};

use std::io::Read;

/// Limits of a tree (spec jobs.md 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and links; as many folders again.
    pub files: u64,
    /// Bytes of all files together; a blob that two files share counts twice.
    pub bytes: u64,
    /// Bytes of one file.
    pub one_file: u64,
}

impl Limits {
    /// 200,000 files, 4 GiB, 1 GiB in one file.
    pub const BACKEND: Self = Self { files: 200_000, bytes: 4 << 30, one_file: 1 << 30 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::BACKEND
    }
}

/// Takes what a tree holds. First the bytes, each blob once however many files share it; then every file; then every link.
/// When the first method is called, names, kinds and sizes of the whole tree have been checked.
pub trait TreeSink {
    /// What is kept of a file's bytes.
    type Stored: Clone;
    /// What can go wrong.
    type Error;

    /// Takes `size` bytes. They are verified when `bytes` has been read to its end; if they are not what their name says,
    /// reading ends with `Damaged` and nothing more is asked of the sink.
    ///
    /// # Errors
    /// The sink's; reading ends with it.
    fn store(&mut self, size: u64, bytes: &mut dyn Read) -> Result<Self::Stored, Self::Error>;

    /// A regular file with these bytes. `executable` is mode 755, otherwise 644.
    ///
    /// # Errors
    /// The sink's; reading ends with it.
    fn file(&mut self, path: &TreePath, executable: bool, size: u64, stored: &Self::Stored) -> Result<(), Self::Error>;

    /// A symbolic link, whose target may be anything a link can hold: 1 to 4,095 bytes without NUL, inside the tree or not.
    ///
    /// # Errors
    /// The sink's; reading ends with it.
    fn link(&mut self, path: &TreePath, target: &[u8]) -> Result<(), Self::Error>;
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeSummary {
    /// The tree's object id: 40 hexadecimal digits (provenance, spec jobs.md 17).
    pub tree_id: String,
    /// Regular files.
    pub files: u64,
    /// Links.
    pub links: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files that are only pointers of git LFS: they stay as they are stored, the large file is not fetched.
    pub lfs_pointers: Vec<TreePath>,
    /// Submodules: nothing is written for them.
    pub submodules: Vec<TreePath>,
}

/// The names in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeNames {
    /// The tree's object id: 40 hexadecimal digits.
    pub tree_id: String,
    /// Every regular file.
    pub files: Vec<TreeName>,
}

/// A regular file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeName {
    /// Its path.
    pub path: TreePath,
    /// Whether it is of mode 755, otherwise 644.
    pub executable: bool,
    /// The name of its bytes in git: the same for the same bytes, here and everywhere.
    pub blob: [u8; 20],
}
