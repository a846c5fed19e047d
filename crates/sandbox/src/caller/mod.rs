//! The calling side of a run: starts supervisors and learns from their locks and reports, not from being their parent.
//! So any process of the same user may wait for, stop or remove a run, also after the one that started it is gone.

mod order;
mod remove;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::inside::init_timespec;
use crate::messages::Mode as Isolation;
use crate::runtime::{Capabilities, Error, Runtime, Sample};
use crate::supervisor::{born, files, read_exit, reclaim, start_failure};
use crate::weaker::Weaker;
use crate::{Exit, Spec, entry, probe};

/// How the runtimes of this room are set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeOptions {
    /// The program to execute again as supervisor. Its `main` must call [`crate::entry::run`] when
    /// [`crate::entry::is_supervisor_call`] says so, before anything else.
    pub supervisor: PathBuf,
    /// Folder of root's locks over outside ids, one for the whole machine; not used by ordinary users.
    pub slots: PathBuf,
}

impl Default for NativeOptions {
    /// This program itself.
    fn default() -> Self {
        Self { supervisor: "/proc/self/exe".into(), slots: "/run/cloister/slots".into() }
    }
}

/// The native runtime of spec sandbox.md 7: namespaces, Landlock, system call filter.
#[derive(Debug, Default)]
pub struct Native {
    options: NativeOptions,
    found: OnceLock<Capabilities>,
    weaker: Weaker,
}

/// Level `none` of spec sandbox.md 4: a process group in the run's folder. Only by a person's explicit wish.
#[derive(Debug, Default)]
pub struct Unisolated {
    options: NativeOptions,
}

impl Native {
    /// A runtime with these options.
    #[must_use]
    pub fn new(options: NativeOptions) -> Self {
        Self { options, found: OnceLock::new(), weaker: Weaker::default() }
    }

    /// For tests of the walls: runs go without some. Does not exist in a release build.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    #[must_use]
    pub fn without(self, without: Vec<crate::Wall>) -> Self {
        Self { weaker: Weaker { without }, ..self }
    }

    /// Tries every capability again, without what [`Runtime::probe`] remembers.
    #[must_use]
    pub fn probe_again(&self) -> Capabilities {
        let output = Command::new(&self.options.supervisor)
            .args([entry::SUPERVISOR, entry::PROBE])
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        match output {
            Ok(output) => probe::capabilities(&output.stdout, "the attempt was killed"),
            Err(error) => {
                let what = format!("cannot execute {}: {error}", self.options.supervisor.display());
                probe::capabilities(&[], &what)
            }
        }
    }
}

impl Unisolated {
    /// A runtime with these options.
    #[must_use]
    pub fn new(options: NativeOptions) -> Self {
        Self { options }
    }
}

impl Runtime for Native {
    fn probe(&self) -> Capabilities {
        self.found.get_or_init(|| self.probe_again()).clone()
    }

    fn start(&self, spec: &Spec) -> Result<(), Error> {
        let started = order::start(spec, Isolation::Isolated, self.weaker.clone(), &self.options);
        let Err(Error::CouldNotStart(reason)) = started else { return started };
        // If the machine as such is the cause, all of its gaps are told at once.
        let missing: Vec<String> = self.probe_again().missing().map(|(name, why)| format!("{name}: {why}")).collect();
        Err(if missing.is_empty() { Error::CouldNotStart(reason) } else { Error::CannotIsolate(missing) })
    }

    fn wait(&self, spec: &Spec) -> Result<Exit, Error> {
        wait(spec)
    }

    fn stop(&self, spec: &Spec, grace: Duration) -> Result<(), Error> {
        stop(spec, grace)
    }

    fn sample(&self, spec: &Spec) -> Option<Sample> {
        sample(&spec.folder)
    }

    fn remove(&self, spec: &Spec) -> Result<(), Error> {
        remove::remove(spec)
    }
}

impl Runtime for Unisolated {
    fn probe(&self) -> Capabilities {
        Capabilities { items: Vec::new() }
    }

    fn start(&self, spec: &Spec) -> Result<(), Error> {
        if spec.isolation > crate::IsolationLevel::None {
            return Err(Error::CouldNotStart(format!("level none is below the required {:?}", spec.isolation)));
        }
        order::start(spec, Isolation::Unisolated, Weaker::default(), &self.options)
    }

    fn wait(&self, spec: &Spec) -> Result<Exit, Error> {
        wait(spec)
    }

    fn stop(&self, spec: &Spec, grace: Duration) -> Result<(), Error> {
        stop(spec, grace)
    }

    fn sample(&self, spec: &Spec) -> Option<Sample> {
        sample(&spec.folder)
    }

    fn remove(&self, spec: &Spec) -> Result<(), Error> {
        remove::remove(spec)
    }
}

/// An error about a file of the run.
fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { what, path, source }
}

fn open_lock(spec: &Spec) -> Result<OwnedFd, Error> {
    let path = spec.folder.join(files::LOCK);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(&path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => Error::NotFound(spec.name.clone()),
        error => io_error("open the lock", &path)(error.into()),
    })
}

/// Whether somebody holds the lock for writing, which only a supervisor and its process 1 do.
fn is_held(lock: &OwnedFd) -> bool {
    match flock(lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            let _ = flock(lock, FlockOperation::Unlock);
            false
        }
        Err(_) => true,
    }
}

fn wait(spec: &Spec) -> Result<Exit, Error> {
    let lock = open_lock(spec)?;
    while let Err(error) = flock(&lock, FlockOperation::LockShared) {
        if error != Errno::INTR {
            return Err(io_error("wait for the lock", &spec.folder.join(files::LOCK))(error.into()));
        }
    }
    drop(lock);
    order::reap(&spec.folder);
    let read = |error| io_error("read how the run ended", &spec.folder.join(files::EXIT))(error);
    if let Some(exit) = read_exit(&spec.folder).map_err(read)? {
        return Ok(exit);
    }
    if let Some(failure) = start_failure(&spec.folder).map_err(read)? {
        return Err(Error::CouldNotStart(failure.to_string()));
    }
    reclaim(&spec.folder).map_err(|failure| Error::Stuck(spec.name.clone(), failure.to_string()))?;
    Err(Error::Lost(spec.name.clone()))
}

/// How long the end of a supervisor may take after everything was killed before the run counts as stuck.
const PATIENCE: Duration = Duration::from_secs(10);

fn stop(spec: &Spec, grace: Duration) -> Result<(), Error> {
    let lock = open_lock(spec)?;
    let stuck = |reason: &str| Error::Stuck(spec.name.clone(), reason.to_owned());
    if is_held(&lock) {
        let path = spec.folder.join(files::STOP);
        fs::write(&path, grace.as_millis().to_string()).map_err(io_error("order the run to stop", &path))?;
        if let Some(supervisor) = supervisor(spec, &lock)? {
            let _ = pidfd_send_signal(&supervisor, Signal::TERM);
            if !ends_within(&supervisor, grace.saturating_add(PATIENCE)) {
                let _ = pidfd_send_signal(&supervisor, Signal::KILL);
                if !ends_within(&supervisor, PATIENCE) {
                    return Err(stuck("its supervisor does not die"));
                }
            }
        }
    }
    match wait(spec) {
        Ok(_) | Err(Error::CouldNotStart(_) | Error::Lost(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The living supervisor of a held lock. It notes itself a moment after it takes the lock.
fn supervisor(spec: &Spec, lock: &OwnedFd) -> Result<Option<OwnedFd>, Error> {
    let begin = Instant::now();
    while is_held(lock) {
        let read = born(&spec.folder).map_err(io_error("read who runs the run", &spec.folder.join(files::BORN)))?;
        if let Some(pid) = read.and_then(|born| Pid::from_raw(born.supervisor)) {
            let Ok(found) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(None) };
            // Held still, so the number is still the supervisor's.
            return Ok(is_held(lock).then_some(found));
        }
        if begin.elapsed() > PATIENCE {
            return Err(Error::Stuck(spec.name.clone(), "its supervisor does not begin".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(None)
}

fn ends_within(process: &OwnedFd, time: Duration) -> bool {
    let begin = Instant::now();
    loop {
        let mut waited = [PollFd::new(process, PollFlags::IN)];
        let left = time.saturating_sub(begin.elapsed());
        match poll(&mut waited, Some(&init_timespec(left))) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(_) if left.is_zero() => return false,
            Err(_) => {}
        }
    }
}

fn sample(folder: &Path) -> Option<Sample> {
    let lock = open(folder.join(files::LOCK), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    if !is_held(&lock) {
        return None;
    }
    let text = fs::read_to_string(folder.join(files::SAMPLE)).ok()?;
    let (cpu_seconds, memory) = serde_json::from_str(text.trim()).unwrap_or((0.0, 0));
    Some(Sample { cpu_seconds, memory })
}

/// A supervisor of ours, to be reaped, and our end of its control socket.
struct Kept {
    child: Child,
    _control: std::os::unix::net::UnixStream,
}
