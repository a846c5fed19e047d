"""Tests of this study, run by its action run_tests; they need no data."""
import pandas as pd
import pytest

from calculate_numerators import numerators
from composite_indicators import count_hazards
from indicators import INDICATORS, family
from join_ethnicity_region import join
from summary_statistics import statistics
from utilities import group_labels, percentiles, shown


@pytest.mark.parametrize(
    "count, expected",
    [(0, None), (7, None), (8, 10), (12, 10), (13, 15), (100, 100)],
)
def test_small_counts_are_hidden_and_others_rounded(count, expected):
    assert shown(count) == expected


def cohort(**dates):
    """One patient; each medicine is given as (first, last), absent ones were not issued."""
    row = {"patient_id": [1], "practice": [9]}
    for name in ("anticoagulant", "aspirin", "antiplatelet", "gastroprotective"):
        first, last = dates.get(name, (None, None))
        row[name] = [first is not None]
        row[name + "_first"] = pd.to_datetime([first])
        row[name + "_last"] = pd.to_datetime([last])
    return pd.DataFrame(row)


def test_two_issues_28_days_apart_are_taken_together_and_29_are_not():
    near = cohort(anticoagulant=("2021-01-01",) * 2, aspirin=("2021-01-29",) * 2)
    far = cohort(anticoagulant=("2021-01-01",) * 2, aspirin=("2021-01-30",) * 2)
    assert numerators(near)["indicator_e_numerator"].tolist() == [True]
    assert numerators(far)["indicator_e_numerator"].tolist() == [False]
    assert numerators(far)["indicator_e_denominator"].tolist() == [True]


def test_gastroprotection_near_the_later_issue_protects():
    dates = dict(aspirin=("2021-01-01", "2021-03-01"), antiplatelet=("2021-03-10",) * 2)
    late = cohort(gastroprotective=("2021-03-20",) * 2, **dates)
    early = cohort(gastroprotective=("2021-01-05",) * 2, **dates)
    assert numerators(late)["indicator_f_numerator"].tolist() == [False]
    assert numerators(early)["indicator_f_numerator"].tolist() == [True]


def test_nobody_is_at_risk_without_the_first_medicine():
    other = cohort(antiplatelet=("2021-01-01",) * 2)
    assert not numerators(other)["indicator_f_denominator"].any()
    assert not numerators(other)["indicator_f_numerator"].any()


def test_hazards_of_a_person_are_added_up():
    members = family("other_prescribing")
    table = pd.DataFrame(
        {
            "indicator_{}_{}".format(name, part): [True, part == "denominator", False]
            for name in members
            for part in ("numerator", "denominator")
        }
    )
    counts = count_hazards(table, members)
    assert counts["numerator"].tolist() == [0, 0, 1]
    assert counts["denominator"].tolist() == [2, 2, 2]


def test_people_without_a_record_are_joined_as_missing():
    people = pd.DataFrame({"patient_id": [1], "ethnicity": ["3"], "region": ["London"]})
    joined = join(pd.DataFrame({"patient_id": [2, 1]}), people)
    assert joined["ethnicity"].tolist() == ["Missing", "Asian"]
    assert joined["region"].tolist() == ["Missing", "London"]


def test_labels_of_unknown_groups():
    column = pd.Series(["1", "0", None, "missing", ""])
    assert group_labels(column).tolist() == ["1"] + ["Missing"] * 4


def test_percentiles_leave_out_practices_without_patients_at_risk():
    measure = pd.DataFrame(
        {
            "practice": [1, 2, 3],
            "numerator": [1, 3, 0],
            "denominator": [10, 10, 0],
            "date": pd.to_datetime(["2021-01-01"] * 3),
        }
    )
    assert percentiles(measure, [50])[50].tolist() == pytest.approx([20.0])
    assert statistics(measure)["change_of_median"] == 0


def test_every_indicator_has_a_family():
    names = [n for key in ("gi_bleed", "other_prescribing", "monitoring") for n in family(key)]
    assert sorted(names) == sorted(INDICATORS)
