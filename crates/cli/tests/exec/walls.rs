//! What a command cannot reach, each time with the positive control; and that nothing outlives it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::rig::{Rig, everyone};

#[test]
fn the_network_is_off_unless_asked_for() {
    for who in everyone() {
        let rig = Rig::new(who);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = stream.unwrap().write_all(b"heard");
            }
        });
        let script =
            format!("import socket; s = socket.create_connection(('127.0.0.1', {port}), 5); print(s.recv(9).decode())");
        let off = rig.python(&script).gives(1);
        assert!(off.err.contains("ConnectionRefusedError"), "{}", off.err);
        let on = rig.exec(&["--allow-network", "python:v2", "-c", &script]).gives(0);
        assert_eq!(on.out, "heard\n", "the positive control");
        // Names are looked up as on this machine.
        let names = "print(open('/etc/resolv.conf').read())";
        let own = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        assert_eq!(rig.exec(&["--allow-network", "python:v2", "-c", names]).gives(0).out.trim(), own.trim());
        let own_loopback =
            "import socket; l = socket.create_server(('127.0.0.1', 0)); socket.create_connection(l.getsockname())";
        rig.python(own_loopback).gives(0);
    }
}

#[test]
fn only_this_folder_is_there_and_the_filter_holds() {
    for who in everyone() {
        let rig = Rig::new(who);
        fs::write(rig.home().join("secret"), "marker").unwrap();
        fs::write(rig.folder().join("own"), "marker").unwrap();
        let secret = rig.home().join("secret").display().to_string();
        let read = |path: &str| rig.python(&format!("print(open({path:?}).read())"));
        assert_eq!(read("/workspace/own").gives(0).out, "marker\n", "the positive control");
        assert!(read(&secret).gives(1).err.contains("FileNotFoundError"));
        std::os::unix::fs::symlink(&secret, rig.folder().join("link")).unwrap();
        assert!(read("link").gives(1).err.contains("FileNotFoundError"));
        assert!(rig.python("open('/usr/x', 'w')").gives(1).err.contains("Read-only file system"));
        for network in [&[][..], &["--allow-network"]] {
            let words = [network, &["--entrypoint", "unshare", "python:v2", "-U", "true"]].concat();
            assert!(rig.exec(&words).gives(1).err.contains("Operation not permitted"));
        }
    }
}

/// Each way to give a file a mode: with set-user-id or set-group-id refused, else done.
const MODES: &str = r#"
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"
HERE, CREATE, WRITE, TMPFILE = -100, os.O_CREAT, os.O_WRONLY, os.O_TMPFILE
class How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]
def call(name, number, *words):
    ctypes.set_errno(0)
    words = [ctypes.c_long(w) if isinstance(w, int) else w for w in words]
    result = libc.syscall(ctypes.c_long(number), *words)
    print(name, errno.errorcode[ctypes.get_errno()] if result < 0 else "done")
open("file", "w").close()
held = os.open("file", os.O_RDONLY)
for bits in (0, 0o4000, 0o2000, 0o6000):
    print(oct(bits))
    how = How(CREATE | WRITE, bits | 0o777, 0)
    n = str(bits).encode()
    if x86:
        call("chmod", 90, b"file", bits | 0o755)
        call("open", 2, b"open" + n, CREATE | WRITE, bits | 0o777)
        call("creat", 85, b"creat" + n, bits | 0o777)
        call("mkdir", 83, b"mkdir" + n, bits | 0o777)
        call("mknod", 133, b"mknod" + n, bits | 0o100777, 0)
    call("fchmod", 91 if x86 else 52, held, bits | 0o755)
    call("fchmodat", 268 if x86 else 53, HERE, b"file", bits | 0o755)
    call("openat", 257 if x86 else 56, HERE, b"openat" + n, CREATE | WRITE, bits | 0o777)
    call("tmpfile", 257 if x86 else 56, HERE, b".", TMPFILE | WRITE, bits | 0o777)
    call("mkdirat", 258 if x86 else 34, HERE, b"mkdirat" + n, bits | 0o777)
    call("mknodat", 259 if x86 else 33, HERE, b"mknodat" + n, bits | 0o100777, 0)
    call("opening", 257 if x86 else 56, HERE, b"file", 0, bits | 0o777)
    call("openat2", 437, HERE, b"openat2" + n, ctypes.byref(how), ctypes.sizeof(how))
    call("fchmodat2", 452, HERE, b"file", bits | 0o755, 0)
"#;

#[test]
fn row_13_no_set_user_program_is_left_in_a_live_folder() {
    for who in everyone() {
        let rig = Rig::new(who);
        let ran = rig.python(MODES).gives(0);
        let mut power = false;
        for line in ran.out.lines() {
            let Some((name, outcome)) = line.split_once(' ') else {
                power = line != "0o0";
                continue;
            };
            let expected: &[&str] = match name {
                // Its mode cannot be seen.
                "openat2" => &["ENOSYS"],
                // Not in every kernel.
                "fchmodat2" if !power => &["done", "ENOSYS"],
                // Makes nothing, so its mode means nothing.
                "opening" => &["done"],
                _ if power => &["EPERM"],
                _ => &["done"],
            };
            assert!(expected.contains(&outcome), "{who:?}: {line}\n{}", ran.out);
        }
        assert!(power, "{}", ran.out);
        let all: Vec<_> = fs::read_dir(rig.folder()).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(all.len() > 4, "{all:?}");
        for entry in all {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o6000, 0, "{who:?}: {}", entry.path().display());
        }
        // What people do to files is as before.
        let everyday = "cp -p file copy && chmod 1777 mkdirat0 && tar cf all.tar copy mkdirat0 && mkdir out && \
                        tar xpf all.tar -C out && chmod -R u+rwX,go-w out && install -m 0750 copy installed && stat -c %a installed";
        let ran = rig.exec(&["--entrypoint", "sh", "python:v2", "-c", everyday]).gives(0);
        assert_eq!(ran.out, "750\n");
    }
}

#[test]
fn a_home_is_not_shown() {
    let rig = Rig::new(everyone()[0]);
    for (folder, code) in [(rig.home().to_owned(), 1), (rig.folder(), 0)] {
        let mut command = rig.command(&[], &["python:v2", "-c", "open('made', 'w')"]);
        let output = command.current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(
            said.contains("this is your home") && said.contains("cd into your study's folder"),
            code == 1,
            "{said}"
        );
        assert_eq!(folder.join("made").exists(), code == 0);
    }
}

#[test]
fn memory_is_limited_and_said() {
    for who in everyone() {
        let rig = Rig::new(who);
        let script = "x = bytearray(400 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nimport time; time.sleep(5)";
        rig.exec(&["-m", "2G", "python:v2", "-c", &script.replace("sleep(5)", "sleep(0)")]).gives(0);
        let no = rig.exec(&["-m", "128M", "python:v2", "-c", script]).gives(137);
        assert!(no.err.contains("more memory than 128 MiB (--memory)"), "{}", no.err);
    }
}

#[test]
fn nothing_outlives_a_killed_command() {
    for who in everyone() {
        let rig = Rig::new(who);
        let script = "import os, time\nif os.fork() == 0: os.setsid()\nopen(str(os.getpid()), 'w').close(); [time.sleep(0.05) for _ in range(1200)]";
        let mut child = rig.command(&[], &["python:v2", "-c", script]).stdin(Stdio::null()).spawn().unwrap();
        let begin = Instant::now();
        while fs::read_dir(rig.folder()).unwrap().count() < 2 {
            assert!(begin.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(10));
        }
        let pid = child.id();
        let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let first: i32 = children().trim().parse().unwrap();
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        while test_kill_process(Pid::from_raw(first).unwrap()).is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(30), "process 1 lives");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(rig.left().len(), 1);
        rig.python("pass").gives(0);
        assert!(rig.left().is_empty(), "the next command removes it: {:?}", rig.left());
    }
}

#[test]
fn signals_without_a_terminal_are_passed_on() {
    for who in everyone() {
        let rig = Rig::new(who);
        let own = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(9))\n";
        let deaf = "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n";
        let plain = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n";
        for (script, signal, code) in [
            (own, Signal::INT, 9),
            (plain, Signal::INT, 130),
            (plain, Signal::TERM, 143),
            (plain, Signal::HUP, 143),
            (deaf, Signal::TERM, 143),
        ] {
            let _ = fs::remove_file(rig.folder().join("ready"));
            let script = format!("{script}open('ready', 'w').close(); [time.sleep(0.05) for _ in range(1200)]");
            let mut child = rig.command(&[], &["python:v2", "-c", &script]).stdin(Stdio::null()).spawn().unwrap();
            while !rig.folder().join("ready").exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            kill_process(Pid::from_child(&child), signal).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{who:?} {signal:?}");
        }
        assert!(rig.left().is_empty());
    }
}
