"""Run a study's own actions as its project.yaml says, each in a fresh copy with what it needs.

Extraction is run by the built program, over fewer people and dates than project.yaml says (`extract`); `provide` keeps
what it makes as the outputs of an action.
"""
import fnmatch
import io
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import pandas as pd
import yaml

STUDIES = pathlib.Path(__file__).resolve().parent.parent
# The program that `cargo build` makes; this variable names another one.
PROGRAM = pathlib.Path(
    os.environ.get("CLOISTER_PROGRAM") or STUDIES.parent / "target" / "debug" / "cloister"
)
# Actions that the built program holds.
BUILT_IN = ("cohortextractor", "cohort-joiner", "dataset-report", "deciles-charts", "sqlrunner")
MADE = ("output", "metadata", "__pycache__", ".pytest_cache", ".ipynb_checkpoints")

# Set this to run the other tests on a machine without R.
WITHOUT_R = "CLOISTER_STUDIES_WITHOUT_R"


def project(study):
    return yaml.safe_load((STUDIES / study / "project.yaml").read_text(encoding="utf-8"))


def patterns(study, action):
    outputs = project(study)["actions"][action]["outputs"]
    return [pattern for level in outputs.values() for pattern in level.values()]


def matches(pattern, path):
    """Whether a path matches a pattern of project.yaml, whose * stays within a folder."""
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(map(fnmatch.fnmatchcase, found, wanted))


class Pipeline:
    """The outputs of a study's actions so far, {action: {path: bytes}}."""

    def __init__(self, study, scratch):
        self.study = study
        self.actions = project(study)["actions"]
        self.scratch = scratch
        self.outputs = {}
        self.runs = 0

    def fresh(self):
        self.runs += 1
        folder = self.scratch / "{}-{}".format(self.study, self.runs)
        shutil.copytree(
            str(STUDIES / self.study), str(folder), ignore=shutil.ignore_patterns(*MADE)
        )
        for pattern in {p for action in self.actions for p in patterns(self.study, action)}:
            for path in folder.glob(pattern):
                if path.name != "project.yaml":
                    path.unlink()
        return folder

    def collect(self, action, folder):
        """Return the files that match the action's patterns; each must match one."""
        files = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
        found = {}
        for pattern in patterns(self.study, action):
            matched = [path for path in files if matches(pattern, path)]
            assert matched, "{}: nothing matches {}".format(action, pattern)
            found.update((path, (folder / path).read_bytes()) for path in matched)
        return found

    def needed(self, action):
        return {
            path: content
            for need in self.actions[action].get("needs") or []
            for path, content in self.outputs[need].items()
        }

    def command(self, action, folder):
        image, *words = shlex.split(self.actions[action]["run"])
        words = [word.replace("/workspace", str(folder)) for word in words]
        if self.actions[action].get("config"):
            words += ["--config", json.dumps(self.actions[action]["config"])]
        runtime = image.split(":")[0]
        if runtime in BUILT_IN:
            assert PROGRAM.exists(), "{} is missing: run `cargo build`".format(PROGRAM)
            return [str(PROGRAM), "action", image] + words
        if runtime == "r":
            return [rscript()] + words
        if runtime == "python":
            assert words[0] == "python"
            return [sys.executable] + words[1:]
        assert (runtime, words[:2]) == ("jupyter", ["jupyter", "nbconvert"])
        return [sys.executable, "-m"] + words[1:]

    def run(self, action, **changes):
        """Run one action on what it needs and return its outputs, without keeping them.

        `changes` is {"edit": function(files)}, which may change the inputs in place.
        """
        folder = self.fresh()
        files = dict(self.needed(action))
        if "edit" in changes:
            before = dict(files)
            changes["edit"](files)
            assert files != before, "the edit changed no input"
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        done = subprocess.run(
            self.command(action, folder),
            cwd=str(folder),
            env=environment(self.scratch),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        log = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, "{} failed:\n{}".format(action, log)
        found = self.collect(action, folder)
        shutil.rmtree(str(folder))
        return found

    def keep(self, action):
        self.outputs[action] = self.run(action)

    def provide(self, action, make):
        """Take what `make(folder)` writes as the outputs of an action that is not run here."""
        folder = self.fresh()
        for path, content in self.needed(action).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        make(folder)
        self.outputs[action] = self.collect(action, folder)
        shutil.rmtree(str(folder))


def environment(scratch):
    """A plain environment: no setting of the caller but where programs are."""
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OPENSAFELY_BACKEND": "expectations",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def rscript():
    program = shutil.which("Rscript")
    assert program, "Rscript is not installed; install R, or set {}=1".format(WITHOUT_R)
    return program


def extract(folder, command, *options):
    """Run a command of cohortextractor in a copy of a study, as `cloister action` does by hand."""
    assert PROGRAM.exists(), "{} is missing: run `cargo build`".format(PROGRAM)
    done = subprocess.run(
        [str(PROGRAM), "action", "cohortextractor:latest", command] + [str(o) for o in options],
        cwd=str(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")


def cohort(module, form, patients, *dates):
    """Return what makes the files of a study definition in a folder."""

    def make(folder):
        options = ["--study-definition", module, "--output-format", form]
        options += ["--expectations-population", patients]
        for date in dates or [None]:
            dated = ["--index-date-range", date] if date else []
            extract(folder, "generate_cohort", *(options + dated))

    return make


def edit_csv(path, change):
    """Return an edit that applies `change(table)` to one csv file; cells are kept as text."""

    def edit(files):
        compression = "gzip" if path.endswith(".gz") else None
        table = pd.read_csv(
            io.BytesIO(files[path]), dtype=str, keep_default_na=False, compression=compression
        )
        change(table)
        text = table.to_csv(index=False).encode("utf-8")
        if compression:
            import gzip

            text = gzip.compress(text)
        files[path] = text

    return edit


def edit_feather(path, change):
    """Return an edit that applies `change(table)` to one feather file."""

    def edit(files):
        table = pd.read_feather(io.BytesIO(files[path]))
        change(table)
        target = io.BytesIO()
        table.to_feather(target)
        files[path] = target.getvalue()

    return edit


def differing(before, after):
    """Return the paths whose bytes differ between two sets of outputs."""
    assert set(before) == set(after)
    return {path for path in before if before[path] != after[path]}
