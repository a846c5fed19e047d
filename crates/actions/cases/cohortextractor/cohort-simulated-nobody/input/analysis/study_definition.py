from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.satisfying("age >= 18 AND age < 10"),
    age=patients.age_as_of("2020-01-01", return_expectations={"rate": "universal", "int": {"distribution": "population_ages"}}),
)
