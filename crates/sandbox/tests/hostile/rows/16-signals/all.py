import os
import resource
import signal
import time

from attempts import attempt


def all_others():
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(60)
        children.append(child)
    time.sleep(0.1)
    os.kill(-1, signal.SIGTERM)
    ends = [os.waitpid(child, 0)[1] for child in children]
    return "both gone" if ends == [signal.SIGTERM] * 2 else f"ended {ends}"


def alive():
    for number in [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM, signal.SIGCHLD] + list(range(34, 65)):
        try:
            os.kill(1, number)
        except PermissionError:
            pass
    time.sleep(0.2)
    os.stat("/proc/1")
    return "alive"


# The main process, and process 1 of the control, must see the end.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    attempt("two children and all others", all_others)
    attempt("this process and process 1", alive)
    attempt("limit process 1", lambda: resource.prlimit(1, resource.RLIMIT_FSIZE, (1 << 40, 1 << 40)) and None)
    os._exit(0)
os.wait()
