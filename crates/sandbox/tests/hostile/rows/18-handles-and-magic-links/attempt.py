import os

from attempts import HOST, attempt, read, targets

path = HOST + targets["files"]["credential"]


def by_descriptor():
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    with os.fdopen(os.open("../../.." + path, os.O_RDONLY, dir_fd=root)) as file:
        return file.read()


def own_link():
    os.symlink("/proc/self/root" + path, "link")
    return read("link")


attempt("root", read, "/proc/self/root" + path)
attempt("root of a thread", read, "/proc/thread-self/root" + path)
attempt("root, upwards", read, "/proc/self/" + "root" + "/../../.." + path)
attempt("cwd, upwards", read, "/proc/self/cwd" + "/.." * 12 + path)
attempt("descriptor of the root, upwards", by_descriptor)
attempt("own link", own_link)
attempt("root of a process of the host", read, f"/proc/{targets['process']}/root{targets['files']['credential']}")
