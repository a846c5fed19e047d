"""The same people once a month, and a measure over them."""

from cohortextractor import Measure, StudyDefinition, patients

study = StudyDefinition(
    index_date="2021-01-01",
    default_expectations={
        "date": {"earliest": "1900-01-01", "latest": "2021-01-01"},
        "rate": "uniform",
        "incidence": 0.5,
    },
    population=patients.satisfying("registered", registered=patients.registered_as_of("index_date")),
    sex=patients.sex(
        return_expectations={"rate": "universal", "category": {"ratios": {"F": 0.51, "M": 0.49}}},
    ),
    died=patients.died_from_any_cause(
        between=["index_date", "last_day_of_month(index_date)"],
        returning="binary_flag",
        return_expectations={"incidence": 0.1},
    ),
)

measures = [
    Measure(id="deaths", numerator="died", denominator="population", group_by="sex", small_number_suppression=True),
]
