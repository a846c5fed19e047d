"""Does what the original of cohort-joiner does, with pandas; also makes its files of the rows of a csv file.

usage: cohort_joiner.py make ROWS.csv            input_01.csv.gz, input_01.feather, right.csv.gz and right.feather
       cohort_joiner.py join RIGHT FOLDER FILE…  one result for each file
"""

import pathlib
import sys

import pandas as pd


def read(path):
    return pd.read_feather(path) if path.endswith(".feather") else pd.read_csv(path)


def make(rows):
    table = pd.read_csv(rows, parse_dates=["date"])
    categories = table.select_dtypes(include=["object", "str"]).columns
    table.astype({name: "category" for name in categories}).to_feather("input_01.feather", compression="zstd")
    pd.read_csv(rows, dtype=str).to_csv("input_01.csv.gz", index=False)
    # Every patient but one in twenty, in another order.
    right = table[["patient_id", "imd"]].rename(columns={"imd": "household"})
    right = right[right["patient_id"] % 20 != 0].sample(frac=1, random_state=1).reset_index(drop=True)
    right.to_csv("right.csv.gz", index=False)
    right.to_feather("right.feather", compression="zstd")


def join(right, folder, files):
    right = read(right)
    for name in files:
        joined = read(name).merge(right, on="patient_id", how="left")
        target = pathlib.Path(folder, name)
        joined.to_feather(target) if name.endswith(".feather") else joined.to_csv(target, index=False)


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    join(sys.argv[2], sys.argv[3], sys.argv[4:])
