import os
import sys

if sys.argv[1] == "make":
    with open("output/input.csv", "w") as file:
        file.write("c,d\n")
else:
    for number in range(100):
        os.link("code.csv", f"output/link-code-{number}.csv")
        os.link("output/input.csv", f"output/link-input-{number}.csv")
