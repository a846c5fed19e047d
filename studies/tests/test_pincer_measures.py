"""seeds/002: every script and notebook, on three made-up months."""
import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from harness import cohort, differing, edit_csv, edit_feather, extract

STUDY = "pincer-measures"
MONTHS = {
    "generate_study_population_1": "2019-09-01",
    "generate_study_population_2": "2020-06-01",
    "generate_study_population_3": "2021-03-01",
}
LAST = "2021-03-01"
INDICATORS = "a b c d e f g i k ac am li me_no_fbc me_no_lft".split()


@pytest.fixture(scope="module")
def study(pipeline):
    made = pipeline(STUDY)

    for action, date in MONTHS.items():
        made.provide(action, cohort("study_definition", "feather", 600, date))
    made.provide(
        "generate_study_population_ethnicity",
        cohort("study_definition_ethnicity", "feather", 600),
    )
    made.keep("join_ethnicity_region")
    made.keep("calculate_numerators")
    made.keep("calculate_composite_indicators")
    made.provide(
        "generate_measures",
        lambda folder: extract(
            folder, "generate_measures", "--study-definition", "study_definition"
        ),
    )
    made.keep("generate_measures_demographics")
    made.keep("generate_summary_counts")
    made.keep("generate_plots")
    made.keep("generate_notebook")
    made.keep("generate_dem_notebook")
    return made


def flip(column, rows):
    """Turn a yes/no column round for some rows."""

    def change(table):
        table.loc[rows, column] = ~table.loc[rows, column]

    return change


def month(date):
    return "output/input_{}.feather".format(date)


def changed(study, action, edit):
    return differing(study.outputs[action], study.run(action, edit=edit))


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_join_depends_on_the_ethnicity_file(study):
    def change(table):
        table["region"] = table["region"].astype(object)
        table.loc[0, "region"] = "Invented region"

    path = "output/input_ethnicity.feather"
    found = changed(study, "join_ethnicity_region", edit_feather(path, change))
    assert found == {path} | {month(date) for date in MONTHS.values()}


def test_join_keeps_every_cell_of_the_cohort(study):
    before = pd.read_feather(
        io.BytesIO(study.outputs["generate_study_population_1"][month("2019-09-01")])
    )
    after = pd.read_feather(
        io.BytesIO(study.outputs["join_ethnicity_region"][month("2019-09-01")])
    )
    assert list(after.columns) == list(before.columns) + ["ethnicity", "region"]
    pd.testing.assert_frame_equal(after[before.columns], before)
    assert set(after["ethnicity"]) == {"White", "Mixed", "Asian", "Black", "Other", "Missing"}


def test_numerators_depend_on_each_month_alone(study):
    def change(table):
        table.loc[0, "aspirin"] = not table.loc[0, "aspirin"]

    found = changed(study, "calculate_numerators", edit_feather(month(LAST), change))
    assert found == {"output/indicator_e_f_{}.feather".format(LAST)}


def test_composites_depend_on_extracted_and_computed_indicators(study):
    edit = edit_feather(month(LAST), flip("indicator_li_numerator", slice(0, 50)))
    found = changed(study, "calculate_composite_indicators", edit)
    assert found == {"output/monitoring_composite_measure.csv"}
    path = "output/indicator_e_f_{}.feather".format(LAST)
    edit = edit_feather(path, flip("indicator_f_numerator", slice(0, 50)))
    found = changed(study, "calculate_composite_indicators", edit)
    assert found == {"output/gi_bleed_composite_measure.csv"}


def test_one_cell_changes_the_measure_of_its_practice(study):
    path = "output/indicator_e_f_{}.feather".format(LAST)
    edit = edit_feather(path, flip("indicator_f_denominator", slice(0, 0)))
    found = changed(study, "generate_measures_demographics", edit)
    assert found == {"output/measure_indicator_f_rate.csv"} | {
        path for path in found if path.startswith("output/indicator_measure_f_")
    }


def test_demographics_are_counted_by_hand(study):
    cohort = pd.read_feather(io.BytesIO(study.outputs["join_ethnicity_region"][month(LAST)]))
    rows = read(
        study.outputs["generate_measures_demographics"]["output/indicator_measure_a_sex.csv"]
    )
    for row in rows:
        if row["date"] != LAST:
            continue
        part = cohort[cohort["sex"] == row["group"]]
        for name in ("numerator", "denominator"):
            count = sum(part["indicator_a_" + name])
            assert row[name] == ("" if count <= 7 else str(5 * round(count / 5)))
    assert {row["group"] for row in rows} == {"F", "M"}


def test_no_small_count_is_shown(study):
    for action in ("generate_measures_demographics", "calculate_composite_indicators"):
        for path, content in study.outputs[action].items():
            if "/measure" in path:
                continue
            for row in read(content):
                for name in ("numerator", "denominator", "patients"):
                    shown = row.get(name) or "10"
                    assert int(shown) >= 10 and int(shown) % 5 == 0, path


def test_demographics_change_with_a_group(study):
    def change(table):
        table["sex"] = table["sex"].astype(object)
        table.loc[:60, "sex"] = "F"

    found = changed(study, "generate_measures_demographics", edit_feather(month(LAST), change))
    assert "output/demographics_summary_sex.csv" in found
    assert "output/demographics_summary_region.csv" not in found
    assert "output/measure_indicator_e_rate.csv" not in found


def test_summaries_depend_on_patients_and_on_measures(study):
    def everybody(table):
        table["indicator_k_numerator"] = True

    edit = edit_feather(month(LAST), everybody)
    assert changed(study, "generate_summary_counts", edit) == {"output/patient_count_k.json"}

    def practice(table):
        table.loc[0, "indicator_k_numerator"] = "9999"

    edit = edit_csv("output/measure_indicator_k_rate.csv", practice)
    found = changed(study, "generate_summary_counts", edit)
    # Whether the practice had a hazard before decides if the second one changes too.
    assert found - {"output/practice_count_k.json"} == {
        "output/indicator_summary_statistics_k.json"
    }


def test_summaries_are_counted_by_hand(study):
    rows = read(study.outputs["generate_measures"]["output/measure_indicator_k_rate.csv"])
    expected = len({row["practice"] for row in rows})
    content = study.outputs["generate_summary_counts"]["output/practice_count_k.json"]
    assert json.loads(content.decode())["practices"] == 5 * round(expected / 5)


def test_plots_depend_on_their_measure(study):
    def practice(table):
        table["indicator_g_numerator"] = table["indicator_g_denominator"]

    edit = edit_csv("output/measure_indicator_g_rate.csv", practice)
    assert changed(study, "generate_plots", edit) == {
        "output/figures/plot_g.jpeg",
        "output/figures/combined_plot_other_prescribing.png",
    }

    def composite(table):
        table.loc[0, "rate_per_100"] = "99"

    edit = edit_csv("output/monitoring_composite_measure.csv", composite)
    found = changed(study, "generate_plots", edit)
    assert found == {"output/figures/combined_plot_monitoring.png"}

    def demographic(table):
        table.loc[0, ["numerator", "denominator"]] = ["985", "990"]

    edit = edit_csv("output/indicator_measure_a_sex.csv", demographic)
    assert changed(study, "generate_plots", edit) == {"output/demographic_aggregates.csv"}


def test_there_is_a_plot_of_each_indicator(study):
    figures = {path.split("/")[-1] for path in study.outputs["generate_plots"]}
    assert {"plot_{}.jpeg".format(name) for name in INDICATORS} <= figures
    assert study.outputs["generate_plots"]["output/figures/plot_a.jpeg"][:2] == b"\xff\xd8"


def test_report_shows_its_inputs(study):
    def change(files):
        path = "output/patient_count_a.json"
        content = json.loads(files[path].decode())
        content["patients_ever_at_risk"] = 987655
        files[path] = json.dumps(content).encode()

    page = study.run("generate_notebook", edit=change)["output/report.html"].decode()
    assert "987,655" in page and "<img alt=" in page
    assert "987,655" not in study.outputs["generate_notebook"]["output/report.html"].decode()
    assert "read_bytes" not in page, "the code should be left out"


def test_demographic_report_shows_its_input(study):
    def change(table):
        table.loc[0, "rate_per_100"] = "61.27"

    edit = edit_csv("output/demographic_aggregates.csv", change)
    page = study.run("generate_dem_notebook", edit=edit)["output/demographic_report.html"]
    assert b"61.27" in page
    assert b"61.27" not in study.outputs["generate_dem_notebook"]["output/demographic_report.html"]


def test_the_tests_of_the_study_pass_and_are_reported(study):
    report = study.run("run_tests")["output/pytest.xml"]
    suite = next(ElementTree.fromstring(report.decode()).iter("testsuite"))
    assert int(suite.get("tests")) >= 10
    assert suite.get("failures") == suite.get("errors") == suite.get("skipped") == "0"
