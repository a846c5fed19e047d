# SD005 TypeError line 4: missing 1 required positional argument: 'reference_date'
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(), age=patients.age_as_of())
