//! Limits, on every path this machine has: control groups for root, accounting for everybody else (spec sandbox.md 6).

use std::time::Duration;

use sandbox::{Limit, LimitHit, OutOfMemory};

use crate::rig::{MIB, Rig, Who, everyone, root_only};

const EAT: &str = "import time\n\
    blocks = []\n\
    for _ in range(100):\n\
    \x20   blocks.append(b'x' * (1 << 23)); time.sleep(0.01)\n\
    print('done')";

#[test]
fn too_much_memory_ends_the_run() {
    for who in everyone() {
        let rig = Rig::python(who, EAT).with(|spec| spec.limits.memory = 128 * MIB);
        let exit = rig.run().exit;
        assert_eq!((exit.code, exit.signal), (137, Some(9)), "{who:?}");
        assert_eq!((exit.out_of_memory, exit.ended_by), (OutOfMemory::Yes, LimitHit::None), "{who:?}");
        assert!(exit.usage.peak_memory >= 120 * MIB, "{who:?} {:?}", exit.usage);
        rig.leaves_nothing();
    }
}

#[test]
fn enough_memory_is_no_failure() {
    for who in everyone() {
        let exit = Rig::python(who, EAT).run().succeeded().exit;
        assert_eq!((exit.out_of_memory, exit.children_out_of_memory), (OutOfMemory::No, 0));
        assert!((800 * MIB..1024 * MIB).contains(&exit.usage.peak_memory), "{who:?} {:?}", exit.usage);
        assert!(exit.usage.cpu_seconds > 0.0);
    }
}

#[test]
fn shared_memory_counts() {
    let script = "import time\n\
        with open('/dev/shm/big', 'wb') as file:\n\
        \x20   for _ in range(60): file.write(b'x' * (1 << 23)); time.sleep(0.02)\n\
        time.sleep(1); print('done')";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.memory = 128 * MIB);
        let done = rig.run();
        // /dev/shm is no larger than the memory limit: the write fails, or the run is ended.
        assert_ne!(done.exit.code, 0, "{who:?} {}", done.text());
    }
}

#[test]
fn memory_that_nobody_maps_counts() {
    let script = "import os, time\n\
        fd = os.memfd_create('hidden')\n\
        for _ in range(50): os.write(fd, b'x' * (1 << 23)); time.sleep(0.02)\n\
        time.sleep(4); print('done')";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.memory = 128 * MIB);
        assert_eq!(rig.run().exit.out_of_memory, OutOfMemory::Yes, "{who:?}");
    }
}

#[test]
fn pages_that_children_share_count_once() {
    let script = "import os, time\n\
        block = b'x' * (300 << 20)\n\
        for _ in range(6):\n\
        \x20   if os.fork() == 0: time.sleep(1.5); os._exit(0)\n\
        for _ in range(6): os.wait()\n\
        print('done')";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.memory = 600 * MIB);
        assert_eq!(rig.run().succeeded().lines, ["done"], "{who:?}");
    }
}

#[test]
fn a_child_killed_for_memory_does_not_fail_its_parent() {
    if !root_only("a_child_killed_for_memory_does_not_fail_its_parent") {
        return;
    }
    let rig = Rig::sh(Who::Root, "python3 -c \"b'x' * (1 << 30)\"; echo code $?; exit 0")
        .with(|spec| spec.limits.memory = 128 * MIB);
    let done = rig.run().succeeded();
    assert_eq!(done.lines.last().unwrap(), "code 137");
    assert_eq!((done.exit.out_of_memory, done.exit.children_out_of_memory), (OutOfMemory::No, 1));
}

#[test]
fn processes_are_limited() {
    let script = "import os, time\n\
        count = 0\n\
        try:\n\
        \x20   while True:\n\
        \x20       if os.fork() == 0: time.sleep(60); os._exit(0)\n\
        \x20       count += 1\n\
        except OSError as error: print(count, error.strerror)";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.processes = 40);
        let done = rig.run().succeeded();
        assert_eq!(done.lines, ["39 Resource temporarily unavailable"], "{who:?}");
        rig.leaves_nothing();
    }
}

#[test]
fn a_fork_bomb_ends_at_its_time() {
    for who in everyone() {
        let rig = Rig::sh(who, "bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done").with(|spec| {
            spec.limits.processes = 100;
            spec.limits.time = Some(Duration::from_secs(1));
            spec.grace = Duration::from_millis(200);
        });
        let exit = rig.run().exit;
        assert_eq!(exit.ended_by, LimitHit::Limit(Limit::Time), "{who:?}");
        rig.leaves_nothing();
    }
}

#[test]
fn cores_are_limited() {
    // Two busy threads of one second on one core's worth of time; counted, not timed.
    let script = "import os, time, multiprocessing\n\
        def busy():\n\
        \x20   end = time.monotonic() + 1\n\
        \x20   while time.monotonic() < end: pass\n\
        workers = [multiprocessing.Process(target=busy) for _ in range(2)]\n\
        [worker.start() for worker in workers]; [worker.join() for worker in workers]";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.cpus = 1);
        let exit = rig.run().succeeded().exit;
        let share = exit.usage.cpu_seconds / (exit.ended - exit.started);
        assert!(share < 1.3, "{who:?}: {share} cores");
    }
}

#[test]
fn a_full_disk_limit_ends_the_run() {
    for who in everyone() {
        for folder in ["/workspace", "/tmp", "/var/tmp"] {
            let script =
                format!("cd {folder}; for n in 1 2 3 4 5 6; do head -c 20000000 /dev/zero > f$n; done; sleep 20");
            let rig = Rig::sh(who, &script).with(|spec| spec.limits.disk = 50 * MIB);
            let exit = rig.run().exit;
            assert_eq!(exit.ended_by, LimitHit::Limit(Limit::Disk), "{who:?} {folder}");
            assert_eq!(exit.code, 137);
        }
    }
}

#[test]
fn what_is_hidden_in_a_closed_folder_counts() {
    for who in everyone() {
        let script = "mkdir d; for n in 1 2 3 4; do head -c 20000000 /dev/zero > d/f$n; done; chmod 0 d; sleep 20";
        let rig = Rig::sh(who, script).with(|spec| spec.limits.disk = 50 * MIB);
        assert_eq!(rig.run().exit.ended_by, LimitHit::Limit(Limit::Disk), "{who:?}");
    }
}

#[test]
fn too_many_files_end_the_run() {
    for who in everyone() {
        let script = "import time\nfor n in range(3000): open(f'f{n}', 'w').close()\ntime.sleep(20)";
        let rig = Rig::python(who, script).with(|spec| spec.limits.files = 1000);
        assert_eq!(rig.run().exit.ended_by, LimitHit::Limit(Limit::Disk), "{who:?}");
    }
}

#[test]
fn one_file_past_the_limit_is_an_error_for_the_run() {
    for who in everyone() {
        let rig =
            Rig::sh(who, "head -c 30000000 /dev/zero > big; echo code $?").with(|spec| spec.limits.disk = 10 * MIB);
        let done = rig.run();
        assert!(done.lines.iter().any(|line| line.contains("File too large")), "{who:?} {:?}", done.lines);
        assert!(std::fs::metadata(rig.folder().join("workspace/big")).unwrap().len() <= 10 * MIB);
    }
}

#[test]
fn process_limits_are_set() {
    for who in everyone() {
        let script = "import resource as r\n\
            print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_FSIZE)[0], r.getrlimit(r.RLIMIT_NOFILE)[0] <= 65536)";
        let lines = Rig::python(who, script).run().succeeded().lines;
        assert_eq!(lines, [format!("(0, 0) {} True", 4096 * MIB)], "{who:?}");
    }
}

#[test]
fn deleted_files_that_are_still_open_count() {
    for who in everyone() {
        let script = "exec 5> a 6> b; rm a b; head -c 80000000 /dev/zero >&5; head -c 80000000 /dev/zero >&6; sleep 20";
        let rig = Rig::sh(who, script).with(|spec| spec.limits.disk = 100 * MIB);
        assert_eq!(rig.run().exit.ended_by, LimitHit::Limit(Limit::Disk), "{who:?}");
    }
}

#[test]
fn endless_times_are_no_overflow() {
    for who in everyone() {
        let rig = Rig::sh(who, "sleep 0.1").with(|spec| {
            spec.limits.time = Some(Duration::MAX);
            spec.grace = Duration::MAX;
        });
        rig.run().succeeded();
    }
}
