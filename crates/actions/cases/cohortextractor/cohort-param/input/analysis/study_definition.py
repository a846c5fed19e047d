from cohortextractor import params, StudyDefinition, patients

study = StudyDefinition(
    index_date=params["day"],
    population=patients.all(),
    sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"F": 1}}}),
    flag=patients.registered_as_of("index_date", return_expectations={"rate": "universal"}),
)
