import os
import time

from attempts import attempt


def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            # Outside it must end by itself.
            for _ in range(100):
                with open("out", "a") as file:
                    file.write("x")
                time.sleep(0.01)
        os._exit(0)
    os.wait()
    while not os.path.exists("out"):
        time.sleep(0.01)


def holders():
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            time.sleep(1)
            os._exit(0)


attempt("a daemon writes", daemon)
attempt("closes its pipes, and others hold them", holders)
