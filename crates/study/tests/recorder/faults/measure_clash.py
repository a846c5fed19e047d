# SD701 ValueError line 4: the numerator 'a' of measure 'm' is also in its group_by
from cohortextractor import Measure

measures = [Measure("m", denominator="population", numerator="a", group_by=["a", "b"])]
