//! The main process of a run: from the fork by process 1 to the execution of the command.
//! Limits, privileges, descriptors, Landlock and the filter come in the order of spec sandbox.md 7.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{DumpableBehavior, Pid, set_dumpable_behavior, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::root::Grants;
use super::{Birth, filter, landlock, limits, privileges, program};
use crate::failure::{Failure, Step};
use crate::weaker::Wall;
use crate::{IsolationLevel, sys};

/// Ends this process without running what was registered in the memory copied from its parent.
#[allow(unsafe_code)]
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Starts the main process; returns when the command was executed.
pub(super) fn spawn(birth: &Birth<'_>, grants: &Grants, level: IsolationLevel) -> Result<Pid, Failure> {
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC).step("status pipe")?;
    let main = match sys::fork(0).step("fork")? {
        sys::Fork::Child => {
            let failure = become_command(birth, grants, level).err();
            leave(&tell, failure)
        }
        sys::Fork::Parent(pid) => pid,
    };
    drop(tell);
    match await_execution(&told)? {
        None => Ok(main),
        Some(failure) => Err(failure),
    }
}

/// Reads the status pipe of a process that is about to execute: nothing and closed means that it did.
pub(crate) fn await_execution(told: &OwnedFd) -> Result<Option<Failure>, Failure> {
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match rustix::io::read(told, &mut buffer[..]) {
            Ok(0) => break,
            Ok(read) => said.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Failure::new("status pipe", error)),
        }
    }
    if said.is_empty() { Ok(None) } else { serde_json::from_slice(&said).map(Some).step("status pipe") }
}

/// Tells why the command was not executed, and ends.
pub(crate) fn leave(tell: &OwnedFd, failure: Option<Failure>) -> ! {
    let failure = failure.unwrap_or_else(|| Failure::new("execute", "returned without an error"));
    if let Ok(bytes) = serde_json::to_vec(&failure) {
        let _ = rustix::io::write(tell, &bytes);
    }
    exit_now(127)
}

/// Never returns `Ok`: the process is the command then.
fn become_command(birth: &Birth<'_>, grants: &Grants, level: IsolationLevel) -> Result<(), Failure> {
    let spec = birth.spec;
    setsid().step("new session")?;
    // Until the command is executed this copy of process 1 could not write its own settings in /proc.
    set_dumpable_behavior(DumpableBehavior::Dumpable).step("dumpable")?;
    match &birth.visit {
        None => redirect(&birth.output)?,
        Some(visit) => visit.open_streams()?,
    }
    // Process 1, and where it must enter the user namespace also the process that counts files.
    let ours = if birth.ids.own_range { 1 } else { 2 };
    limits::apply(&spec.limits, birth.enforced, ours)?;
    rustix::process::chdir("/workspace").step("enter /workspace")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let word = spec.argv.first().map_or("", String::as_str);
    let path = program::find(word, &spec.env, Path::new("/workspace"))?;
    let file = program::c_path(&path)?;
    let argv = program::c_strings(spec.argv.iter().cloned())?;
    let env = program::c_strings(spec.env.iter().map(|(name, value)| format!("{name}={value}")))?;
    privileges::drop_all_again()?;
    sys::default_signals().step("signals")?;
    sys::close_on_exec_from(3).step("close descriptors")?;
    rustix::thread::set_no_new_privs(true).step("no_new_privs")?;
    if level == IsolationLevel::Full && !birth.weaker.lacks(Wall::Landlock) {
        landlock::restrict(grants)?;
    }
    if !birth.weaker.lacks(Wall::Filter) {
        let folder = if birth.visit.is_some() { filter::Workspace::Live } else { filter::Workspace::Own };
        filter::apply(birth.enforced, folder)?;
    }
    let error = sys::execute(&file, &argv, &env);
    Err(program::explain(&path, &error))
}

/// Standard input from nowhere, output and error into the pipe.
pub(crate) fn redirect(output: &OwnedFd) -> Result<(), Failure> {
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).step("open /dev/null")?;
    dup2_stdin(null.as_fd()).step("standard input")?;
    dup2_stdout(output.as_fd()).step("standard output")?;
    dup2_stderr(output.as_fd()).step("standard error")?;
    debug_assert!(null.as_raw_fd() > 2, "0, 1 and 2 are always open");
    Ok(())
}
