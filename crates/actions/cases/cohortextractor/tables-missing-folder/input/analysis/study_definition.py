from cohortextractor import StudyDefinition, codelist, patients

BP = codelist(["Ab1.."], system="ctv3")
study = StudyDefinition(
    index_date="2021-03-01",
    population=patients.satisfying("age > 17", age=patients.age_as_of("index_date")),
    sex=patients.sex(),
    bp=patients.with_these_clinical_events(BP, between=["index_date", "last_day_of_month(index_date)"],
        returning="numeric_value", include_date_of_match=True, date_format="YYYY-MM-DD"),
)
