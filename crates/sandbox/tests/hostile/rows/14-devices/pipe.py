import os

from attempts import HOST, attempt, targets


def write():
    # A process of the host reads it all the time.
    with os.fdopen(os.open(HOST + targets["pipe"], os.O_WRONLY | os.O_NONBLOCK), "w") as pipe:
        pipe.write("x")
    return "heard"


attempt("write into it", write)
