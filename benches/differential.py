"""Compares verdicts with those of the reader that users have today, on mutated project.yaml files.

usage: differential.py VERDICTS COUNT [SEED]    (with the `opensafely` package installed, from the repository's root)

VERDICTS is the built example of crates/pipeline (`cargo build -p pipeline --example verdicts`). Prints the files on which
one reader finds an error and the other does not, grouped by what is said about them, with one example for each group.
Spec project-yaml.md 18 lists the differences that are meant.
"""

import collections
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import warnings

from opensafely._vendor.pipeline import load_pipeline

OWN = """version: "5.0"
actions:
  dataset:
    run: ehrql:v1 generate-dataset analysis/dataset.py --output output/dataset.csv.gz
    outputs:
      highly_sensitive:
        dataset: output/dataset.csv.gz
  measures:
    run: ehrql:v1 generate-measures analysis/measures.py --output output/measures.csv
    needs: [dataset]
    outputs:
      moderately_sensitive:
        table: output/measures.csv
  model:
    run: >
      r:v2 analysis/model.R "two words" 'three'
        --by sex
    needs: [
      dataset,  # first
      measures
    ]
    config: {a: 1, b: [x, 2.5], c: "O'Hara"}
    outputs:
      highly_sensitive: {fit: output/fit.rds}
      moderately_sensitive:
        plot: output/plots/*.png
"""

SCALARS = ["null", "~", "42", "1.5", "true", "no", "[]", "{}", "2020-01-01", '""', "''", "[a]", "{a: b}", "0042", "0o17",
           "1_000", ".inf", "!!str 3", "!x y", "&a b", "12:30", "run_all", "- x", "a: b", "x #y", "'it''s'", '"a\\tb"', "é", "=", "@x", "`x"]
PATHS = ["../a.csv", "a/../b.csv", "./a.csv", "a//b.csv", "/a.csv", "C:/a.csv", "a\\b.csv", "a", "a.", ".a", "a.*", "*.csv", "a/*",
         "a?.csv", "[a].csv", "**/a.csv", "metadata/a.csv", ".git/a.csv", "a b.csv", "é.csv", "a.CSV", "a.csv.gz", "output/*/x.csv", "~/a.csv"]
WORDS = ["&&", ">", "--output", "--output=x.csv", "'", '"', "\\", "#x", "python", "python:", ":v1", "python:latest", "python:dev", "python:2",
         "ehrql:v1", "generate-dataset", "cohortextractor:v1", "sqlrunner:v1", "r:v2.1-pre", "--", "''"]


def bases():
    texts = [OWN] * 3
    for path in sorted(pathlib.Path("studies").glob("*/project.yaml")):
        text = path.read_text()
        text = re.sub(r"(?m)^version:.*$", 'version: "5.0"', text)
        text = re.sub(r"(?m)^expectations:\n(?:[ \t].*\n|\n)*", "", text)
        text = text.replace(":latest", ":v1").replace("cohortextractor:", "stata-mp:")
        text = text.replace("pytest.xml", "pytest.txt").replace("deciles_*.*", "deciles_*.csv").replace(": project.yaml", ": project.md")
        text = re.sub(r"(?m)^  run_all:\n(?:    .*\n|\n)*", "", text)
        texts.append(text)
    return texts


def mutate(rng, text):
    lines = text.split("\n")
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(lines))
        line = lines[at]
        what = rng.randrange(11)
        if what == 0:
            del lines[at]
        elif what == 1:
            lines.insert(at, line)
        elif what == 2:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], line
        elif what == 3:
            lines[at] = rng.choice(["  ", " "]) + line
        elif what == 4:
            lines[at] = line[rng.choice([1, 2]):] if line.startswith("  ") else line
        elif what == 5 and ": " in line:
            lines[at] = line.split(": ")[0] + ": " + rng.choice(SCALARS)
        elif what == 6 and ": " in line:
            lines[at] = line.split(": ")[0] + ": " + rng.choice(PATHS)
        elif what == 7 and line:
            cut = rng.randrange(len(line))
            lines[at] = line[:cut] + line[cut + 1:]
        elif what == 8:
            cut = rng.randrange(len(line) + 1)
            lines[at] = line[:cut] + rng.choice(" :-#'\"[]{},&*!|>%@`\\\t0aé_") + line[cut:]
        elif what == 9 and "run: " in line:
            parts = line.split(" ")
            parts.insert(rng.randrange(len(parts) + 1), rng.choice(WORDS))
            lines[at] = " ".join(parts)
        elif what == 10:
            words = line.split()
            if words:
                lines[at] = line.replace(rng.choice(words), rng.choice(SCALARS + WORDS + PATHS), 1)
        if not lines:
            lines = [""]
    return "\n".join(lines)


def theirs(text):
    try:
        load_pipeline(text)
        return "ok"
    except Exception as fault:
        said = f"{type(fault).__name__}: " + " ".join(str(fault).split("\n")[-1:])
        return re.sub(r"[`'\"/\w.*~-]*[/.*~\d][`'\"/\w.*~-]*", "X", said)[:110]


def main():
    verdicts, count = sys.argv[1], int(sys.argv[2])
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    known = bases()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i in range(count):
            text = known[i] if i < len(known) else mutate(rng, rng.choice(known))
            path = pathlib.Path(folder, f"{i:06}.yaml")
            path.write_bytes(text.encode())
            names.append(str(path))
        out = subprocess.run([verdicts, *names], stdout=subprocess.PIPE, check=True, text=True).stdout
        ours = dict(line.split(" ", 1) for line in out.splitlines())
        groups = collections.defaultdict(list)
        agree = collections.Counter()
        for name in names:
            text = pathlib.Path(name).read_bytes().decode()
            their, our = theirs(text), ours[name]
            if (their == "ok") == (our == "ok"):
                agree["both load" if our == "ok" else "both refuse"] += 1
            else:
                groups[their, our].append(text)
        for text in known:
            if theirs(text) != "ok":
                print("a base is refused:", theirs(text))
        print(dict(agree), "different:", sum(map(len, groups.values())))
        for (their, our), texts in sorted(groups.items(), key=lambda g: -len(g[1])):
            print(f"\n=== {len(texts)}: theirs: {their}; ours: {our}")
            base = min(known, key=lambda b: len(set(texts[0].split("\n")) ^ set(b.split("\n"))))
            for line in [l for l in texts[0].split("\n") if l not in base.split("\n")][:4]:
                print("   +", line)
            for line in [l for l in base.split("\n") if l not in texts[0].split("\n")][:4]:
                print("   -", line)


main()
