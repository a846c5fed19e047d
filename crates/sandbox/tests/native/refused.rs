//! Calls that are refused: the table of spec sandbox.md 7.

use crate::rig::{Rig, Who, everyone};

/// Makes raw system calls and prints the name of the error of each.
const RAW: &str = "import ctypes, errno\n\
    libc = ctypes.CDLL(None, use_errno=True)\n\
    def call(name, number, *words):\n\
    \x20   ctypes.set_errno(0)\n\
    \x20   result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(word) if isinstance(word, int) else word for word in words])\n\
    \x20   print(name, errno.errorcode.get(ctypes.get_errno(), 'ok') if result == -1 else 'ok')\n";

fn raw(who: Who, calls: &str) -> Vec<String> {
    Rig::python(who, &format!("{RAW}{calls}")).run().succeeded().lines
}

#[cfg(target_arch = "x86_64")]
#[test]
fn dangerous_calls_are_refused() {
    let calls = "call('unshare user', 272, 0x10000000)\n\
        call('unshare nothing', 272, 0)\n\
        call('setns', 308, 0, 0)\n\
        call('clone newuser', 56, 0x10000000 | 17, 0, 0, 0, 0)\n\
        call('clone newns', 56, 0x20000 | 17, 0, 0, 0, 0)\n\
        call('clone3', 435, 0, 0)\n\
        call('mount', 165, b'x', b'/tmp', b'tmpfs', 0, 0)\n\
        call('umount', 166, b'/tmp', 0)\n\
        call('pivot_root', 155, b'/', b'/')\n\
        call('chroot', 161, b'/tmp')\n\
        call('open_tree', 428, -100, b'/', 1)\n\
        call('move_mount', 429, 0, 0, 0, 0, 0)\n\
        call('fsopen', 430, b'tmpfs', 0)\n\
        call('mount_setattr', 442, -100, b'/', 0, 0, 0)\n\
        call('ptrace', 101, 0, 0, 0, 0)\n\
        call('process_vm_readv', 310, 1, 0, 0, 0, 0, 0)\n\
        call('pidfd_getfd', 438, 0, 0, 0)\n\
        call('kcmp', 312, 1, 1, 0, 0, 0)\n\
        call('bpf', 321, 0, 0, 0)\n\
        call('perf_event_open', 298, 0, 0, -1, -1, 0)\n\
        call('userfaultfd', 323, 0)\n\
        call('io_uring_setup', 425, 1, 0)\n\
        call('keyctl', 250, 0, 0)\n\
        call('add_key', 248, 0, 0, 0, 0, 0)\n\
        call('open_by_handle_at', 304, 0, 0, 0)\n\
        call('fanotify_init', 300, 0, 0)\n\
        call('mknod device', 133, b'/tmp/d', 0o20666, 0x103)\n\
        call('mknod fifo', 133, b'/tmp/f', 0o10666, 0)\n\
        call('personality 32', 135, 8)\n\
        call('personality query', 135, 0xffffffff)\n\
        call('settimeofday', 164, 0, 0)\n\
        call('reboot', 169, 0, 0, 0)\n\
        call('swapon', 167, b'/tmp/x', 0)\n\
        call('syslog', 103, 3, 0, 0)\n\
        call('future call', 600)";
    let expected = [
        "unshare user EPERM",
        "unshare nothing EPERM",
        "setns EPERM",
        "clone newuser EPERM",
        "clone newns EPERM",
        "clone3 ENOSYS",
        "mount EPERM",
        "umount EPERM",
        "pivot_root EPERM",
        "chroot EPERM",
        "open_tree EPERM",
        "move_mount EPERM",
        "fsopen EPERM",
        "mount_setattr EPERM",
        "ptrace EPERM",
        "process_vm_readv EPERM",
        "pidfd_getfd EPERM",
        "kcmp EPERM",
        "bpf EPERM",
        "perf_event_open EPERM",
        "userfaultfd EPERM",
        "io_uring_setup EPERM",
        "keyctl EPERM",
        "add_key EPERM",
        "open_by_handle_at EPERM",
        "fanotify_init EPERM",
        "mknod device EPERM",
        "mknod fifo ok",
        "personality 32 EPERM",
        "personality query ok",
        "settimeofday EPERM",
        "reboot EPERM",
        "swapon EPERM",
        "syslog EPERM",
        "future call ENOSYS",
    ];
    for who in everyone() {
        assert_eq!(raw(who, calls), expected, "{who:?}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn foreign_calls_kill_the_process() {
    // getpid by the x32 number.
    for who in everyone() {
        let done = Rig::python(who, &format!("{RAW}call('x32', 0x40000000 + 39)\nprint('went on')")).run();
        assert_eq!((done.exit.signal, done.lines.len()), (Some(31), 0), "{who:?}");
    }
}

#[test]
fn only_plain_sockets_can_be_made() {
    let script = "import socket, errno\n\
        for family, kind, protocol in [(1,1,0),(2,1,0),(2,2,0),(10,1,0),(10,2,0),(16,3,0),(2,3,1),(2,2,1),(16,3,15),(17,3,0),(38,5,0),(40,1,0),(2,1,132),(31,1,0)]:\n\
        \x20   try: socket.socket(family, kind, protocol); print(family, kind, protocol)\n\
        \x20   except OSError as error: print(family, kind, protocol, errno.errorcode[error.errno])\n\
        socket.socketpair()";
    for who in everyone() {
        assert_eq!(
            Rig::python(who, script).run().succeeded().lines,
            [
                "1 1 0",
                "2 1 0",
                "2 2 0",
                "10 1 0",
                "10 2 0",
                "16 3 0",
                "2 3 1 EPERM",
                "2 2 1 EPERM",
                "16 3 15 EPERM",
                "17 3 0 EPERM",
                "38 5 0 EPERM",
                "40 1 0 EPERM",
                "2 1 132 EPERM",
                "31 1 0 EPERM"
            ],
            "{who:?}"
        );
    }
}

#[test]
fn terminal_injection_is_refused() {
    let script = "import fcntl, errno\n\
        for name, request in [('TIOCSTI', 0x5412), ('TIOCLINUX', 0x541c), ('TIOCSTI high bits', 0x5412 | 1 << 32), ('FIONREAD', 0x541b)]:\n\
        \x20   import ctypes; libc = ctypes.CDLL(None, use_errno=True); word = ctypes.c_int(0)\n\
        \x20   result = libc.ioctl(1, ctypes.c_ulong(request), ctypes.byref(word))\n\
        \x20   print(name, errno.errorcode.get(ctypes.get_errno(), '') if result else 'ok')";
    for who in everyone() {
        let lines = Rig::python(who, script).run().succeeded().lines;
        assert_eq!(lines, ["TIOCSTI EPERM", "TIOCLINUX EPERM", "TIOCSTI high bits EPERM", "FIONREAD ok"], "{who:?}");
    }
}

#[test]
fn abstract_sockets_of_the_host_are_out_of_reach() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    let name = format!("host-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    assert!(UnixStream::connect_addr(&address).is_ok(), "positive control");
    let script = format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\n\
         try: s.connect('\\0{name}'); print('reached')\nexcept OSError as error: print(error.strerror)"
    );
    for who in everyone() {
        assert_eq!(Rig::python(who, &script).run().succeeded().lines, ["Connection refused"], "{who:?}");
    }
}

#[test]
fn set_user_programs_gain_nothing() {
    // The host's own set-uid programs are visible; their bits are not.
    for who in everyone() {
        let script =
            "cp /usr/bin/id .; chmod 6755 id; ./id -u; /usr/bin/passwd -S root 2>&1 | head -1; su -c id 2>&1 | head -1";
        let lines = Rig::sh(who, script).run().lines;
        assert_eq!(lines[0], "10000", "{who:?}");
        assert!(lines.iter().all(|line| !line.contains("uid=0")), "{lines:?}");
    }
}
