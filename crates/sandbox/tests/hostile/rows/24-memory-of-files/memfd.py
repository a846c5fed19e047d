import os
import time

from attempts import attempt


def hidden():
    file = os.memfd_create("hidden")
    for _ in range(50):
        os.write(file, b"x" * (8 << 20))
        time.sleep(0.02)
    # An ordinary user's run is searched for such memory every second.
    if "SECRET_OF_THE_CALLER" not in os.environ:
        time.sleep(4)


if __name__ == "__main__":
    attempt("400 MiB in a memory file", hidden)
