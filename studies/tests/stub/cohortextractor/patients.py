"""The functions of the language that our studies use, with their parameters in order."""

PERIOD = "on_or_before on_or_after between"
MATCH = "find_first_match_in_period find_last_match_in_period"
EVENTS = "codelist return_expectations {0} {1} returning include_date_of_match date_format".format(
    PERIOD, MATCH
)
SIGNATURES = {
    "all": "",
    "sex": "return_expectations",
    "age_as_of": "reference_date return_expectations",
    "date_of_birth": "date_format return_expectations",
    "registered_as_of": "reference_date return_expectations",
    "registered_with_one_practice_between": "start_date end_date return_expectations",
    "date_deregistered_from_all_supported_practices": PERIOD + " date_format return_expectations",
    "registered_practice_as_of": "date returning return_expectations",
    "address_as_of": "date returning round_to_nearest return_expectations",
    "care_home_status_as_of": "date categorised_as return_expectations",
    "household_as_of": "reference_date returning return_expectations",
    "with_these_clinical_events": EVENTS
    + " ignore_missing_values ignore_days_where_these_codes_occur episode_defined_as",
    "with_these_medications": EVENTS
    + " ignore_days_where_these_clinical_codes_occur episode_defined_as",
    "most_recent_bmi": PERIOD
    + " minimum_age_at_measurement return_expectations include_measurement_date date_format",
    "mean_recorded_value": "codelist on_most_recent_day_of_measurement return_expectations "
    + PERIOD
    + " include_measurement_date date_format",
    "date_of": "source date_format include_month include_day return_expectations",
    "comparator_from": "source return_expectations",
    "with_gp_consultations": PERIOD
    + " " + MATCH + " returning date_format return_expectations",
    "died_from_any_cause": PERIOD + " returning date_format return_expectations",
    "with_these_codes_on_death_certificate": "codelist "
    + PERIOD
    + " match_only_underlying_cause returning date_format return_expectations",
    "with_death_recorded_in_primary_care": PERIOD + " returning date_format return_expectations",
    "admitted_to_hospital": PERIOD
    + " returning "
    + MATCH
    + " date_format with_these_diagnoses with_these_primary_diagnoses with_these_procedures"
    + " with_admission_method return_expectations",
    "attended_emergency_care": PERIOD
    + " returning "
    + MATCH
    + " date_format with_these_diagnoses discharged_to return_expectations",
    "with_test_result_in_sgss": "pathogen test_result "
    + PERIOD
    + " "
    + MATCH
    + " restrict_to_earliest_specimen_date returning date_format return_expectations",
    "with_ethnicity_from_sus": "returning use_most_frequent_code return_expectations",
    "with_tpp_vaccination_record": "target_disease_matches product_name_matches "
    + PERIOD
    + " returning date_format "
    + MATCH
    + " return_expectations",
    "fixed_value": "value",
}


def _function(name, parameters):
    def call(*args, **kwargs):
        given = dict(zip(parameters, args))
        unknown = [key for key in kwargs if key not in parameters or key in given]
        if unknown or len(args) > len(parameters):
            raise TypeError("{}() got a wrong argument: {}".format(name, unknown or args))
        given.update(kwargs)
        return name, given

    return call


for _name, _parameters in SIGNATURES.items():
    globals()[_name] = _function(_name, _parameters.split())


def categorised_as(category_definitions, return_expectations=None, **extra):
    return "categorised_as", {
        "category_definitions": category_definitions,
        "return_expectations": return_expectations,
        "extra": extra,
    }


def satisfying(expression, return_expectations=None, **extra):
    return "satisfying", {
        "expression": expression,
        "return_expectations": return_expectations,
        "extra": extra,
    }


def minimum_of(*names, **extra):
    return "minimum_of", {"names": list(names) + list(extra), "extra": extra}


def maximum_of(*names, **extra):
    return "maximum_of", {"names": list(names) + list(extra), "extra": extra}
