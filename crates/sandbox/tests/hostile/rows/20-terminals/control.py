import ctypes
import os

from attempts import attempt, libc

TYPE, CONTROL, DISCIPLINE, SIZE = 0x5412, 0x540E, 0x5423, 0x5413
HIGH = 1 << 32
terminal = 1
if os.path.exists("/dev/ptmx"):
    # A terminal to try it on, for a session of its own.
    master, terminal = os.openpty()
if os.fork() == 0:
    os.setsid()

    def control(request, word):
        ctypes.set_errno(0)
        if libc.ioctl(terminal, ctypes.c_ulong(request), word):
            raise OSError(ctypes.get_errno(), "")

    character = ctypes.create_string_buffer(b"x")
    attempt("make it the controlling one", control, CONTROL, 0)
    attempt("type into it", control, TYPE, character)
    attempt("type into it, with high bits", control, TYPE | HIGH, character)
    attempt("change its discipline", control, DISCIPLINE, ctypes.byref(ctypes.c_int(0)))
    attempt("ask its size", control, SIZE, ctypes.create_string_buffer(8))
    os._exit(0)
os.wait()
