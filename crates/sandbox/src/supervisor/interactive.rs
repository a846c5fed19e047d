//! The supervisor of one command in a person's terminal: this process was `cloister exec` and ends with its code.
//! Spec cli.md 8, sandbox.md 3. No record is kept; the walls inside are those of a job.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, Gid, Uid, flock};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::cgroup::Groups;
use super::files;
use super::report::{Born, started, write_whole};
use super::slot::{self, Slot};
use super::terminal::{self, Relay};
use crate::failure::{Failure, Step};
use crate::inside::{self, Birth, Ids, Streams, Tree, Visit};
use crate::interactive::{Interactive, InteractiveOrder, Network, sweeping};
use crate::messages::{Down, Up, hear, pair, tell};
use crate::{IsolationLevel, RunName, Spec, sys};

/// From an order to end to KILL.
const GRACE: Duration = Duration::from_secs(3);

/// Runs as the supervisor of a command.
pub(crate) fn main() -> ExitCode {
    match supervise() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: the sandbox could not be started: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn supervise() -> Result<u8, Failure> {
    sys::block_all().step("signals")?;
    let InteractiveOrder { what, slots } = order()?;
    let folder = Folder::make(&what.runs)?;
    let spec = spec(&what, &folder.path);
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH];
    let signals = sys::signal_fd(&signals).step("signals")?;
    let mut held = Held::take(&what, &slots, &folder.path)?;
    if held.ids.own_range {
        held.groups = Groups::make(&format!("cloister-exec-{}", std::process::id()), &what.limits);
    }
    let (relay, streams) = match terminal::open()? {
        None => (None, Streams::Inherited),
        Some((relay, side)) => (Some(relay), Streams::Terminal { side: side.fd, with_error: side.with_error }),
    };
    let begun = begin(&what, &spec, &folder, &mut held, streams);
    let ended = begun.and_then(|(init, channel)| {
        if let Some(relay) = &relay {
            relay.begin()?;
        }
        let ended = pidfd_open(init, PidfdFlags::empty()).step("watch the command")?;
        let memory = spec.limits.memory;
        Ok(Watch { init, channel, ended, relay, memory, code: 128 + libc::SIGKILL, end: End::Own, kill_at: None }
            .all(&signals))
    });
    let killed_for_memory = held.groups.counted().memory_kills.is_some_and(|kills| kills > 0);
    let cleaned = held.groups.remove();
    let (code, end) = ended?;
    if end == End::Memory || (killed_for_memory && code == 128 + libc::SIGKILL) {
        let limit = spec.limits.memory >> 20;
        let _ = writeln!(
            std::io::stderr(),
            "error: the command was ended: it used more memory than {limit} MiB (--memory)"
        );
    }
    cleaned?;
    drop(folder);
    Ok(if end == End::Ordered { 143 } else { u8::try_from(code).unwrap_or(1) })
}

/// The order, from the descriptor that the third argument names.
fn order() -> Result<InteractiveOrder, Failure> {
    let step = "read the order";
    let number = std::env::args().nth(3).and_then(|word| word.parse().ok());
    let mut file = sys::passed(number.ok_or_else(|| Failure::new(step, "no descriptor is named"))?).step(step)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).step(step)?;
    serde_json::from_slice(&text).step(step)
}

/// The parts of a job's specification that the inside goes by.
fn spec(what: &Interactive, folder: &Path) -> Spec {
    Spec {
        name: RunName(format!("exec-{}", std::process::id())),
        root: what.root.clone(),
        argv: what.argv.clone(),
        env: what.env.clone(),
        folder: folder.to_owned(),
        limits: what.limits.clone(),
        grace: GRACE,
        isolation: IsolationLevel::Full,
        die_with_parent: true,
    }
}

/// A temporary folder, removed at the end; its lock tells that we live.
struct Folder {
    path: PathBuf,
    lock: OwnedFd,
}

impl Folder {
    fn make(runs: &Path) -> Result<Self, Failure> {
        let step = || format!("make a folder in {}", runs.display());
        DirBuilder::new().recursive(true).mode(0o700).create(runs).step_with(step)?;
        let runs = runs.canonicalize().step_with(step)?;
        let swept = sweeping(&runs).step_with(step)?;
        let path = runs.join(format!("exec-{}", std::process::id()));
        if path.exists() {
            // Of a killed process that had this number.
            super::reclaim(&path)?;
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
struct Held {
    ids: Ids,
    taken: Option<Tree>,
    groups: Groups,
    _slot: Option<Slot>,
}

impl Held {
    fn take(what: &Interactive, slots: &Path, folder: &Path) -> Result<Self, Failure> {
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

/// Starts process 1 and accompanies it until it has executed the command.
fn begin(
    what: &Interactive,
    spec: &Spec,
    folder: &Folder,
    held: &mut Held,
    streams: Streams,
) -> Result<(Pid, OwnedFd), Failure> {
    let (channel, for_run) = pair().step("socket to process 1")?;
    let ids = held.ids;
    let visit = Visit {
        project: what.project.clone(),
        taken: held.taken.take(),
        streams,
        network: what.network,
        user: what.user,
    };
    let null = File::open("/dev/null").step("open /dev/null")?;
    let birth = Birth {
        spec,
        ids,
        enforced: held.groups.enforced(),
        channel: for_run,
        output: null.into(),
        lock: folder.lock.try_clone().step("lock")?,
        visit: Some(visit),
    };
    let own_network = if what.network == Network::Off { libc::CLONE_NEWNET } else { 0 };
    let namespaces = inside::birth_namespaces(&ids) & !libc::CLONE_NEWNET | own_network;
    let init = match sys::fork(namespaces) {
        Ok(sys::Fork::Child) => inside::run(&birth),
        Ok(sys::Fork::Parent(init)) => init,
        Err(error) => return Err(Failure::new("new namespaces", error)),
    };
    drop(birth);
    let raised = raise(init, &channel, what.user, folder, held);
    if raised.is_err() {
        let _ = kill_process(init, Signal::KILL);
        let _ = waitpid(Some(init), WaitOptions::empty());
    }
    raised.map(|()| (init, channel))
}

fn raise(init: Pid, channel: &OwnedFd, user: (u32, u32), folder: &Folder, held: &Held) -> Result<(), Failure> {
    let number = init.as_raw_nonzero().get();
    let born = Born {
        supervisor: i32::try_from(std::process::id()).unwrap_or(0),
        init: number,
        init_started: started(number).unwrap_or(0),
        groups: held.groups.paths(),
        id: None,
    };
    write_whole(&folder.path, files::BORN, &born, false).step("note who runs the command")?;
    if held.ids.own_range {
        held.groups.join(init)?;
        tell(channel, &Down::Joined).step("tell process 1")?;
    } else {
        inside::write_maps_as(init, held.ids, user)?;
        tell(channel, &Down::IdsWritten).step("tell process 1")?;
    }
    loop {
        match hear::<Up>(channel.as_fd()).step("hear process 1")? {
            Some(Up::NeedIds) => {
                inside::write_maps_as(init, held.ids, user)?;
                tell(channel, &Down::IdsWritten).step("tell process 1")?;
            }
            Some(Up::Executed(_)) => return Ok(()),
            Some(Up::Failed(failure)) => return Err(failure),
            Some(other) => return Err(Failure::new("hear process 1", format!("unexpected message {other:?}"))),
            None => return Err(Failure::new("process 1", "it ended before the command was executed")),
        }
    }
}

/// Why the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By itself, or by a signal from its terminal.
    Own,
    /// We were told to end.
    Ordered,
    /// It used too much memory.
    Memory,
}

struct Watch {
    init: Pid,
    channel: OwnedFd,
    ended: OwnedFd,
    relay: Option<Relay>,
    memory: u64,
    code: i32,
    end: End,
    kill_at: Option<Instant>,
}

impl Watch {
    /// Until nothing of the command lives; its code, and why it ended.
    fn all(mut self, signals: &OwnedFd) -> (i32, End) {
        let mut listening = true;
        loop {
            let timeout = self.kill_at.map(|at| inside::init_timespec(at.saturating_duration_since(Instant::now())));
            let [ended, signalled, told] = {
                let nothing = PollFlags::empty();
                let channel = if listening { PollFlags::IN } else { nothing };
                let mut waited = vec![
                    PollFd::new(&self.ended, PollFlags::IN),
                    PollFd::new(signals, PollFlags::IN),
                    PollFd::new(&self.channel, channel),
                ];
                let relayed = self.relay.iter().flat_map(|relay| relay.waits());
                // A descriptor that is asked for nothing still tells of its end, again and again.
                waited.extend(
                    relayed
                        .filter(|(_, flags)| !flags.is_empty())
                        .map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)),
                );
                let _ = poll(&mut waited, timeout.as_ref());
                [0, 1, 2].map(|n: usize| waited.get(n).is_some_and(|fd| !fd.revents().is_empty()))
            };
            if told && listening {
                listening = self.hear();
            }
            if signalled {
                self.signals(signals);
            }
            if ended {
                while listening {
                    listening = self.hear();
                }
                if let Some(relay) = &self.relay {
                    relay.to_person();
                }
                let _ = waitpid(Some(self.init), WaitOptions::empty());
                return (self.code, self.end);
            }
            if let Some(relay) = &mut self.relay
                && !relay.pass()
                && self.kill_at.is_none()
            {
                self.order();
            }
            if self.kill_at.is_some_and(|at| at <= Instant::now()) {
                let _ = kill_process(self.init, Signal::KILL);
                self.kill_at = None;
            }
        }
    }

    /// One message of process 1; `false` when no more will come.
    fn hear(&mut self) -> bool {
        match hear::<Up>(self.channel.as_fd()) {
            Ok(Some(Up::Main { code, .. })) => self.code = code,
            Ok(Some(Up::Sample { memory, .. })) if memory > self.memory => {
                self.end = End::Memory;
                let _ = kill_process(self.init, Signal::KILL);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    fn order(&mut self) {
        self.end = End::Ordered;
        let _ = tell(&self.channel, &Down::Terminate);
        self.kill_at = Some(Instant::now() + GRACE);
    }

    fn signals(&mut self, signals: &OwnedFd) {
        for number in came(signals) {
            match number {
                libc::SIGWINCH => self.relay.iter().for_each(Relay::resize),
                libc::SIGTERM | libc::SIGHUP => self.order(),
                other => drop(tell(&self.channel, &Down::Signal(other))),
            }
        }
    }
}

/// The numbers of the signals that have come.
fn came(signals: &OwnedFd) -> Vec<i32> {
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    let mut numbers = Vec::new();
    let mut buffer = [0; SIZE];
    while rustix::io::read(signals, &mut buffer[..]).is_ok_and(|read| read == SIZE) {
        // The number is the first field.
        let number = buffer.first_chunk::<4>().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
        numbers.push(number);
    }
    numbers
}
