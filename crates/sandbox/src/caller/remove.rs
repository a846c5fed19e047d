//! Removing a run without a trace, also one that was half built or whose supervisor was killed.
//! What the run left in its folder is hostile, so the folder goes the way of every hostile tree.

use std::io;
use std::time::Duration;

use super::{io_error, stop};
use crate::Spec;
use crate::folder::remove_tree;
use crate::runtime::Error;
use crate::supervisor::reclaim;

/// Ends the run if it lives, cleans up after it and removes its folder. No folder: nothing to do.
pub(super) fn remove(spec: &Spec) -> Result<(), Error> {
    if !spec.folder.exists() {
        return Ok(());
    }
    match stop(spec, Duration::ZERO) {
        Ok(()) | Err(Error::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    // After a supervisor that could not clean up.
    reclaim(&spec.folder).map_err(|failure| Error::Stuck(spec.name.clone(), failure.to_string()))?;
    remove_tree(&spec.folder)
        .map(drop)
        .map_err(|error| io_error("remove the run", &spec.folder)(io::Error::other(error)))
}
