"""Stands in for the original of deciles-charts: percentiles of each date by pandas, drawn by matplotlib.

usage: deciles.py MEASURE.csv FOLDER CONFIG
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

source, folder, config = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])
outer = config.get("show_outer_percentiles", False)
table = pd.read_csv(source, parse_dates=["date"])
table = table[table["value"].notna() & (table["value"] != float("inf"))]
asked = [n / 10 for n in range(1, 10)]
if outer:
    asked += [n / 100 for n in list(range(1, 10)) + list(range(91, 100))]
values = pd.concat(
    table.groupby("date")["value"].quantile(share).rename("value").reset_index().assign(percentile=round(share * 100))
    for share in asked
)
values = values[["date", "percentile", "value"]].sort_values(["date", "percentile"])
values.to_csv(folder / "table.csv", index=False)
if config.get("charts", {}).get("output", True):
    figure, axes = plt.subplots(1, 1)
    names = set()
    for percentile, line in values.groupby("percentile"):
        name, style, width = "decile", "--", 1
        if percentile == 50:
            name, style, width = "median", "-", 1.5
        elif percentile < 10 or percentile > 90:
            name, style, width = "1st-9th, 91st-99th percentile", ":", 0.8
        label = "_nolegend_" if name in names else name
        names.add(name)
        axes.plot(line["date"], line["value"], "b" + style, linewidth=width, label=label)
    axes.set_ylim(0, values["value"].max() * 1.05)
    axes.set_xlim(values["date"].min(), values["date"].max())
    axes.grid(True)
    axes.tick_params(axis="x", rotation=30)
    axes.legend(bbox_to_anchor=(1.1, 0.8), loc="center left")
    figure.savefig(folder / "chart.png", bbox_inches="tight")
