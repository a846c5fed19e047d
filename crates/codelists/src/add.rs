//! `codelists add`: new lines, their files and their entries of the manifest, all or nothing.
//! Spec cli.md 7.2.

use crate::download::download;
use crate::fault::{Error, Fault};
use crate::folder::{LISTING, MANIFEST, Project};
use crate::http::Asking;
use crate::id::Id;
use crate::listing::{self, Listing};
use crate::manifest::Manifest;
use crate::site::Site;
use crate::update::{Updated, place, record};
use crate::write::Change;

/// What to do with another version of an added list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// It is a fault (C104).
    KeepOld,
    /// The new version takes its line.
    Replace,
}

impl Project {
    /// Adds versions of codelists, each an address of the site or an id.
    ///
    /// Lists that the manifest does not know yet are downloaded too, so that the folder is whole afterwards.
    ///
    /// # Errors
    /// Faults of the addresses, of the list that would result, or of downloads: nothing is written then.
    pub fn add(
        &self,
        addresses: &[String],
        site: &Site,
        asking: &Asking,
        versions: Versions,
        now: jiff::Timestamp,
    ) -> Result<Updated, Error> {
        let (mut ids, mut faults) = (Vec::<Id>::new(), Vec::new());
        for address in addresses {
            match site.id(address) {
                Ok(id) if ids.contains(&id) => {}
                Ok(id) => ids.push(id),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Faults(faults));
        }
        let lock = self.lock()?;
        let disk = self.read()?;
        let text = match &disk {
            Some(disk) if disk.listing.is_some() => disk.listing_text()?,
            _ => "",
        };
        if versions == Versions::KeepOld {
            let there = listed(text, &ids);
            if !there.is_empty() {
                return Err(Error::Faults(there));
            }
        }
        let text = listing::with(text, &ids, versions == Versions::Replace);
        let listing = Listing::parse(&text).map_err(Error::Faults)?;
        let old = match &disk {
            Some(disk) if disk.manifest.is_some() => disk.recorded()?,
            _ => Manifest::default(),
        };
        let known = |id: &Id| !ids.contains(id) && old.files.iter().any(|recorded| recorded.id == *id);
        let wanted: Vec<&Id> = listing.ids().filter(|id| !known(id)).collect();
        let mut contents = download(&wanted, site, asking).map_err(Error::Faults)?.into_iter();
        let (mut change, mut updated, mut manifest) = (Change::default(), Updated::default(), Manifest::default());
        for id in listing.ids() {
            if known(id) {
                manifest.files.extend(old.files.iter().find(|recorded| recorded.id == *id).cloned());
                continue;
            }
            let Some(content) = contents.next() else { continue };
            manifest.files.push(record(id, &content, &old, now));
            match &disk {
                Some(disk) => place(disk, id.file_name(), content, &mut change, &mut updated),
                None => {
                    updated.added.push(id.file_name());
                    change.files.insert(id.file_name(), content);
                }
            }
        }
        // What is no longer listed keeps its entry: `update` alone decides about its file.
        let listed: Vec<String> = listing.ids().map(Id::file_name).collect();
        manifest.files.extend(old.files.into_iter().filter(|recorded| !listed.contains(&recorded.id.file_name())));
        change.files.insert(LISTING.to_owned(), text.into_bytes());
        change.files.insert(MANIFEST.to_owned(), manifest.to_bytes());
        self.write(&change, disk.as_ref(), &lock)?;
        Ok(updated)
    }
}

/// Which of these lists the file has already, in this or another version; none if the file itself has faults.
fn listed(text: &str, ids: &[Id]) -> Vec<Fault> {
    let listing = Listing::parse(text).unwrap_or_default();
    let there = |id: &Id| {
        let entry = listing.entries.iter().find(|entry| entry.id.list() == id.list())?;
        let (line, id, other) = (entry.line, id.to_string(), entry.id.to_string());
        Some(if id == other { Fault::Listed { line, id } } else { Fault::OtherListed { line, id, other } })
    };
    ids.iter().filter_map(there).collect()
}
