import os
import socket

from attempts import HOST, attempt, targets

USUAL = ["/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket"]
USUAL += ["/run/systemd/private", "/run/containerd/containerd.sock", f"/run/user/{os.getuid()}/bus"]


def reach(address):
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(address)
    return "reached"


def usual():
    # The test's own socket is among them, or a machine without services would show nothing.
    for path in USUAL + [targets["socket"]]:
        try:
            return reach(HOST + path)
        except OSError:
            pass
    return "none"


attempt("abstract", reach, "\0" + targets["abstract"])
attempt("path", reach, HOST + targets["socket"])
attempt("usual paths", usual)
