"""seeds/000: both R scripts, on made-up people."""
import csv
import io

import pytest

from harness import cohort, differing, edit_csv

COVERAGE = "data/tpp_msoa_coverage.csv"
OUT = "analysis/outfiles/"
TABLES = {OUT + "table{}.txt".format(name) for name in ("1a", "1b", "2", "3", "4")}
FIGURES = {OUT + "figure{}.png".format(name) for name in ("1a", "1b", "1c", "2")}

pytestmark = pytest.mark.needs_r


@pytest.fixture(scope="module")
def study(pipeline):
    made = pipeline("carehomes_mortality")
    for action, module in (
        ("generate_cohort", "study_definition"),
        ("generate_cohort_coverage", "study_definition_coverage"),
    ):
        made.provide(action, cohort(module, "csv", 1000))
    made.keep("calculate_coverage")
    made.keep("feasibility_checks")
    return made


def read(content, delimiter=","):
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter=delimiter))


def changed(study, action, edit):
    return differing(study.outputs[action], study.run(action, edit=edit))


def test_coverage_is_counted_by_hand(study):
    people = read(study.outputs["generate_cohort_coverage"]["output/input_coverage.csv"])
    for area in read(study.outputs["calculate_coverage"][COVERAGE]):
        ages = [int(row["age"]) for row in people if row["msoa"] == area["msoa"]]
        assert int(area["registered"]) == len(ages)
        assert int(area["registered_65_and_over"]) == sum(age >= 65 for age in ages)
        percent = 100 * len(ages) / int(area["population"])
        assert float(area["coverage"]) == pytest.approx(percent, abs=0.006)


def test_one_cell_changes_the_coverage(study):
    def change(table):
        row = table.index[table["msoa"] == "E02900001"][0]
        table.loc[row, "msoa"] = "E02900002"

    edit = edit_csv("output/input_coverage.csv", change)
    assert COVERAGE in changed(study, "calculate_coverage", edit)


def test_the_tables_and_figures_are_made(study):
    files = study.outputs["feasibility_checks"]
    assert set(files) == TABLES | FIGURES | {"analysis/logfiles/feasibility_checks.txt"}
    for path in FIGURES:
        assert files[path].startswith(b"\x89PNG"), path


def test_table_1b_is_counted_by_hand(study):
    people = read(study.outputs["generate_cohort"]["output/input.csv"])
    for row in read(study.outputs["feasibility_checks"][OUT + "table1b.txt"], "\t"):
        count = sum(
            (person["care_home_type"] != "U") == (row["care_home_by_address"] == "yes")
            and (person["care_home_code"] == "1") == (row["care_home_by_record"] == "yes")
            for person in people
        )
        assert row["people"] == str(5 * round(count / 5))


def test_no_small_count_is_shown(study):
    for path in TABLES:
        for row in read(study.outputs["feasibility_checks"][path], "\t"):
            for name in ("people", "households", "died", "died_covid", "care_home"):
                cell = row.get(name) or "10"
                assert cell == "[REDACTED]" or (int(cell) >= 10 and int(cell) % 5 == 0), path


def test_one_area_changes_what_depends_on_coverage(study):
    def change(table):
        table.loc[0, "coverage"] = "5"

    found = changed(study, "feasibility_checks", edit_csv(COVERAGE, change))
    assert found == {OUT + "figure1b.png", OUT + "table3.txt"}


@pytest.mark.parametrize(
    "column, value, expected",
    [
        ("dementia", "2019-01", {"table2.txt"}),
        ("died_date", "2020-03-01", {"table3.txt", "table4.txt", "figure2.png"}),
        ("sex", "F", {"table2.txt", "table4.txt"}),
        ("care_home_code", "1", {"table1b.txt"}),
        ("household_size", "12", {"table1a.txt", "figure1a.png"}),
        ("percent_tpp", "99", {"figure1c.png"}),
    ],
)
def test_people_change_what_depends_on_them(study, column, value, expected):
    def change(table):
        table.loc[:60, column] = value

    found = changed(study, "feasibility_checks", edit_csv("output/input.csv", change))
    found.discard("analysis/logfiles/feasibility_checks.txt")
    assert {path.split("/")[-1] for path in found} == expected


def test_one_cell_changes_the_tables_where_a_count_is_at_its_limit(study):
    """Rounding hides most single changes, but of five in a row one must cross a step."""

    def with_changed(number):
        def change(table):
            rows = table.index[table["care_home_type"] == "U"][:number]
            table.loc[rows, "care_home_type"] = "N"

        edit = edit_csv("output/input.csv", change)
        return study.run("feasibility_checks", edit=edit)[OUT + "table1a.txt"]

    tables = [study.outputs["feasibility_checks"][OUT + "table1a.txt"]]
    tables += [with_changed(number) for number in range(1, 6)]
    assert len(set(tables)) > 1
