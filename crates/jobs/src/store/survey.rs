//! Reading the whole store again: every object must be the bytes that its name says.
//! Spec jobs.md 17 (`verify`).

use sandbox::folder::{Kind, is_temporary};

use super::{Health, Store, StoreError, TEMPORARY, place};
use crate::ObjectId;

/// What stands in a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Objects that were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects whose bytes are not those of their names.
    pub damaged: Vec<ObjectId>,
    /// Names, below the store's folder, of what is no object and no file that is being written.
    pub foreign: Vec<String>,
}

impl Store {
    /// Reads and hashes every object.
    ///
    /// # Errors
    /// The store's folder cannot be read; single objects that cannot be read count as damaged.
    pub fn survey(&self) -> Result<Survey, StoreError> {
        let mut survey = Survey::default();
        let mut found = Vec::new();
        let mut walk = self.objects.walk(u64::MAX);
        while let Some(entry) = walk.next() {
            let entry = entry?;
            if entry.found.kind == Kind::Folder {
                continue;
            }
            let name = entry.name().to_str().and_then(|name| name.parse::<ObjectId>().ok());
            match name.filter(|id| entry.path.as_os_str() == place(*id).as_str() && entry.found.kind == Kind::File) {
                Some(id) => found.push((id, entry.found.size)),
                None if is_temporary(entry.name()) || entry.path.starts_with(TEMPORARY) => {}
                None => survey.foreign.push(entry.path.to_string_lossy().into_owned()),
            }
        }
        for (id, size) in found {
            survey.objects += 1;
            survey.bytes += size;
            match self.health(id) {
                Ok(Health::Whole) => {}
                // Removed meanwhile by the run that goes on: whether it was needed is the state's to say.
                Ok(Health::Missing) => survey.objects -= 1,
                Ok(Health::Damaged) | Err(_) => survey.damaged.push(id),
            }
        }
        Ok(survey)
    }
}
