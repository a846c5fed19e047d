# SD602 ValueError line 4: minimum_of takes no return_expectations
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(), x=patients.minimum_of("a", return_expectations={}))
