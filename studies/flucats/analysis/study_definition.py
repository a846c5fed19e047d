"""Adults and children assessed with a flu template in a week: how ill, who, what followed.

One file per week: the index date is its first day. Almost everything is dated from the day on
which the template was filled in (`flucats_template_date`), which differs from patient to patient.
"""
from cohortextractor import StudyDefinition, filter_codes_by_category, patients

from codelists import (
    circumstances,
    comorbidities,
    covid_icd10_codes,
    flucats_template_codes,
    measurements,
    medicines,
    symptoms,
)

END_OF_WEEK = "index_date + 6 days"
TEMPLATE = "flucats_template_date"

this_week = {"earliest": "index_date", "latest": END_OF_WEEK}
afterwards = {"earliest": "index_date", "latest": "index_date + 30 days"}


def event(codes, incidence, **period):
    """Whether a code is recorded in a period, and the last day on which it is."""
    return patients.with_these_clinical_events(
        codes,
        returning="binary_flag",
        find_last_match_in_period=True,
        include_date_of_match=True,
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": incidence},
        **period
    )


def question_answers():
    """One variable per question and answer of the template."""
    answers = sorted({category for _, category in flucats_template_codes})
    return {
        "flucats_question_" + answer: event(
            filter_codes_by_category(flucats_template_codes, include=[answer]),
            0.3,
            between=["index_date", END_OF_WEEK],
        )
        for answer in answers
    }


def near_template(codes_by_name):
    """What was recorded in the fortnight up to the template."""
    return {
        name: event(codes, 0.2, between=[TEMPLATE + " - 14 days", TEMPLATE])
        for name, codes in codes_by_name.items()
    }


def measured(codes_by_name):
    """Last number measured within two days of the template, and whether it is exact."""
    means = {
        "oxygen_saturation": 95,
        "blood_pressure": 130,
        "temperature": 38,
        "heart_rate": 90,
        "respiratory_rate": 20,
    }
    variables = {}
    for name, codes in codes_by_name.items():
        variables[name] = patients.with_these_clinical_events(
            codes,
            between=[TEMPLATE + " - 2 days", TEMPLATE + " + 2 days"],
            ignore_missing_values=True,
            returning="numeric_value",
            find_last_match_in_period=True,
            include_date_of_match=True,
            date_format="YYYY-MM-DD",
            return_expectations={
                "incidence": 0.5,
                "float": {"distribution": "normal", "mean": means[name], "stddev": 4},
            },
        )
        variables[name + "_comparator"] = patients.comparator_from(
            name,
            return_expectations={
                "rate": "universal",
                "category": {"ratios": {None: 0.9, "<": 0.05, ">=": 0.05}},
            },
        )
    return variables


def ever_before(codes_by_name):
    """What was recorded at any time up to the template."""
    return {
        name: event(codes, 0.1, on_or_before=TEMPLATE) for name, codes in codes_by_name.items()
    }


def issued_after(codes_by_name):
    """Whether, how often and when first a medicine was issued in the fortnight after."""
    variables = {}
    period = [TEMPLATE, TEMPLATE + " + 14 days"]
    for name, codes in codes_by_name.items():
        variables[name] = patients.with_these_medications(
            codes,
            between=period,
            returning="binary_flag",
            find_first_match_in_period=True,
            include_date_of_match=True,
            date_format="YYYY-MM-DD",
            return_expectations={"incidence": 0.2, "date": afterwards, "rate": "uniform"},
        )
        variables[name + "_issues"] = patients.with_these_medications(
            codes,
            between=period,
            returning="number_of_matches_in_period",
            return_expectations={
                "incidence": 0.2,
                "int": {"distribution": "poisson", "mean": 2},
            },
        )
    return variables


def vaccinations(number):
    """Dates of the first doses: each at least 14 days after the one before."""
    variables = {}
    for dose in range(1, number + 1):
        start = "2020-12-08" if dose == 1 else "covid_vaccine_%d + 14 days" % (dose - 1)
        variables["covid_vaccine_%d" % dose] = patients.with_tpp_vaccination_record(
            target_disease_matches="SARS-2 CORONAVIRUS",
            on_or_after=start,
            find_first_match_in_period=True,
            returning="date",
            date_format="YYYY-MM-DD",
            return_expectations={
                "incidence": 0.6 / dose,
                "date": {"earliest": "2020-12-08", "latest": "2022-03-27"},
                "rate": "uniform",
            },
        )
    return variables


def deaths():
    """Whether people died within some days of the template, of anything and with Covid-19."""
    variables = {}
    for days in (14, 30, 90):
        period = [TEMPLATE, TEMPLATE + " + %d days" % days]
        variables["died_%d_days" % days] = patients.died_from_any_cause(
            between=period,
            returning="binary_flag",
            return_expectations={"incidence": 0.02},
        )
        variables["died_covid_%d_days" % days] = patients.with_these_codes_on_death_certificate(
            covid_icd10_codes,
            between=period,
            returning="binary_flag",
            return_expectations={"incidence": 0.01},
        )
    return variables


study = StudyDefinition(
    index_date="2020-03-01",
    default_expectations={
        "date": {"earliest": "1990-01-01", "latest": "index_date"},
        "rate": "uniform",
        "incidence": 0.5,
    },
    population=patients.satisfying(
        """
        registered AND
        flucats_template AND
        (sex = "M" OR sex = "F") AND
        age >= 0 AND
        age <= 120
        """
    ),
    registered=patients.registered_as_of("index_date", return_expectations={"incidence": 0.98}),
    flucats_template=patients.with_these_clinical_events(
        flucats_template_codes,
        between=["index_date", END_OF_WEEK],
        find_first_match_in_period=True,
        returning="binary_flag",
        include_date_of_match=True,
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.99, "date": this_week},
    ),
    flucats_template_count=patients.with_these_clinical_events(
        flucats_template_codes,
        between=["index_date", END_OF_WEEK],
        returning="number_of_matches_in_period",
        return_expectations={
            "incidence": 0.99,
            "int": {"distribution": "poisson", "mean": 4},
        },
    ),
    age=patients.age_as_of(
        "flucats_template_date",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "population_ages"},
        },
    ),
    age_band=patients.categorised_as(
        {
            "missing": "DEFAULT",
            "0-4": "age >= 0 AND age < 5",
            "5-17": "age >= 5 AND age < 18",
            "18-64": "age >= 18 AND age < 65",
            "65+": "age >= 65 AND age <= 120",
        },
        return_expectations={
            "rate": "universal",
            "category": {
                "ratios": {"missing": 0.01, "0-4": 0.06, "5-17": 0.15, "18-64": 0.58, "65+": 0.2}
            },
        },
    ),
    sex=patients.sex(
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"M": 0.49, "F": 0.51}},
        }
    ),
    region=patients.registered_practice_as_of(
        "index_date",
        returning="nuts1_region_name",
        return_expectations={
            "rate": "universal",
            "category": {
                "ratios": {"North East": 0.25, "London": 0.25, "South East": 0.25, "": 0.25}
            },
        },
    ),
    practice=patients.registered_practice_as_of(
        "index_date",
        returning="pseudo_id",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "normal", "mean": 40, "stddev": 10},
        },
    ),
    imd=patients.address_as_of(
        "index_date",
        returning="index_of_multiple_deprivation",
        round_to_nearest=100,
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"100": 0.25, "9000": 0.25, "18000": 0.25, "32000": 0.25}},
        },
    ),
    rural_urban=patients.address_as_of(
        "index_date",
        returning="rural_urban_classification",
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {1: 0.3, 3: 0.3, 5: 0.2, 7: 0.2}},
        },
    ),
    bmi=patients.most_recent_bmi(
        between=["flucats_template_date - 5 years", "flucats_template_date"],
        minimum_age_at_measurement=18,
        include_measurement_date=True,
        date_format="YYYY-MM",
        return_expectations={
            "incidence": 0.6,
            "float": {"distribution": "normal", "mean": 28, "stddev": 6},
        },
    ),
    **question_answers(),
    **near_template(symptoms),
    **measured(measurements),
    **ever_before(comorbidities),
    **ever_before(circumstances),
    **issued_after(medicines),
    **vaccinations(4),
    gp_consultations=patients.with_gp_consultations(
        between=["flucats_template_date", "flucats_template_date + 14 days"],
        returning="number_of_matches_in_period",
        return_expectations={"incidence": 0.7, "int": {"distribution": "poisson", "mean": 2}},
    ),
    covid_test_positive=patients.with_test_result_in_sgss(
        pathogen="SARS-CoV-2",
        test_result="positive",
        between=["flucats_template_date - 7 days", "flucats_template_date + 14 days"],
        find_first_match_in_period=True,
        returning="date",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.1, "date": afterwards},
    ),
    covid_test_negative=patients.with_test_result_in_sgss(
        pathogen="SARS-CoV-2",
        test_result="negative",
        between=["flucats_template_date - 7 days", "flucats_template_date + 14 days"],
        find_first_match_in_period=True,
        returning="date",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.2, "date": afterwards},
    ),
    emergency_care=patients.attended_emergency_care(
        between=["flucats_template_date", "flucats_template_date + 14 days"],
        find_first_match_in_period=True,
        returning="date_arrived",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.1, "date": afterwards},
    ),
    admitted=patients.admitted_to_hospital(
        between=["flucats_template_date", "flucats_template_date + 30 days"],
        find_first_match_in_period=True,
        returning="date_admitted",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.1, "date": afterwards},
    ),
    admitted_covid=patients.admitted_to_hospital(
        with_these_diagnoses=covid_icd10_codes,
        between=["flucats_template_date", "flucats_template_date + 30 days"],
        returning="binary_flag",
        return_expectations={"incidence": 0.05},
    ),
    died_date=patients.died_from_any_cause(
        on_or_after="flucats_template_date",
        returning="date_of_death",
        date_format="YYYY-MM-DD",
        return_expectations={"incidence": 0.05, "date": afterwards},
    ),
    first_contact_after=patients.minimum_of("emergency_care", "admitted"),
    **deaths(),
    severe=patients.satisfying(
        """
        severe_respiratory_distress OR
        respiratory_exhaustion OR
        (oxygen_saturation > 0 AND oxygen_saturation < 92)
        """,
        return_expectations={"incidence": 0.1},
    ),
    escalated=patients.satisfying(
        "emergency_care != '' OR admitted != ''",
        return_expectations={"incidence": 0.15},
    ),
)
