//! Limits that nobody attacks, on every path this machine has: control groups for root, accounting for everybody else.
//! Attempts to pass them are rows 21 to 28 of `tests/hostile` (spec sandbox.md 6).

use std::time::Duration;

use sandbox::{LimitHit, OutOfMemory};

use crate::rig::{MIB, Rig, Who, everyone};

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
fn cores_are_limited() {
    // Two busy processes of one second on one core's worth of time, which ask for more; counted, not timed.
    let script = "import os, time, multiprocessing\n\
        try: os.sched_setaffinity(0, range(os.cpu_count()))\n\
        except OSError: pass\n\
        print(len(os.sched_getaffinity(0)))\n\
        def busy():\n\
        \x20   end = time.monotonic() + 1\n\
        \x20   while time.monotonic() < end: pass\n\
        workers = [multiprocessing.Process(target=busy) for _ in range(2)]\n\
        [worker.start() for worker in workers]; [worker.join() for worker in workers]";
    for who in everyone() {
        let rig = Rig::python(who, script).with(|spec| spec.limits.cpus = 1);
        let done = rig.run().succeeded();
        // By quota every core may be used, for a part of the time; else the cores are the limit and stay so.
        assert!(who == Who::Root || done.lines == ["1"], "{:?}", done.lines);
        let exit = done.exit;
        let share = exit.usage.cpu_seconds / (exit.ended - exit.started);
        assert!(share < 1.3, "{who:?}: {share} cores");
    }
}

#[test]
fn process_limits_are_set() {
    for who in everyone() {
        let script = "import resource as r\n\
            print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_FSIZE)[0], r.getrlimit(r.RLIMIT_NOFILE)[0] <= 65536)";
        let lines = Rig::python(who, script).run().succeeded().lines;
        assert_eq!(lines, [format!("(1, 1) {} True", 4096 * MIB)], "{who:?}");
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
