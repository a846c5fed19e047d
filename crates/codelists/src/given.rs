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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Project;

    /// Files of the folder, and the codes that are found.
    type Case<'a> = (Vec<(&'a str, &'a [u8])>, &'a [&'a str]);

    const ONE: &str = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"; // SHA-1 of `test`

    fn manifest(sha: &str) -> String {
        format!(
            "{{\"files\":{{\"org-list.csv\":{{\"id\":\"org/list/v1\",\"url\":\"u\",\"downloaded_at\":\"d\",\"sha\":\"{sha}\"}}}}}}"
        )
    }

    /// Whatever lies there: the same findings as for the same files in a folder.
    #[test]
    fn the_same_is_found_as_in_a_folder() {
        let good = manifest(ONE);
        let (list, csv) = ("codelists.txt", "org-list.csv");
        let cases: Vec<Case> = vec![
            (vec![(list, b"org/list/v1\n"), ("codelists.json", good.as_bytes()), (csv, b"test")], &[]),
            (vec![(list, b"org/list/v1\n"), ("codelists.json", good.as_bytes()), (csv, b"test\r\n")], &[]),
            (vec![(list, b"org/list/v1\n"), ("codelists.json", good.as_bytes()), (csv, b"other")], &["C205"]),
            (vec![(list, b"org/list/v1\n"), ("codelists.json", good.as_bytes())], &["C204"]),
            (
                vec![(list, b"org/list/v1"), ("codelists.json", good.as_bytes()), (csv, b"test"), ("mine.csv", b"x")],
                &["C204"],
            ),
            (vec![(list, b"org/list/v2\n"), ("codelists.json", good.as_bytes()), (csv, b"test")], &["C203"]),
            (vec![(list, b"org/list/v1\n"), (csv, b"test")], &["C201"]),
            (vec![(list, b"org/list/v1\n"), ("codelists.json", b"{"), (csv, b"test")], &["C202"]),
            (vec![(list, b"org/list\n"), ("codelists.json", good.as_bytes()), (csv, b"test")], &["C102"]),
            (vec![(list, b"\xff"), ("codelists.json", good.as_bytes()), (csv, b"test")], &["C101"]),
            (vec![("codelists.json", good.as_bytes()), (csv, b"test")], &["C101"]),
        ];
        for (files, codes) in cases {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("codelists")).unwrap();
            for (name, bytes) in &files {
                std::fs::write(folder.path().join("codelists").join(name), bytes).unwrap();
            }
            let of = |name: &str| files.iter().find(|(own, _)| *own == name).map(|(_, bytes)| bytes.to_vec());
            let csvs = files.iter().filter(|(name, _)| name.ends_with(".csv"));
            let given = Given {
                listing: of(list),
                manifest: of("codelists.json"),
                csvs: csvs.map(|(name, bytes)| ((*name).to_owned(), Ok(Sha::of(bytes)))).collect(),
            };
            let found = given.check();
            assert_eq!(found.findings.iter().map(|(_, fault)| fault.code()).collect::<Vec<_>>(), codes, "{files:?}");
            assert_eq!(found, Project::at(folder.path()).unwrap().check().unwrap(), "{files:?}");
        }
    }
}
