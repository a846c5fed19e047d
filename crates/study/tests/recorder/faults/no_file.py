# SD005 FileNotFoundError line 4: a file that another action makes needs that action in `needs`
from cohortextractor import codelist_from_csv

codes = codelist_from_csv("codelists/not-there.csv", system="snomed")
