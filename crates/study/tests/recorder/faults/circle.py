# SD007 ValueError line 6: nested deeper than
from cohortextractor import StudyDefinition, patients

circle = {}
circle["itself"] = circle
study = StudyDefinition(population=patients.all(), x=patients.sex(return_expectations=circle))
