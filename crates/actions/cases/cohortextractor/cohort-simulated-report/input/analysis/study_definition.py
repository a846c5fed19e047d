from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-01-01",
    population=patients.satisfying("age < 30", age=patients.age_as_of("index_date")),
    sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"F": 1}}}),
    old=patients.satisfying("years > 64", years=patients.age_as_of("index_date"), return_expectations={"incidence": 0.9}),
)
