import os

from attempts import attempt

attempt("a terminal of its own", lambda: os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)))
attempt("the controlling terminal", lambda: os.close(os.open("/dev/tty", os.O_RDWR)))
attempt("standard input", lambda: os.read(0, 5).decode() or "end")
attempt("standard input is a terminal", lambda: "yes" if os.isatty(0) else "no")
