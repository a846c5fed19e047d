"""People who were asked again: their numbers and groups come from a file, not from their records."""
from cohortextractor import StudyDefinition, patients

FOLLOWED_UP = "data/followup.csv"

study = StudyDefinition(
    index_date="2022-03-27",
    default_expectations={
        "date": {"earliest": "2020-03-01", "latest": "index_date"},
        "rate": "uniform",
        "incidence": 0.1,
    },
    population=patients.which_exist_in_file(FOLLOWED_UP),
    arm=patients.with_value_from_file(FOLLOWED_UP, returning="arm", returning_type="str"),
    asked_on=patients.with_value_from_file(
        FOLLOWED_UP, returning="asked_on", returning_type="date", date_format="YYYY-MM-DD"
    ),
    age=patients.age_as_of(
        "asked_on",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "population_ages"},
        },
    ),
    died=patients.died_from_any_cause(
        on_or_after="asked_on",
        returning="binary_flag",
    ),
)
