# SD402 ValueError line 4: lists of different systems cannot be combined: 'ctv3' and 'snomed'
from cohortextractor import codelist, combine_codelists

codes = combine_codelists(codelist(["a"], "ctv3"), codelist(["b"], "snomed"))
