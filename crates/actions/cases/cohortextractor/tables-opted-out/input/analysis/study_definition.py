from cohortextractor import StudyDefinition, codelist, patients

events = codelist(["Ab1.."], system="ctv3")
study = StudyDefinition(
    index_date="2020-06-01",
    population=patients.all(),
    registered=patients.registered_as_of("index_date"),
    value=patients.with_these_clinical_events(events, returning="numeric_value", find_last_match_in_period=True),
    day=patients.date_of("value", date_format="YYYY-MM-DD"),
    admitted=patients.admitted_to_hospital(returning="date_admitted", date_format="YYYY-MM-DD"),
)
