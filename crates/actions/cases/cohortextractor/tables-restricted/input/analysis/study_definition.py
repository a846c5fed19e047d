from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    index_date="2020-06-01",
    population=patients.all(),
    seen=patients.with_gp_consultations(on_or_after="index_date", returning="number_of_matches_in_period"),
)
