import time

from attempts import attempt


def eat():
    held = []
    for _ in range(50):
        held.append(b"x" * (8 << 20))
        time.sleep(0.01)


attempt("before", lambda: None)
attempt("400 MiB", eat)
