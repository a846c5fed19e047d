from attempts import HOST, attempt, read, targets

for name, path in targets["files"].items():
    if name != "home of root":
        attempt(name, read, HOST + path)
