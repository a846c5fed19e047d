import os
import sys

if sys.argv[1] == "make":
    # Inside, the link leads nowhere; the run may make what it likes of it.
    if os.path.islink("data/made") and not os.path.isdir("data/made"):
        os.unlink("data/made")
        os.mkdir("data/made")
    with open("data/made/input.csv", "w") as file:
        file.write("x\n")
else:
    with open("output/a.csv", "w") as file:
        file.write(open("data/made/input.csv").read())
