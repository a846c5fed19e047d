from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-03-01",
    population=patients.satisfying("adult >= 18", adult=patients.age_as_of("index_date")),
    died=patients.died_from_any_cause(on_or_after="index_date", returning="date_of_death", date_format="YYYY-MM-DD"),
    end=patients.minimum_of("died", "2021-06-15"),
)
