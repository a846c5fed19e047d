# SD404 KeyError line 4: codelists/list.csv has no column 'CTV3'; its columns are: 'code', 'term'
from cohortextractor import codelist_from_csv

codes = codelist_from_csv("codelists/list.csv", system="ctv3", column="CTV3")
