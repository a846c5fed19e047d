from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.registered_as_of("2020-01-01"),
    died=patients.died_from_any_cause(
        on_or_after="2019-01-01",
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 1, "rate": "uniform", "date": {"earliest": "2018-01-01", "latest": "2020-01-01"}},
    ),
)
