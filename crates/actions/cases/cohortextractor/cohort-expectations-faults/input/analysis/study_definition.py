from cohortextractor import StudyDefinition, patients

days = {"earliest": "2000-01-01", "latest": "2020-01-01"}
study = StudyDefinition(
    population=patients.all(),
    a=patients.age_as_of("2020-01-01", return_expectations={"incidence": 0.5}),
    b=patients.registered_as_of("2020-01-01", return_expectations={"incidence": 0.5, "incidents": 1}),
    c=patients.registered_as_of("2020-01-01", return_expectations={"incidence": 1.5}),
    d=patients.date_of_birth("YYYY-MM", return_expectations={"incidence": 1, "rate": "linear", "date": days}),
    e=patients.date_of_birth("YYYY-MM", return_expectations={"incidence": 1, "date": {"earliest": "2020-01-01", "latest": "2000-01-01"}}),
    f=patients.sex(return_expectations={"incidence": 1, "category": {"ratios": {"F": 0.4, "M": 0.5}}}),
    g=patients.categorised_as({"x": "c", "y": "DEFAULT"}, return_expectations={"incidence": 1, "category": {"ratios": {"z": 1}}}),
)
