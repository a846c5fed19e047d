//! The files beside the database: the site's key, and the mirrors, which change while they are copied.
//! Spec site.md 17. Links are never followed and never kept.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fault::{BackupError, failed};
use super::manifest::Kept;
use super::pile::Pile;

/// How often the whole walk is done anew because a file went while it was copied.
const WALKS: usize = 5;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<Kept>,
    pub(super) folders: Vec<String>,
}

/// Copies all files below a data folder but the database.
pub(super) fn walk(data: &Path, pile: &mut Pile) -> Result<Found, BackupError> {
    for _ in 0..WALKS {
        let mut found = Found::default();
        if below(data, Path::new(""), pile, &mut found)? {
            found.files.sort_by(|a, b| a.path.cmp(&b.path));
            found.folders.sort();
            return Ok(found);
        }
    }
    Err(BackupError::Restless(data.to_owned()))
}

/// False if something went away meanwhile: then what was copied before may point to what is not there.
fn below(data: &Path, path: &Path, pile: &mut Pile, found: &mut Found) -> Result<bool, BackupError> {
    let folder = data.join(path);
    let mut names = Vec::new();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other.map_err(failed("read", &folder))?,
    };
    for entry in entries {
        names.push(entry.map_err(failed("read", &folder))?.file_name());
    }
    // What points comes before what it points to: git writes in the other order.
    names.sort_by_key(|name| (name == "objects", name.clone()));
    let mut is_empty = true;
    for name in names {
        let path = path.join(&name);
        let text = path.to_str().ok_or_else(|| odd(data, &path, "its name is not text"))?.to_owned();
        if is_left_out(&path) {
            continue;
        }
        is_empty = false;
        let whole = data.join(&path);
        let about = match fs::symlink_metadata(&whole) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(failed("read", &whole))?,
        };
        if about.is_dir() {
            if !below(data, &path, pile, found)? {
                return Ok(false);
            }
        } else if about.is_file() {
            let file = match File::open(&whole) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                other => other.map_err(failed("read", &whole))?,
            };
            let piece = pile.take(file, &whole)?;
            let secret = about.permissions().mode() & 0o077 == 0;
            found.files.push(Kept { path: text, secret, piece });
        } else {
            return Err(odd(data, &path, "it is neither a file nor a folder; a site makes none such, so move it away"));
        }
    }
    if is_empty && !path.as_os_str().is_empty() {
        found.folders.push(path.to_str().unwrap_or_default().to_owned());
    }
    Ok(true)
}

fn odd(data: &Path, path: &Path, why: &'static str) -> BackupError {
    BackupError::Odd { path: PathBuf::from(data).join(path), why }
}

/// The database, which has its own way, and what is only there while something is being written.
fn is_left_out(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_database = path.parent() == Some(Path::new("")) && name.starts_with("site.sqlite");
    let is_passing =
        name.ends_with(".lock") || name.starts_with("tmp_") || name.ends_with(".new") || name.ends_with(".keep");
    is_database || is_passing
}
