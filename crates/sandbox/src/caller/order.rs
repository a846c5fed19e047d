//! Giving the order: the run's lock, a supervisor with a clean environment, and its answer.
//! Three descriptors pass over, as standard input (control), output (lock) and error (a file of the run).

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::{Kept, NativeOptions, io_error};
use crate::messages::{Mode, Order, Reply};
use crate::runtime::Error;
use crate::supervisor::files;
use crate::weaker::Weaker;
use crate::{Spec, entry};

/// Arguments and environment together (spec sandbox.md 6).
const WORDS: usize = 1 << 20;
/// How long a start may take at most: a large workspace changes its owner, a folder hangs on a lost server.
const PATIENCE: Duration = Duration::from_secs(300);
const ERRORS: &str = "supervisor-errors";

/// Supervisors started by this process, by folder of the run. Of the whole process and not of one runtime value: a run
/// that dies with its parent dies with the process.
static KEPT: Mutex<BTreeMap<PathBuf, Kept>> = Mutex::new(BTreeMap::new());

/// Reaps the supervisor of a run that has ended, if it is a child of this process.
pub(super) fn reap(folder: &Path) {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).remove(&folder);
    if let Some(mut kept) = kept {
        let _ = kept.child.wait();
    }
}

/// What would not even reach the command is refused here.
fn check(spec: &Spec) -> Result<(), String> {
    if spec.argv.is_empty() {
        return Err("the command is empty".to_owned());
    }
    let size = spec.argv.iter().map(|word| word.len() + 1).sum::<usize>()
        + spec.env.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
    if size > WORDS {
        return Err(format!("arguments and environment are {size} bytes long, the limit is {WORDS}"));
    }
    match spec.env.iter().find(|(name, _)| name.is_empty() || name.contains(['=', '\0'])) {
        Some((name, _)) => Err(format!("{name:?} is no name of an environment variable")),
        None => Ok(()),
    }
}

/// Starts a run; returns when its command was executed or could not be.
pub(super) fn start(spec: &Spec, mode: Mode, weaker: Weaker, options: &NativeOptions) -> Result<(), Error> {
    check(spec).map_err(Error::CouldNotStart)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(&spec.folder).map_err(io_error("make the folder", &spec.folder))?;
    let folder = fs::canonicalize(&spec.folder).map_err(io_error("find the folder", &spec.folder))?;
    let lock = take_lock(spec, &folder)?;
    let spec = Spec { folder: folder.clone(), ..spec.clone() };
    note(&spec)?;
    let order = Order { spec, mode, slots: options.slots.clone(), caller: std::process::id(), weaker };
    match hand_over(&order, lock, options) {
        Ok((kept, Reply::Started)) => {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder, kept);
            Ok(())
        }
        Ok((mut kept, Reply::Failed(failure))) => {
            let _ = kept.child.wait();
            Err(Error::CouldNotStart(failure.to_string()))
        }
        Err(error) => {
            let said = fs::read_to_string(folder.join(ERRORS)).unwrap_or_default();
            let said = said.trim();
            let why = if said.is_empty() { error.to_string() } else { format!("{error}: {said}") };
            Err(Error::CouldNotStart(format!("supervisor ({}): {why}", options.supervisor.display())))
        }
    }
}

/// The lock file is never removed while the folder stands: a name is used once.
fn take_lock(spec: &Spec, folder: &Path) -> Result<OwnedFd, Error> {
    let path = folder.join(files::LOCK);
    let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let lock: OwnedFd = match opened {
        Ok(file) => file.into(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Error::AlreadyExists(spec.name.clone()));
        }
        Err(error) => return Err(io_error("make the lock", &path)(error)),
    };
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| io_error("take the lock", &path)(error.into()))?;
    Ok(lock)
}

/// The specification for people who look into a kept folder; values of variables may be secret and are left out.
fn note(spec: &Spec) -> Result<(), Error> {
    let path = spec.folder.join("spec.json");
    let env = spec.env.iter().map(|(name, _)| (name.clone(), String::new())).collect();
    let shown = Spec { env, ..spec.clone() };
    let bytes = serde_json::to_vec_pretty(&shown).map_err(|error| io_error("write", &path)(error.into()))?;
    fs::write(&path, bytes).map_err(io_error("write", &path))
}

fn hand_over(order: &Order, lock: OwnedFd, options: &NativeOptions) -> io::Result<(Kept, Reply)> {
    let (mut control, theirs) = UnixStream::pair()?;
    let errors = OpenOptions::new().create(true).append(true).mode(0o600).open(order.spec.folder.join(ERRORS))?;
    let child = Command::new(&options.supervisor)
        .args([entry::SUPERVISOR, entry::RUN])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(lock))
        .stderr(Stdio::from(errors))
        // A terminal's interrupt is for the caller, who then stops the run in order.
        .process_group(0)
        .spawn()?;
    let mut kept = Kept { child, _control: control.try_clone()? };
    let mut answer = || -> io::Result<Reply> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        control.write_all(&line)?;
        control.set_read_timeout(Some(PATIENCE))?;
        let mut reply = String::new();
        if BufReader::new(&control).read_line(&mut reply)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(serde_json::from_str(&reply)?)
    };
    match answer() {
        Ok(reply) => Ok((kept, reply)),
        Err(error) => {
            let _ = kept.child.kill();
            let _ = kept.child.wait();
            Err(error)
        }
    }
}
