from cohortextractor import StudyDefinition, codelist, patients

events = codelist([("Ab1..", "x"), ("Ab2..", "")], system="ctv3")
period = {"between": ["index_date", "index_date + 1 month"]}
study = StudyDefinition(
    index_date="2021-03-01",
    population=patients.all(),
    seen=patients.with_these_clinical_events(events, **period),
    times=patients.with_these_clinical_events(events, returning="number_of_matches_in_period", **period),
    value=patients.with_these_clinical_events(events, returning="numeric_value", **period),
    kind=patients.with_these_clinical_events(events, returning="category", **period),
    year=patients.with_these_clinical_events(events, returning="date", **period),
    month=patients.date_of("value", date_format="YYYY-MM"),
    day=patients.date_of("value", date_format="YYYY-MM-DD"),
    far=patients.with_these_clinical_events(events, returning="date", date_format="YYYY-MM-DD"),
    imd=patients.address_as_of("index_date", returning="index_of_multiple_deprivation", round_to_nearest=100),
    rural=patients.address_as_of("index_date", returning="rural_urban_classification"),
)
