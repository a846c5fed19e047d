# SD404 ValueError line 6: codelists/long.csv, line 2 cannot be read as csv: field larger than field limit
from cohortextractor import codelist_from_csv

with open("codelists/long.csv", "w") as file:
    file.write("code\n" + "x" * (1 << 20) + "\n")
codes = codelist_from_csv("codelists/long.csv", system="ctv3")
