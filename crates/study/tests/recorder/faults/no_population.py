# SD105 TypeError line 4: missing 1 required positional argument: 'population'
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(age=patients.age_as_of("2020-01-01"))
