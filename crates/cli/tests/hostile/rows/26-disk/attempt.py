import os

for folder in ["/workspace", "/tmp"]:
    with open(folder + "/big", "wb") as file:
        for _ in range(50):
            file.write(b"x" * (1 << 20))
open("output/a.csv", "w").close()
