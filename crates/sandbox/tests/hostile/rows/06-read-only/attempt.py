import os

from attempts import HOST, attempt, targets

folder = HOST + targets["tree"]
file = folder + "/lib/data.txt"


def opened():
    open(file, "r+").close()


def made():
    open(folder + "/lib/made", "w").close()
    os.unlink(folder + "/lib/made")


def renamed():
    os.rename(file, folder + "/lib/moved")
    os.rename(folder + "/lib/moved", file)


attempt("open a file of it", opened)
attempt("make a file in it", made)
attempt("truncate", lambda: os.truncate(file, os.stat(file).st_size))
attempt("rename", renamed)
attempt("change its mode", lambda: os.chmod(file, 0o666))
