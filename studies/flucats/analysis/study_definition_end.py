"""What is known of people at the end, once: it is joined to the file of every week."""
from cohortextractor import StudyDefinition, patients

from codelists import (
    covid_icd10_codes,
    ethnicity_codes,
    flucats_template_codes,
    measurements,
)

PANDEMIC = ["2020-03-01", "index_date"]

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
    known_throughout=patients.with_complete_gp_consultation_history_between(
        "2020-03-01", "index_date", return_expectations={"incidence": 0.8}
    ),
    # For a look at records by hand: the same patients every time.
    in_sample=patients.random_sample(percent=2, return_expectations={"incidence": 0.02}),
    born=patients.date_of_birth(
        date_format="YYYY-MM",
        return_expectations={
            "date": {"earliest": "1920-01-01", "latest": "2021-12-01"},
            "incidence": 1,
        },
    ),
    saturation_mean=patients.mean_recorded_value(
        measurements["oxygen_saturation"],
        on_most_recent_day_of_measurement=True,
        between=PANDEMIC,
        include_measurement_date=True,
        date_format="YYYY-MM-DD",
        return_expectations={
            "incidence": 0.4,
            "float": {"distribution": "normal", "mean": 96, "stddev": 2},
        },
    ),
    saturation_least=patients.min_recorded_value(
        measurements["oxygen_saturation"],
        on_most_recent_day_of_measurement=False,
        between=PANDEMIC,
        return_expectations={
            "incidence": 0.4,
            "float": {"distribution": "normal", "mean": 94, "stddev": 3},
        },
    ),
    temperature_greatest=patients.max_recorded_value(
        measurements["temperature"],
        on_most_recent_day_of_measurement=False,
        between=PANDEMIC,
        return_expectations={
            "incidence": 0.4,
            "float": {"distribution": "normal", "mean": 38.5, "stddev": 1},
        },
    ),
    heart_rate=patients.with_these_clinical_events(
        measurements["heart_rate"],
        between=PANDEMIC,
        find_last_match_in_period=True,
        returning="numeric_value",
        return_expectations={
            "incidence": 0.4,
            "float": {"distribution": "normal", "mean": 85, "stddev": 12},
        },
    ),
    heart_rate_on=patients.date_of("heart_rate", date_format="YYYY-MM-DD"),
    intensive_care=patients.admitted_to_icu(
        between=PANDEMIC,
        find_first_match_in_period=True,
        returning="date_admitted",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.02},
    ),
    ventilated=patients.admitted_to_icu(
        between=PANDEMIC,
        returning="had_advanced_respiratory_support",
        return_expectations={"incidence": 0.01},
    ),
    outpatient=patients.outpatient_appointment_date(
        returning="number_of_matches_in_period",
        attended=True,
        between=PANDEMIC,
        return_expectations={"incidence": 0.3, "int": {"distribution": "poisson", "mean": 2}},
    ),
    antiviral=patients.with_covid_therapeutics(
        with_these_therapeutics=["Sotrovimab", "Paxlovid", "Molnupiravir"],
        with_these_indications="non_hospitalised",
        between=["2021-12-16", "index_date"],
        returning="therapeutic",
        return_expectations={
            "incidence": 0.02,
            "category": {"ratios": {"Sotrovimab": 0.5, "Paxlovid": 0.3, "Molnupiravir": 0.2}},
        },
    ),
    antiviral_group=patients.with_covid_therapeutics(
        between=["2021-12-16", "index_date"],
        returning="risk_group",
        return_expectations={
            "incidence": 0.02,
            "category": {"ratios": {"imid": 0.6, "solid cancer": 0.4}},
        },
    ),
    renal_replacement=patients.with_record_in_ukrr(
        from_dataset="2020_prevalence",
        returning="treatment_modality_prevalence",
        return_expectations={
            "incidence": 0.01,
            "category": {"ratios": {"ICHD": 0.6, "Tx": 0.4}},
        },
    ),
    flu_vaccine=patients.with_vaccination_record(
        tpp={"target_disease_matches": "INFLUENZA"},
        emis={"procedure_codes": flucats_template_codes},
        between=["2021-09-01", "index_date"],
        returning="date",
        find_last_match_in_period=True,
        date_format="YYYY-MM-DD",
        return_expectations={
            "incidence": 0.5,
            "date": {"earliest": "2021-09-01", "latest": "index_date"},
        },
    ),
    healthcare_worker=patients.with_healthcare_worker_flag_on_covid_vaccine_record(
        returning="binary_flag", return_expectations={"incidence": 0.03}
    ),
    cpns_died_date=patients.with_death_recorded_in_cpns(
        between=["2020-03-01", LAST_DEATH],
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.02},
    ),
    gp_died_date=patients.with_death_recorded_in_primary_care(
        between=["2020-03-01", LAST_DEATH],
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.09},
    ),
    last_known_death=patients.maximum_of("ons_died_date", "cpns_died_date", "gp_died_date"),
    data_until=patients.fixed_value(LAST_DEATH),
)
