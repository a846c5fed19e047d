//! How runs end: spec sandbox.md 12.

use crate::rig::{Rig, everyone};

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
