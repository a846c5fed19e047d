//! The one folder an action may read and write, and how it opens files there.
//! Links are followed, but what was opened is checked afterwards, so no race leads out (actions.md 3.1, 11).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};

use crate::args::bad_argument;
use crate::fault::{Exit, Fault, FaultCode};
use crate::staged::Staged;

/// The workspace root, with all links resolved.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
}

/// What tells two paths to one file from two files.
pub(crate) type Identity = (u64, u64);

fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

impl Workspace {
    pub(crate) fn new(cwd: &Path) -> Result<Self, Fault> {
        let root = cwd.canonicalize().map_err(|error| {
            Fault::new(FaultCode::IoError, Exit::Data, format!("cannot use the folder {}: {error}", cwd.display()))
        })?;
        Ok(Self { root })
    }

    /// Opens a file to read. `what` names its part in the action, `exit` is how the action ends when it is not there.
    pub(crate) fn open(&self, path: &Path, what: &str, exit: Exit) -> Result<File, Fault> {
        let absent = |why: String| {
            let message = format!("{what} {} {why}", path.display());
            Fault::new(FaultCode::FileNotFound, exit, message)
                .help(format!("paths are relative to {}", self.root.display()))
        };
        let full = self.root.join(path);
        // Without blocking: a pipe under the name of a file must not hold the action up.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = match rustix::fs::openat(CWD, &full, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(_) if self.leads_out(path) => return Err(self.outside(path, what)),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
                return Err(absent("does not exist".to_owned()));
            }
            Err(error) => return Err(absent(format!("cannot be opened: {}", io::Error::from(error)))),
        };
        let stat =
            rustix::fs::fstat(&fd).map_err(|error| absent(format!("cannot be read: {}", io::Error::from(error))))?;
        self.check_inside(&full, &stat, path, what)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(fd)),
            FileType::Directory => Err(absent("is a folder, not a file".to_owned())),
            _ => Err(absent("is not an ordinary file".to_owned())),
        }
    }

    /// Something opened through `full` must be the thing that stands inside the root under its resolved name.
    fn check_inside(&self, full: &Path, opened: &Stat, shown: &Path, what: &str) -> Result<(), Fault> {
        let resolved = full.canonicalize().ok().filter(|resolved| resolved.starts_with(&self.root));
        let stands = resolved.and_then(|resolved| rustix::fs::lstat(&resolved).ok());
        match stands {
            Some(stands) if identity(&stands) == identity(opened) => Ok(()),
            _ => Err(self.outside(shown, what)),
        }
    }

    /// Whether the words of a path lead out, links aside; decides what is said of a file that is not there.
    fn leads_out(&self, path: &Path) -> bool {
        let mut depth = 0_usize;
        for part in path.strip_prefix(&self.root).unwrap_or(path).components() {
            match part {
                Component::Normal(_) => depth += 1,
                Component::CurDir => {}
                Component::ParentDir if depth > 0 => depth -= 1,
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
            }
        }
        false
    }

    fn outside(&self, shown: &Path, what: &str) -> Fault {
        let message = format!("{what} {} leads out of the workspace {}", shown.display(), self.root.display());
        Fault::new(FaultCode::OutsideWorkspace, Exit::Arguments, message)
            .help("use a path inside the folder of the study, without links that leave it")
    }

    /// A folder inside the workspace, with all links resolved.
    pub(crate) fn folder(&self, path: &Path, what: &str) -> Result<PathBuf, Fault> {
        match self.root.join(path).canonicalize() {
            Ok(folder) if !folder.starts_with(&self.root) => Err(self.outside(path, what)),
            Ok(folder) if folder.is_dir() => Ok(folder),
            _ => {
                let message = format!("{what} {} is no folder", path.display());
                let fault = Fault::new(FaultCode::FileNotFound, Exit::DummyBad, message);
                Err(fault.help(format!("paths are relative to {}", self.root.display())))
            }
        }
    }

    /// Whether a path that exists, or the words of one that does not, lead out.
    pub(crate) fn leads_outside(&self, path: &Path) -> bool {
        match self.root.join(path).canonicalize() {
            Ok(resolved) => !resolved.starts_with(&self.root),
            Err(_) => self.leads_out(path),
        }
    }

    /// A folder to be listed must not lie outside; that it is there at all is not asked.
    pub(crate) fn check_folder(&self, path: &Path, what: &str) -> Result<(), Fault> {
        if self.leads_outside(path) { Err(self.outside(path, what)) } else { Ok(()) }
    }

    /// Whether an ordinary file stands there; only a first look, `open` decides.
    pub(crate) fn is_plain_file(&self, path: &Path) -> bool {
        self.root.join(path).metadata().is_ok_and(|found| found.is_file())
    }

    /// The names in a folder, in byte order; none if it is no folder inside the workspace. Names that are no text are left out.
    pub(crate) fn files_of(&self, folder: &Path) -> Vec<String> {
        let inside = self.root.join(folder).canonicalize().ok().filter(|folder| folder.starts_with(&self.root));
        let entries = inside.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Whether a file stands in a folder, under its own name or under the one it has when links are resolved.
    pub(crate) fn stands_in(&self, file: &Path, folder: &Path) -> bool {
        let Some(folder) = self.identify(folder) else { return false };
        let full = self.root.join(file);
        let parents = [
            full.parent().map(Path::to_path_buf),
            full.canonicalize().ok().and_then(|it| Some(it.parent()?.to_path_buf())),
        ];
        parents.into_iter().flatten().any(|parent| self.identify(&parent) == Some(folder))
    }

    /// Which file a path leads to now, if any.
    pub(crate) fn identify(&self, path: &Path) -> Option<Identity> {
        rustix::fs::stat(self.root.join(path)).ok().map(|stat| identity(&stat))
    }

    /// Starts a result: makes its parent folders and a temporary file beside where it will stand.
    pub(crate) fn stage(&self, path: &Path, what: &str) -> Result<Staged, Fault> {
        let full = self.root.join(path);
        let name = full.file_name().map(OsStr::to_owned);
        let (Some(name), Some(parent)) = (name, full.parent()) else {
            return Err(bad_argument(format!("{what} '{}' is not the name of a file", path.display())));
        };
        Self::stage_in(&Arc::new(self.open_folder(parent, path, what)?), name, path, what)
    }

    /// Opens the folder for results, made with its parents if it is not there.
    pub(crate) fn results_folder(&self, path: &Path, what: &str) -> Result<Arc<OwnedFd>, Fault> {
        self.open_folder(&self.root.join(path), path, what).map(Arc::new)
    }

    fn open_folder(&self, full: &Path, path: &Path, what: &str) -> Result<OwnedFd, Fault> {
        let (base, missing) = self.deepest_existing(full, path, what)?;
        let failed = |error: rustix::io::Errno| Fault::writing(&format!("{what} {}", path.display()), &error.into());
        let dir_flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let mut dir: OwnedFd = rustix::fs::openat(CWD, &base, dir_flags, Mode::empty()).map_err(failed)?;
        let stat = rustix::fs::fstat(&dir).map_err(failed)?;
        self.check_inside(&base, &stat, path, what)?;
        for folder in missing.iter().rev() {
            match rustix::fs::mkdirat(&dir, folder.as_os_str(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(failed(error)),
            }
            dir = rustix::fs::openat(&dir, folder.as_os_str(), dir_flags, Mode::empty()).map_err(failed)?;
        }
        Ok(dir)
    }

    /// Starts a result of the given name in an open folder; `path` is how people call it.
    pub(crate) fn stage_in(dir: &Arc<OwnedFd>, name: OsString, path: &Path, what: &str) -> Result<Staged, Fault> {
        let standing = rustix::fs::statat(&**dir, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW).ok();
        if standing.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory) {
            return Err(bad_argument(format!("{what} {} is a folder; name a file", path.display())));
        }
        Staged::create(Arc::clone(dir), name, format!("{what} {}", path.display()))
    }

    /// The nearest folder that exists, resolved, and the names still to be made below it, innermost first.
    fn deepest_existing(&self, parent: &Path, shown: &Path, what: &str) -> Result<(PathBuf, Vec<OsString>), Fault> {
        let mut missing = Vec::new();
        let mut at = parent;
        loop {
            match at.canonicalize() {
                Ok(base) if base.starts_with(&self.root) => return Ok((base, missing)),
                Ok(_) => return Err(self.outside(shown, what)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Fault::writing(&format!("{what} {}", shown.display()), &error)),
            }
            // A `..` below a folder that does not exist means nothing.
            match (at.components().next_back(), at.parent()) {
                (Some(Component::Normal(name)), Some(up)) => {
                    missing.push(name.to_owned());
                    at = up;
                }
                _ => return Err(self.outside(shown, what)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn code<T>(result: Result<T, Fault>) -> Option<FaultCode> {
        result.err().map(|fault| fault.code)
    }

    #[test]
    fn reading_stays_inside() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("ws");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        std::fs::write(root.join("a/f"), "x").unwrap();
        symlink(outer.path().join("secret"), root.join("leak")).unwrap();
        symlink(root.join("a/f"), root.join("inner")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        let ws = Workspace::new(&root).unwrap();
        let open = |path: &str| code(ws.open(Path::new(path), "file", Exit::Data));
        assert_eq!(open("a/f"), None);
        assert_eq!(open("a/../a/f"), None);
        assert_eq!(open("inner"), None);
        assert_eq!(open("leak"), Some(FaultCode::OutsideWorkspace));
        assert_eq!(open("../secret"), Some(FaultCode::OutsideWorkspace));
        assert_eq!(open("/etc/passwd"), Some(FaultCode::OutsideWorkspace));
        for path in ["../nothing", "a/../../nothing", "/nothing"] {
            assert_eq!(open(path), Some(FaultCode::OutsideWorkspace), "{path}");
        }
        for path in ["nothing", "dangling", "a", "a/f/g", ""] {
            assert_eq!(open(path), Some(FaultCode::FileNotFound), "{path}");
        }
        rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(open("pipe"), Some(FaultCode::FileNotFound));
    }

    #[test]
    fn a_result_appears_only_when_published_and_never_through_a_link() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("ws");
        std::fs::create_dir_all(&root).unwrap();
        let ws = Workspace::new(&root).unwrap();
        let target = outer.path().join("target");
        std::fs::write(&target, "before").unwrap();
        symlink(&target, root.join("out.csv")).unwrap();

        drop(ws.stage(Path::new("x/y/dropped.csv"), "--output").unwrap());
        assert_eq!(std::fs::read_dir(root.join("x/y")).unwrap().count(), 0);

        let mut staged = ws.stage(Path::new("out.csv"), "--output").unwrap();
        staged.file().write_all(b"after").unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "before");
        staged.sync().unwrap();
        staged.publish().unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "before");
        let made = std::fs::symlink_metadata(root.join("out.csv")).unwrap();
        assert!(made.is_file());
        assert_eq!(made.permissions().mode() & 0o137, 0);
        assert_eq!(std::fs::read_to_string(root.join("out.csv")).unwrap(), "after");
    }

    #[test]
    fn results_stay_inside() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("ws");
        std::fs::create_dir_all(root.join("folder")).unwrap();
        symlink(outer.path(), root.join("up")).unwrap();
        symlink(outer.path().join("unmade"), root.join("unmade")).unwrap();
        let ws = Workspace::new(&root).unwrap();
        let stage = |path: &str| code(ws.stage(Path::new(path), "--output"));
        for path in ["../x.csv", "/tmp/x.csv", "up/x.csv", "up/new/x.csv", "new/../../x.csv"] {
            assert_eq!(stage(path), Some(FaultCode::OutsideWorkspace), "{path}");
        }
        assert!(stage("unmade/x.csv").is_some());
        assert!(!outer.path().join("unmade").exists() && !outer.path().join("new").exists());
        assert_eq!(stage("folder"), Some(FaultCode::BadArgument));
        assert_eq!(stage("folder/.."), Some(FaultCode::BadArgument));
        assert_eq!(stage(root.join("folder/x.csv").to_str().unwrap()), None);
    }
}
