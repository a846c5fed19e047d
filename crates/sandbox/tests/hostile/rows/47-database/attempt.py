import os

from attempts import HOST, attempt, read, targets


def environment():
    return "some" if any("SECRET" in name or "URL" in name for name in os.environ) else "none"


def ports():
    found = []
    for table in ["tcp", "tcp6"]:
        found += [line.split()[1] for line in read(f"/proc/net/{table}").splitlines()[1:] if line.split()[3] == "0A"]
    return "some" if found else "none"


def arguments():
    others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
    return "some" if any(os.path.exists(f"/proc/{name}/cmdline") for name in others) else "none"


attempt("environment", environment)
attempt("files", read, HOST + targets["files"]["credential"])
attempt("listening ports", ports)
attempt("arguments of processes", arguments)
