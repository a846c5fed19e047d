# SD401 IndexError line 4: a list without a code
from cohortextractor import codelist

codes = codelist([], system="ctv3")
