"""Ethnicity and region of everybody who may appear in a monthly file: one row each."""
from cohortextractor import StudyDefinition, patients

from codelists import ethnicity_codes

study = StudyDefinition(
    index_date="2021-09-01",
    default_expectations={
        "date": {"earliest": "1900-01-01", "latest": "index_date"},
        "rate": "uniform",
        "incidence": 0.8,
    },
    population=patients.all(),
    ethnicity=patients.categorised_as(
        {
            "0": "DEFAULT",
            "1": "gp_ethnicity = '1' OR (NOT gp_ethnicity AND hospital_ethnicity = '1')",
            "2": "gp_ethnicity = '2' OR (NOT gp_ethnicity AND hospital_ethnicity = '2')",
            "3": "gp_ethnicity = '3' OR (NOT gp_ethnicity AND hospital_ethnicity = '3')",
            "4": "gp_ethnicity = '4' OR (NOT gp_ethnicity AND hospital_ethnicity = '4')",
            "5": "gp_ethnicity = '5' OR (NOT gp_ethnicity AND hospital_ethnicity = '5')",
        },
        gp_ethnicity=patients.with_these_clinical_events(
            ethnicity_codes,
            on_or_before="index_date",
            find_last_match_in_period=True,
            returning="category",
        ),
        hospital_ethnicity=patients.with_ethnicity_from_sus(
            returning="group_6", use_most_frequent_code=True
        ),
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"0": 0.2, "1": 0.4, "2": 0.05, "3": 0.15, "4": 0.1, "5": 0.1}},
        },
    ),
    region=patients.registered_practice_as_of(
        "index_date",
        returning="nuts1_region_name",
        return_expectations={
            "incidence": 0.95,
            "category": {
                "ratios": {
                    "North East": 0.1,
                    "North West": 0.1,
                    "Yorkshire and The Humber": 0.1,
                    "East Midlands": 0.1,
                    "West Midlands": 0.1,
                    "East": 0.1,
                    "London": 0.2,
                    "South East": 0.1,
                    "South West": 0.1,
                }
            },
        },
    ),
)
