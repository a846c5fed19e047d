# SD007 ValueError line 7: more than 50 others around it
from cohortextractor import StudyDefinition, patients

x = patients.sex()
for _ in range(60):
    x = patients.satisfying("x", x=x)
study = StudyDefinition(population=patients.all(), x=x)
