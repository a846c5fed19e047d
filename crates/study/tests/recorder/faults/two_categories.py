# SD404 ValueError line 4: codes with more than one category: 'a'
from cohortextractor import codelist

codes = codelist([("a", "1"), ("b", "1"), ("a", "2")], system="ctv3")
