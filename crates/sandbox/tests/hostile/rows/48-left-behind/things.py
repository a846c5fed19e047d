"""What one process can leave for another: name, how it is left, how it is found."""

import ctypes
import os
import socket

from attempts import libc

KEY = 0x5EED
CREATE = 0o1000
held = []


def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")


def made(path):
    open(path, "w").close()


def queue(flags):
    checked(libc.mq_open(b"/left", flags, 0o600, None))


def listen():
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].bind("\0left")
    held[-1].listen()


def connect():
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect("\0left")


# The control covers /tmp, where its home would be.
HOME = "/tmp" if os.geteuid() == 0 else os.environ["HOME"]
LEAVE = {
    "shared memory": lambda: checked(libc.shmget(KEY, 4096, CREATE | 0o666)),
    "message queue": lambda: checked(libc.msgget(KEY, CREATE | 0o666)),
    "semaphore": lambda: checked(libc.semget(KEY, 1, CREATE | 0o666)),
    "POSIX queue": lambda: queue(os.O_RDWR | os.O_CREAT),
    "shared file": lambda: made("/dev/shm/left"),
    "temporary file": lambda: made("/tmp/left"),
    "setting of the home": lambda: made(HOME + "/.left"),
    "abstract socket": listen,
}
FIND = {
    "shared memory": lambda: checked(libc.shmget(KEY, 0, 0)),
    "message queue": lambda: checked(libc.msgget(KEY, 0)),
    "semaphore": lambda: checked(libc.semget(KEY, 0, 0)),
    "POSIX queue": lambda: queue(os.O_RDWR),
    "shared file": lambda: os.unlink("/dev/shm/left"),
    "temporary file": lambda: os.unlink("/tmp/left"),
    "setting of the home": lambda: os.unlink(HOME + "/.left"),
    "abstract socket": connect,
}


def cover():
    """As root of namespaces of its own, which only a control is: empty folders, so that nothing stays."""
    if os.geteuid() == 0:
        for folder in [b"/tmp", b"/dev/shm"]:
            checked(libc.mount(b"none", folder, b"tmpfs", ctypes.c_ulong(0), None))
