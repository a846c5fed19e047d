//! The newest commit of each branch as last heard, and when: what a page falls back on while a repository does not answer.
//! Spec site.md 7.1. One small file for each branch, replaced whole; losing one loses only an age.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use repositories::Commit;
use sha2::{Digest, Sha256};

use super::Place;
use crate::clock::MINUTE;

#[derive(Debug)]
pub(super) struct Seen {
    folder: PathBuf,
    known: Mutex<HashMap<Place, Heard>>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    commit: Commit,
    at: i64,
    /// The moment that the file has.
    written: i64,
}

impl Seen {
    pub(super) fn at(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, known: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Place, Heard>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was last heard.
    pub(super) fn of(&self, place: &Place) -> Option<(Commit, i64)> {
        if let Some(heard) = self.known().get(place) {
            return Some((heard.commit, heard.at));
        }
        let text = fs::read_to_string(self.file(place)).ok()?;
        let (commit, at) = text.trim_end().split_once(' ')?;
        let (commit, at) = (commit.parse().ok()?, at.parse().ok()?);
        self.known().insert(place.clone(), Heard { commit, at, written: at });
        Some((commit, at))
    }

    /// Remembers; a file that cannot be written costs only the age after the next start. The file of the same commit is
    /// written once a minute.
    pub(super) fn note(&self, place: &Place, commit: Commit, at: i64) {
        let before = self.known().get(place).copied().filter(|heard| heard.commit == commit);
        let fresh = before.filter(|heard| at - heard.written < MINUTE);
        let written = fresh.map_or(at, |heard| heard.written);
        self.known().insert(place.clone(), Heard { commit, at, written });
        if fresh.is_some() {
            return;
        }
        let file = self.file(place);
        let new = file.with_extension(format!("{at}.new"));
        let written = fs::write(&new, format!("{commit} {at}\n")).and_then(|()| fs::rename(&new, &file));
        if let Err(error) = written {
            tracing::warn!(%error, "what was heard of a branch cannot be kept");
        }
    }

    fn file(&self, place: &Place) -> PathBuf {
        let name = Sha256::new_with_prefix(&place.repo).chain_update([0]).chain_update(&place.branch).finalize();
        self.folder.join(HEXLOWER.encode(&name))
    }
}
