"""The functions of the language. Each gives (query type, arguments with their defaults)."""

from . import _place, _snapshot
from .exceptions import fault, nearest


class Query(tuple):
    """What a function returns: two items, and where in the repository it was called."""

    called = None
    src = None
    via = ()


def _query(fn, args, called=None):
    query = Query((fn, args))
    query.called = called or fn
    query.src, query.via = _place.of_caller()
    return query


def _not_by_day(called, date_format):
    if date_format == "YYYY-MM-DD":
        raise fault(ValueError, "SD204", "%s gives years or months: use date_format='YYYY-MM' or 'YYYY'" % called)


def all():
    return _query("all", locals())


def random_sample(percent=None, return_expectations=None):
    return _query("random_sample", locals())


def sex(return_expectations=None):
    return _query("sex", locals())


def age_as_of(reference_date, return_expectations=None):
    return _query("age_as_of", locals())


def date_of_birth(date_format=None, return_expectations=None):
    _not_by_day("date_of_birth", date_format)
    return _query("date_of_birth", locals())


def registered_as_of(reference_date, return_expectations=None):
    return _query("registered_as_of", locals())


def registered_with_one_practice_between(start_date, end_date, return_expectations=None):
    return _query("registered_with_one_practice_between", locals())


def with_complete_gp_consultation_history_between(start_date, end_date, return_expectations=None):
    return _query("with_complete_gp_consultation_history_between", locals())


def with_complete_history_between(start_date, end_date, return_expectations=None):
    return _query("with_complete_history_between", locals())


def date_deregistered_from_all_supported_practices(
    on_or_before=None,
    on_or_after=None,
    between=None,
    date_format=None,
    return_expectations=None,
):
    return _query("date_deregistered_from_all_supported_practices", locals())


def registered_practice_as_of(date, returning=None, return_expectations=None):
    return _query("registered_practice_as_of", locals())


def address_as_of(date, returning=None, round_to_nearest=None, return_expectations=None):
    return _query("address_as_of", locals())


def care_home_status_as_of(date, categorised_as=None, return_expectations=None):
    return _query("care_home_status_as_of", locals())


def household_as_of(reference_date, returning=None, return_expectations=None):
    return _query("household_as_of", locals())


def with_these_clinical_events(
    codelist,
    return_expectations=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    returning="binary_flag",
    include_date_of_match=False,
    date_format=None,
    ignore_missing_values=False,
    ignore_days_where_these_codes_occur=None,
    episode_defined_as=None,
    return_binary_flag=None,
    return_number_of_matches_in_period=False,
    return_first_date_in_period=False,
    return_last_date_in_period=False,
    include_month=False,
    include_day=False,
):
    return _query("with_these_clinical_events", locals())


def with_these_medications(
    codelist,
    return_expectations=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    returning="binary_flag",
    include_date_of_match=False,
    date_format=None,
    ignore_days_where_these_clinical_codes_occur=None,
    episode_defined_as=None,
    return_binary_flag=None,
    return_number_of_matches_in_period=False,
    return_first_date_in_period=False,
    return_last_date_in_period=False,
    include_month=False,
    include_day=False,
):
    return _query("with_these_medications", locals())


def most_recent_bmi(
    on_or_before=None,
    on_or_after=None,
    between=None,
    minimum_age_at_measurement=16,
    return_expectations=None,
    include_measurement_date=False,
    date_format=None,
    include_month=False,
    include_day=False,
):
    return _query("most_recent_bmi", locals())


def mean_recorded_value(
    codelist,
    on_most_recent_day_of_measurement=None,
    return_expectations=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    include_measurement_date=False,
    date_format=None,
    include_month=False,
    include_day=False,
):
    return _query("mean_recorded_value", locals())


def min_recorded_value(
    codelist,
    on_most_recent_day_of_measurement=None,
    return_expectations=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    include_measurement_date=False,
    date_format=None,
):
    return _query("min_recorded_value", locals())


def max_recorded_value(
    codelist,
    on_most_recent_day_of_measurement=None,
    return_expectations=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    include_measurement_date=False,
    date_format=None,
):
    return _query("max_recorded_value", locals())


def date_of(source, date_format=None, include_month=False, include_day=False, return_expectations=None):
    return _query("value_from", dict(locals(), returning="date"), "date_of")


def comparator_from(source, return_expectations=None):
    return _query("value_from", dict(locals(), returning="comparator"), "comparator_from")


def reference_range_lower_bound_from(source, return_expectations=None):
    return _query("value_from", dict(locals(), returning="lower_bound"), "reference_range_lower_bound_from")


def reference_range_upper_bound_from(source, return_expectations=None):
    return _query("value_from", dict(locals(), returning="upper_bound"), "reference_range_upper_bound_from")


def with_gp_consultations(
    on_or_before=None,
    on_or_after=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    returning="binary_flag",
    date_format=None,
    return_expectations=None,
):
    return _query("with_gp_consultations", locals())


def with_these_decision_support_values(
    algorithm,
    on_or_before=None,
    on_or_after=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    returning="numeric_value",
    include_date_of_match=False,
    date_format=None,
    ignore_missing_values=False,
    return_expectations=None,
):
    return _query("with_these_decision_support_values", locals())


def with_healthcare_worker_flag_on_covid_vaccine_record(returning="binary_flag", return_expectations=None):
    return _query("with_healthcare_worker_flag_on_covid_vaccine_record", locals())


def with_tpp_vaccination_record(
    target_disease_matches=None,
    product_name_matches=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    return_expectations=None,
):
    return _query("with_tpp_vaccination_record", locals())


def with_vaccination_record(
    tpp,
    emis,
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    return_expectations=None,
):
    return _query("with_vaccination_record", locals())


def died_from_any_cause(
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    include_month=False,
    include_day=False,
    return_expectations=None,
):
    return _query("died_from_any_cause", locals())


def with_these_codes_on_death_certificate(
    codelist,
    on_or_before=None,
    on_or_after=None,
    between=None,
    match_only_underlying_cause=False,
    returning="binary_flag",
    date_format=None,
    include_month=False,
    include_day=False,
    return_expectations=None,
):
    return _query("with_these_codes_on_death_certificate", locals())


def with_death_recorded_in_cpns(
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    include_month=False,
    include_day=False,
    return_expectations=None,
):
    return _query("with_death_recorded_in_cpns", locals())


def with_death_recorded_in_primary_care(
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    return_expectations=None,
):
    return _query("with_death_recorded_in_primary_care", locals())


def admitted_to_hospital(
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    date_format=None,
    with_these_diagnoses=None,
    with_these_primary_diagnoses=None,
    with_these_procedures=None,
    with_admission_method=None,
    with_source_of_admission=None,
    with_discharge_destination=None,
    with_patient_classification=None,
    with_admission_treatment_function_code=None,
    with_administrative_category=None,
    with_at_least_one_day_in_critical_care=False,
    return_expectations=None,
):
    return _query("admitted_to_hospital", locals())


def attended_emergency_care(
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    date_format=None,
    with_these_diagnoses=None,
    discharged_to=None,
    return_expectations=None,
):
    return _query("attended_emergency_care", locals())


def outpatient_appointment_date(
    returning="binary_flag",
    attended=None,
    is_first_attendance=None,
    with_these_treatment_function_codes=None,
    with_these_procedures=None,
    on_or_after=None,
    between=None,
    date_format="YYYY-MM-DD",
    find_first_match_in_period=None,
    return_expectations=None,
):
    return _query("outpatient_appointment_date", locals())


def admitted_to_icu(
    on_or_after=None,
    on_or_before=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    returning="binary_flag",
    date_format=None,
    return_expectations=None,
    include_month=False,
    include_day=False,
):
    return _query("admitted_to_icu", locals())


def with_test_result_in_sgss(
    pathogen=None,
    test_result="any",
    on_or_before=None,
    on_or_after=None,
    between=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    restrict_to_earliest_specimen_date=True,
    returning="binary_flag",
    date_format=None,
    return_expectations=None,
):
    return _query("with_test_result_in_sgss", locals())


def with_ethnicity_from_sus(returning=None, use_most_frequent_code=None, return_expectations=None):
    return _query("with_ethnicity_from_sus", locals())


def with_covid_therapeutics(
    with_these_statuses=None,
    with_these_therapeutics=None,
    with_these_indications=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    include_date_of_match=False,
    episode_defined_as=None,
    return_expectations=None,
):
    return _query("with_covid_therapeutics", locals())


def with_record_in_ukrr(
    from_dataset=None,
    returning=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    date_format=None,
    return_expectations=None,
):
    return _query("with_record_in_ukrr", locals())


def with_high_cost_drugs(
    drug_name_matches=None,
    on_or_before=None,
    on_or_after=None,
    between=None,
    returning="binary_flag",
    date_format=None,
    find_first_match_in_period=None,
    find_last_match_in_period=None,
    return_expectations=None,
):
    _not_by_day("with_high_cost_drugs", date_format)
    return _query("with_high_cost_drugs", locals())


def with_an_isaric_record(
    returning,
    between=None,
    date_filter_column=None,
    date_format="YYYY-MM-DD",
    return_expectations=None,
):
    return _query("with_an_isaric_record", locals())


def categorised_as(category_definitions, return_expectations=None, **extra_columns):
    return _query("categorised_as", locals())


def satisfying(expression, return_expectations=None, **extra_columns):
    if return_expectations is None:
        return_expectations = {}
    # Written into the dict that was given: other variables that share it see it.
    return_expectations["category"] = {"ratios": {1: 1, 0: 0}}
    args = {
        "category_definitions": {1: expression, 0: "DEFAULT"},
        "return_expectations": return_expectations,
        "extra_columns": extra_columns,
    }
    return _query("categorised_as", args, "satisfying")


def minimum_of(*column_names, **extra_columns):
    return _aggregate("minimum_of", "MIN", column_names, extra_columns)


def maximum_of(*column_names, **extra_columns):
    return _aggregate("maximum_of", "MAX", column_names, extra_columns)


def fixed_value(value):
    return _query("fixed_value", locals())


def with_value_from_file(f_path, returning, returning_type, date_format="YYYY-MM-DD"):
    return _query("with_value_from_file", locals())


def which_exist_in_file(f_path):
    return _query("which_exist_in_file", locals())


def _aggregate(called, aggregate_function, column_names, extra_columns):
    if "return_expectations" in extra_columns:
        raise fault(
            ValueError,
            "SD602",
            "%s takes no return_expectations: its values follow from those of its columns" % called,
        )
    args = {
        "column_names": column_names + tuple(extra_columns),
        "aggregate_function": aggregate_function,
        "extra_columns": extra_columns,
    }
    return _query("aggregate_of", args, called)


def __getattr__(name):
    raise AttributeError("patients has no function %r%s" % (name, nearest(name, _FUNCTIONS)))


_FUNCTIONS = {
    name: function
    for name, function in list(globals().items())
    if not name.startswith("_") and getattr(function, "__module__", None) == __name__ and hasattr(function, "__code__")
}


def _defaults(function):
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    values = function.__defaults__ or ()
    return dict(zip(names[len(names) - len(values) :], values))


_snapshot.DEFAULTS.update((name, _defaults(function)) for name, function in _FUNCTIONS.items())
