import os

from attempts import attempt

LIMIT = 50 << 20
file = os.open("one", os.O_RDWR | os.O_CREAT)
attempt("up to the limit", os.ftruncate, file, LIMIT)
attempt("past it", os.ftruncate, file, LIMIT + 1)
attempt("write behind it", lambda: os.pwrite(file, b"x", LIMIT + 1) and None)
