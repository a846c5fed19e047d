import os
import time

from attempts import attempt


def main():
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            own = b"y" * (16 << 20)
            time.sleep(5)
            os._exit(len(own) and 0)
        children.append(child)
    held = []
    for _ in range(30):
        held.append(b"x" * (8 << 20))
        time.sleep(0.02)
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)


attempt("it goes on", main)
