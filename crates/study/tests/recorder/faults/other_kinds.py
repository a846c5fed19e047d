# SD404 ValueError line 4: a list with categories cannot be combined with one without
from cohortextractor import codelist, combine_codelists

codes = combine_codelists(codelist(["a"], "ctv3"), codelist([("b", "1")], "ctv3"))
