//! How runs end: spec sandbox.md 12.

use std::time::Duration;

use sandbox::{Limit, LimitHit, OutOfMemory};

use crate::rig::{Rig, everyone};

#[test]
fn codes_and_signals_are_told_apart() {
    let cases: [(&str, i32, Option<i32>); 6] = [
        ("exit 0", 0, None),
        ("exit 3", 3, None),
        ("exit 137", 137, None),
        ("kill -9 $$", 137, Some(9)),
        ("kill -TERM $$", 143, Some(15)),
        ("kill -SEGV $$", 139, Some(11)),
    ];
    for who in everyone() {
        for (script, code, signal) in cases {
            let exit = Rig::sh(who, script).run().exit;
            assert_eq!((exit.code, exit.signal, exit.ended_by), (code, signal, LimitHit::None), "{who:?} {script}");
            assert_eq!(exit.out_of_memory, OutOfMemory::No, "{script}");
        }
    }
}

#[test]
fn a_daemon_does_not_outlive_its_run() {
    for who in everyone() {
        let rig = Rig::new(who, &["sh", "-c", ""]);
        let marker = rig.marker();
        let rig = rig.with(|spec| {
            spec.argv[2] = format!(
                "(setsid sh -c 'while :; do echo x >> out; sleep 0.01; : {marker}; done' </dev/null &) ; sleep 0.2; echo end"
            );
        });
        let done = rig.run().succeeded();
        assert_eq!(done.lines, ["end"]);
        let size = || std::fs::metadata(rig.folder().join("workspace/out")).unwrap().len();
        let before = size();
        assert!(before > 0);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(size(), before, "{who:?}");
        rig.leaves_nothing();
    }
}

#[test]
fn zombies_are_reaped_while_the_run_lives() {
    let script = "import os, time, glob\n\
        for _ in range(50):\n\
        \x20   if os.fork() == 0:\n\
        \x20       if os.fork() == 0: os._exit(0)\n\
        \x20       os._exit(0)\n\
        for _ in range(50): os.wait()\n\
        time.sleep(0.3)\n\
        print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))";
    for who in everyone() {
        assert_eq!(Rig::python(who, script).run().succeeded().lines, ["[1, 2]"], "{who:?}");
    }
}

#[test]
fn time_ends_a_run_that_ignores_term() {
    for who in everyone() {
        let rig = Rig::sh(who, "trap 'echo got term' TERM; while :; do sleep 0.05; done").with(|spec| {
            spec.limits.time = Some(Duration::from_millis(500));
            spec.grace = Duration::from_millis(400);
        });
        let done = rig.run();
        assert_eq!(done.exit.ended_by, LimitHit::Limit(Limit::Time), "{who:?}");
        assert_eq!((done.exit.code, done.exit.signal), (137, Some(9)));
        assert_eq!(done.exit.out_of_memory, OutOfMemory::No);
        // The shell also tells of its own child, which got the same signal.
        assert_eq!(done.lines.iter().filter(|line| *line == "got term").count(), 1, "{:?}", done.lines);
        rig.leaves_nothing();
    }
}

#[test]
fn time_ends_a_run_that_heeds_term_without_kill() {
    for who in everyone() {
        let rig = Rig::sh(who, "trap 'exit 5' TERM; while :; do sleep 0.05; done").with(|spec| {
            spec.limits.time = Some(Duration::from_millis(500));
            spec.grace = Duration::from_secs(30);
        });
        let exit = rig.run().exit;
        assert_eq!((exit.code, exit.ended_by), (5, LimitHit::Limit(Limit::Time)), "{who:?}");
    }
}

#[test]
fn a_run_cannot_harm_process_1() {
    let script = "import os, signal, resource, time\n\
        for number in range(1, 65):\n\
        \x20   try: os.kill(1, number)\n\
        \x20   except OSError: pass\n\
        for action in (lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)), lambda: os.kill(-1, signal.SIGTERM)):\n\
        \x20   signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        \x20   try: action()\n\
        \x20   except OSError as error: print(error.strerror)\n\
        time.sleep(0.3); print('alive')";
    for who in everyone() {
        let lines = Rig::python(who, script).run().succeeded().lines;
        assert_eq!(lines.first().unwrap(), "Operation not permitted", "{who:?}");
        assert_eq!(lines.last().unwrap(), "alive", "{who:?}");
    }
}

#[test]
fn a_missing_program_is_named_and_nothing_runs() {
    for who in everyone() {
        let rig = Rig::new(who, &["no-such-program", "x"]);
        let answer = rig.call("run", 0).to_string();
        assert!(answer.contains("no-such-program") && answer.contains("no such program in PATH"), "{answer}");
        // Whoever waits for it learns the same.
        assert!(rig.call("wait", 0).to_string().contains("no-such-program"));
        rig.leaves_nothing();
        let rig = Rig::new(who, &["/workspace/tool"]).file("tool", "#!/bin/sh\necho no\n");
        assert!(rig.call("run", 0).to_string().contains("not a file of the workspace"), "{who:?}");
    }
}

#[test]
fn a_program_without_its_interpreter_is_explained() {
    for who in everyone() {
        let rig = Rig::new(who, &["script"]);
        let tree = rig.home.path().join("tree");
        std::fs::create_dir_all(tree.join("bin")).unwrap();
        std::fs::write(tree.join("bin/script"), "#!/no/such/interpreter\n").unwrap();
        std::fs::set_permissions(tree.join("bin/script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let rig = rig.with(|spec| {
            spec.env[0].1 = tree.join("bin").display().to_string();
            spec.root = sandbox::Root::Host { prefixes: vec![tree.clone()], overlays: vec![] };
        });
        let answer = rig.call("run", 0).to_string();
        assert!(answer.contains("interpreter is missing: /no/such/interpreter"), "{answer}");
    }
}

#[test]
fn the_log_keeps_order_times_and_long_lines() {
    let script = "import sys, os\n\
        for n in range(100):\n\
        \x20   os.write(1, b'out %d\\n' % n); os.write(2, b'err %d\\n' % n)\n\
        os.write(1, b'x' * 200000 + b'\\n'); os.write(1, b'\\x00\\xff\\x1b[31m\\n'); os.write(1, b'no newline')";
    for who in everyone() {
        let rig = Rig::python(who, script);
        let lines = rig.run().succeeded().lines;
        let expected: Vec<String> = (0..100).flat_map(|n| [format!("out {n}"), format!("err {n}")]).collect();
        assert_eq!(lines[..200], expected);
        assert_eq!(lines[200..204].iter().map(String::len).collect::<Vec<_>>(), [65536, 65536, 65536, 3392]);
        assert_eq!(lines.last().unwrap(), "no newline", "{who:?}");
        let log = std::fs::read(rig.folder().join("log")).unwrap();
        assert!(log.windows(7).any(|bytes| bytes == b"\0\xff\x1b[31m"), "bytes are kept as they are");
    }
}

#[test]
fn an_endless_log_is_capped_and_does_not_block() {
    for who in everyone() {
        let rig = Rig::sh(who, "yes 0123456789 | head -c 30000000; echo; echo last").with(|spec| {
            spec.limits.log = 100_000;
        });
        let done = rig.run().succeeded();
        let size = std::fs::metadata(rig.folder().join("log")).unwrap().len();
        assert!((80_000..101_000).contains(&size), "{size}");
        assert_eq!(done.lines.last().unwrap(), "last", "{who:?}");
        assert_eq!(done.lines.iter().filter(|line| line.contains("bytes of output left out")).count(), 1);
    }
}
