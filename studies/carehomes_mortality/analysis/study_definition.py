"""People of 65 and over on 1 February 2020: do they live in a care home, and who died since."""
from cohortextractor import StudyDefinition, patients

from codelists import (
    cancer_codes,
    care_home_residence_codes,
    chronic_cardiac_codes,
    chronic_respiratory_codes,
    covid_death_codes,
    covid_primary_care_codes,
    dementia_codes,
    diabetes_codes,
    ethnicity_codes,
)
from places import msoa_ratios

deaths = {"date": {"earliest": "2020-02-03", "latest": "2020-11-30"}, "rate": "uniform"}


def comorbidity(codes, incidence):
    return patients.with_these_clinical_events(
        codes,
        on_or_before="index_date",
        returning="date",
        find_first_match_in_period=True,
        date_format="YYYY-MM",
        return_expectations={"incidence": incidence},
    )


study = StudyDefinition(
    index_date="2020-02-01",
    default_expectations={
        "date": {"earliest": "1970-01-01", "latest": "index_date"},
        "rate": "uniform",
        "incidence": 0.5,
    },
    population=patients.satisfying(
        """
        registered AND
        (age >= 65 AND age <= 110) AND
        (sex = "M" OR sex = "F") AND
        household_size > 0 AND
        NOT is_prison
        """,
        registered=patients.registered_with_one_practice_between(
            "index_date - 3 months", "index_date"
        ),
        is_prison=patients.household_as_of("2020-02-01", returning="is_prison"),
    ),
    age=patients.age_as_of(
        "index_date",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "normal", "mean": 78, "stddev": 7},
        },
    ),
    sex=patients.sex(
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"M": 0.45, "F": 0.55}},
        }
    ),
    ethnicity=patients.with_these_clinical_events(
        ethnicity_codes,
        returning="category",
        find_last_match_in_period=True,
        on_or_before="index_date",
        return_expectations={
            "incidence": 0.75,
            "category": {"ratios": {"1": 0.6, "2": 0.1, "3": 0.1, "4": 0.1, "5": 0.1}},
        },
    ),
    region=patients.registered_practice_as_of(
        "index_date",
        returning="nuts1_region_name",
        return_expectations={
            "rate": "universal",
            "category": {
                "ratios": {"North West": 0.3, "East": 0.3, "London": 0.2, "South West": 0.2}
            },
        },
    ),
    msoa=patients.address_as_of(
        "index_date",
        returning="msoa",
        return_expectations={"incidence": 0.97, "category": {"ratios": msoa_ratios}},
    ),
    imd=patients.address_as_of(
        "index_date",
        returning="index_of_multiple_deprivation",
        round_to_nearest=100,
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"100": 0.2, "8000": 0.3, "16000": 0.3, "32000": 0.2}},
        },
    ),
    # By address: nursing care (N), no nursing (C), unclear (S), not a care home (U).
    care_home_type=patients.care_home_status_as_of(
        "index_date",
        categorised_as={
            "N": "IsPotentialCareHome AND LocationRequiresNursing = 'Y'",
            "C": """
                IsPotentialCareHome
                AND LocationDoesNotRequireNursing = 'Y'
                AND LocationRequiresNursing = 'N'
                """,
            "S": "IsPotentialCareHome",
            "U": "DEFAULT",
        },
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"N": 0.12, "C": 0.14, "S": 0.04, "U": 0.7}},
        },
    ),
    # By the record: a code that says so.
    care_home_code=patients.with_these_clinical_events(
        care_home_residence_codes,
        on_or_before="index_date",
        returning="binary_flag",
        include_date_of_match=True,
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.2},
    ),
    household_id=patients.household_as_of(
        "2020-02-01",
        returning="pseudo_id",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "normal", "mean": 400, "stddev": 120},
        },
    ),
    household_size=patients.household_as_of(
        "2020-02-01",
        returning="household_size",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "poisson", "mean": 8},
        },
    ),
    percent_tpp=patients.household_as_of(
        "2020-02-01",
        returning="percentage_of_members_with_data_in_this_backend",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "normal", "mean": 75, "stddev": 10},
        },
    ),
    dementia=comorbidity(dementia_codes, 0.25),
    chronic_respiratory=comorbidity(chronic_respiratory_codes, 0.2),
    chronic_cardiac=comorbidity(chronic_cardiac_codes, 0.3),
    diabetes=comorbidity(diabetes_codes, 0.2),
    cancer=comorbidity(cancer_codes, 0.15),
    covid_primary_care=patients.with_these_clinical_events(
        covid_primary_care_codes,
        on_or_after="index_date",
        returning="date",
        find_first_match_in_period=True,
        date_format="YYYY-MM-DD",
        return_expectations=dict(deaths, incidence=0.1),
    ),
    covid_test=patients.with_test_result_in_sgss(
        pathogen="SARS-CoV-2",
        test_result="positive",
        on_or_after="index_date",
        find_first_match_in_period=True,
        returning="date",
        date_format="YYYY-MM-DD",
        return_expectations=dict(deaths, incidence=0.1),
    ),
    first_covid=patients.minimum_of("covid_primary_care", "covid_test"),
    died_date=patients.died_from_any_cause(
        on_or_after="index_date",
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations=dict(deaths, incidence=0.3),
    ),
    died_covid_date=patients.with_these_codes_on_death_certificate(
        covid_death_codes,
        on_or_after="index_date",
        match_only_underlying_cause=False,
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations=dict(deaths, incidence=0.15),
    ),
)
