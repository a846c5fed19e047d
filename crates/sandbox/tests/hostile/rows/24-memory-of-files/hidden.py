from attempts import attempt, libc
from memfd import hidden

NOT_DUMPABLE = (4, 0, 0, 0, 0)
libc.prctl(*NOT_DUMPABLE)
attempt("400 MiB in a memory file", hidden)
