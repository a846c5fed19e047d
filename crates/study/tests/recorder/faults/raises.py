# SD005 ZeroDivisionError line 7: raised ZeroDivisionError: division by zero
from cohortextractor import StudyDefinition, patients


def share(patients):
    # called from line 10
    return 1 / patients


study = StudyDefinition(population=patients.all(), x=patients.random_sample(percent=share(0)))
