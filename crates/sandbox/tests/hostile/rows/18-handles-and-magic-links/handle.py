import ctypes
import os

from attempts import attempt, call, targets

path = targets["files"]["credential"]


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_char * 128)]


handle = Handle(128, 0, b"")
mount = ctypes.c_int()


def take():
    call("name_to_handle_at", -100, path.encode(), ctypes.byref(handle), ctypes.byref(mount), 0)


def opened():
    beneath = os.open(os.path.dirname(path) if os.path.exists(path) else "/", os.O_RDONLY)
    found = call("open_by_handle_at", beneath, ctypes.byref(handle), os.O_RDONLY)
    return os.read(found, 100).decode()


attempt("take a handle", take)
attempt("open by handle", opened)
