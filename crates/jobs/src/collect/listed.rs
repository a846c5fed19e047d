//! Outputs of which the built-in action that wrote them says that they have a row for each patient.
//! Spec jobs.md 11, study-definitions.md 11 (SD705). A list can only raise levels, so anybody may write one.

use std::collections::HashSet;
use std::io::Read as _;

use pipeline::PATIENT_ROWS;
use sandbox::folder::SafeFolder;

/// Most bytes of a list.
const LARGEST: u64 = 16 << 20;

/// Which outputs are patient-level data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PatientRows {
    /// All that the action wrote.
    All,
    /// These, none as a rule.
    Of(HashSet<String>),
}

impl PatientRows {
    /// What the workspace says. A list that cannot be read stands for all files: a level is never lowered by damage.
    pub(super) fn read(workspace: &SafeFolder) -> Self {
        match workspace.stat(PATIENT_ROWS) {
            Ok(None) => Self::Of(HashSet::new()),
            Ok(Some(found)) if found.size <= LARGEST => Self::listed(workspace).unwrap_or(Self::All),
            Ok(Some(_)) => Self::All,
            // A file where the folder would be.
            Err(sandbox::folder::FolderError::NotAFolder { .. }) => Self::Of(HashSet::new()),
            Err(_) => Self::All,
        }
    }

    fn listed(workspace: &SafeFolder) -> Option<Self> {
        let mut bytes = Vec::new();
        workspace.open(PATIENT_ROWS).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok().map(Self::Of)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(paths) => paths.contains(path),
        }
    }
}
