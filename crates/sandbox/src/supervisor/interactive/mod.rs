//! The supervisor of one command in a person's terminal: this process was `cloister exec` and ends with its code.
//! Spec cli.md 8, sandbox.md 3. No record is kept; the walls inside are those of a job.

mod held;
mod watch;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use self::held::{Folder, Held};
use self::watch::{End, Watch};
use super::cgroup::Groups;
use super::report::{Born, started, write_whole};
use super::run::{abandon, bear, until_executed};
use super::{files, terminal};
use crate::failure::{Failure, Step};
use crate::inside::{self, Birth, Streams, Visit};
use crate::interactive::{Interactive, InteractiveOrder, Network};
use crate::messages::{Down, pair, tell};
use crate::weaker::Weaker;
use crate::{IsolationLevel, RunName, Spec, sys};

/// From an order to end to KILL.
const GRACE: Duration = Duration::from_secs(3);
/// How long a terminal may take nothing when the command was made to end.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let (mut relay, streams) = match terminal::open()? {
        None => (None, Streams::Inherited),
        Some((relay, side)) => (Some(relay), Streams::Terminal { side: side.fd, stands_for: side.stands_for }),
    };
    let begun = begin(&what, &spec, &folder, &mut held, streams);
    let ended = begun.and_then(|(init, channel)| {
        if let Some(relay) = &mut relay {
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
        tell_person(format!("error: the command was ended: it used more memory than {limit} MiB (--memory)"));
    }
    cleaned?;
    drop(folder);
    Ok(if end == End::Ordered { 143 } else { u8::try_from(code).unwrap_or(1) })
}

/// On standard error, unless that is a terminal that takes nothing: then nobody reads it, and we end all the same.
fn tell_person(line: String) {
    let (told, done) = std::sync::mpsc::channel::<()>();
    // Without a thread nothing is said; the exit code tells it too.
    let _ = std::thread::Builder::new().spawn(move || {
        let _ = writeln!(std::io::stderr(), "{line}");
        drop(told);
    });
    let _ = done.recv_timeout(PATIENCE);
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
        weaker: &Weaker::default(),
        ids,
        enforced: held.groups.enforced(),
        channel: for_run,
        output: null.into(),
        lock: folder.lock.try_clone().step("lock")?,
        visit: Some(visit),
    };
    let own_network = if what.network == Network::Off { libc::CLONE_NEWNET } else { 0 };
    let namespaces = inside::birth_namespaces(&ids) & !libc::CLONE_NEWNET | own_network;
    let init = bear(&birth, namespaces)?;
    drop(birth);
    let raised = raise(init, &channel, what.user, folder, held);
    if raised.is_err() {
        abandon(init);
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
    until_executed(channel, || inside::write_maps_as(init, held.ids, user)).map(drop)
}
