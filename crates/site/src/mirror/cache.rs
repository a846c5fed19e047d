//! Studies that were read before: a commit never changes, so what it holds is read once.
//! Bounded by bytes; the one that was not looked at for longest goes first.

use std::sync::{Arc, Mutex, PoisonError};

use repositories::Commit;

use super::{Place, Study};

/// Bytes of all kept studies together, roughly.
const MOST: usize = 96 << 20;

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Vec<(Place, Arc<Study>)>>);

impl Cache {
    pub(super) fn get(&self, place: &Place, commit: Commit) -> Option<Arc<Study>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(where_, study)| study.commit == commit && where_ == place)?;
        let found = kept.remove(at);
        let study = Arc::clone(&found.1);
        kept.push(found);
        Some(study)
    }

    pub(super) fn put(&self, place: Place, study: &Arc<Study>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((place, Arc::clone(study)));
        let mut bytes: usize = kept.iter().map(|(_, study)| study.weight()).sum();
        while bytes > MOST && kept.len() > 1 {
            bytes -= kept.remove(0).1.weight();
        }
    }
}
