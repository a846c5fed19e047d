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


def attempt(name, act, *words):
    try:
        said = act(*words)
    except OSError as error:
        said = errno.errorcode.get(error.errno, "no answer")
    print(f"{name}: {'done' if said is None else said}", flush=True)


def read(path):
    with open(path) as file:
        return file.read().strip()


def call(number, *words):
    """A raw system call; its error is raised, its result is not shown."""
    ctypes.set_errno(0)
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    if libc.syscall(ctypes.c_long(number), *words) == -1:
        raise OSError(ctypes.get_errno(), "")
