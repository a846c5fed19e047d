//! What a command cannot reach, each time with the positive control; and that nothing outlives it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
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
