import os
import time

from attempts import attempt


def many():
    open("one", "w").close()
    for number in range(500):
        os.mkdir(f"folder{number}")
        os.symlink("nowhere", f"link{number}")
        os.link("one", f"name{number}")
    if "SECRET_OF_THE_CALLER" not in os.environ:
        time.sleep(20)


attempt("1,500 of them", many)
