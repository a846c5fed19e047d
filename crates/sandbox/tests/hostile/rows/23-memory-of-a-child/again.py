import time

from attempts import apart, attempt


def eat():
    held = []
    for _ in range(40):
        held.append(b"x" * (8 << 20))
        time.sleep(0.02)


for number in [1, 2, 3]:
    attempt(f"child {number}", apart, eat)
