"""seeds/004: rounding, redaction, and the report drawn from it."""
import csv
import io
import shutil

import pytest

from harness import STUDIES, differing, edit_csv

RAW = "output/raw/visit_num.csv"
SAFE = "output/safe/visit_num.csv"
REPORT = "output/report.html"
STUDY = "ons-cis-short-data-report"


@pytest.fixture(scope="module")
def study(pipeline):
    made = pipeline(STUDY)

    def dummy(folder):
        (folder / "output/raw").mkdir(parents=True)
        shutil.copy(str(folder / "analysis/visit_num.csv"), str(folder / RAW))

    made.provide("visit_num", dummy)
    made.keep("make_safe")
    made.keep("render_report")
    return made


def cell(value):
    def change(table):
        table.loc[4, "num_rows"] = value

    return edit_csv(RAW, change)


@pytest.mark.parametrize(
    "count, shown",
    [
        ("0", "[REDACTED]"),
        ("7", "[REDACTED]"),
        ("8", "10"),
        ("12", "10"),
        ("13", "15"),
        ("1002", "1000"),
        ("1003", "1005"),
        ("", ""),
    ],
)
def test_make_safe_hides_and_rounds(study, count, shown):
    text = study.run("make_safe", edit=cell(count))[SAFE].decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[4]["num_rows"] == shown
    raw = list(csv.DictReader(io.StringIO(study.outputs["visit_num"][RAW].decode())))
    for name in ("visit_num", "visit_status", "visit_type"):
        assert [row[name] for row in rows] == [row[name] for row in raw]


@pytest.mark.parametrize("count", ["-3", "1.5", "\u00b2", "many"])
def test_make_safe_refuses_what_is_no_count_and_does_not_repeat_it(study, count):
    with pytest.raises(AssertionError) as failed:
        study.run("make_safe", edit=cell(count))
    log = str(failed.value)
    assert "line 6, column num_rows: not a whole number" in log
    assert "visit_num.csv: line" in log and count not in log.split("not a whole number")[1]


def test_report_depends_on_each_cell_and_escapes_it(study):
    def change(table):
        table.loc[0, "visit_type"] = "<script>&"

    after = study.run("render_report", edit=edit_csv(SAFE, change))
    assert differing(study.outputs["render_report"], after) == {REPORT}
    page = after[REPORT].decode()
    assert "&lt;script&gt;&amp;" in page and "<script" not in page


def test_changing_one_count_changes_the_report(study):
    before = dict(study.outputs)
    study.outputs["make_safe"] = study.run("make_safe", edit=cell("4321"))
    try:
        page = study.run("render_report")[REPORT].decode()
    finally:
        study.outputs.update(before)
    assert "4320" in page and "4320" not in before["render_report"][REPORT].decode()


def test_the_dummy_file_has_the_columns_of_the_query_and_the_query_is_older_than_the_rule_on_opt_outs():
    folder = STUDIES / STUDY / "analysis"
    sql = (folder / "visit_num.sql").read_text()
    select = sql.split("SELECT", 1)[1].split("FROM", 1)[0]
    names = [part.split(" AS ")[1].strip() for part in select.split(",")]
    header = (folder / "visit_num.csv").read_text().splitlines()[0]
    assert header.split(",") == names
    # A backend runs it by a waiver alone, as it would the original.
    assert "PatientsWithTypeOneDissent" not in sql
