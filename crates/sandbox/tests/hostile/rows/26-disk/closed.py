import os

import filling
from attempts import attempt


def close():
    wait, filling.wait = filling.wait, lambda: None
    os.mkdir("closed")
    filling.fill("closed")
    os.chmod("closed", 0)
    wait()
    os.chmod("closed", 0o700)


attempt("120 MiB", close)
