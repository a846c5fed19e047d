//! What this machine can enforce, found by trying: each capability is used for real in a child of its own.
//! What is missing is told with the reason and, on the next line, what would mend it (spec sandbox.md 4, 7).

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{PidfdFlags, WaitOptions, getpid, pidfd_open, waitpid};

use crate::failure::{Failure, Step};
use crate::inside::{
    self, AttributesOf, Enforced, Ids, Tree, Workspace, await_execution, exit_now, filter_program, landlock_newer,
    landlock_support, write_maps,
};
use crate::runtime::{Capabilities, Capability};
use crate::{supervisor, sys};

/// How a capability is tried.
enum Attempt {
    /// In a child born into these namespaces, besides a user namespace where one is needed.
    Within(libc::c_int, fn() -> Result<(), Failure>),
    /// Here, where it changes nothing.
    Here(fn() -> Result<(), Failure>),
}

/// Name, whether it is required, how it is tried, what mends it.
type Item = (&'static str, bool, Attempt, &'static str);

const USER_NAMESPACES: &str = "allow user namespaces: sysctl -w user.max_user_namespaces=15000; on Debian also \
     kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; \
     in a container, allow them in its security profile";
const MOUNTS: &str = "allow mounting within user namespaces: on Ubuntu sysctl -w \
     kernel.apparmor_restrict_unprivileged_userns=0; in a container, do not mask /proc and allow mount in its \
     security profile";
const KERNEL: &str = "use Linux 5.13 or newer with this option built in";
const LANDLOCK: &str = "add landlock to the kernel's lsm= boot parameter (Linux 5.13 or newer)";
const NEWER: &str = "use a newer kernel; runs work without it";
const GROUPS: &str = "run as root on a machine with version 1 control groups; else limits rest on accounting";

fn items() -> [Item; 16] {
    use Attempt::{Here, Within};
    let fine = || Ok(());
    [
        ("user namespaces", true, Within(libc::CLONE_NEWUSER, fine), USER_NAMESPACES),
        ("mount namespaces", true, Within(libc::CLONE_NEWNS, private_mounts), MOUNTS),
        ("process namespaces", true, Within(libc::CLONE_NEWPID, process_one), USER_NAMESPACES),
        ("network namespaces", true, Within(libc::CLONE_NEWNET, loopback), USER_NAMESPACES),
        ("IPC namespaces", true, Within(libc::CLONE_NEWIPC, fine), USER_NAMESPACES),
        ("host name namespaces", true, Within(libc::CLONE_NEWUTS, host_name), USER_NAMESPACES),
        ("control group namespaces", true, Within(libc::CLONE_NEWCGROUP, fine), USER_NAMESPACES),
        ("mounting /proc", true, Within(libc::CLONE_NEWNS | libc::CLONE_NEWPID, proc), MOUNTS),
        ("read-only binds", true, Within(libc::CLONE_NEWNS, bind), MOUNTS),
        ("overlays", true, Within(libc::CLONE_NEWNS, overlay), MOUNTS),
        ("system call filter", true, Within(0, filter), KERNEL),
        ("no new privileges", true, Within(0, || rustix::thread::set_no_new_privs(true).step("prctl")), KERNEL),
        ("Landlock", true, Here(|| landlock_support().step("create a ruleset")), LANDLOCK),
        ("openat2", true, Here(beneath), KERNEL),
        ("pidfd", true, Here(|| pidfd_open(getpid(), PidfdFlags::empty()).step("pidfd_open").map(drop)), KERNEL),
        ("close_range", true, Within(0, || sys::close_on_exec_from(3).step("close_range")), KERNEL),
    ]
}

fn private_mounts() -> Result<(), Failure> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).step("mounts private")
}

fn process_one() -> Result<(), Failure> {
    if getpid().as_raw_nonzero().get() == 1 { Ok(()) } else { Err(Failure::new("getpid", "not process 1")) }
}

fn loopback() -> Result<(), Failure> {
    sys::loopback_up().step("loopback up")
}

fn host_name() -> Result<(), Failure> {
    rustix::system::sethostname(inside::HOST_NAME.as_bytes()).step("set the host name")
}

fn proc() -> Result<(), Failure> {
    private_mounts()?;
    let tree = Tree::fresh("proc", &[]).step("mount /proc")?;
    let over = rustix::fs::open("/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).step("open /proc")?;
    tree.attach(over).step("mount /proc")?;
    unmount("/proc", UnmountFlags::DETACH).step("unmount /proc")
}

fn bind() -> Result<(), Failure> {
    private_mounts()?;
    Tree::bind("/usr").and_then(|tree| tree.set(AttributesOf::Programs)).step("bind /usr read-only").map(drop)
}

fn overlay() -> Result<(), Failure> {
    private_mounts()?;
    Tree::fresh("overlay", &[("lowerdir", "/usr/bin:/usr/lib")]).step("mount an overlay").map(drop)
}

/// The filter must be taken, and must refuse.
fn filter() -> Result<(), Failure> {
    rustix::thread::set_no_new_privs(true).step("no new privileges")?;
    seccompiler::apply_filter(&filter_program(Enforced::default(), Workspace::Live)?).step("apply")?;
    match sys::new_namespace(rustix::thread::UnshareFlags::FS) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => Ok(()),
        Err(error) => Err(Failure::new("a refused call", error)),
        Ok(()) => Err(Failure::new("a refused call", "it was not refused")),
    }
}

fn beneath() -> Result<(), Failure> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(CWD, ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve).step("openat2").map(drop)
}

/// A child of its own tries; what it says is its failure.
fn within(flags: libc::c_int, body: fn() -> Result<(), Failure>) -> Result<(), Failure> {
    let root = rustix::process::geteuid().is_root();
    let flags = if flags != 0 && !root { flags | libc::CLONE_NEWUSER } else { flags };
    let mapped = flags & libc::CLONE_NEWUSER != 0;
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC).step("pipe")?;
    let (go, going) = pipe_with(PipeFlags::CLOEXEC).step("pipe")?;
    let child = match sys::fork(flags).step("fork")? {
        sys::Fork::Parent(child) => child,
        sys::Fork::Child => {
            drop(going);
            exit_now(try_it(&go, &tell, body))
        }
    };
    drop((tell, go));
    let maps = if mapped { write_maps(child, ids(root)) } else { Ok(()) };
    if maps.is_ok() {
        rustix::io::write(&going, b"g").step("pipe")?;
    }
    drop(going);
    let said = await_execution(&told);
    let status = waitpid(Some(child), WaitOptions::empty()).step("wait")?;
    maps?;
    match (said?, status.and_then(|(_, status)| status.exit_status())) {
        (Some(failure), _) => Err(failure),
        (None, Some(0)) => Ok(()),
        (None, _) => Err(Failure::new("try", "the attempt was killed")),
    }
}

fn try_it(go: &OwnedFd, tell: &OwnedFd, body: fn() -> Result<(), Failure>) -> i32 {
    let mut word = [0; 1];
    if !rustix::io::read(go, &mut word[..]).is_ok_and(|read| read == 1) {
        return 1;
    }
    let Err(failure) = body() else { return 0 };
    if let Ok(bytes) = serde_json::to_vec(&failure) {
        let _ = rustix::io::write(tell, &bytes);
    }
    1
}

fn ids(root: bool) -> Ids {
    if root {
        let first = supervisor::first_id();
        Ids { uid: first, gid: first, own_range: true }
    } else {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Ids { uid, gid, own_range: false }
    }
}

/// Tries all and prints the results in the order of [`names`], as JSON.
pub(crate) fn main() -> ExitCode {
    let found = items().map(|(_, _, attempt, _)| {
        let result = match attempt {
            Attempt::Within(flags, body) => within(flags, body),
            Attempt::Here(body) => body(),
        };
        result.map_err(|failure| failure.to_string())
    });
    let (device, scope) = landlock_newer();
    let groups = supervisor::cgroup_support().map(|(_, result)| result);
    let all: Vec<Result<(), String>> = found.into_iter().chain([device, scope]).chain(groups).collect();
    let printed = serde_json::to_vec(&all).is_ok_and(|bytes| std::io::stdout().write_all(&bytes).is_ok());
    if printed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All names with whether they are required and what mends them, in the order of the results.
fn names() -> Vec<(&'static str, bool, &'static str)> {
    let mut names: Vec<_> = items().into_iter().map(|(name, required, _, fix)| (name, required, fix)).collect();
    names.push(("refusing device control", false, NEWER));
    names.push(("keeping signals and sockets inside", false, NEWER));
    names.extend(["memory by cgroup", "processes by cgroup", "cores by cgroup"].map(|name| (name, false, GROUPS)));
    names
}

/// Puts names to the results that a trying process printed; `reason` stands for all when there are none.
pub(crate) fn capabilities(printed: &[u8], reason: &str) -> Capabilities {
    let results: Vec<Result<(), String>> = serde_json::from_slice(printed).unwrap_or_default();
    let items = names().into_iter().enumerate().map(|(number, (name, required, fix))| {
        let state = results.get(number).cloned().unwrap_or_else(|| Err(reason.to_owned()));
        Capability { name, required, state: state.map_err(|reason| format!("{reason}\n{fix}")) }
    });
    Capabilities { items: items.collect() }
}
