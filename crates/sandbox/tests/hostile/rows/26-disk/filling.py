import os
import time


def fill(folder):
    """Six files of 20 MiB, then time to be counted: an ordinary user's run is counted every second."""
    for number in range(6):
        with open(f"{folder}/{os.getpid()}-{number}", "wb") as file:
            for _ in range(5):
                file.write(b"x" * (4 << 20))
    wait()


def wait():
    if "SECRET_OF_THE_CALLER" not in os.environ:
        time.sleep(20)
