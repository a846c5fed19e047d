# SD007 RuntimeError no line: more than 20000 variables
from cohortextractor import StudyDefinition, patients

sex = patients.sex()
study = StudyDefinition(population=patients.all(), **{"x%d" % n: sex for n in range(20001)})
