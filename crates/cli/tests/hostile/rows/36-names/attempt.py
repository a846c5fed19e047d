import os
import sys

kind = sys.argv[1] if len(sys.argv) > 1 else "fine"
if kind == "manifest":
    os.makedirs("metadata", exist_ok=True)
    names = [b"metadata/manifest.json"]
else:
    names = {
        "newline": [b"output/a\nb.csv"],
        "escape": [b"output/\x1b[31mred.csv"],
        "bytes": [b"output/\xff\xfe.csv"],
        "fine": [b"output/" + name + b".csv" for name in [b"x" * 251, b"-rf", b"...", b"..a", "é ü".encode()]],
    }[kind]
for name in names:
    with open(name, "w") as file:
        file.write('{"forged": 1}\n')
