import os
import signal

from attempts import attempt, targets


def parents():
    # The supervisor is what a parent of this process would be.
    return "some" if os.getppid() not in (0, 1) else "none"


attempt("signal it", os.kill, targets["process"], signal.SIGCONT)
attempt("its parents", parents)
