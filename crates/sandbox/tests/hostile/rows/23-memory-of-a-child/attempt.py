import time

from attempts import apart, attempt


def eat():
    held = []
    for _ in range(50):
        held.append(b"x" * (8 << 20))
        time.sleep(0.01)


attempt("child", apart, eat)
attempt("parent", lambda: None)
