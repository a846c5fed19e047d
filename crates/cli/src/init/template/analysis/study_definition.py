"""Who is in the study, and what is known about them."""

from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-01-01",
    # What dummy patients look like where a variable says nothing else.
    default_expectations={
        "date": {"earliest": "1900-01-01", "latest": "2021-01-01"},
        "rate": "uniform",
        "incidence": 0.5,
    },
    population=patients.satisfying(
        "registered AND age >= 18 AND age <= 110",
        registered=patients.registered_as_of("index_date"),
    ),
    age=patients.age_as_of(
        "index_date",
        return_expectations={"rate": "universal", "int": {"distribution": "population_ages"}},
    ),
    sex=patients.sex(
        return_expectations={"rate": "universal", "category": {"ratios": {"F": 0.51, "M": 0.49}}},
    ),
)
