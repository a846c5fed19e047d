import glob
import os
import sys

NAMES = [f"output/given-{name}.csv" for name in ["closed", "renamed", "replaced", "truncated", "written"]]


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


if sys.argv[1] == "make":
    for name in NAMES:
        write(name, "as made\n")
elif sys.argv[1] == "change":
    closed, renamed, replaced, truncated, written = NAMES
    write(written, "spoilt\n")
    os.truncate(truncated, 0)
    os.unlink(replaced)
    write(replaced, "spoilt\n")
    write("other", "spoilt\n")
    os.rename("other", renamed)
    os.chmod(closed, 0)
    write("output/changed.csv", "x\n")
else:
    write("output/seen.csv", "".join(open(name).read() for name in sorted(glob.glob("output/given-*")) if os.access(name, os.R_OK)))
