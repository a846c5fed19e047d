//! `codelists/` of a project as it is on disk, read through descriptors.
//! Spec cli.md 7.2, sandbox.md 10: the folder came with a repository, no link of it is followed.

use std::io::Read;
use std::path::Path;

use sandbox::folder::{Kind, SafeFolder};

use crate::content::Sha;
use crate::fault::{Error, Fault};
use crate::listing::Listing;
use crate::manifest::Manifest;

/// The folder of all codelists, beneath the project.
pub(crate) const FOLDER: &str = "codelists";
/// The file that lists them.
pub(crate) const LISTING: &str = "codelists.txt";
/// The manifest.
pub(crate) const MANIFEST: &str = "codelists.json";
/// The most bytes of codelists.txt that are read.
const LARGEST_LISTING: u64 = 4 << 20;
/// The most bytes of codelists.json that are read.
const LARGEST_MANIFEST: u64 = 64 << 20;
/// The most bytes of a codelist (spec cli.md 7.2).
pub(crate) const LARGEST: u64 = 64 << 20;
/// Entries of the folder that are looked at.
const MOST_ENTRIES: u64 = 100_000;

/// A project folder whose codelists are read or changed.
#[derive(Debug)]
pub struct Project {
    pub(crate) folder: SafeFolder,
}

/// What stands in `codelists/`. Nothing here is judged yet.
#[derive(Debug)]
pub(crate) struct OnDisk {
    pub(crate) folder: SafeFolder,
    pub(crate) listing: Option<Vec<u8>>,
    pub(crate) manifest: Option<Vec<u8>>,
    /// Names that end in `.csv`, sorted; a name that is no text is shown as well as it can be.
    pub(crate) csvs: Vec<String>,
}

impl Project {
    /// Opens the folder of a project. As root, files written there get the folder's owner.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let folder = SafeFolder::at(path)?;
        let found = folder.found()?;
        let privileged = rustix::process::geteuid().is_root() && found.uid != 0;
        Ok(Self { folder: if privileged { folder.with_owner(found.uid, found.gid) } else { folder } })
    }

    /// Whether there is a `codelists/` at all.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn has_codelists(&self) -> Result<bool, Error> {
        Ok(self.folder.stat(FOLDER)?.is_some())
    }

    /// Reads what there is; `None` without a `codelists/`.
    pub(crate) fn read(&self) -> Result<Option<OnDisk>, Error> {
        let folder = match self.folder.folder(FOLDER) {
            Ok(folder) => folder,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut csvs = Vec::new();
        let mut walk = folder.walk(MOST_ENTRIES);
        while let Some(entry) = walk.next() {
            let entry = entry?;
            let name = entry.name().to_string_lossy();
            if name.ends_with(".csv") && entry.found.kind != Kind::Folder {
                csvs.push(name.into_owned());
            }
            walk.skip();
        }
        let listing = small(&folder, LISTING, LARGEST_LISTING)?;
        let manifest = small(&folder, MANIFEST, LARGEST_MANIFEST)?;
        Ok(Some(OnDisk { folder, listing, manifest, csvs }))
    }
}

impl OnDisk {
    /// The text of codelists.txt.
    pub(crate) fn listing_text(&self) -> Result<&str, Fault> {
        listing_of(self.listing.as_deref())
    }

    /// codelists.txt, valid.
    pub(crate) fn listed(&self) -> Result<Listing, Vec<Fault>> {
        Listing::parse(self.listing_text().map_err(|fault| vec![fault])?)
    }

    /// codelists.json, valid.
    pub(crate) fn recorded(&self) -> Result<Manifest, Fault> {
        manifest_of(self.manifest.as_deref())
    }

    /// The hash of a file.
    ///
    /// # Errors
    /// Why it cannot be a download, in a few words.
    pub(crate) fn sha(&self, name: &str, buffer: &mut Vec<u8>) -> Result<Sha, String> {
        buffer.clear();
        let mut file = self.folder.open(name).map_err(|e| e.to_string())?;
        if file.size() > LARGEST {
            return Err("larger than any download".to_owned());
        }
        file.read_to_end(buffer).map_err(|e| e.to_string())?;
        Ok(Sha::of(buffer))
    }
}

/// The text of codelists.txt.
pub(crate) fn listing_of(bytes: Option<&[u8]>) -> Result<&str, Fault> {
    let bytes = bytes.ok_or_else(|| Fault::Listing { why: "does not exist".into() })?;
    std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        Fault::Listing { why: format!("is not UTF-8 text: line {line} has other bytes") }
    })
}

/// codelists.json, valid.
pub(crate) fn manifest_of(bytes: Option<&[u8]>) -> Result<Manifest, Fault> {
    Manifest::parse(bytes.ok_or(Fault::NoManifest)?)
}

/// A whole small file; `None` if it does not exist.
fn small(folder: &SafeFolder, name: &'static str, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut file = match folder.open(name) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if file.size() > most {
        let why = format!("has {} bytes, far more than such a file can have", file.size());
        return Err(if name == LISTING { Fault::Listing { why } } else { Fault::Manifest { why } }.into());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// What a program that was killed left beside `codelists/` or in it; ours by its name.
pub(crate) fn remove_left_overs(folder: &SafeFolder) {
    let mut names = Vec::new();
    let mut walk = folder.walk(MOST_ENTRIES);
    while let Some(Ok(entry)) = walk.next() {
        if is_ours(entry.name()) {
            names.push(entry.name().to_owned());
        }
        walk.skip();
    }
    for name in names {
        // What cannot be removed is tried again the next time.
        let _ = folder.remove(name);
    }
}

/// How the folder to come begins and ends its name.
pub(crate) const NEW: (&str, &str) = (".codelists-", ".new");

fn is_ours(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(NEW.0) && name.ends_with(NEW.1))
}
