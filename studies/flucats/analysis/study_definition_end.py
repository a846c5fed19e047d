"""What is known of people at the end, once: it is joined to the file of every week."""
from cohortextractor import StudyDefinition, patients

from codelists import covid_icd10_codes, ethnicity_codes, flucats_template_codes

# Deaths are known up to here.
LAST_DEATH = "2021-07-01"

study = StudyDefinition(
    index_date="2022-03-27",
    default_expectations={
        "date": {"earliest": "2020-03-01", "latest": LAST_DEATH},
        "rate": "uniform",
        "incidence": 0.1,
    },
    population=patients.satisfying(
        "any_template",
        any_template=patients.with_these_clinical_events(
            flucats_template_codes,
            between=["2020-03-01", "index_date - 1 day"],
            returning="binary_flag",
        ),
    ),
    ethnicity=patients.with_these_clinical_events(
        ethnicity_codes,
        on_or_before="index_date",
        find_last_match_in_period=True,
        returning="category",
        return_expectations={
            "incidence": 0.8,
            "category": {"ratios": {"1": 0.6, "2": 0.1, "3": 0.1, "4": 0.1, "5": 0.1}},
        },
    ),
    ethnicity_hospital=patients.with_ethnicity_from_sus(
        returning="group_6",
        use_most_frequent_code=True,
        return_expectations={
            "incidence": 0.5,
            "category": {"ratios": {"1": 0.6, "2": 0.1, "3": 0.1, "4": 0.1, "5": 0.1}},
        },
    ),
    ons_died=patients.died_from_any_cause(
        between=["2020-03-01", LAST_DEATH],
        returning="binary_flag",
        return_expectations={"incidence": 0.1},
    ),
    ons_died_date=patients.died_from_any_cause(
        between=["2020-03-01", LAST_DEATH],
        returning="date_of_death",
        date_format="YYYY-MM-DD",
    ),
    ons_died_covid=patients.with_these_codes_on_death_certificate(
        covid_icd10_codes,
        between=["2020-03-01", LAST_DEATH],
        returning="binary_flag",
        return_expectations={"incidence": 0.05},
    ),
    deregistered_date=patients.date_deregistered_from_all_supported_practices(
        between=["2020-03-01", "index_date"],
        date_format="YYYY-MM-DD",
    ),
    still_registered=patients.registered_as_of(
        "index_date", return_expectations={"incidence": 0.9}
    ),
)
