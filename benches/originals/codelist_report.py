"""Stands in for the original of generate_codelist_report without a database: invented counts, summed by pandas.

usage: codelist_report.py CODELIST.csv START END FOLDER
"""

import datetime
import pathlib
import random
import sys

import pandas as pd

codelist, start, end, folder = sys.argv[1:]
start, end = datetime.date.fromisoformat(start), datetime.date.fromisoformat(end)
folder = pathlib.Path(folder)
dice = random.Random(1)
codes = list(pd.read_csv(codelist, dtype=str)["code"])[:16]
length = (end - start).days
rows = [
    (code, start + datetime.timedelta(days=day), f"{practice:02}", int(200 * dice.uniform(0.8, 1.2) / 1.6**rank))
    for rank, code in enumerate(codes)
    for day in range(0, length, max(length // 70, 1))
    for practice in range(100)
]
events = pd.DataFrame(rows, columns=["code", "date", "practice", "num"])
events["date"] = pd.to_datetime(events["date"])
events.groupby("code")["num"].sum().to_csv(folder / "counts_per_code.csv")
weeks = pd.Grouper(key="date", freq="W-SUN", label="left", closed="left")
events.groupby(["practice", weeks])["num"].sum().to_csv(folder / "counts_per_week_per_practice.csv")
sizes = pd.DataFrame({"practice": [f"{n:02}" for n in range(100)], "list_size": [int(dice.gauss(2000, 500)) for _ in range(100)]})
sizes.to_csv(folder / "list_sizes.csv", index=False)
pd.DataFrame({"num": [len(rows) // 3]}).to_csv(folder / "patient_count.csv", index=False)
