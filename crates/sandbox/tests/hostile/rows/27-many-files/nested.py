import os

from attempts import attempt


def nested():
    for _ in range(10_000):
        os.mkdir("d")
        os.chdir("d")
    open("file", "w").close()


attempt("10,000 levels", nested)
