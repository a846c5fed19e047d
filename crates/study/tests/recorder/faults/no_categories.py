# SD404 ValueError line 4: the list has no categories
from cohortextractor import codelist, filter_codes_by_category

codes = filter_codes_by_category(codelist(["a"], "ctv3"), include=["1"])
