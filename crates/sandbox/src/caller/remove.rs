//! Removing a run without a trace, also one that was half built or whose supervisor was killed.
//! Until the safe-folder type's own remover is here, a walk first makes every folder writable for its owner.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, chmodat};

use super::{io_error, stop};
use crate::Spec;
use crate::runtime::Error;
use crate::supervisor::{reclaim, walk};

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
    remove_tree(&spec.folder).map_err(io_error("remove the run", &spec.folder))
}

fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let root = fs::File::open(path)?.into();
            walk(root, |folder, name, stat| {
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    let _ = chmodat(folder, name, Mode::from_raw_mode(0o700), AtFlags::empty());
                }
            })?;
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
