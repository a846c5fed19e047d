//! The same check of codelists that lie in no folder: those of a commit, read from its objects.
//! Spec cli.md 7.2, site.md 7.2: the files against codelists.txt and codelists.json in the commit, without a network.

use std::collections::BTreeMap;

use crate::check::{Modified, Report, compare};
use crate::content::Sha;
use crate::fault::Fault;
use crate::folder::{listing_of, manifest_of};
use crate::listing::Listing;

/// What a `codelists/` holds, as bytes.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// codelists.txt.
    pub listing: Option<Vec<u8>>,
    /// codelists.json.
    pub manifest: Option<Vec<u8>>,
    /// Every file whose name ends in `.csv`, with the hash of its content, or why it cannot be read, in a few words.
    pub csvs: BTreeMap<String, Result<Sha, String>>,
}

impl Given {
    /// The local checks: what [`Project::check`](crate::Project::check) finds in a folder with these files.
    pub fn check(&self) -> Report {
        let mut report = Report { exists: true, ..Report::default() };
        let listing = match listing_of(self.listing.as_deref()).map_err(|fault| vec![fault]).and_then(Listing::parse) {
            Ok(listing) => listing,
            Err(faults) => {
                faults.into_iter().for_each(|fault| report.error(fault));
                return report;
            }
        };
        let manifest = match manifest_of(self.manifest.as_deref()) {
            Ok(manifest) => manifest,
            Err(fault) => {
                report.error(fault);
                return report;
            }
        };
        let names: Vec<String> = self.csvs.keys().cloned().collect();
        compare(&names, &listing, &manifest, &mut report, |files| {
            let mut modified = Modified::new();
            for (name, recorded) in files {
                match self.csvs.get(*name) {
                    Some(Ok(sha)) if *sha == recorded.sha => {}
                    Some(Err(why)) => drop(modified.insert((*name).clone(), Some(why.clone()))),
                    _ => drop(modified.insert((*name).clone(), None)),
                }
            }
            modified
        });
        report
    }

    /// A fault that keeps the files from being looked at at all.
    pub fn unreadable(why: String) -> Report {
        let mut report = Report { exists: true, ..Report::default() };
        report.error(Fault::Listing { why });
        report
    }
}
