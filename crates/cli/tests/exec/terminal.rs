//! A person's terminal: its size and its changes, keys, Ctrl-C, and that it is as before at the end.
//! Commands wait in short steps: Python may miss a signal that comes just before a long sleep.
//! The test holds the other side of a pseudo terminal; `setsid --ctty` makes it the program's own.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::rig::{Rig, everyone};

struct Person {
    ours: OwnedFd,
    theirs: OwnedFd,
    said: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Person {
    fn types(rig: &Rig, words: &[&str]) -> Self {
        Self::behind(rig, &[], words)
    }

    /// The program behind these words of a shell, or itself.
    fn behind(rig: &Rig, shell: &[&str], words: &[&str]) -> Self {
        let (ours, theirs) = Self::terminal();
        let side = || Stdio::from(theirs.try_clone().unwrap());
        let mut command = rig.command(&[&["setsid", "--ctty", "--wait"], shell].concat(), words);
        let child = command.env("TERM", "vt100").stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        let (said, seen) = (Self::hears(&ours), String::new());
        Self { ours, theirs, said, seen, child }
    }

    fn terminal() -> (OwnedFd, OwnedFd) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let theirs = ioctl_tiocgptpeer(&ours, flags).unwrap();
        tcsetwinsize(&ours, size(33, 101)).unwrap();
        (ours, theirs)
    }

    fn hears(ours: &OwnedFd) -> Receiver<Vec<u8>> {
        let mut reader = File::from(ours.try_clone().unwrap());
        let (send, said) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        said
    }

    #[track_caller]
    fn waits_for(&mut self, text: &str) {
        self.until(text);
    }

    /// What comes before this text.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        let begin = Instant::now();
        while !self.seen.contains(text) {
            match self.said.recv_timeout(Duration::from_millis(100)) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("{text:?} never came: {}", self.seen),
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "{text:?} never came: {}", self.seen);
        }
        // What came after it may be what is waited for next.
        let rest = self.seen.split_off(self.seen.find(text).unwrap());
        std::mem::replace(&mut self.seen, rest[text.len()..].to_owned())
    }

    fn presses(&self, keys: &str) {
        rustix::io::write(&self.ours, keys.as_bytes()).unwrap();
    }

    fn ends(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    fn settings(&self) -> Termios {
        tcgetattr(self.theirs.as_fd()).unwrap()
    }
}

/// It waits for a key in steps: a signal that comes just before a read waits as long as the read does.
const SIZE: &str = "import os, sys, select, signal, time
show = lambda *_: print('size', *os.get_terminal_size(), flush=True)
signal.signal(signal.SIGWINCH, show)
print('tty', [os.isatty(n) for n in range(3)], os.environ['TERM']); show()
while not select.select([0], [], [], 0.05)[0]: pass
print('got', input(), flush=True)
open('/dev/tty', 'w').write('by name\\n')
";

#[test]
fn size_keys_and_restoration() {
    for who in everyone() {
        let rig = Rig::new(who);
        let mut person = Person::types(&rig, &["python:v2", "python", "-c", SIZE]);
        let before = person.settings();
        person.waits_for("tty [True, True, True] vt100");
        person.waits_for("size 101 33");
        assert_ne!(person.settings().local_modes, before.local_modes, "keys pass one by one");
        tcsetwinsize(&person.ours, size(20, 60)).unwrap();
        person.waits_for("size 60 20");
        person.presses("hello\r");
        person.waits_for("got hello");
        person.waits_for("by name");
        assert_eq!(person.ends(), Some(0));
        let after = person.settings();
        assert_eq!(
            (after.local_modes, after.input_modes, after.output_modes, after.control_modes),
            (before.local_modes, before.input_modes, before.output_modes, before.control_modes)
        );
    }
}

#[test]
fn ctrl_c_is_for_the_command() {
    let wait = "print('ready', flush=True); [time.sleep(0.05) for _ in range(1200)]";
    let own = format!("import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n{wait}");
    let plain = format!("import time\n{wait}");
    for who in everyone() {
        let rig = Rig::new(who);
        for (script, code) in [(&own, 9), (&plain, 130)] {
            let mut person = Person::types(&rig, &["python:v2", "python", "-c", script]);
            let before = person.settings();
            person.waits_for("ready");
            person.presses("\u{3}");
            assert_eq!(person.ends(), Some(code), "{who:?}");
            assert_eq!(person.settings().local_modes, before.local_modes);
        }
        assert!(rig.left().is_empty());
    }
}

#[test]
fn in_a_pipeline_the_persons_terminal_is_never_the_commands() {
    let script = "import os, sys, time
print([os.isatty(n) for n in range(3)], file=sys.stderr, flush=True)
print('read', os.isatty(0) or sys.stdin.read().strip(), file=sys.stderr, flush=True)
print('devices', [os.fstat(n).st_rdev for n in range(3)], 'end', flush=True)
print('wait', file=sys.stderr, flush=True); [time.sleep(0.05) for _ in range(1200)]";
    for who in everyone() {
        let rig = Rig::new(who);
        let words = ["python:v2", "python", "-c", script];
        let mut person = Person::behind(&rig, &["sh", "-c", "trap : INT; echo given | \"$@\"; exit $?", "sh"], &words);
        let before = person.settings();
        let own = rustix::fs::fstat(&person.theirs).unwrap().st_rdev;
        person.waits_for("[False, True, True]");
        person.waits_for("read given");
        person.waits_for("devices");
        let devices = person.until("end");
        assert!(!devices.contains(&own.to_string()), "another device than the person's: {devices}");
        person.waits_for("wait");
        assert_eq!(person.settings().local_modes, before.local_modes, "keys are not taken from the shell");
        person.presses("\u{3}");
        assert_eq!(person.ends(), Some(130), "{who:?}");

        let mut person = Person::behind(&rig, &["sh", "-c", "trap : INT; \"$@\" > out; exit $?", "sh"], &words);
        person.waits_for("[True, False, True]");
        person.waits_for("read True");
        person.waits_for("wait");
        person.presses("\u{3}");
        assert_eq!(person.ends(), Some(130), "{who:?}");
        assert!(std::fs::read_to_string(rig.folder().join("out")).unwrap().starts_with("devices"));
        assert_eq!(person.settings().local_modes, before.local_modes);
    }
}

#[test]
fn a_shell_has_job_control() {
    let rig = Rig::new(everyone()[0]);
    let mut person = Person::types(&rig, &["python:v2", "bash", "--norc", "-i"]);
    person.presses("set -o | grep monitor\r");
    person.waits_for("monitor        \ton");
    person.presses("sleep 60\r");
    std::thread::sleep(Duration::from_millis(300));
    person.presses("\u{3}");
    person.presses("echo code $?\r");
    person.waits_for("code 130");
    // Not an end of file: typed while bash changes the terminal's mode it would be lost, here as anywhere.
    person.presses("exit 5\r");
    assert_eq!(person.ends(), Some(5));
}

#[test]
fn brought_to_the_foreground_it_gets_the_keys() {
    let rig = Rig::new(everyone()[0]);
    let line = "set -m; \"$@\" & until test -e ready; do sleep 0.1; done; echo before; fg >/dev/null; echo code $?";
    let script = "import sys; open('ready', 'w').close(); print('got', input(), flush=True); sys.exit(4)";
    let shell = ["bash", "--norc", "-c", line, "bash"];
    let mut person = Person::behind(&rig, &shell, &["python:v2", "python", "-c", script]);
    let before = person.settings();
    person.waits_for("before");
    let begin = Instant::now();
    while person.settings().local_modes == before.local_modes {
        assert!(begin.elapsed() < Duration::from_secs(20), "the keys never pass");
        std::thread::sleep(Duration::from_millis(20));
    }
    person.presses("hello\r");
    person.waits_for("got hello");
    person.waits_for("code 4");
    person.ends();
    assert_eq!(person.settings().local_modes, before.local_modes);
}

#[test]
fn a_terminal_that_goes_away_ends_the_command() {
    let rig = Rig::new(everyone()[0]);
    let script = "import time; print('ready', flush=True); [time.sleep(0.05) for _ in range(1200)]";
    let Person { ours, theirs, said, mut child, .. } = Person::types(&rig, &["python:v2", "python", "-c", script]);
    let begin = Instant::now();
    while !said.recv().unwrap().windows(5).any(|window| window == b"ready") {}
    drop((ours, theirs, said));
    // The thread that reads holds the last of our side until the next byte comes.
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::HUP).unwrap();
    child.wait().unwrap();
    while !rig.left().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the command goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that never stops writing, into a terminal that nobody reads.
const FLOOD: &str = "import sys, threading, time
def flood():
    while True: sys.stdout.write('x' * 4000 + '\\n')
threading.Thread(target=flood, daemon=True).start()
";

/// Starts it directly: the signal must come to the program itself.
fn unread(rig: &Rig, words: &[&str]) -> (OwnedFd, OwnedFd, Child) {
    let (ours, theirs) = Person::terminal();
    let side = || Stdio::from(theirs.try_clone().unwrap());
    let child = rig.command(&["setsid", "--ctty"], words).stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
    (ours, theirs, child)
}

#[track_caller]
fn ends_soon(child: &mut Child) -> Option<i32> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begin.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("the command goes on");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_terminal_that_nobody_reads_switches_off_no_limit_and_no_signal() {
    for who in everyone() {
        let rig = Rig::new(who);
        let hungry = "kept = []
time.sleep(1)
for _ in range(1200):
    kept.append(bytearray(b'x' * (16 << 20))); time.sleep(0.05)";
        let script = format!("{FLOOD}{hungry}");
        let words = ["-m", "128M", "python:v2", "python", "-c", &script];
        let (_ours, _theirs, mut child) = unread(&rig, &words);
        assert_eq!(ends_soon(&mut child), Some(137), "{who:?}: the memory limit");

        let script = format!("{FLOOD}open('ready', 'w').close(); [time.sleep(0.05) for _ in range(1200)]");
        let (_ours, _theirs, mut child) = unread(&rig, &["python:v2", "python", "-c", &script]);
        while !rig.folder().join("ready").exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        // The pipe and both terminals fill up.
        std::thread::sleep(Duration::from_millis(500));
        let program = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(program, rustix::process::Signal::TERM).unwrap();
        assert_eq!(ends_soon(&mut child), Some(143), "{who:?}: an order to end");
        assert!(rig.left().is_empty());
    }
}

#[test]
fn what_was_written_before_the_end_is_shown_however_late_it_is_read() {
    let rig = Rig::new(everyone()[0]);
    let script = "import sys; sys.stdout.write('x' * 300000 + ' all of it')";
    let (ours, _theirs, mut child) = unread(&rig, &["python:v2", "python", "-c", script]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "it waits for a reader");
    let said = Person::hears(&ours);
    let mut seen = String::new();
    while !seen.ends_with("all of it") {
        seen.push_str(&String::from_utf8_lossy(&said.recv_timeout(Duration::from_secs(30)).unwrap()));
    }
    assert_eq!(seen.matches('x').count(), 300_000);
    assert_eq!(ends_soon(&mut child), Some(0));
}
