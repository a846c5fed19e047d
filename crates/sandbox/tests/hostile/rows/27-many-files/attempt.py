import os
import time

from attempts import attempt


def many():
    for number in range(1500):
        open(str(number), "w").close()
    if "SECRET_OF_THE_CALLER" not in os.environ:
        time.sleep(20)


attempt("1,500 files", many)
