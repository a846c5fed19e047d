# SD008 MissingParameterError line 4: add --param index=VALUE
from cohortextractor import StudyDefinition, params, patients

study = StudyDefinition(population=patients.all(), index_date=params["index"])
