//! `codelists check`: whether the folder is what was downloaded for what is listed. Without a network.
//! Spec cli.md 7.2: C101 to C105 and C201 to C205, in this order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use crate::content::Sha;
use crate::download::download;
use crate::fault::{Error, Fault};
use crate::folder::{OnDisk, Project};
use crate::http::Asking;
use crate::id::Id;
use crate::listing::Listing;
use crate::manifest::{Manifest, Recorded};
use crate::site::Site;

/// What became of one codelist or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As downloaded.
    Ok,
    /// Its content is another than was downloaded.
    Modified,
    /// Its file is not there.
    Missing,
    /// A CSV file that neither the list nor the manifest knows.
    Extra,
    /// Listed in a version that was not downloaded, or changed at its source.
    Stale,
    /// Downloaded once, and no longer listed.
    Unlisted,
}

/// A line of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The codelist; `None` for a file that belongs to none.
    pub id: Option<String>,
    /// The name of its file.
    pub file: String,
    /// What became of it.
    #[serde(rename = "status")]
    pub state: State,
    /// More words where there are any.
    pub detail: Option<String>,
}

/// How much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Shown, nothing more.
    Note,
    /// Shown; the check passes.
    Warning,
    /// The check fails.
    Error,
}

/// All that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Faults, in the order of the steps.
    pub findings: Vec<(Severity, Fault)>,
    /// Every codelist and file, in order of codelists.txt, then of names.
    pub lines: Vec<Line>,
    /// Whether there was a `codelists/` at all.
    pub exists: bool,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn ok(&self) -> bool {
        self.findings.iter().all(|(severity, _)| *severity < Severity::Error)
    }

    /// The one command that repairs it, without the name of the program; `None` if nothing is to be repaired.
    /// If `codelists.txt` itself has faults they are to be mended before.
    pub fn repair(&self) -> Option<&'static str> {
        let extra = |fault: &Fault| matches!(fault, Fault::Files { extra, .. } if !extra.is_empty());
        if self.findings.iter().all(|(severity, _)| *severity < Severity::Warning) {
            return None;
        }
        let forced = self.findings.iter().any(|(_, fault)| extra(fault));
        Some(if forced { "codelists update --delete-unlisted" } else { "codelists update" })
    }

    pub(crate) fn error(&mut self, fault: Fault) {
        self.findings.push((Severity::Error, fault));
    }
}

/// The codelists of a project that passed, for what comes after.
pub(crate) struct Passed {
    pub(crate) listing: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

impl Project {
    /// The local checks. Opens no connection.
    ///
    /// # Errors
    /// Only what the system says; faults are in the report.
    pub fn check(&self) -> Result<Report, Error> {
        Ok(self.check_with(None)?.0)
    }

    /// The local checks in a workflow: without a manifest the files are compared with a fresh download, as older
    /// studies expect there.
    ///
    /// # Errors
    /// What the system says, and faults of the download.
    pub fn check_in_ci(&self, site: &Site, asking: &Asking) -> Result<Report, Error> {
        Ok(self.check_with(Some((site, asking)))?.0)
    }

    pub(crate) fn check_with(&self, fresh: Option<(&Site, &Asking)>) -> Result<(Report, Option<Passed>), Error> {
        let mut report = Report::default();
        let disk = match self.read() {
            Ok(Some(disk)) => disk,
            Ok(None) => return Ok((report, None)),
            Err(Error::Faults(faults)) => {
                faults.into_iter().for_each(|fault| report.error(fault));
                return Ok((report, None));
            }
            Err(error) => return Err(error),
        };
        report.exists = true;
        let listing = match disk.listed() {
            Ok(listing) => listing,
            Err(faults) => {
                faults.into_iter().for_each(|fault| report.error(fault));
                return Ok((report, None));
            }
        };
        let manifest = match (disk.recorded(), fresh) {
            (Ok(manifest), _) => manifest,
            (Err(Fault::NoManifest), Some((site, asking))) => {
                report.findings.push((Severity::Warning, Fault::NoManifest));
                downloaded(&listing, site, asking)?
            }
            (Err(fault), _) => {
                report.error(fault);
                return Ok((report, None));
            }
        };
        compare(&disk.csvs, &listing, &manifest, &mut report, |files| modified(&disk, files));
        let passed = report.ok().then(|| Passed {
            listing: disk.listing.clone().unwrap_or_default(),
            manifest: disk.manifest.clone().unwrap_or_else(|| manifest.to_bytes()),
        });
        Ok((report, passed))
    }
}

/// The manifest that a download of now would give.
fn downloaded(listing: &Listing, site: &Site, asking: &Asking) -> Result<Manifest, Error> {
    let ids: Vec<&Id> = listing.ids().collect();
    let contents = download(&ids, site, asking).map_err(Error::Faults)?;
    let files = ids.into_iter().zip(contents).map(|(id, content)| Recorded {
        id: id.clone(),
        downloaded_at: crate::manifest::stamp(jiff::Timestamp::now()),
        sha: Sha::of(&content),
    });
    Ok(Manifest { files: files.collect() })
}

/// The files by name whose content is not the recorded one, with the reason where they cannot be read as a download.
pub(crate) type Modified = BTreeMap<String, Option<String>>;

pub(crate) fn compare(
    csvs: &[String],
    listing: &Listing,
    manifest: &Manifest,
    report: &mut Report,
    modified: impl FnOnce(&[(&String, &Recorded)]) -> Modified,
) {
    let listed: BTreeSet<&Id> = listing.ids().collect();
    let recorded: BTreeSet<&Id> = manifest.files.iter().map(|recorded| &recorded.id).collect();
    let names = |ids: &BTreeSet<&Id>, others: &BTreeSet<&Id>| ids.difference(others).map(ToString::to_string).collect();
    let (unknown, unlisted): (Vec<String>, Vec<String>) = (names(&listed, &recorded), names(&recorded, &listed));
    if !unknown.is_empty() || !unlisted.is_empty() {
        report.error(Fault::Ids { unknown, unlisted });
    }

    let files: BTreeMap<String, &Recorded> = manifest.files.iter().map(|r| (r.id.file_name(), r)).collect();
    let on_disk: BTreeSet<&String> = csvs.iter().collect();
    let missing: Vec<String> = files.keys().filter(|name| !on_disk.contains(name)).cloned().collect();
    let extra: Vec<String> = csvs.iter().filter(|name| !files.contains_key(*name)).cloned().collect();
    if !missing.is_empty() || !extra.is_empty() {
        report.error(Fault::Files { missing: missing.clone(), extra: extra.clone() });
    }

    let there: Vec<(&String, &Recorded)> =
        files.iter().filter(|(name, _)| on_disk.contains(name)).map(|(name, recorded)| (name, *recorded)).collect();
    let modified = modified(&there);
    if !modified.is_empty() {
        let files = modified.iter().map(|(name, why)| match why {
            Some(why) => format!("{name} ({why})"),
            None => name.clone(),
        });
        report.error(Fault::Modified { files: files.collect() });
    }

    let line = |id: Option<&Id>, file: String, state, detail: Option<String>| Line {
        id: id.map(ToString::to_string),
        file,
        state,
        detail,
    };
    for id in listing.ids() {
        let file = id.file_name();
        let (state, detail) = match files.get(&file) {
            Some(recorded) if recorded.id != *id => (State::Stale, Some(format!("{} was downloaded", recorded.id))),
            None => (State::Stale, Some("not downloaded yet".to_owned())),
            Some(_) if missing.contains(&file) => (State::Missing, None),
            Some(_) => match modified.get(&file) {
                Some(why) => (State::Modified, why.clone()),
                None => (State::Ok, None),
            },
        };
        report.lines.push(line(Some(id), file, state, detail));
    }
    let listed_files: BTreeSet<String> = listing.ids().map(Id::file_name).collect();
    for (file, recorded) in files.iter().filter(|(file, _)| !listed_files.contains(*file)) {
        report.lines.push(line(Some(&recorded.id), file.clone(), State::Unlisted, None));
    }
    for file in extra.into_iter().filter(|file| !listed_files.contains(file)) {
        report.lines.push(line(None, file, State::Extra, None));
    }
}

fn modified(disk: &OnDisk, files: &[(&String, &Recorded)]) -> Modified {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8).min(files.len());
    let work = || {
        let (mut found, mut buffer) = (Vec::new(), Vec::new());
        while let Some((name, recorded)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            match disk.sha(name, &mut buffer) {
                Ok(sha) if sha == recorded.sha => {}
                Ok(_) => found.push(((*name).clone(), None)),
                Err(why) => found.push(((*name).clone(), Some(why))),
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}
