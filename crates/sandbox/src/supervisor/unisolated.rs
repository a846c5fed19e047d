//! Level `none`: a process group, a clean environment, a time limit, and nothing else.
//! For systems without namespaces and only by explicit wish; the supervisor adopts and ends what the run leaves.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Signal, WaitOptions, getpgid, kill_process, kill_process_group, set_child_subreaper,
    set_parent_process_death_signal, setsid, waitpid,
};

use super::processes::below;
use crate::failure::{Failure, Step};
use crate::inside::{await_execution, c_path, c_strings, explain, find, leave, redirect};
use crate::{Spec, sys};

/// Starts the command in the run's folder; returns when it was executed.
pub(super) fn start(spec: &Spec, output: OwnedFd) -> Result<Pid, Failure> {
    // Daemons of the run become children of this process instead of escaping; any process number means yes.
    set_child_subreaper(Some(Pid::INIT)).step("adopt left processes")?;
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC).step("status pipe")?;
    let main = match sys::fork(0).step("fork")? {
        sys::Fork::Parent(main) => main,
        sys::Fork::Child => {
            let failure = become_command(spec, &output).err();
            leave(&tell, failure)
        }
    };
    drop((tell, output));
    match await_execution(&told)? {
        None => Ok(main),
        Some(failure) => {
            let _ = waitpid(Some(main), WaitOptions::empty());
            Err(failure)
        }
    }
}

/// A word that names a path of the sandbox names the run's own folder instead.
fn mapped(word: &str, at: &str, folder: &Path) -> Option<String> {
    let rest = word.strip_prefix(at)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", folder.display()))
}

fn become_command(spec: &Spec, output: &OwnedFd) -> Result<(), Failure> {
    let (workspace, temporary) = (spec.folder.join("workspace"), spec.folder.join("tmp"));
    setsid().step("new session")?;
    set_parent_process_death_signal(Some(Signal::KILL)).step("parent-death signal")?;
    redirect(output)?;
    rustix::process::chdir(&workspace).step("enter the workspace")?;
    let in_workspace = |word: &String| mapped(word, "/workspace", &workspace).unwrap_or_else(|| word.clone());
    let word = spec.argv.first().map_or("", String::as_str);
    let path = find(word, &spec.env, &workspace)?;
    let argv = c_strings(spec.argv.iter().map(in_workspace))?;
    // HOME is /tmp inside; here it must not be the machine's own.
    let value = |value: &String| mapped(value, "/tmp", &temporary).unwrap_or_else(|| in_workspace(value));
    let env = c_strings(spec.env.iter().map(|(name, text)| format!("{name}={}", value(text))))?;
    let file = c_path(&path)?;
    sys::default_signals().step("signals")?;
    sys::close_on_exec_from(3).step("close descriptors")?;
    Err(explain(&path, &sys::execute(&file, &argv, &env)))
}

pub(super) fn terminate(main: Pid) {
    // It leads its group unless it has left it, and gets the signal once.
    let _ = kill_process_group(main, Signal::TERM);
    if getpgid(Some(main)) != Ok(main) {
        let _ = kill_process(main, Signal::TERM);
    }
}

pub(super) fn kill(main: Pid) {
    let _ = kill_process_group(main, Signal::KILL);
    for process in descendants() {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Ends what is left after the main process was reaped; processor seconds and largest size of all.
pub(super) fn end_all() -> (f64, u64) {
    loop {
        // Not by the group's number, which may belong to others by now.
        for process in descendants() {
            let _ = kill_process(process, Signal::KILL);
        }
        match waitpid(None, WaitOptions::empty()) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) | Err(_) => break,
        }
    }
    sys::children_usage().map_or((0.0, 0), |usage| (usage.cpu_seconds, usage.largest))
}

/// Memory, threads and processor seconds of all living processes of the run.
pub(super) fn sample() -> (u64, u32, f64) {
    let page = rustix::param::page_size() as u64;
    let hertz = rustix::param::clock_ticks_per_second() as f64;
    let (mut memory, mut threads, mut ticks) = (0_u64, 0_u32, 0_u64);
    for process in descendants() {
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
        let words: Vec<u64> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_ascii_whitespace()
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        ticks += words.iter().skip(11).take(4).sum::<u64>();
        threads = threads.saturating_add(words.get(17).map_or(0, |count| u32::try_from(*count).unwrap_or(u32::MAX)));
        memory = memory.saturating_add(words.get(21).map_or(0, |pages| pages.saturating_mul(page)));
    }
    (memory, threads, ticks as f64 / hertz)
}

/// All processes below this one.
fn descendants() -> Vec<Pid> {
    below(i32::try_from(std::process::id()).unwrap_or(0)).into_iter().filter_map(Pid::from_raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_mapped() {
        let folder = Path::new("/runs/1/workspace");
        assert_eq!(mapped("/workspace", "/workspace", folder).as_deref(), Some("/runs/1/workspace"));
        assert_eq!(mapped("/workspace/a b", "/workspace", folder).as_deref(), Some("/runs/1/workspace/a b"));
        assert_eq!(mapped("/workspaces", "/workspace", folder), None);
        assert_eq!(mapped("--in=/workspace/a", "/workspace", folder), None);
    }
}
