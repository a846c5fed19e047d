import os
import sys

with open("output/a.txt", "w") as file:
    print(" ".join(sys.argv[1:]), file=file)
    print(os.getuid(), "some" if os.path.exists("/h") else "none", file=file)
