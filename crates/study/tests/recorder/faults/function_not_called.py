# SD005 TypeError line 4: call the function: sex=patients.sex(...)
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(), sex=patients.sex)
