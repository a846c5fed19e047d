with open("/proc/self/environ") as file:
    given = dict(word.split("=", 1) for word in file.read().split("\0") if "=" in word)
with open("output/names.txt", "w") as file:
    for name, value in sorted(given.items()):
        print(f"{name}={value}" if name in ("HOME", "OPENSAFELY_BACKEND") else name, file=file)
