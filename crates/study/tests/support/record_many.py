"""Records many small studies in one process, which forks for each: hundreds of cases in seconds.

    python3 -B -X utf8 crates/study/tests/support/record_many.py < cases.json > recordings.jsonl
    python3 -B -X utf8 crates/study/tests/support/record_many.py FOLDER

Input (JSON): {"cases": [{
    "name":   anything that tells cases apart,
    "module": "study_definition" (default) or "study_definition_x",
    "files":  {"analysis/study_definition.py": "text", "codelists/bp.csv": "text", ...},
    "params": {"k": "v"}                     (default {})
}]}
`analysis/` and `codelists/` always exist. The names that the case format promises to studies without an import
(StudyDefinition, patients, codelist…, Measure, params) are there as builtins, so the text of a study needs no change
and its lines and columns are those of the case.

Output: one line of JSON per case, in order: {"name": ..., "recording": TEXT OF THE RECORDING or null, "log": what was
printed}. A null means that the process of the case ended without one (the log says how).

With a FOLDER: each of its subfolders is one case, named as the folder, and the files in it are the workspace; an
optional file `record.json` in it holds {"module", "params"}. Output is the same, on standard output.

The recorder is the one beside this crate; each case runs for at most 20 seconds. Cases are our own: there is no fence.
"""

import json
import os
import shutil
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.normpath(os.path.join(HERE, "../../recorder")))

# What every case needs is imported before the forks.
import builtins  # noqa: E402
import csv  # noqa: E402,F401
import datetime  # noqa: E402,F401
import hashlib  # noqa: E402,F401

import cohortextractor  # noqa: E402
from cohortextractor import _recorder  # noqa: E402

SECONDS = 20
for name in cohortextractor.__all__ + ["patients"]:
    setattr(builtins, name, getattr(cohortextractor, name))


def cases_of_folder(folder):
    for name in sorted(os.listdir(folder)):
        root = os.path.join(folder, name)
        if not os.path.isdir(root):
            continue
        case = {"name": name, "root": root}
        settings = os.path.join(root, "record.json")
        if os.path.exists(settings):
            with open(settings) as file:
                case.update(json.load(file))
        yield case


def lay_out(case, root):
    for folder in ("analysis", "codelists"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    if "root" in case:
        shutil.copytree(case["root"], root, symlinks=True, dirs_exist_ok=True)
    for path, text in case.get("files", {}).items():
        target = os.path.normpath(os.path.join(root, path))
        assert target.startswith(root + os.sep), path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def record_one(case, root, output, log):
    os.dup2(log, 1)
    os.dup2(log, 2)
    signal.alarm(SECONDS)
    os.chdir(root)
    recording = _recorder.record(os.getcwd(), case.get("module", "study_definition"), case.get("params", {}))
    sys.stdout.flush()
    sys.stderr.flush()
    with open(output, "wb") as file:
        file.write(recording)


def run(case, folder):
    root = os.path.join(os.path.realpath(folder), "workspace")
    output = os.path.join(folder, "recording.json")
    log_path = os.path.join(folder, "log")
    os.makedirs(root)
    lay_out(case, root)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            record_one(case, root, output, log)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(log)
    _, status = os.waitpid(child, 0)
    with open(log_path, encoding="utf-8", errors="replace") as file:
        printed = file.read()
    recording = None
    if os.path.exists(output):
        with open(output, encoding="utf-8") as file:
            recording = file.read()
    elif status != 0:
        printed += "\n(ended with status %d)" % status
    return {"name": case.get("name"), "recording": recording, "log": printed}


def main():
    if len(sys.argv) > 1:
        cases = cases_of_folder(sys.argv[1])
    else:
        cases = json.load(sys.stdin)["cases"]
    for number, case in enumerate(cases):
        folder = tempfile.mkdtemp(prefix="case-%d-" % number)
        try:
            result = run(case, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.write(json.dumps(result, ensure_ascii=True) + "\n")
        sys.stdout.flush()


main()
