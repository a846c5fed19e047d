import os
import threading
import time

from attempts import attempt

MANY = 200


def processes():
    children = []
    try:
        for _ in range(MANY):
            child = os.fork()
            if child == 0:
                time.sleep(60)
            children.append(child)
    except BlockingIOError:
        pass
    for child in children:
        os.kill(child, 9)
        os.wait()
    return len(children)


def threads():
    end = threading.Event()
    count = 0
    try:
        for _ in range(MANY):
            threading.Thread(target=end.wait).start()
            count += 1
    except RuntimeError:
        pass
    end.set()
    return count


attempt("processes", processes)
attempt("threads", threads)
