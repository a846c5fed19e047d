//! What a backup consists of: one line of JSON, and its hash in a second line.
//! Spec site.md 17.

use std::path::{Component, Path, PathBuf};

use protocol::text::time::Moment;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fault::{BackupError, failed};

/// What the name of a backup ends with.
const END: &str = ".backup";
/// The form of manifests that this program writes and reads.
const FORMAT: u32 = 1;
/// Bytes of the largest manifest that is read.
const LARGEST: u64 = 1 << 30;

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// The version of the tables.
    pub tables: i64,
    /// The instant before it was begun. What was committed then is in it.
    pub made_at: Moment,
    /// How many records the audit log has.
    pub audit_records: i64,
    /// The hash of the last of them.
    pub audit_head: String,
    /// How many facts of backends there are.
    pub facts: i64,
    /// The database.
    pub database: Piece,
    /// All other files, by their paths below the data folder.
    pub files: Vec<Kept>,
    /// Folders that have no file in them.
    pub folders: Vec<String>,
}

/// Some bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Their hash, under which they lie in the pile.
    pub sha256: String,
    /// How many they are.
    pub bytes: u64,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Below the data folder, with `/`.
    pub path: String,
    /// Whether its owner alone may read it.
    pub secret: bool,
    /// Its bytes.
    pub piece: Piece,
}

/// What `Manifest::new` is told.
pub(super) struct Parts {
    pub(super) tables: i64,
    pub(super) made_at: Moment,
    pub(super) audit: (i64, String),
    pub(super) facts: i64,
    pub(super) database: Piece,
    pub(super) files: Vec<Kept>,
    pub(super) folders: Vec<String>,
}

impl Manifest {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { tables, made_at, audit: (audit_records, audit_head), facts, database, files, folders } = parts;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, program, tables, made_at, audit_records, audit_head, facts, database, files, folders }
    }

    /// The name that it gets: its moment, so that names sort as backups were made.
    pub fn name(&self) -> String {
        self.made_at.to_string().replace(':', "-")
    }

    /// All bytes that it needs.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.database).chain(self.files.iter().map(|file| &file.piece))
    }

    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(self.name() + END)
    }

    /// As it is stored.
    pub(super) fn text(&self) -> Result<String, BackupError> {
        let line = serde_json::to_string(self)
            .map_err(|error| BackupError::Damaged { path: PathBuf::from(self.name()), why: error.to_string() })?;
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(line.as_bytes()));
        Ok(format!("{line}\n{hash}\n"))
    }

    /// Reads a stored one, and trusts it only if it is byte for byte what was written.
    pub(super) fn read(path: &Path) -> Result<Self, BackupError> {
        let damaged = |why: String| BackupError::Damaged { path: path.to_owned(), why };
        let size = std::fs::metadata(path).map_err(failed("read", path))?.len();
        if size > LARGEST {
            return Err(damaged(format!("has {size} bytes")));
        }
        let bytes = std::fs::read(path).map_err(failed("read", path))?;
        let changed = || damaged("is not as it was written".to_owned());
        let text = String::from_utf8(bytes).map_err(|_| changed())?;
        let (line, hash) = text.strip_suffix('\n').and_then(|text| text.split_once('\n')).ok_or_else(changed)?;
        if data_encoding::HEXLOWER.encode(&Sha256::digest(line.as_bytes())) != hash {
            return Err(changed());
        }
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_str(line).map_err(|error| damaged(format!("is no manifest: {error}")))?;
        if head.format != FORMAT {
            return Err(damaged(format!("has form {}; this program knows form {FORMAT}", head.format)));
        }
        let read: Self = serde_json::from_str(line).map_err(|error| damaged(format!("is no manifest: {error}")))?;
        let is_sound = read.pieces().all(|piece| is_hash(&piece.sha256))
            && read.files.iter().map(|file| &file.path).chain(&read.folders).all(|path| is_inside(path));
        if is_sound && path.file_name() == read.path(Path::new("")).file_name() {
            Ok(read)
        } else {
            Err(damaged("names what no backup holds".to_owned()))
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a path stays below the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The backups in a folder, the oldest first.
pub(super) fn all(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed("read", folder))? {
        let entry = entry.map_err(failed("read", folder))?;
        if entry.file_name().to_str().is_some_and(|name| name.ends_with(END) && !name.starts_with('.')) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The backup of this name, or the newest.
pub(super) fn find(folder: &Path, name: Option<&str>) -> Result<Manifest, BackupError> {
    let found = all(folder)?;
    let wanted = |path: &&PathBuf| name.is_none_or(|name| path.file_name() == Some((name.to_owned() + END).as_ref()));
    let named = name.map(|name| format!(" called {name}")).unwrap_or_default();
    let path = found.iter().rfind(wanted).ok_or_else(|| BackupError::None { folder: folder.to_owned(), named })?;
    Manifest::read(path)
}
