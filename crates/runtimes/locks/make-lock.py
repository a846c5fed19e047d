#!/usr/bin/env python3
"""Makes NAME.lock.toml from NAME.in.toml: the exact wheels of one native environment.

    python3 make-lock.py --interpreter /path/to/python3.8 [--wheels FOLDER] python-v1-3.8.in.toml

Run it with Python 3.11 or newer; `--interpreter` is the Python that the lock is for, with its pip (22.2 or newer).
With `resolve = true` pip adds what the named packages need; with `resolve = false` the list is taken as it is.
Wheels are kept in FOLDER, a folder for each list, so that a second run downloads only what has changed.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile

GROUPS = ["python", "jupyter"]
ORDER = {name: at for at, name in enumerate(GROUPS)}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pip(interpreter, *words):
    subprocess.run([interpreter, "-m", "pip", "--disable-pip-version-check", *words], check=True)


def resolved(interpreter, python, requirements):
    """What `requirements` come to, as {name: version}, for the first release of this Python: some packages ask for a
    later one, which not every machine has."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        pip(
            interpreter, "install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary", ":all:",
            "--python-version", python, "--target", folder, "--report", str(report), *requirements,
        )
        found = json.loads(report.read_text())["install"]
    return {canonical(one["metadata"]["name"]): one["metadata"]["version"] for one in found}


def listed(requirements):
    pairs = (requirement.split("==") for requirement in requirements)
    return {canonical(name): version for name, version in pairs}


def versions(interpreter, wanted):
    """{name: (group, version)}: a package belongs to the first group that needs it."""
    found, asked = {}, []
    for group in GROUPS:
        asked += wanted["groups"][group]
        # What an earlier group settled stays as it is.
        pins = [f"{name}=={version}" for name, (_, version) in found.items()]
        all_of_it = resolved(interpreter, wanted["python"], asked + pins) if wanted["resolve"] else listed(wanted["groups"][group])
        for name, version in all_of_it.items():
            found.setdefault(name, (group, version))
    for name in wanted.get("without", []):
        found.pop(canonical(name), None)
    return found


def wheel_of(interpreter, python, folder, name, version):
    """The file of one package, downloaded unless it is there."""
    for _ in range(2):
        for path in sorted(folder.iterdir()):
            parts = path.name.split("-")
            if (canonical(parts[0]), parts[1]) == (canonical(name), version):
                return path
        pip(
            interpreter, "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", python,
            "--dest", str(folder), f"{name}=={version}",
        )
    raise SystemExit(f"pip reported success but there is no wheel of {name} {version} in {folder}")


def entry(group, name, version, path):
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        f'  {{ group = "{group}", name = "{name}", version = "{version}", wheel = "{path.name}", '
        f'sha256 = "{sha256}", size = {path.stat().st_size}, unpacked = {unpacked} }},'
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--interpreter", required=True)
    arguments.add_argument("--wheels", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir(), "lock-wheels"))
    arguments.add_argument("input", type=pathlib.Path)
    options = arguments.parse_args()
    wanted = tomllib.loads(options.input.read_text())
    folder = options.wheels / f"{wanted['generation']}-{wanted['python']}"
    folder.mkdir(parents=True, exist_ok=True)
    about = "import platform, sys; print('%d.%d' % sys.version_info[:2], platform.system().lower(), platform.machine())"
    asked = subprocess.run([options.interpreter, "-c", about], check=True, capture_output=True, text=True)
    python, system, machine = asked.stdout.split()
    if python != wanted["python"]:
        raise SystemExit(f"{options.input} is for Python {wanted['python']}, {options.interpreter} is {python}")
    found = versions(options.interpreter, wanted)
    lines = [
        f"# Made by make-lock.py from {options.input.name}; change that file, not this one.",
        'schema = "cloister.lock/1"',
        f'generation = "{wanted["generation"]}"',
        f'python = "{python}"',
        f'platform = "{system}-{machine}"',
        "package = [",
    ]
    for name, (group, version) in sorted(found.items(), key=lambda one: (ORDER[one[1][0]], one[0])):
        print(group, name, version, file=sys.stderr)
        lines.append(entry(group, name, version, wheel_of(options.interpreter, python, folder, name, version)))
    lines.append("]")
    target = options.input.with_name(options.input.name.replace(".in.toml", ".lock.toml"))
    target.write_text("\n".join(lines) + "\n")
    print(f"{target}: {len(found)} packages", file=sys.stderr)


if __name__ == "__main__":
    main()
