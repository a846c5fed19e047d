from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-01-01",
    population=patients.all(),
    sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"F": 1}}}),
    born=patients.date_of_birth("YYYY-MM", return_expectations={"rate": "universal", "date": {"earliest": "1950-01-01", "latest": "2000-01-01"}}),
    age=patients.age_as_of("index_date", return_expectations={"rate": "universal", "int": {"distribution": "population_ages"}}),
)
