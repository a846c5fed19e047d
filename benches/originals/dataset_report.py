"""Stands for the original dataset-report: reads whole files with pandas, and writes what the original's page tells.

usage: dataset_report.py report OUT FILE...       a page for each file
       dataset_report.py make ROWS.csv NAME       NAME.csv.gz and NAME.feather, with the types of a file of patients
"""

import html
import os
import sys

import pandas


def read(path):
    return pandas.read_feather(path) if path.endswith(".feather") else pandas.read_csv(path)


def table(rows, index):
    rows.index.name = index
    return rows.to_html()


def counts(column):
    found = column.value_counts(dropna=False).sort_index(na_position="first")
    found = (found / 5).round() * 5
    found = found.where(found > 5)
    return pandas.DataFrame({"Count": found, "Percentage": found / found.sum() * 100})


def report(path, out):
    rows = read(path)
    parts = [f"<h1>Dataset Report</h1><p><em>{html.escape(path)}</em></p><h2>Summary</h2>"]
    summary = {
        "Size (MB)": rows.memory_usage(index=False) / 1_000_000,
        "Data Type": rows.dtypes,
        "Empty": rows.isna().all(),
    }
    parts.append(table(pandas.DataFrame(summary), "Column Name"))
    for name in rows.columns.drop("patient_id", errors="ignore"):
        column = rows[name]
        zero_or_one = path.endswith((".csv", ".csv.gz")) and column.dtype.kind in "iuf" and column.dropna().isin([0, 1]).all()
        if column.dtype == bool or zero_or_one:
            parts.append(f"<h3>{html.escape(name)}</h3>" + table(counts(column), "Column Value"))
    stem = os.path.basename(path).split(".")[0]
    with open(os.path.join(out, stem + ".html"), "w") as page:
        page.write("".join(parts))


def make(path, name):
    rows = pandas.read_csv(path, parse_dates=["date", "died"])
    rows.to_csv(name + ".csv.gz", index=False)
    for flag in ["had_bp", "had_asthma", "had_copd", "carehome"]:
        rows[flag] = rows[flag].astype(bool)
    for category in ["sex", "region", "smoking", "stp"]:
        rows[category] = rows[category].astype("category")
    rows.to_feather(name + ".feather", compression="zstd")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:4])
    else:
        os.makedirs(sys.argv[2], exist_ok=True)
        for file in sys.argv[3:]:
            report(file, sys.argv[2])
