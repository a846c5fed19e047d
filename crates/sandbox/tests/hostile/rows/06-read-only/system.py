import ctypes
import os

from attempts import attempt, libc

FOLDERS = ["/", "/usr", "/usr/lib", "/etc", "/var", "/dev"]
where = {folder: folder for folder in FOLDERS}


def mount(source, target, kind, flags):
    if libc.mount(source, target.encode(), kind, ctypes.c_ulong(flags), None):
        raise OSError(ctypes.get_errno(), "")


# As root of namespaces of its own, which only the control is: an empty folder stands for each.
if os.geteuid() == 0:
    for number, folder in enumerate(FOLDERS):
        where[folder] = f"/tmp/{os.getpid()}-{number}"
        if number == 0:
            mount(b"none", "/tmp", b"tmpfs", 0)
        os.mkdir(where[folder])
        mount(b"none", where[folder], b"tmpfs", 0)


def write(folder):
    path = os.path.join(folder, "hostile")
    open(path, "w").close()
    os.unlink(path)


for folder in FOLDERS:
    attempt(folder, write, where[folder])
REMOUNT = 32
for folder in ["/usr", "/"]:
    attempt(f"remount {folder}", mount, b"none", where[folder], None, REMOUNT)
