import os

from attempts import attempt


def closed():
    os.makedirs("a/b/c")
    open("a/b/c/file", "w").close()
    os.chmod("a/b/c/file", 0)
    for folder in ["a/b/c", "a/b", "a"]:
        os.chmod(folder, 0)


attempt("mode 000", closed)
