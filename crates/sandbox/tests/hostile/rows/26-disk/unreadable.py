import os
import shutil

from attempts import attempt

# Outside nobody counts, and nobody need wait for it.
SECONDS = "0" if "SECRET_OF_THE_CALLER" in os.environ else "20"


def nameless():
    for number in range(6):
        file = os.open(str(number), os.O_RDWR | os.O_CREAT)
        os.set_inheritable(file, True)
        os.unlink(str(number))
        for _ in range(5):
            os.write(file, b"x" * (4 << 20))


def unreadable():
    shutil.copy("/bin/sleep", "closed")
    os.chmod("closed", 0o111)
    child = os.fork()
    if child == 0:
        os.execv("closed", ["closed", SECONDS])
    # Only that program holds them now.
    os.closerange(3, 100)
    os.waitpid(child, 0)


attempt("120 MiB", nameless)
attempt("go on as such a program", unreadable)
