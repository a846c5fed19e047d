import os

from attempts import attempt, libc
from deleted import nameless

NOT_DUMPABLE = (4, 0, 0, 0, 0)
libc.prctl(*NOT_DUMPABLE)
attempt("120 MiB", nameless)
