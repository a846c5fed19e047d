//! Running the programs that answer questions and build environments: bounded answers, the end of their messages, a
//! clean environment, and the lock of a build held as long as they live.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A question is to be answered in this time.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is kept of the answer.
const ANSWER: u64 = 16 * 1024 * 1024;
/// Of messages, this much of the end is kept.
const TAIL: usize = 16 * 1024;

/// A command ended with a fault, or could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it cannot be started: {0}")]
    Start(#[from] io::Error),
    #[error("it ended with {status}:\n{messages}")]
    Ended { status: std::process::ExitStatus, messages: String },
}

/// Makes a command of an interpreter depend on neither the caller's Python variables nor the current folder, from which
/// Python would import. Settings of pip (`PIP_*`) and of the network stay.
pub(crate) fn clean(command: &mut Command, folder: &Path) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PYTHON") {
            command.env_remove(name);
        }
    }
    command.env_remove("VIRTUAL_ENV").env_remove("__PYVENV_LAUNCHER__").current_dir(folder);
}

/// Runs a command to its end and keeps the end of what it says.
///
/// `held` is the lock of the build. As the command's standard input (it is empty) it keeps the build locked while the
/// command lives, also if this program is killed: the next build waits for what is left of this one.
pub(crate) fn finish(mut command: Command, held: &File) -> Result<(), Fault> {
    command.stdin(Stdio::from(held.try_clone()?)).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child: Child = command.spawn()?;
    let mut tail = Vec::new();
    if let Some(mut messages) = child.stderr.take() {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = messages.read(&mut buffer) {
            tail.extend_from_slice(&buffer[..n]);
            if tail.len() > 2 * TAIL {
                tail.drain(..tail.len() - TAIL);
            }
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    Err(Fault::Ended { status, messages: last_lines(&String::from_utf8_lossy(&tail), 12) })
}

/// The last lines with something on them, without control characters.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let plain = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>();
    let lines: Vec<String> = text.lines().map(plain).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// What a short command prints, at most [`ANSWER`] bytes. `Err` is a verdict for people.
pub(crate) fn output_of(mut command: Command) -> Result<String, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("it cannot be started ({error})"))?;
    let mut answer = Vec::new();
    let reader = child.stdout.take().map(|out| {
        std::thread::spawn(move || {
            let read = out.take(ANSWER).read_to_end(&mut answer);
            read.map(|_| answer)
        })
    });
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it gave no answer within {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("it cannot be waited for ({error})")),
        }
    };
    let answer = reader.and_then(|reader| reader.join().ok()).and_then(Result::ok).unwrap_or_default();
    if status.success() {
        Ok(String::from_utf8_lossy(&answer).into_owned())
    } else {
        Err(format!("it ended with {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_messages_is_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done; exit 7"]);
        let held = tempfile::tempfile().unwrap();
        let Err(Fault::Ended { status, messages }) = finish(command, &held) else { panic!("it must fail") };
        assert_eq!(status.code(), Some(7));
        assert_eq!(messages.lines().last(), Some("line 4999"));
        assert_eq!(messages.lines().count(), 12);
        assert_eq!(last_lines("a\u{1b}[1m\n\n \nb\n", 5), "a[1m\nb");
    }
}
