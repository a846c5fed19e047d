import os
import time

from attempts import attempt


def many():
    for number in range(5000):
        open(str(number), "w").close()
    if "SECRET_OF_THE_CALLER" not in os.environ:
        time.sleep(20)


attempt("5,000 files", many)
