//! Detached mounts and the folder tree they are put into.
//! A tree gets its attributes before it is attached and every target is opened beneath the new root without links,
//! so nothing a study or an overlay contains can lead a mount elsewhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, move_mount, open_tree,
};

use crate::sys::{AttributeSet, set_mount_attributes};

/// What a mount is for decides its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttributesOf {
    /// Programs and data, read-only.
    Programs,
    /// Folders of the run.
    Writable,
    /// A device node; the only mounts that may hold one.
    Device,
    /// Files to read, never to execute.
    Data,
}

impl From<AttributesOf> for AttributeSet {
    fn from(of: AttributesOf) -> Self {
        Self {
            read_only: matches!(of, AttributesOf::Programs | AttributesOf::Data),
            no_devices: of != AttributesOf::Device,
            no_exec: matches!(of, AttributesOf::Device | AttributesOf::Data),
        }
    }
}

/// A mount that is attached nowhere yet.
pub(crate) struct Tree(OwnedFd);

impl Tree {
    /// A copy of the mounts at and below `path`, links followed.
    pub(crate) fn bind(path: impl rustix::path::Arg) -> io::Result<Self> {
        Self::bind_at(CWD, path)
    }

    /// A copy of the mount at `path` alone; what is mounted below it is not there.
    pub(crate) fn bind_alone(path: impl rustix::path::Arg) -> io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        Ok(Self(open_tree(CWD, path, flags)?))
    }

    /// The same relative to a folder.
    pub(crate) fn bind_at(folder: impl AsFd, path: impl rustix::path::Arg) -> io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        Ok(Self(open_tree(folder.as_fd(), path, flags)?))
    }

    /// A fresh file system of kind `kind`.
    pub(crate) fn fresh(kind: &str, options: &[(&str, &str)]) -> io::Result<Self> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (key, value) in options {
            fsconfig_set_string(context.as_fd(), *key, *value)?;
        }
        fsconfig_create(context.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        Ok(Self(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
    }

    /// Adds attributes to this mount and all below it.
    pub(crate) fn set(self, of: AttributesOf) -> io::Result<Self> {
        set_mount_attributes(&self.0, of.into(), true)?;
        Ok(self)
    }

    /// A second hold on the same mount.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Attaches it over an opened target and gives its root.
    pub(crate) fn attach(self, target: impl AsFd) -> io::Result<OwnedFd> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(self.0.as_fd(), "", target.as_fd(), "", flags)?;
        Ok(self.0)
    }
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The root of the new file system while it is being built.
pub(crate) struct NewRoot(OwnedFd);

/// Paths are given as inside, `/usr`; this makes them relative to the new root.
fn relative(path: &Path) -> &Path {
    match path.strip_prefix("/") {
        Ok(rest) if rest.as_os_str().is_empty() => Path::new("."),
        Ok(rest) => rest,
        Err(_) => path,
    }
}

impl NewRoot {
    /// Of a mount that is attached.
    pub(crate) fn new(root: OwnedFd) -> Self {
        Self(root)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Opens something that exists, without following any link.
    pub(crate) fn open(&self, path: &Path) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&self.0, relative(path), OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)?)
    }

    /// Makes a folder and its parents where they are missing.
    pub(crate) fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut here = self.open(Path::new("/"))?;
        for part in relative(path).components() {
            let Component::Normal(name) = part else { continue };
            match mkdirat(&here, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST | Errno::ROFS) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            here = openat(&here, name, flags, Mode::empty())?;
        }
        Ok(here)
    }

    /// Makes a file with this text, and its parents.
    pub(crate) fn file(&self, path: &Path, text: &str) -> io::Result<OwnedFd> {
        let (parent, name) = self.parent(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&parent, name, flags, Mode::from_raw_mode(0o644))?;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(file)
    }

    /// Makes a link, and its parents.
    pub(crate) fn link(&self, path: &Path, to: impl rustix::path::Arg) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        Ok(symlinkat(to, &parent, name)?)
    }

    /// Attaches a folder at `path`, which is made if missing.
    pub(crate) fn attach_folder(&self, path: &Path, tree: Tree) -> io::Result<()> {
        tree.attach(self.folder(path)?).map(drop)
    }

    /// Attaches a file at `path`, which is made if missing.
    pub(crate) fn attach_file(&self, path: &Path, tree: Tree) -> io::Result<()> {
        match self.file(path, "") {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        tree.attach(self.open(path)?).map(drop)
    }

    fn parent<'a>(&self, path: &'a Path) -> io::Result<(OwnedFd, &'a std::ffi::OsStr)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        Ok((self.folder(parent)?, name))
    }
}
