import os

with open("output/a.csv", "w") as file:
    print(open("b.txt").read(), end="", file=file)
    print(open("big.bin").readline(), end="", file=file)
    print("a .git" if os.path.exists(".git") else "no .git", file=file)
    print(open("Case").read().strip(), open("case").read().strip(), file=file)
