import glob
import os
import resource
import signal

from attempts import apart, attempt

CORE = resource.RLIMIT_CORE
ENDLESS = resource.RLIM_INFINITY


def limit(soft, hard):
    try:
        resource.setrlimit(CORE, (soft, hard))
    except ValueError as error:
        raise PermissionError(1, "") from error


def limits():
    found = resource.getrlimit(CORE)
    return f"{found[0]} {found[1]}" if found[1] == 1 else "some"


def crash():
    try:
        resource.setrlimit(CORE, (ENDLESS, ENDLESS))
    except (OSError, ValueError):
        pass
    os.kill(os.getpid(), signal.SIGSEGV)
    signal.pause()


attempt("limits", limits)
attempt("allow one", apart, lambda: limit(ENDLESS, ENDLESS))
attempt("forbid none either", apart, lambda: limit(0, 0))
attempt("ask for it", lambda: resource.getrlimit(CORE) and None)
attempt("crash", apart, crash)
attempt("core file", lambda: "made" if glob.glob("core*") or glob.glob("/tmp/core*") else "none")
