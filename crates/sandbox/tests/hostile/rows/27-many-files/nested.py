import os

from attempts import attempt


def nested():
    for _ in range(3_000):
        os.mkdir("d")
        os.chdir("d")
    open("file", "w").close()


attempt("3,000 levels", nested)
