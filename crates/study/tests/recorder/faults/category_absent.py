# SD404 ValueError line 4: no code has a category in '3'; the categories are: '1', '2'
from cohortextractor import codelist, filter_codes_by_category

codes = filter_codes_by_category(codelist([("a", "1"), ("b", "2")], "ctv3"), include=["3"])
