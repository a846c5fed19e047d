//! `codelists update`: everything that is listed, downloaded anew; nothing is written until all has arrived.
//! Spec cli.md 7.2.

use std::collections::BTreeSet;

use crate::content::Sha;
use crate::download::download;
use crate::fault::{Error, Fault};
use crate::folder::{FOLDER, MANIFEST, OnDisk, Project};
use crate::git::Committed;
use crate::http::Asking;
use crate::id::Id;
use crate::manifest::{Manifest, Recorded, stamp};
use crate::site::Site;
use crate::write::Change;

/// What an update or an addition did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Updated {
    /// Files that are new.
    pub added: Vec<String>,
    /// Files with another content than before.
    pub changed: Vec<String>,
    /// Files that were removed, because nothing lists them any more.
    pub removed: Vec<String>,
    /// Files that are as they were.
    pub unchanged: Vec<String>,
    /// Files that nothing lists, kept because their content would be lost.
    pub kept: Vec<String>,
}

/// How an update treats files that nothing lists and that cannot be had again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// They stay, are named, and the command fails.
    Keep,
    /// They are removed.
    Delete,
}

impl Project {
    /// Downloads all listed codelists and makes the folder agree with the list.
    ///
    /// # Errors
    /// Faults of the list or of downloads: nothing is written then. What the system says.
    pub fn update(
        &self,
        site: &Site,
        asking: &Asking,
        unlisted: Unlisted,
        now: jiff::Timestamp,
    ) -> Result<Updated, Error> {
        let lock = self.lock()?;
        let missing = || Fault::Listing { why: "does not exist".into() };
        let disk = self.read()?.ok_or_else(missing)?;
        let listing = disk.listed().map_err(Error::Faults)?;
        let ids: Vec<&Id> = listing.ids().collect();
        let contents = download(&ids, site, asking).map_err(Error::Faults)?;
        let old = disk.recorded().unwrap_or_default();
        let (mut change, mut updated, mut manifest) = (Change::default(), Updated::default(), Manifest::default());
        for (id, content) in ids.into_iter().zip(contents) {
            let (recorded, file) = (record(id, &content, &old, now), id.file_name());
            manifest.files.push(recorded);
            place(&disk, file, content, &mut change, &mut updated);
        }
        self.unlisted(&disk, &manifest, &old, unlisted, &mut change, &mut updated);
        let bytes = manifest.to_bytes();
        if disk.manifest.as_deref() != Some(&bytes) {
            change.files.insert(MANIFEST.to_owned(), bytes);
        }
        if !change.files.is_empty() || !change.gone.is_empty() {
            self.write(&change, Some(&disk), &lock)?;
        }
        Ok(updated)
    }

    fn committed(&self, file: &str, content: &[u8]) -> Committed {
        Committed::of(self.folder.shown(), &format!("{FOLDER}/{file}"), content)
    }

    fn unlisted(
        &self,
        disk: &OnDisk,
        new: &Manifest,
        old: &Manifest,
        unlisted: Unlisted,
        change: &mut Change,
        updated: &mut Updated,
    ) {
        let listed: BTreeSet<String> = new.files.iter().map(|recorded| recorded.id.file_name()).collect();
        let mut buffer = Vec::new();
        for file in disk.csvs.iter().filter(|file| !listed.contains(*file)) {
            let sha = disk.sha(file, &mut buffer).ok();
            let known = old.of_file(file).is_some_and(|recorded| Some(recorded.sha) == sha);
            let safe = known
                || (unlisted == Unlisted::Delete && disk.folder.stat(file).is_ok_and(|found| found.is_some()))
                || (sha.is_some() && self.committed(file, &buffer) == Committed::Same);
            if safe {
                change.gone.insert(file.clone());
                updated.removed.push(file.clone());
            } else {
                updated.kept.push(file.clone());
            }
        }
    }
}

/// The manifest's entry: an unchanged content keeps the day it was downloaded.
pub(crate) fn record(id: &Id, content: &[u8], old: &Manifest, now: jiff::Timestamp) -> Recorded {
    let sha = Sha::of(content);
    let before = old.of_file(&id.file_name()).filter(|recorded| recorded.sha == sha);
    let downloaded_at = before.map_or_else(|| stamp(now), |recorded| recorded.downloaded_at.clone());
    Recorded { id: id.clone(), downloaded_at, sha }
}

/// Puts a downloaded content where it differs from what is on disk. Files whose line ends alone differ stay as they are.
pub(crate) fn place(disk: &OnDisk, file: String, content: Vec<u8>, change: &mut Change, updated: &mut Updated) {
    let mut buffer = Vec::new();
    let on_disk = disk.csvs.contains(&file).then(|| disk.sha(&file, &mut buffer).ok());
    match on_disk {
        Some(Some(sha)) if sha == Sha::of(&content) => updated.unchanged.push(file),
        other => {
            let list = if other.is_some() { &mut updated.changed } else { &mut updated.added };
            list.push(file.clone());
            change.files.insert(file, content);
        }
    }
}
