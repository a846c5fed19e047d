"""seeds/003: both scripts, on made-up codelist reports of several lengths."""
import csv
import datetime
import io
import random

import pytest

from harness import STUDIES, differing, edit_csv

ID = "02qBxF241hTOBjX0jLfYkz"
FOLDER = "output/{}/".format(ID)
REPORT = "codelist_report_" + ID
MEASURES = "measures_" + ID
TOP = "top_5_table_" + ID
WEEKLY = FOLDER + "counts_per_week_per_practice.csv"
MEASURE = FOLDER + "measure_counts_per_week_per_practice.csv"
EVENTS = FOLDER + "event_counts.csv"
PRACTICES = FOLDER + "practice_count.csv"
TOP_TABLE = FOLDER + "top_5_code_table.csv"


def codes():
    path = STUDIES / "opensafely-interactive" / "codelist.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def week(number):
    return str(datetime.date(2019, 9, 1) + datetime.timedelta(days=7 * number))


def lines(header, rows):
    return "\n".join([header] + [",".join(map(str, row)) for row in rows]) + "\n"


def report(weeks, practices, per_code, patients, most=9):
    """Return a function that writes a codelist report; every practice but the last has events."""

    def make(folder):
        draw = random.Random(3)
        target = folder / FOLDER
        target.mkdir(parents=True)
        names = ["{:02}".format(number) for number in range(practices)]
        counts = [
            (name, week(number), draw.randint(0, most))
            for name in names[:-1]
            for number in range(weeks)
        ]
        tables = {
            "counts_per_code.csv": lines("code,num", per_code),
            "counts_per_week_per_practice.csv": lines("practice,date,num", counts),
            "list_sizes.csv": lines(
                "practice,list_size", [(name, draw.randint(1500, 2500)) for name in names]
            ),
            "patient_count.csv": lines("num", [(patients,)]),
        }
        for name, text in tables.items():
            (target / name).write_bytes(text.encode())

    return make


def per_code(*numbers):
    return [(row["code"], number) for row, number in zip(codes(), numbers)]


@pytest.fixture()
def study(pipeline):
    made = pipeline("opensafely-interactive")
    made.provide(REPORT, report(146, 8, per_code(640, 310, 60, 55), 731))
    return made


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def measures(study, **options):
    return study.run(MEASURES, **options)


@pytest.mark.parametrize(
    "weeks, dropped, periods", [(146, 2, 36), (57, 1, 14), (53, 1, 13), (52, 0, 52), (1, 0, 1)]
)
def test_weeks_become_periods_of_four(study, weeks, dropped, periods):
    study.provide(REPORT, report(weeks, 4, per_code(640), 731))
    rows = read(measures(study)[MEASURE])
    step = 4 if weeks > 52 else 1
    assert sorted({row["date"] for row in rows}) == [
        week(dropped + step * number) for number in range(periods)
    ]
    weekly = read(study.outputs[REPORT][WEEKLY])
    for row in rows:
        first = datetime.date(*map(int, row["date"].split("-")))
        days = [str(first + datetime.timedelta(days=7 * number)) for number in range(step)]
        assert int(row["num"]) == sum(
            int(other["num"])
            for other in weekly
            if other["practice"] == row["practice"] and other["date"] in days
        )


def test_rates_are_per_1000_and_rows_by_date_then_practice(study):
    rows = read(measures(study)[MEASURE])
    assert list(rows[0]) == ["practice", "date", "num", "list_size", "value"]
    keys = [(row["date"], row["practice"]) for row in rows]
    assert keys == sorted(keys) and len(rows) == 36 * 7
    for row in rows:
        expected = round(int(row["num"]) / int(row["list_size"]) * 1000 * 100) / 100
        assert row["value"] == repr(expected)


def test_practices_are_counted_to_the_nearest_5(study):
    # Eight practices on the list, seven with events: both nearest to 10 and 5.
    assert measures(study)[PRACTICES] == b",count\ntotal,10\nwith_at_least_1_event,5\n"


def test_events_are_counted_to_the_nearest_10(study):
    rows = read(measures(study)[MEASURE])
    total = sum(int(row["num"]) for row in rows)
    latest = sum(int(row["num"]) for row in rows if row["date"] == rows[-1]["date"])
    assert latest > 100
    expected = ",count\ntotal_events,{}\nevents_in_latest_period,{}\nunique_patients,730\n"
    assert measures(study)[EVENTS] == expected.format(
        10 * round(total / 10), 10 * round(latest / 10)
    ).encode()


@pytest.mark.parametrize("patients, shown", [(100, ""), (101, "100.0"), (106, "110.0")])
def test_a_blank_makes_the_other_counts_show_a_decimal(study, patients, shown):
    study.provide(REPORT, report(53, 3, per_code(640), patients, most=2))
    rows = {row[""]: row["count"] for row in read(measures(study)[EVENTS])}
    assert rows["events_in_latest_period"] == ""
    assert rows["unique_patients"] == shown


def test_no_event_at_all_is_no_failure(study):
    study.provide(REPORT, report(4, 1, (), 0))
    files = measures(study)
    assert files[MEASURE] == b"practice,date,num,list_size,value\n"
    assert files[PRACTICES] == b",count\ntotal,0\nwith_at_least_1_event,0\n"
    assert files[EVENTS] == (
        b",count\ntotal_events,\nevents_in_latest_period,\nunique_patients,\n"
    )


def test_one_cell_changes_the_measure_and_nothing_else(study):
    def change(table):
        table.loc[len(table) - 1, "num"] = str(int(table.loc[len(table) - 1, "num"]) + 1)

    before, after = measures(study), measures(study, edit=edit_csv(WEEKLY, change))
    found = differing(before, after)
    assert MEASURE in found and PRACTICES not in found
    rows = zip(read(before[MEASURE]), read(after[MEASURE]))
    assert sum(old != new for old, new in rows) == 1


def test_one_cell_changes_the_counts(study):
    def large(table):
        table.loc[0, "num"] = "987654"

    edit = edit_csv(FOLDER + "patient_count.csv", large)
    assert differing(measures(study), measures(study, edit=edit)) == {EVENTS}


def top(study, numbers):
    study.provide(REPORT, report(4, 3, per_code(*numbers), 731))
    content = study.run(TOP)[TOP_TABLE]
    assert content.split(b"\n")[0] == b"Code,Description,Proportion of codes (%)"
    known = {row["code"]: number for number, row in enumerate(codes())}
    return [
        (known.get(row["Code"], row["Code"]), row["Proportion of codes (%)"])
        for row in read(content)
    ]


@pytest.mark.parametrize(
    "numbers, expected",
    [
        # 60 and 55 make 115, rounded 120; the whole is 640 + 310 + 120 = 1,070.
        ((640, 310, 60, 55), [(0, "59.81"), (1, "28.97"), ("Other", "11.21")]),
        # 50 is too small to stand alone: 310 joins it.
        ((640, 310, 50), [(0, "64.0"), ("Other", "36.0")]),
        # Of two equal ones the first joins.
        ((200, 200, 10), [(1, "48.78"), ("Other", "51.22")]),
        # Nothing to hide; the sixth is cut off.
        (
            (600, 500, 400, 300, 200, 101),
            [(0, "28.57"), (1, "23.81"), (2, "19.05"), (3, "14.29"), (4, "9.52")],
        ),
        # Codes that were never used need not be hidden.
        ((300, 0), [(0, "100.0"), (1, "0.0")]),
        # All together are too few.
        ((60, 40), []),
        ((), []),
        # Others are used more often than any one code, yet come last, here beyond the fifth.
        (
            (200, 200, 200, 200, 200, 90, 90, 90),
            [(number, "15.75") for number in range(5)],
        ),
    ],
)
def test_top_codes(study, numbers, expected):
    assert top(study, numbers) == expected


def test_top_codes_carry_their_terms(study):
    rows = read(study.run(TOP)[TOP_TABLE])
    assert [row["Description"] for row in rows] == [row["term"] for row in codes()[:2]] + ["-"]


def test_one_cell_changes_the_top_codes(study):
    def change(table):
        table.loc[0, "num"] = "650"

    edit = edit_csv(FOLDER + "counts_per_code.csv", change)
    assert differing(study.run(TOP), study.run(TOP, edit=edit)) == {TOP_TABLE}
