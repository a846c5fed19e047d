"""Everybody registered on 1 February 2020, of any age, and where they live."""
from cohortextractor import StudyDefinition, patients

from places import msoa_ratios

study = StudyDefinition(
    index_date="2020-02-01",
    default_expectations={
        "date": {"earliest": "1970-01-01", "latest": "index_date"},
        "rate": "uniform",
        "incidence": 0.5,
    },
    population=patients.registered_as_of("index_date"),
    age=patients.age_as_of(
        "index_date",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "population_ages"},
        },
    ),
    msoa=patients.address_as_of(
        "index_date",
        returning="msoa",
        return_expectations={"incidence": 0.95, "category": {"ratios": msoa_ratios}},
    ),
)
