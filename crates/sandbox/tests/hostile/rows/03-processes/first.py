import os

from attempts import attempt, read


def some(found):
    return "some" if found else "nothing"


def memory():
    open("/proc/1/mem", "rb").close()
    return "open"


def command_line():
    words = read("/proc/1/cmdline").strip("\0").replace("\0", " ")
    return words if "__supervisor" in words else "other"


# A child, so that in the control process 1 is another process too.
if os.fork() == 0:
    attempt("environ", lambda: some(read("/proc/1/environ")))
    attempt("maps", lambda: some(read("/proc/1/maps")))
    attempt("mem", memory)
    attempt("fd", lambda: some(os.listdir("/proc/1/fd")))
    for name in ["root", "cwd", "exe"]:
        attempt(name, lambda: some(os.readlink("/proc/1/" + name)))
    attempt("user namespace", lambda: some(os.readlink("/proc/1/ns/user")))
    attempt("task", lambda: some(os.listdir("/proc/1/task/1/fd")))
    attempt("command line", command_line)
    os._exit(0)
os.wait()
