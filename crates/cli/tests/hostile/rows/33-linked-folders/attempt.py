import os
import shutil
import sys

target = open("target.txt").read().strip()
if sys.argv[1] == "folder":
    shutil.rmtree("output")
    os.symlink(target, "output")
else:
    os.makedirs("output/deep", exist_ok=True)
    os.symlink(target, "output/deep/link")
