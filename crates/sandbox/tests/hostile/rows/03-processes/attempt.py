import os

from attempts import attempt, read, targets

folder = f"/proc/{targets['process']}"


def environ():
    words = dict(word.split("=", 1) for word in read(folder + "/environ").split("\0") if "=" in word)
    return words["MARKED"]


def some(found):
    return "some" if found else "nothing"


def processes():
    return "strangers" if {int(n) for n in os.listdir("/proc") if n.isdigit()} - {1, os.getpid()} else "1 and this"


attempt("environ of a process of the host", environ)
attempt("fd of a process of the host", lambda: some(os.listdir(folder + "/fd")))
attempt("maps of a process of the host", lambda: some(read(folder + "/maps")))
attempt("processes", processes)
