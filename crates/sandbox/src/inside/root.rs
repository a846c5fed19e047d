//! The file system of a run: a new root on tmpfs with only what it may see, then the old root is let go.
//! What is shown is also what Landlock will allow, so both walls are built from one list.

use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{fchdir, pivot_root};

use super::mounts::{AttributesOf, NewRoot, Tree};
use super::{Visit, etc, host, overlay};
use crate::failure::{Failure, Step};
use crate::weaker::{Wall, Weaker};
use crate::{Root, Spec};

/// What the run may do with something it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// List this folder and those below.
    List,
    /// Read and execute, and all below.
    Read,
    /// Read and write what exists.
    Use,
    /// Everything, and all below.
    Write,
}

/// Path as inside, and what is allowed there.
pub(super) type Grants = Vec<(PathBuf, Access)>;

/// The folder of a run over which its new root is mounted.
pub(crate) const MOUNT_POINT: &str = "root";
/// Largest /dev/shm (spec sandbox.md 5).
pub(crate) const SHARED_MEMORY: u64 = 1 << 30;
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Entries of /proc that change the host: they become read-only.
const PROC_READ_ONLY: [&str; 4] = ["sys", "irq", "bus", "fs"];
/// Files of /proc that tell of the host or reach it: they become empty.
const PROC_EMPTY: [&str; 12] = [
    "cmdline",
    "config.gz",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "latency_stats",
    "sched_debug",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
];
/// Folders of /proc of the same kind.
const PROC_HIDDEN: [&str; 3] = ["acpi", "asound", "scsi"];
/// Folders that a run may write, with the folder of the run that each shows.
const WRITABLE: [(&str, &str); 3] = [("/workspace", "workspace"), ("/tmp", "tmp"), ("/var/tmp", "tmp")];

/// Builds the root and moves into it, working folder `/`.
pub(super) fn enter(spec: &Spec, weaker: &Weaker, visit: Option<&Visit>) -> Result<Grants, Failure> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).step("mounts private")?;
    let mut grants = vec![(PathBuf::from("/"), Access::List)];
    let live = visit.map(Visit::workspace).transpose()?;
    let root = match &spec.root {
        Root::Host { prefixes, overlays } => {
            // All are taken before the new root is mounted, so that none can contain it.
            let sources = host::sources(&spec.folder, prefixes, overlays)?;
            let root = empty(spec)?;
            host::show_system(&root, &sources.tops)?;
            fixed_settings(&root, visit, &mut grants)?;
            common(spec, &root, visit, live, &mut grants)?;
            for source in sources.shown {
                source.attach(&root, &mut grants)?;
            }
            root
        }
        Root::Folder(image) => {
            let root = image_root(spec, image, visit)?;
            grants.push((PathBuf::from("/"), Access::Read));
            common(spec, &root, visit, live, &mut grants)?;
            root
        }
    };
    if weaker.lacks(Wall::Mounts) {
        let whole = Tree::bind("/").step("show the host")?;
        root.attach_folder(Path::new("/host"), whole).step("show the host")?;
    }
    finish(&root)?;
    Ok(grants)
}

/// An empty root, mounted and opened.
fn empty(spec: &Spec) -> Result<NewRoot, Failure> {
    let options = [("size", "4m"), ("nr_inodes", "65536"), ("mode", "0755")];
    Ok(NewRoot::new(mount_over(spec, Tree::fresh("tmpfs", &options).step("new root")?)?))
}

fn mount_over(spec: &Spec, tree: Tree) -> Result<std::os::fd::OwnedFd, Failure> {
    let step = "new root";
    let point = open(spec.folder.join(MOUNT_POINT), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step(step)?;
    tree.attach(point).step(step)
}

fn fixed_settings(root: &NewRoot, visit: Option<&Visit>, grants: &mut Grants) -> Result<(), Failure> {
    let own = visit.map(Visit::settings).unwrap_or_default();
    let fixed = etc::fixed().into_iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    for (name, text) in fixed.chain(own.clone()) {
        let path = Path::new("/etc").join(name);
        root.file(&path, &text).step_with(|| format!("make {}", path.display()))?;
        grants.push((path, Access::Read));
    }
    Ok(())
}

/// The folder of an image with every mount target and fixed file laid over it, so that nothing in the image decides
/// where something is mounted.
fn image_root(spec: &Spec, image: &Path, visit: Option<&Visit>) -> Result<NewRoot, Failure> {
    let skeleton = empty(spec)?;
    fixed_settings(&skeleton, visit, &mut Grants::new())?;
    for folder in ["/dev", "/proc", "/sys", "/workspace", "/tmp", "/var/tmp"] {
        skeleton.folder(Path::new(folder)).step_with(|| format!("make {folder}"))?;
    }
    let above = spec.folder.join(MOUNT_POINT);
    let tree = overlay::merge(&[above.clone(), image.to_owned()])?;
    // Over the skeleton, which stays mounted beneath as a layer.
    let point = open(above, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step("new root")?;
    Ok(NewRoot::new(tree.attach(point).step("new root")?))
}

/// What every run has, whatever its programs.
fn common(
    spec: &Spec,
    root: &NewRoot,
    visit: Option<&Visit>,
    live: Option<Tree>,
    grants: &mut Grants,
) -> Result<(), Failure> {
    devices(spec, root, visit, grants)?;
    processes(root)?;
    root.link(Path::new("/etc/mtab"), "/proc/self/mounts").ok();
    grants.push(("/proc".into(), Access::Read));
    grants.push(("/proc".into(), Access::Use));
    let mut live = live;
    for (at, folder) in WRITABLE {
        let own = || Tree::bind(spec.folder.join(folder)).and_then(|tree| tree.set(AttributesOf::Writable));
        let tree = live.take_if(|_| folder == "workspace").map_or_else(own, Ok);
        tree.and_then(|tree| root.attach_folder(Path::new(at), tree)).step_with(|| format!("mount {at}"))?;
        grants.push((at.into(), Access::Write));
    }
    Ok(())
}

fn devices(spec: &Spec, root: &NewRoot, visit: Option<&Visit>, grants: &mut Grants) -> Result<(), Failure> {
    let size = SHARED_MEMORY.min(spec.limits.memory).to_string();
    // An image's own /dev would be read-only beneath; a small file system of our own holds the nodes.
    let folder = Tree::fresh("tmpfs", &[("size", "64k"), ("mode", "0755")]).step("mount /dev")?;
    root.attach_folder(Path::new("/dev"), folder).step("mount /dev")?;
    for name in DEVICES {
        let path = Path::new("/dev").join(name);
        let tree = Tree::bind(&path).and_then(|tree| tree.set(AttributesOf::Device));
        tree.and_then(|tree| root.attach_file(&path, tree)).step_with(|| format!("mount {}", path.display()))?;
        grants.push((path, Access::Use));
    }
    for (name, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        root.link(&Path::new("/dev").join(name), to).step_with(|| format!("link /dev/{name}"))?;
    }
    visit.map_or(Ok(()), |visit| visit.devices(root, grants))?;
    let shared = Path::new("/dev/shm");
    let tree = Tree::fresh("tmpfs", &[("size", &size), ("mode", "1777")]).step("mount /dev/shm")?;
    root.attach_folder(shared, tree).step("mount /dev/shm")?;
    grants.push((shared.to_owned(), Access::Write));
    seal(root, Path::new("/dev")).step("seal /dev")
}

fn processes(root: &NewRoot) -> Result<(), Failure> {
    let proc = Path::new("/proc");
    let tree = Tree::fresh("proc", &[]).step("mount /proc")?;
    root.attach_folder(proc, tree).step("mount /proc")?;
    let here = root.open(proc).step("open /proc")?;
    for name in PROC_READ_ONLY {
        let Ok(target) = root.open(&proc.join(name)) else { continue };
        let tree = Tree::bind_at(&here, name).and_then(|tree| tree.set(AttributesOf::Data));
        tree.and_then(|tree| tree.attach(target)).step_with(|| format!("make /proc/{name} read-only"))?;
    }
    for name in PROC_EMPTY {
        let Ok(target) = root.open(&proc.join(name)) else { continue };
        let tree = Tree::bind("/dev/null").and_then(|tree| tree.set(AttributesOf::Device));
        tree.and_then(|tree| tree.attach(target)).step_with(|| format!("empty /proc/{name}"))?;
    }
    for name in PROC_HIDDEN {
        let Ok(target) = root.open(&proc.join(name)) else { continue };
        let tree = Tree::fresh("tmpfs", &[("size", "4k"), ("mode", "0555")]);
        let tree = tree.and_then(|tree| tree.set(AttributesOf::Data));
        tree.and_then(|tree| tree.attach(target)).step_with(|| format!("hide /proc/{name}"))?;
    }
    Ok(())
}

/// Makes the one mount at `path` read-only, not those below it.
fn seal(root: &NewRoot, path: &Path) -> std::io::Result<()> {
    let set = crate::sys::AttributeSet { read_only: true, no_devices: true, no_exec: false };
    crate::sys::set_mount_attributes(root.open(path)?, set, false)
}

/// Seals the root, moves into it and lets the old one go.
fn finish(root: &NewRoot) -> Result<(), Failure> {
    seal(root, Path::new("/")).step("seal the root")?;
    fchdir(root.fd()).step("enter the root")?;
    pivot_root(".", ".").step("pivot")?;
    unmount(".", UnmountFlags::DETACH).step("detach the old root")?;
    rustix::process::chdir("/").step("enter the root")
}
