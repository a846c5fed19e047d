"""Stands in for the original of sqlrunner without a database: rows of a csv file, written again, packed if the name says so.

usage: dummy_rows.py ROWS.csv OUTPUT
"""

import csv
import gzip
import sys

source, target = sys.argv[1:]
opened = gzip.open if target.endswith(".gz") else open
with open(source, newline="") as read, opened(target, "wt", newline="") as out:
    rows = csv.DictReader(read)
    writer = csv.DictWriter(out, rows.fieldnames)
    writer.writeheader()
    writer.writerows(rows)
