import os

words = ("password", "secret", "database", "marked-")
environment = any(word in f"{name}={value}".lower() for name, value in os.environ.items() for word in words)
target = open("target.txt").read().strip()
files = os.path.exists(target)
for folder in ["/etc", "/run", "/root", "/home", "/var", "/workspace", "/tmp"]:
    for here, _, names in os.walk(folder):
        files = files or any("database-url" in name for name in names)
with open("/proc/net/tcp") as table:
    ports = [line for line in table.readlines()[1:] if line.split()[3] == "0A"]
with open("output/a.txt", "w") as file:
    for name, found in [("environment", environment), ("files", files), ("ports", ports)]:
        print(name, "some" if found else "none", file=file)
