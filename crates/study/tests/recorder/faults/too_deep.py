# SD007 ValueError line 8: nested deeper than
from cohortextractor import StudyDefinition, patients

deep = []
for _ in range(5000):
    deep = [deep]

study = StudyDefinition(population=patients.all(), x=patients.fixed_value(deep))
