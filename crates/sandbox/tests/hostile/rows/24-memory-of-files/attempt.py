import os
import time

from attempts import attempt

BLOCK = b"x" * (4 << 20)
path = f"/dev/shm/big-{os.getpid()}"


def shared():
    with open(path, "wb") as file:
        for _ in range(30):
            file.write(BLOCK)


def own():
    held = []
    for _ in range(50):
        held.append(b"x" * (4 << 20))
        time.sleep(0.03)


attempt("120 MiB of shared memory", shared)
attempt("then 200 MiB of its own", own)
os.unlink(path)
