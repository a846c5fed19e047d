# SD404 ValueError line 6: codelists/latin.csv is not UTF-8 text (byte 0xe9
from cohortextractor import codelist_from_csv

with open("codelists/latin.csv", "wb") as file:
    file.write(b"code\ncaf\xe9\n")
codes = codelist_from_csv("codelists/latin.csv", system="ctv3")
