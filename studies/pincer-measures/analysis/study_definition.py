"""Who is at risk from a hazardous prescription in a month, and who receives one.

One file per month: the index date is the first of the month. "Now" is the quarter that ends
with the month, the period for which a repeat prescription is usually in force.
"""
from cohortextractor import Measure, StudyDefinition, patients

from codelists import conditions, egfr_codes, medicines, tests
from indicators import EXTRACTED, INDICATORS, denominator, numerator

START_OF_QUARTER = "first_day_of_month(index_date) - 2 months"
START_OF_TESTS = "first_day_of_month(index_date) - 14 months"
END_OF_MONTH = "last_day_of_month(index_date)"

QUARTER = [START_OF_QUARTER, END_OF_MONTH]
TEST_PERIOD = [START_OF_TESTS, END_OF_MONTH]

in_quarter = {"earliest": START_OF_QUARTER, "latest": END_OF_MONTH}
in_test_period = {"earliest": START_OF_TESTS, "latest": END_OF_MONTH}


def prescriptions(name, codes):
    """Whether, how often, when first and when last a medicine was issued in the quarter."""
    dates = {"rate": "uniform", "incidence": 0.3, "date": in_quarter}
    return {
        name: patients.with_these_medications(
            codes,
            between=QUARTER,
            returning="binary_flag",
            return_expectations={"incidence": 0.3},
        ),
        name
        + "_issues": patients.with_these_medications(
            codes,
            between=QUARTER,
            returning="number_of_matches_in_period",
            return_expectations={
                "incidence": 0.3,
                "int": {"distribution": "poisson", "mean": 3},
            },
        ),
        name
        + "_first": patients.with_these_medications(
            codes,
            between=QUARTER,
            returning="date",
            find_first_match_in_period=True,
            date_format="YYYY-MM-DD",
            return_expectations=dates,
        ),
        name
        + "_last": patients.with_these_medications(
            codes,
            between=QUARTER,
            returning="date",
            find_last_match_in_period=True,
            date_format="YYYY-MM-DD",
            return_expectations=dates,
        ),
    }


def history(name, codes):
    """Whether a condition was ever recorded, and the last time it was."""
    return {
        name: patients.with_these_clinical_events(
            codes,
            on_or_before=END_OF_MONTH,
            find_last_match_in_period=True,
            returning="binary_flag",
            include_date_of_match=True,
            date_format="YYYY-MM-DD",
            return_expectations={"incidence": 0.2, "date": {"latest": END_OF_MONTH}},
        )
    }


def blood_test(name, codes):
    """Whether a test was done in the 15 months that end with this one, and when last."""
    return {
        name: patients.with_these_clinical_events(
            codes,
            between=TEST_PERIOD,
            find_last_match_in_period=True,
            returning="binary_flag",
            include_date_of_match=True,
            date_format="YYYY-MM-DD",
            return_expectations={"rate": "uniform", "incidence": 0.6, "date": in_test_period},
        )
    }


def flag(expression, incidence=0.1):
    return patients.satisfying(expression, return_expectations={"incidence": incidence})


variables = {}
for _name, _codes in medicines.items():
    variables.update(prescriptions(_name, _codes))
for _name, _codes in conditions.items():
    variables.update(history(_name, _codes))
for _name, _codes in tests.items():
    variables.update(blood_test(_name, _codes))

# (at risk, hazard): the numerator is everybody who is at risk and has the hazard.
RULES = {
    "a": ("age >= 65", "nsaid AND NOT gastroprotective"),
    "b": ("ulcer_or_bleed", "nsaid AND NOT gastroprotective"),
    "c": ("ulcer_or_bleed", "(aspirin OR antiplatelet) AND NOT gastroprotective"),
    "d": ("anticoagulant", "nsaid"),
    "g": ("current_asthma", "beta_blocker"),
    "i": ("heart_failure", "nsaid"),
    "k": ("low_egfr", "nsaid"),
    "ac": ("age >= 75 AND (ace_inhibitor OR loop_diuretic)", "NOT urea_electrolytes"),
    "am": ("amiodarone", "NOT thyroid_function_test"),
    "li": ("lithium", "NOT lithium_level"),
    "me_no_fbc": ("methotrexate", "NOT full_blood_count"),
    "me_no_lft": ("methotrexate", "NOT liver_function_test"),
}

indicator_variables = {}
for _name in EXTRACTED:
    _at_risk, _hazard = RULES[_name]
    indicator_variables[denominator(_name)] = flag(_at_risk, 0.4)
    indicator_variables[numerator(_name)] = flag(
        "{} AND {}".format(denominator(_name), _hazard)
    )


def any_of(family, part):
    """True for patients with any of a family's indicators that are extracted here."""
    members = [n for n in EXTRACTED if family in (None, INDICATORS[n][0])]
    return " OR ".join(part(n) for n in members)


study = StudyDefinition(
    index_date="2019-09-01",
    default_expectations={
        "date": {"earliest": "2015-01-01", "latest": "index_date"},
        "rate": "exponential_increase",
        "incidence": 0.3,
    },
    population=patients.satisfying(
        """
        registered AND
        NOT died AND
        age >= 18 AND
        age <= 120 AND
        (sex = "F" OR sex = "M")
        """
    ),
    registered=patients.registered_as_of(
        "index_date", return_expectations={"incidence": 0.98}
    ),
    died=patients.died_from_any_cause(
        on_or_before="index_date",
        returning="binary_flag",
        return_expectations={"incidence": 0.02},
    ),
    practice=patients.registered_practice_as_of(
        "index_date",
        returning="pseudo_id",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "normal", "mean": 25, "stddev": 5},
        },
    ),
    age=patients.age_as_of(
        "index_date",
        return_expectations={
            "rate": "universal",
            "int": {"distribution": "population_ages"},
        },
    ),
    age_band=patients.categorised_as(
        {
            "missing": "DEFAULT",
            "18-29": "age >= 18 AND age < 30",
            "30-49": "age >= 30 AND age < 50",
            "50-64": "age >= 50 AND age < 65",
            "65-79": "age >= 65 AND age < 80",
            "80+": "age >= 80 AND age <= 120",
        },
        return_expectations={
            "rate": "universal",
            "category": {
                "ratios": {
                    "missing": 0.01,
                    "18-29": 0.19,
                    "30-49": 0.3,
                    "50-64": 0.25,
                    "65-79": 0.17,
                    "80+": 0.08,
                }
            },
        },
    ),
    sex=patients.sex(
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {"F": 0.51, "M": 0.49}},
        }
    ),
    imd=patients.categorised_as(
        {
            "0": "DEFAULT",
            "1": "imd_rank >= 1 AND imd_rank < 6569",
            "2": "imd_rank >= 6569 AND imd_rank < 13138",
            "3": "imd_rank >= 13138 AND imd_rank < 19707",
            "4": "imd_rank >= 19707 AND imd_rank < 26276",
            "5": "imd_rank >= 26276",
        },
        imd_rank=patients.address_as_of(
            "index_date",
            returning="index_of_multiple_deprivation",
            round_to_nearest=100,
        ),
        return_expectations={
            "rate": "universal",
            "category": {
                "ratios": {"0": 0.02, "1": 0.2, "2": 0.2, "3": 0.2, "4": 0.2, "5": 0.18}
            },
        },
    ),
    **variables,
    egfr=patients.with_these_clinical_events(
        egfr_codes,
        on_or_before=END_OF_MONTH,
        find_last_match_in_period=True,
        ignore_missing_values=True,
        returning="numeric_value",
        include_date_of_match=True,
        date_format="YYYY-MM-DD",
        return_expectations={
            "incidence": 0.5,
            "float": {"distribution": "normal", "mean": 70, "stddev": 20},
            "date": {"latest": END_OF_MONTH},
        },
    ),
    egfr_comparator=patients.comparator_from(
        "egfr",
        return_expectations={
            "rate": "universal",
            "category": {"ratios": {None: 0.6, ">": 0.3, "<": 0.1}},
        },
    ),
    # No measurement gives 0, which must not pass for a low one; ">" says above what can be
    # measured.
    low_egfr=flag("egfr > 0 AND egfr < 45 AND egfr_comparator != '>'"),
    current_asthma=flag(
        """
        asthma AND (
            NOT asthma_resolved OR
            asthma_date > asthma_resolved_date
        )
        """
    ),
    ulcer_or_bleed=flag("peptic_ulcer OR gi_bleed"),
    **indicator_variables,
    gi_bleed_any_denominator=flag(any_of("gi_bleed", denominator), 0.6),
    gi_bleed_any_numerator=flag(any_of("gi_bleed", numerator), 0.2),
    other_any_denominator=flag(any_of("other_prescribing", denominator), 0.5),
    other_any_numerator=flag(any_of("other_prescribing", numerator), 0.1),
    monitoring_any_denominator=flag(any_of("monitoring", denominator), 0.5),
    monitoring_any_numerator=flag(any_of("monitoring", numerator), 0.1),
    all_any_denominator=flag(any_of(None, denominator), 0.8),
    all_any_numerator=flag(any_of(None, numerator), 0.3),
)

measures = [
    Measure(
        id="indicator_{}_rate".format(_name),
        numerator=numerator(_name),
        denominator=denominator(_name),
        group_by=["practice"],
    )
    for _name in EXTRACTED
] + [
    Measure(
        id="{}_any_rate".format(_name),
        numerator="{}_any_numerator".format(_name),
        denominator="{}_any_denominator".format(_name),
        group_by=["practice"],
    )
    for _name in ("gi_bleed", "other", "monitoring", "all")
]
