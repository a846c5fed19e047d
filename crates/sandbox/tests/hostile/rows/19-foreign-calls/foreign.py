"""Calls of other architectures than the program's: x86-64 has two of them."""

import ctypes
import mmap
import os

from attempts import libc

X32 = 0x4000_0000
GETPID = 39


def gate():
    # mov eax, 20 (getpid of 32 bits); int 0x80; ret
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
    code = ctypes.addressof(ctypes.c_char.from_buffer(page))
    assert ctypes.CFUNCTYPE(ctypes.c_int)(code)() == os.getpid()


def x32():
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(X32 | GETPID)) == -1:
        raise OSError(ctypes.get_errno(), "")


def plain():
    assert libc.syscall(ctypes.c_long(GETPID)) == os.getpid()
