//! What happens on the inner side of the fork: from new namespaces to process 1 watching the main process.
//! The order is that of spec sandbox.md 7; a failing step is told to the supervisor and nothing is executed.

mod etc;
mod filter;
mod host;
mod ids;
mod init;
mod landlock;
mod limits;
mod main_process;
mod memory;
mod modes;
mod mounts;
mod overlay;
mod privileges;
mod program;
mod root;
mod syscalls;
mod visit;

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

pub(crate) use self::filter::{Workspace, program as filter_program};
pub(crate) use self::ids::{Ids, write_maps, write_maps_as};
pub(crate) use self::init::{outcome, timespec as init_timespec};
pub(crate) use self::landlock::{newer_support as landlock_newer, support as landlock_support};
pub(crate) use self::limits::Enforced;
pub(crate) use self::main_process::{await_execution, exit_now, leave, redirect};
pub(crate) use self::mounts::{AttributesOf, Tree};
pub(crate) use self::program::{c_path, c_strings, explain, find};
pub(crate) use self::root::MOUNT_POINT;
pub(crate) use self::visit::{Streams, Visit};

use crate::failure::{Failure, Step};
use crate::interactive::{Network, USER};
use crate::messages::{Down, Up, hear, tell};
use crate::weaker::Weaker;
use crate::{IsolationLevel, Spec, sys};

/// The host name of every sandbox.
pub(crate) const HOST_NAME: &str = "sandbox";

/// What process 1 is given.
pub(crate) struct Birth<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) weaker: &'a Weaker,
    pub(crate) ids: Ids,
    /// Which limits the control groups hold already.
    pub(crate) enforced: Enforced,
    /// To and from the supervisor.
    pub(crate) channel: OwnedFd,
    /// Becomes standard output and error of the run.
    pub(crate) output: OwnedFd,
    /// Kept open so that the run's lock is free only when process 1 is gone too.
    pub(crate) lock: OwnedFd,
    /// For a command in a person's terminal; a job has none.
    pub(crate) visit: Option<Visit>,
}

/// The namespaces to be born in. Root enters its user namespace last, after all that needs privilege over the host.
pub(crate) fn birth_namespaces(ids: &Ids) -> libc::c_int {
    let all = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if ids.own_range { all } else { all | libc::CLONE_NEWUSER | libc::CLONE_NEWCGROUP }
}

/// Runs as process 1; never returns.
pub(crate) fn run(birth: &Birth<'_>) -> ! {
    match enter(birth) {
        Ok(main) => init::watch(birth, main),
        Err(failure) => {
            // The supervisor also sees the socket close, so a lost message is still a failed start.
            let _ = tell(&birth.channel, &Up::Failed(failure));
            exit_now(1)
        }
    }
}

fn expect(birth: &Birth<'_>, step: &str, right: impl Fn(&Down) -> bool) -> Result<(), Failure> {
    match hear::<Down>(&birth.channel).step(step)? {
        Some(message) if right(&message) => Ok(()),
        Some(message) => Err(Failure::new(step, format!("unexpected message {message:?}"))),
        None => Err(Failure::new(step, "the supervisor is gone")),
    }
}

fn enter(birth: &Birth<'_>) -> Result<rustix::process::Pid, Failure> {
    sys::block_all().step("signals")?;
    set_parent_process_death_signal(Some(Signal::KILL)).step("parent-death signal")?;
    let mut kept = vec![birth.channel.as_raw_fd(), birth.output.as_raw_fd(), birth.lock.as_raw_fd()];
    kept.extend(birth.visit.iter().flat_map(Visit::kept));
    sys::close_all_but(&kept).step("close descriptors")?;
    if !birth.ids.own_range {
        expect(birth, "id maps", |message| matches!(message, Down::IdsWritten))?;
    }
    let grants = root::enter(birth.spec, birth.weaker, birth.visit.as_ref())?;
    if birth.visit.as_ref().is_none_or(|visit| visit.network == Network::Off) {
        sys::loopback_up().step("loopback up")?;
    }
    rustix::system::sethostname(HOST_NAME.as_bytes()).step("host name")?;
    if birth.ids.own_range {
        leave_host_ids(birth)?;
    }
    let level = match landlock::support() {
        Ok(_) => IsolationLevel::Full,
        Err(_) if birth.spec.isolation <= IsolationLevel::FullWithoutLandlock => IsolationLevel::FullWithoutLandlock,
        Err(reason) => return Err(Failure::new("landlock", reason)),
    };
    privileges::drop_all()?;
    // Changing ids clears both settings; not dumpable also hides this process's memory and descriptors from the run.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).step("not dumpable")?;
    set_parent_process_death_signal(Some(Signal::KILL)).step("parent-death signal")?;
    let main = main_process::spawn(birth, &grants, level)?;
    tell(birth.channel.as_fd(), &Up::Executed(level)).step("tell the supervisor")?;
    Ok(main)
}

/// Root only: into the run's own control group view, user namespace and ids.
fn leave_host_ids(birth: &Birth<'_>) -> Result<(), Failure> {
    expect(birth, "control groups", |message| matches!(message, Down::Joined))?;
    sys::new_namespace(UnshareFlags::NEWCGROUP).step("control group namespace")?;
    rustix::thread::set_thread_groups(&[]).step("drop supplementary groups")?;
    sys::new_namespace(UnshareFlags::NEWUSER).step("user namespace")?;
    tell(&birth.channel, &Up::NeedIds).step("id maps")?;
    expect(birth, "id maps", |message| matches!(message, Down::IdsWritten))?;
    ids::become_inside(birth.visit.as_ref().map_or(USER, |visit| visit.user))
}
