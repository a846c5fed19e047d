"""Times the project.yaml reader that users have today on the same files: one line of JSON per file.

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
    runs = 3 if len(text) > 500_000 else 15
    times = []
    try:
        for _ in range(runs):
            start = time.process_time()
            load_pipeline(text, filename=name)
            times.append(time.process_time() - start)
    except Exception as fault:
        # It refuses several published studies; the table then says "not measured".
        print(f"{name}: {fault}", file=sys.stderr)
        continue
    print(json.dumps({"file": name, "median_ms": statistics.median(times) * 1000}))
