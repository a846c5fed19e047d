//! The newest commit of each branch as last heard, and when: what a page falls back on while a repository does not answer.
//! Spec site.md 7.1. One small file for each branch, replaced whole; losing one loses only an age.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use repositories::Commit;
use sha2::{Digest, Sha256};

use super::Place;

#[derive(Debug)]
pub(super) struct Seen {
    folder: PathBuf,
    known: Mutex<HashMap<Place, (Commit, i64)>>,
}

impl Seen {
    pub(super) fn at(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, known: Mutex::default() })
    }

    /// What was last heard.
    pub(super) fn of(&self, place: &Place) -> Option<(Commit, i64)> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = known.get(place) {
            return Some(*found);
        }
        let text = fs::read_to_string(self.file(place)).ok()?;
        let (commit, at) = text.trim_end().split_once(' ')?;
        let found = (commit.parse().ok()?, at.parse().ok()?);
        known.insert(place.clone(), found);
        Some(found)
    }

    /// Remembers; a file that cannot be written costs only the age after the next start.
    pub(super) fn note(&self, place: &Place, commit: Commit, at: i64) {
        {
            let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            known.insert(place.clone(), (commit, at));
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
