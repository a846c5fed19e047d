"""What the scripts of all rows share. An attempt prints one line, `name: outcome`: the error's name, or what it got."""

import ctypes
import errno
import json
import os
import sys

sys.path.insert(0, os.getcwd())
with open("targets.json") as file:
    targets = json.load(file)
# Where the host's files would stand; set where the test shows them on purpose.
HOST = os.environ.get("HOST", "")
libc = ctypes.CDLL(None, use_errno=True)

# x86-64, then aarch64; later calls have one number everywhere.
NUMBERS = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "clone": (56, 220), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "mknodat": (259, 33), "personality": (135, 92), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "syslog": (103, 116), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "quotactl": (179, 60), "acct": (163, 89),
    "lookup_dcookie": (212, 18), "prlimit64": (302, 261), "sethostname": (170, 161), "getpid": (39, 172),
    "pidfd_open": 434, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "process_madvise": 440, "memfd_secret": 447,
    "future": 600,
}  # fmt: skip


def attempt(name, act, *words):
    """Prints what came of it."""
    try:
        said = act(*words)
    except OSError as error:
        said = errno.errorcode.get(error.errno, "no answer")
    print(f"{name}: {'done' if said is None else said}", flush=True)


def read(path):
    with open(path) as file:
        return file.read().strip()


def call(name, *words):
    """A raw system call; its error is raised."""
    number = NUMBERS[name]
    if isinstance(number, tuple):
        number = number[0 if os.uname().machine == "x86_64" else 1]
    ctypes.set_errno(0)
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def apart(act):
    """In a process of its own, so that what it changes is gone with it."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        return f"killed by {-code}"
    if code:
        raise OSError(code, "")
