import os

from attempts import attempt
from filling import wait


def nameless():
    held = []
    for number in range(6):
        file = open(str(number), "wb")
        os.unlink(str(number))
        for _ in range(5):
            file.write(b"x" * (4 << 20))
        file.flush()
        held.append(file)
    wait()


if __name__ == "__main__":
    attempt("120 MiB", nameless)
