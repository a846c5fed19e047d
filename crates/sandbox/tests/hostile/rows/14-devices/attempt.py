import os
import stat

from attempts import attempt, call

NULL = os.makedev(1, 3)


def opened(path):
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))


def nodes():
    five = {"null", "zero", "full", "random", "urandom"}
    found = {entry.name for entry in os.scandir("/dev") if stat.S_ISCHR(entry.stat(follow_symlinks=False).st_mode)}
    return "some" if found - five else "none"


attempt("make a character device", os.mknod, "character", 0o666 | stat.S_IFCHR, NULL)
attempt("make a block device", os.mknod, "block", 0o666 | stat.S_IFBLK, os.makedev(7, 0))
attempt("make one by mknodat", lambda: call("mknodat", -100, b"third", 0o666 | stat.S_IFCHR, NULL) or None)
attempt("open a terminal device", opened, "/dev/ptmx")
attempt("open kernel messages", opened, "/dev/kmsg")
attempt("nodes of /dev besides the five", nodes)
attempt("a pipe of its own", os.mkfifo, "pipe")
