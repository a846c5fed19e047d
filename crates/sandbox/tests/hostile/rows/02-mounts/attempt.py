import os

from attempts import attempt, targets

SHOWN = "bin dev etc lib lib32 lib64 libx32 proc sbin tmp usr var workspace".split()


def listed():
    os.listdir(targets["home"])
    return "listed"


def strangers():
    return "some" if set(os.listdir("/")) - set(SHOWN) else "none"


def mounts():
    with open("/proc/self/mountinfo") as file:
        return [line.split(" ") for line in file]


def points():
    allowed = ("/usr", "/etc", "/bin", "/sbin", "/lib", "/dev", "/proc", "/var/cache/fontconfig", "/var/lib/texmf")
    own = ("/", "/workspace", "/tmp", "/var/tmp")
    found = [line[4] for line in mounts() if line[4] not in own and not line[4].startswith(allowed)]
    return "some" if found else "none"


def sources():
    own = ("/workspace", "/tmp", "/var/tmp")
    plain = ("/", "/usr", "/etc", "/bin", "/sbin", "/lib", "/null", "/zero", "/full", "/random", "/urandom", "/sys", "/irq")
    plain += ("/bus", "/fs", "/var/cache/fontconfig", "/var/lib/texmf")
    found = [line[3] for line in mounts() if line[4] not in own and not any(line[3] == p or line[3].startswith(p + "/") for p in plain[1:]) and line[3] != "/"]
    # Outside, a listing of the host's processes or files has names of it in any case.
    return "some" if found or os.path.exists(targets["home"]) else "none"


attempt("folder of the test", listed)
attempt("strangers beside /workspace", strangers)
attempt("mounts of the host", points)
attempt("named sources", sources)
