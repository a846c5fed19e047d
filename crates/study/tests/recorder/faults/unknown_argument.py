# SD005 TypeError line 4: unexpected keyword argument 'refrence_date'; did you mean 'reference_date'?
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(), age=patients.age_as_of(refrence_date="2020-01-01"))
