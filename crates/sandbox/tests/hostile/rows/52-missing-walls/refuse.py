"""Executes its arguments with one call refused by a filter, as a kernel or host without it would: refuse.py WHAT WORD..."""

import ctypes
import os
import struct
import sys

ENOSYS, EPERM, ALLOW, ERRNO = 38, 1, 0x7FFF_0000, 0x0005_0000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
X86 = os.uname().machine == "x86_64"
CLONE, UNSHARE, PRCTL = (56, 272, 157) if X86 else (220, 97, 167)
NEW_PRIVILEGES = 38

# Name of the capability: call, then flags of its first argument that make the difference (none: all of them), the error.
namespace = lambda flag: [(CLONE, flag, EPERM), (UNSHARE, flag, EPERM)]
REFUSED = {
    "user namespaces": namespace(0x1000_0000),
    "mount namespaces": namespace(0x2_0000),
    "process namespaces": namespace(0x2000_0000),
    "network namespaces": namespace(0x4000_0000),
    "IPC namespaces": namespace(0x800_0000),
    "host name namespaces": namespace(0x400_0000),
    "control group namespaces": namespace(0x200_0000),
    "mounting /proc": [(430, None, EPERM)],
    "overlays": [(430, None, ENOSYS)],
    "read-only binds": [(442, None, ENOSYS)],
    "system call filter": [(317 if X86 else 277, None, ENOSYS)],
    "no new privileges": [(PRCTL, NEW_PRIVILEGES, EPERM)],
    "Landlock": [(444, None, ENOSYS)],
    "openat2": [(437, None, ENOSYS)],
    "pidfd": [(434, None, ENOSYS)],
    "close_range": [(436, None, ENOSYS)],
}


def program(rules):
    code = [(LOAD, 0, 0, 0)]
    for call, flag, error in rules:
        if flag is None:
            code += [(EQUAL, 0, 1, call), (RETURN, 0, 0, ERRNO | error)]
        elif call == PRCTL:
            code += [(EQUAL, 0, 4, call), (LOAD, 0, 0, 16), (EQUAL, 0, 1, flag), (RETURN, 0, 0, ERRNO | error)]
            code += [(LOAD, 0, 0, 0)]
        else:
            code += [(EQUAL, 0, 4, call), (LOAD, 0, 0, 16), (ANY_BIT, 0, 1, flag), (RETURN, 0, 0, ERRNO | error)]
            code += [(LOAD, 0, 0, 0)]
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in code), len(code)


libc = ctypes.CDLL(None, use_errno=True)
text, count = program(REFUSED[sys.argv[1]])
buffer = ctypes.create_string_buffer(text)


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]


# An ordinary user must give up privileges first; root need not, and then "no new privileges" is tried for real.
if os.geteuid() != 0:
    assert libc.prctl(NEW_PRIVILEGES, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(count, ctypes.addressof(buffer))), 0, 0) == 0
os.execvp(sys.argv[2], sys.argv[2:])
