//! The steps that every build has: its lock, room on the disk, a clean start, and files that every run can read.
//! Spec cli.md 12.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::build::{BuildError, Progress};
use crate::command::Fault;

/// Takes the lock of the environment in `folder`, in a file beside it.
pub(crate) fn hold(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<File, BuildError> {
    let path = folder.with_added_extension("lock");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let file = file.map_err(BuildError::io("opening", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress::Waiting);
            file.lock().map_err(BuildError::io("locking", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(BuildError::io("locking", &path)(error)),
    }
    Ok(file)
}

/// Refuses to begin what cannot fit; a disk that fills up meanwhile is an error of the step that meets it.
pub(crate) fn check_space(title: &str, folder: &Path, needed: u64) -> Result<(), BuildError> {
    let about = rustix::fs::statvfs(folder)
        .map_err(|error| BuildError::io("asking for free space in", folder)(error.into()))?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    if needed <= free {
        return Ok(());
    }
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    Err(BuildError::Space {
        title: title.to_owned(),
        folder: folder.to_path_buf(),
        needed: megabytes(needed),
        free: megabytes(free),
    })
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<(), BuildError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BuildError::io("removing", folder)(error)),
        _ => Ok(()),
    }
}

/// Names the step in which a command failed.
pub(crate) fn step(what: &'static str) -> impl FnOnce(Fault) -> BuildError {
    move |fault| BuildError::Step { what, messages: fault.to_string() }
}

/// Lets everybody read what is there, whatever the umask: a run may have another user id. Links are not followed.
pub(crate) fn open_to_all(folder: &Path) -> io::Result<()> {
    let about = folder.symlink_metadata()?;
    if about.is_symlink() {
        return Ok(());
    }
    let mode = about.permissions().mode() & 0o7777;
    let wanted = if about.is_dir() || mode & 0o100 != 0 { mode | 0o555 } else { mode | 0o444 };
    if wanted != mode {
        fs::set_permissions(folder, fs::Permissions::from_mode(wanted))?;
    }
    if about.is_dir() {
        for entry in fs::read_dir(folder)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_environment_has_a_lock_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let hold = |name: &str| hold(&folder.path().join(name), &mut |_| panic!("{name} is held"));
        let _one = hold("python-v1-3.10-ab").unwrap();
        let _other = hold("python-v1-3.11-cd").unwrap();
    }

    #[test]
    fn everybody_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("file"), folder.path().join("program"));
        for (path, mode) in [(&file, 0o600), (&program, 0o700)] {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::symlink("/etc/shadow", folder.path().join("link")).unwrap();
        open_to_all(folder.path()).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&program), mode(folder.path())), (0o644, 0o755, 0o755));
    }
}
