from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.registered_as_of("index_date"),
    one=patients.registered_as_of("index_date", return_expectations={"incidence": 1}),
)
