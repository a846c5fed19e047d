//! Whether the codelists at a commit are what was downloaded: asked when anything would read the database with them.
//! Spec protocol.md 1 (codelists); jobs.md 2; cli.md 7.2. Blocks.

use std::path::Path;

use jobs::store::Store;
use jobs::tree::Tree;

use super::code::{Outage, lay_out};

/// Where a study keeps them.
const FOLDER: &str = "codelists/";

/// What is wrong with the codelists of a tree, in words; `None` if nothing is, or there are none. `room` is a folder of
/// ours for a look at them; nothing is left in it.
pub(super) fn fault(tree: &Tree, store: &Store, room: &Path) -> Result<Option<String>, Outage> {
    if !tree.entries.keys().any(|path| path.starts_with(FOLDER)) {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| Outage(format!("the codelists cannot be looked at: {error}"));
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| failed(&error))?;
    let place = room.join(format!("codelists-{}.tmp", data_encoding::HEXLOWER.encode(&random)));
    std::fs::create_dir_all(&place).map_err(|error| failed(&error))?;
    let found = lay_out(tree, FOLDER, store, &place).and_then(|()| {
        let report = codelists::Project::at(&place).and_then(|project| project.check());
        let report = report.map_err(|error| failed(&error))?;
        let bad = report.findings.iter().find(|(weight, _)| *weight == codelists::Severity::Error);
        Ok(bad.map(|(_, fault)| fault.to_string()))
    });
    // What cannot be removed now is removed with the folder at the next start.
    let _ = sandbox::folder::remove_tree(&place);
    found
}
