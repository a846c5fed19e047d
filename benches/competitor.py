"""Times the project.yaml reader that users have today on the same files: one line of JSON per file.

It refuses every version before 5, so for most published studies the time is that of reading the YAML and finding the
faults; `refused` says so.

usage: competitor.py FILE...   (with the `opensafely` package installed)
"""

import json
import statistics
import sys
import time

from opensafely._vendor.pipeline import load_pipeline

for name in sys.argv[1:]:
    with open(name) as f:
        text = f.read()
    # It needs seconds for large files and a minute for the largest.
    runs = 15 if len(text) < 100_000 else 3 if len(text) < 2_000_000 else 1
    times = []
    refused = False
    for _ in range(runs):
        start = time.process_time()
        try:
            load_pipeline(text, filename=name)
        except Exception:
            refused = True
        times.append(time.process_time() - start)
    print(json.dumps({"file": name, "median_ms": statistics.median(times) * 1000, "refused": refused}))
