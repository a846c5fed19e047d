import os
import shutil
import subprocess

from attempts import attempt, targets

folder = targets["tree"] + "/bin/"


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def capabilities():
    status = output(folder + "cat-with-capabilities", "/proc/self/status")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return "some" if int(effective, 16) else "none"


def of_the_workspace():
    shutil.copy(folder + "id-set-uid", "id")
    os.chmod("id", 0o6755)
    return "own" if output("./id", "-u") == str(os.getuid()) else "another"


attempt("set-uid program of the image", lambda: output(folder + "id-set-uid", "-u"))
attempt("set-group-id program of the image", lambda: output(folder + "id-set-gid", "-g"))
attempt("program with file capabilities of the image", capabilities)
attempt("set-uid program of the workspace", of_the_workspace)
