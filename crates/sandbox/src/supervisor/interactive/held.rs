//! What is taken before the command starts and returned after its end: a folder, an id, the live folder shown to it.
//! As root the command has an id of its own, and the mount translates: its files are the owner's (spec cli.md 12).

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Gid, Uid, flock};
use rustix::process::{WaitOptions, waitpid};

use crate::failure::{Failure, Step};
use crate::inside::{self, Ids, Tree};
use crate::interactive::{Interactive, sweeping};
use crate::supervisor::cgroup::Groups;
use crate::supervisor::slot::{self, Slot};
use crate::supervisor::{files, reclaim};
use crate::sys;

/// A temporary folder, removed at the end; its lock tells that we live.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) lock: OwnedFd,
}

impl Folder {
    pub(super) fn make(runs: &Path) -> Result<Self, Failure> {
        let step = || format!("make a folder in {}", runs.display());
        DirBuilder::new().recursive(true).mode(0o700).create(runs).step_with(step)?;
        let runs = runs.canonicalize().step_with(step)?;
        let swept = sweeping(&runs).step_with(step)?;
        let path = runs.join(format!("exec-{}", std::process::id()));
        if path.exists() {
            // Of a killed process that had this number.
            reclaim(&path)?;
            crate::folder::remove_tree(&path).step_with(step)?;
        }
        DirBuilder::new().mode(0o700).create(&path).step_with(step)?;
        let lock = File::options().create_new(true).write(true).open(path.join(files::LOCK)).step_with(step)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).step_with(step)?;
        drop(swept);
        for name in ["tmp", inside::MOUNT_POINT] {
            DirBuilder::new().mode(0o700).create(path.join(name)).step_with(step)?;
        }
        Ok(Self { path, lock: lock.into() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next command.
        let _ = crate::folder::remove_tree(&self.path);
    }
}

/// Ids, groups and the live folder.
pub(super) struct Held {
    pub(super) ids: Ids,
    pub(super) taken: Option<Tree>,
    pub(super) groups: Groups,
    _slot: Option<Slot>,
}

impl Held {
    pub(super) fn take(what: &Interactive, slots: &Path, folder: &Path) -> Result<Self, Failure> {
        let step = || format!("show {} as /workspace", what.project.display());
        if !rustix::process::geteuid().is_root() {
            let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            let ids = Ids { uid, gid, own_range: false };
            return Ok(Self { ids, taken: None, groups: Groups::default(), _slot: None });
        }
        let owner = rustix::fs::stat(&what.project).step_with(step)?;
        let slot = slot::take(slots)?;
        let mapped = || -> std::io::Result<Tree> {
            let namespace = map_namespace((owner.st_uid, owner.st_gid), slot.id)?;
            let whole = Tree::bind(&what.project)?;
            if sys::map_mount_ids(&whole, &namespace).is_ok() {
                return Ok(whole);
            }
            // Something is mounted below the folder whose ids cannot be translated: it is left out.
            let alone = Tree::bind_alone(&what.project)?;
            sys::map_mount_ids(&alone, namespace)?;
            Ok(alone)
        };
        let (uid, gid, taken) = match mapped() {
            Ok(tree) => (slot.id, slot.id, Some(tree)),
            // A file system that cannot translate ids: then the owner itself, who has no capability inside.
            Err(error) => {
                if owner.st_uid == 0 {
                    let _ = writeln!(
                        std::io::stderr(),
                        "warning: this folder belongs to root, and its file system cannot show it to another id ({error}): \
                         the command has root's id, without any of its powers"
                    );
                }
                (owner.st_uid, owner.st_gid, None)
            }
        };
        let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::fs::chown(folder.join("tmp"), Some(user), Some(group)).step("temporary folder")?;
        Ok(Self { ids: Ids { uid, gid, own_range: true }, taken, groups: Groups::default(), _slot: Some(slot) })
    }
}

/// A user namespace in which the owner's files are `id`'s.
fn map_namespace(owner: (u32, u32), id: u32) -> std::io::Result<OwnedFd> {
    let (wait, go) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let child = match sys::fork(libc::CLONE_NEWUSER)? {
        sys::Fork::Child => {
            drop(go);
            let _ = rustix::io::read(&wait, &mut [0; 1]);
            inside::exit_now(0)
        }
        sys::Fork::Parent(child) => child,
    };
    let folder = PathBuf::from(format!("/proc/{}", child.as_raw_nonzero()));
    let made = fs::write(folder.join("uid_map"), format!("{} {id} 1", owner.0))
        .and_then(|()| fs::write(folder.join("gid_map"), format!("{} {id} 1", owner.1)))
        .and_then(|()| File::open(folder.join("ns/user")));
    drop(go);
    let _ = waitpid(Some(child), WaitOptions::empty());
    made.map(OwnedFd::from)
}
