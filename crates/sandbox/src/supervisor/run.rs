//! One run from its order to its report: folders, ids, groups, the fork, the watch, and the cleaning up.
//! Whatever fails before the command is executed ends here with a reason and nothing left behind.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::accounts::Accounts;
use super::cgroup::Groups;
use super::events::{Ended, watch};
use super::log::Log;
use super::report::{Born, started, write_whole};
use super::slot::Slot;
use super::{Control, Lock, files, owner, slot, unisolated};
use crate::failure::{Failure, Step};
use crate::inside::{self, Birth, Ids};
use crate::messages::{Down, Mode as Isolation, Order, Reply, Up, hear, pair, tell};
use crate::{Exit, IsolationLevel, OutOfMemory, Spec, Usage, sys};

/// The processes of a run.
pub(super) enum Body {
    /// Process 1 of its own namespace, and the socket to it.
    Isolated { init: Pid, channel: OwnedFd },
    /// The main process, leader of its group.
    Unisolated { main: Pid },
}

impl Body {
    /// The process whose end is the run's.
    pub(super) fn first(&self) -> Pid {
        match self {
            Self::Isolated { init, .. } => *init,
            Self::Unisolated { main } => *main,
        }
    }
}

/// A run whose command was executed.
pub(super) struct Running<'a> {
    pub(super) spec: &'a Spec,
    pub(super) body: Body,
    /// Readable when `body` has ended.
    pub(super) ended: OwnedFd,
    pub(super) output: OwnedFd,
    pub(super) log: Log,
    /// Counts its files; `None` at level `none`.
    pub(super) accounts: Option<Accounts>,
    pub(super) level: IsolationLevel,
    pub(super) began: Instant,
}

/// What is taken before the fork and returned after the end.
struct Held {
    groups: Groups,
    slot: Option<Slot>,
}

/// The folders of a run that it may write.
pub(super) fn writable(spec: &Spec) -> [PathBuf; 2] {
    ["workspace", "tmp"].map(|name| spec.folder.join(name))
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Does all of it.
pub(super) fn run(order: Order, control: Control, lock: Lock) -> Result<(), Failure> {
    let signals = sys::signal_fd(&[libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1]).step("signals")?;
    if order.spec.die_with_parent {
        rustix::process::set_parent_process_death_signal(Some(Signal::USR1)).step("parent-death signal")?;
    }
    let spec = &order.spec;
    let mut held = Held { groups: Groups::default(), slot: None };
    match start(&order, &lock, &mut held) {
        Ok(mut running) => {
            let (wall, begun) = (SystemTime::now(), Instant::now());
            let caller = spec.die_with_parent.then_some((&control, order.caller));
            control.reply(&Reply::Started);
            let ended = watch(&mut running, &signals, caller, &held.groups);
            let exit = exit_of(&running, &ended, &held.groups, wall, begun.elapsed());
            let Running { log, .. } = running;
            // A log that cannot be written, for lack of space, must not lose how the run ended.
            let logged = log.finish().step("write the log");
            let cleaned = clean_up(spec, &held);
            write_whole(&spec.folder, files::EXIT, &exit, true).step("write the report")?;
            let _ = fs::remove_file(spec.folder.join(files::SAMPLE));
            cleaned.and(logged)
        }
        Err(failure) => {
            let cleaned = clean_up(spec, &held);
            write_whole(&spec.folder, files::START_FAILURE, &failure, true).step("write the report")?;
            control.reply(&Reply::Failed(failure));
            cleaned
        }
    }
}

fn clean_up(spec: &Spec, held: &Held) -> Result<(), Failure> {
    let removed = held.groups.remove();
    let mut returned = Ok(());
    if let Some(slot) = &held.slot {
        for folder in writable(spec) {
            returned = returned.and(owner::give_back(&folder, slot.id, own_ids()).map(drop));
        }
    }
    // What stands in the way of a clean end is left for `remove` to try again.
    if removed.is_ok() && returned.is_ok() {
        let _ = fs::remove_file(spec.folder.join(files::BORN));
    }
    let _ = fs::remove_dir(spec.folder.join(inside::MOUNT_POINT));
    removed.and(returned)
}

fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

fn start<'a>(order: &'a Order, lock: &Lock, held: &mut Held) -> Result<Running<'a>, Failure> {
    let spec = &order.spec;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    for folder in writable(spec) {
        builder.create(&folder).step_with(|| format!("make {}", folder.display()))?;
    }
    let log = Log::create(&spec.folder.join(files::LOG), spec.limits.log).step("make the log")?;
    let (output, for_run) = pipe_with(PipeFlags::CLOEXEC).step("output pipe")?;
    rustix::io::ioctl_fionbio(&output, true).step("output pipe")?;
    let (body, ended, accounts, level) = match order.mode {
        Isolation::Isolated => isolated(order, lock, for_run, held)?,
        Isolation::Unisolated => {
            let main = unisolated::start(spec, for_run)?;
            remember(spec, main, held)?;
            (Body::Unisolated { main }, look_at(main)?, None, IsolationLevel::None)
        }
    };
    Ok(Running { spec, body, ended, output, log, accounts, level, began: Instant::now() })
}

fn remember(spec: &Spec, first: Pid, held: &Held) -> Result<(), Failure> {
    let first = first.as_raw_nonzero().get();
    let born = Born {
        supervisor: i32::try_from(std::process::id()).unwrap_or(0),
        init: first,
        init_started: started(first).unwrap_or(0),
        groups: held.groups.paths(),
        id: held.slot.as_ref().map(|slot| (slot.id, own_ids())),
    };
    write_whole(&spec.folder, files::BORN, &born, false).step("note who runs the run")
}

fn look_at(process: Pid) -> Result<OwnedFd, Failure> {
    pidfd_open(process, PidfdFlags::empty()).step("watch the run")
}

type Isolated = (Body, OwnedFd, Option<Accounts>, IsolationLevel);

fn isolated(order: &Order, lock: &Lock, output: OwnedFd, held: &mut Held) -> Result<Isolated, Failure> {
    let spec = &order.spec;
    let point = spec.folder.join(inside::MOUNT_POINT);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&point).step("make the mount point")?;
    let ids = if root() {
        let slot = held.slot.insert(slot::take(&order.slots)?);
        for folder in writable(spec) {
            owner::give(&folder, slot.id)?;
        }
        Ids { uid: slot.id, gid: slot.id, own_range: true }
    } else {
        Ids { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw(), own_range: false }
    };
    if ids.own_range {
        held.groups = Groups::make(&group_name(spec), &spec.limits);
    }
    let (channel, for_run) = pair().step("socket to process 1")?;
    let lock = lock.try_clone().step("lock")?;
    let birth = Birth {
        spec,
        weaker: &order.weaker,
        ids,
        enforced: held.groups.enforced(),
        channel: for_run,
        output,
        lock,
        visit: None,
    };
    let init = bear(&birth, inside::birth_namespaces(&ids))?;
    drop(birth);
    // Before anything of the run is executed: a run that cannot be watched must not begin.
    let raised = look_at(init).and_then(|ended| Ok((ended, raise(init, &channel, ids, held, spec)?)));
    match raised {
        Ok((ended, (accounts, level))) => Ok((Body::Isolated { init, channel }, ended, Some(accounts), level)),
        Err(failure) => {
            abandon(init);
            Err(failure)
        }
    }
}

/// Accompanies process 1 until it has executed the command.
fn raise(
    init: Pid,
    channel: &OwnedFd,
    ids: Ids,
    held: &Held,
    spec: &Spec,
) -> Result<(Accounts, IsolationLevel), Failure> {
    remember(spec, init, held)?;
    let folders = writable(spec);
    let folders = folders.each_ref().map(AsRef::as_ref);
    let accounts = if ids.own_range {
        let accounts = Accounts::start(init, &folders, None, spec.limits.disk)?;
        held.groups.join(init)?;
        tell(channel, &Down::Joined).step("tell process 1")?;
        accounts
    } else {
        inside::write_maps(init, ids)?;
        // Taken now: process 1 will soon let nobody look at it.
        let path = format!("/proc/{}/ns/user", init.as_raw_nonzero());
        let namespace = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step("open the user namespace")?;
        let accounts = Accounts::start(init, &folders, Some(&namespace), spec.limits.disk)?;
        tell(channel, &Down::IdsWritten).step("tell process 1")?;
        accounts
    };
    let level = until_executed(channel, || inside::write_maps(init, ids))?;
    match accounts.read() {
        Some(_) => Ok((accounts, level)),
        None => Err(Failure::new("count disk use", "the counting process has ended")),
    }
}

/// Gives process 1 its ids when it asks for them, and hears of it until it has executed the command.
pub(super) fn until_executed(
    channel: &OwnedFd,
    write_maps: impl Fn() -> Result<(), Failure>,
) -> Result<IsolationLevel, Failure> {
    loop {
        match hear::<Up>(channel.as_fd()).step("hear process 1")? {
            Some(Up::NeedIds) => {
                write_maps()?;
                tell(channel, &Down::IdsWritten).step("tell process 1")?;
            }
            Some(Up::Executed(level)) => return Ok(level),
            Some(Up::Failed(failure)) => return Err(failure),
            Some(other) => return Err(Failure::new("hear process 1", format!("unexpected message {other:?}"))),
            None => return Err(Failure::new("process 1", "it ended before the command was executed")),
        }
    }
}

/// Process 1, in its new namespaces.
pub(super) fn bear(birth: &Birth<'_>, namespaces: i32) -> Result<Pid, Failure> {
    match sys::fork(namespaces) {
        Ok(sys::Fork::Child) => inside::run(birth),
        Ok(sys::Fork::Parent(init)) => Ok(init),
        Err(error) => Err(Failure::new("new namespaces", error)),
    }
}

/// Ends a process 1 that could not be raised.
pub(super) fn abandon(init: Pid) {
    let _ = kill_process(init, Signal::KILL);
    let _ = waitpid(Some(init), WaitOptions::empty());
}

/// Letters, digits and dashes, unique by the supervisor's own number.
fn group_name(spec: &Spec) -> String {
    let safe: String = spec.name.0.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    format!("cloister-{safe}-{}", std::process::id())
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn exit_of(running: &Running<'_>, ended: &Ended, groups: &Groups, wall: SystemTime, lasted: Duration) -> Exit {
    let counted = groups.counted();
    let (out_of_memory, children_out_of_memory) = ended.out_of_memory(running, counted.memory_kills);
    let most = ended.peak_memory.max(ended.largest);
    Exit {
        code: ended.code,
        signal: ended.signal,
        out_of_memory,
        children_out_of_memory,
        ended_by: ended.cause,
        started: unix_seconds(wall),
        // By a clock that nobody sets: how long it ran is right whatever happened to the wall clock meanwhile.
        ended: unix_seconds(wall) + lasted.as_secs_f64(),
        usage: Usage {
            cpu_seconds: counted.cpu_nanoseconds.map_or(ended.cpu_seconds, |counted| counted as f64 / 1e9),
            // The group's own peak has the file cache in it: an upper bound, exact when memory ran out.
            peak_memory: match (counted.peak_memory, out_of_memory) {
                (Some(peak), OutOfMemory::Yes) => peak,
                (Some(peak), _) => peak.min(most),
                (None, _) => most,
            },
            peak_processes: counted.peak_processes.unwrap_or(0).max(ended.peak_processes).max(1),
        },
        isolation: running.level,
    }
}
