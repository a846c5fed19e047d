# SD003 SyntaxError line 5: could not be imported
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(population=patients.all(),
    x=patients.sex() y=patients.sex())
