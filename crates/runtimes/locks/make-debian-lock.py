#!/usr/bin/env python3
"""Makes r-RELEASE.lock.toml from r-RELEASE.in.toml: the exact packages of one R environment and all that they need.

    python3 make-debian-lock.py r-debian-12.in.toml

Run it with Python 3.11 or newer on a machine of that release, after `apt-get update`. Nothing is installed or
downloaded: versions, sizes and SHA-256 are those of the release's own signed lists.
"""

import pathlib
import re
import subprocess
import sys
import tomllib


def resolved(names):
    """What apt would install for `names` on an empty machine."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", "-o", "Dir::State::status=/dev/null", *names]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return set(re.findall(r"^Inst (\S+?)(?::\S+)? ", answer.stdout, re.MULTILINE))


def records(names):
    """The newest listed record of each package, as {name: {field: value}}."""
    answer = subprocess.run(["apt-cache", "show", *names], check=True, capture_output=True, text=True)
    found = {}
    for text in answer.stdout.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in text.splitlines() if re.match(r"^[A-Za-z0-9-]+: ", line))
        if "SHA256" in fields:
            found.setdefault(fields["Package"], fields)
    return found


def entry(fields):
    return (
        f'  {{ name = "{fields["Package"]}", version = "{fields["Version"]}", arch = "{fields["Architecture"]}", '
        f'sha256 = "{fields["SHA256"]}", size = {fields["Size"]}, unpacked = {int(fields["Installed-Size"]) * 1024} }},'
    )


def main():
    source = pathlib.Path(sys.argv[1])
    wanted = tomllib.loads(source.read_text())
    names = resolved(wanted["base"] + wanted["package"]) - resolved(wanted["everywhere"]) - set(wanted["without"])
    found = records(sorted(names))
    r = re.match(r"\d+\.\d+\.\d+", found["r-base-core"]["Version"])[0]
    lines = [
        f"# Made by make-debian-lock.py from {source.name}; change that file, not this one.",
        'schema = "cloister.debian/1"',
        f'release = "{wanted["release"]}"',
        f'machine = "{wanted["machine"]}"',
        f'r = "{r}"',
        "absent = [" + ", ".join(f'"{name}"' for name in wanted["absent"]) + "]",
        "package = [",
        *(entry(found[name]) for name in sorted(names)),
        "]",
    ]
    target = source.with_name(source.name.replace(".in.toml", ".lock.toml"))
    target.write_text("\n".join(lines) + "\n")
    size, unpacked = (sum(int(found[name][field]) for name in names) for field in ("Size", "Installed-Size"))
    print(f"{target}: {len(names)} packages, {size / 1e6:.0f} MB, unpacked {unpacked / 1e3:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
