import os
import sys

kind = sys.argv[1]
target = open("target.txt").read().strip()
to = {
    "absolute": target,
    "relative": "../" * 40 + target.lstrip("/"),
    "process": "/proc/self/environ",
    "dangling": "/no/such/file",
    "loop": "loop.csv",
}[kind]
os.symlink(to, f"output/{kind}.csv")
