import os

from attempts import attempt


def nested():
    for _ in range(1_500):
        os.mkdir("d")
        os.chdir("d")
    open("file", "w").close()


attempt("1,500 levels", nested)
