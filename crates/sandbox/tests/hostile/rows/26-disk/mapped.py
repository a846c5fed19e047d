import mmap
import os

from attempts import attempt
from filling import wait


def mapped():
    held = []
    for number in range(6):
        file = os.open(str(number), os.O_RDWR | os.O_CREAT)
        for _ in range(5):
            os.write(file, b"x" * (4 << 20))
        # The interpreter would keep a descriptor of its own; one page is enough to hold all of the file.
        held.append(hold(file))
        os.unlink(str(number))
        os.close(file)
    wait()


def hold(file):
    from attempts import libc, ctypes

    libc.mmap.restype = ctypes.c_void_p
    return libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, file, ctypes.c_long(0))


attempt("120 MiB", mapped)
