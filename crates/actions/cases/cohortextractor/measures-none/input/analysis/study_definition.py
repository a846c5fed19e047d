from cohortextractor import Measure, StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-01-01",
    population=patients.all(),
    sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"F": 1}}}),
    flag=patients.registered_as_of("index_date", return_expectations={"rate": "universal"}),
)
