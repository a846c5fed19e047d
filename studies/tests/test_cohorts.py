"""Files of patients go to pandas and come from it unchanged, in every format (crates/cohorts)."""
import csv
import gzip
import json
import pathlib
import struct
import subprocess

import numpy
import pandas
import pyarrow
import pyarrow.feather
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = [
    "patient_id", "small", "yes", "float", "text", "long_text", "no_text", "year", "month", "day", "imd", "rural", "dummy",
    "a_name_of_more_than_thirty_two_letters_1", "a_name_of_more_than_thirty_two_letters_2",
]
# Names that Stata keeps for itself, and names that are too long for it.
STATA_NAMES = NAMES[:3] + ["_float"] + NAMES[4:13] + ["a_name_of_more_than_thirty_two_l", "_0a_name_of_more_than_thirty_two"]
LONG = "é" * 1023


def exchange(*arguments):
    command = ["cargo", "run", "--quiet", "--package", "cohorts", "--example", "exchange", "--", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts")
    exchange("write", folder)
    return folder


def read(path):
    """Return the columns and rows that our own reader finds in a file."""
    found = json.loads(exchange("read", path))
    return {column["name"]: column for column in found["columns"]}, found["rows"]


def test_csv(written):
    expected = (
        ",".join(NAMES) + "\n"
        '1,-7,1,0.1,"b,""é""",' + LONG + ",,2020,2020-02,2020-02-29,300,300,300,1,5\n"
        "20,0,0,1e-05,,,,9999,9999-12,9999-12-31,-1,0,,2,6\n"
        "300,0,0,0.0,,x,,1600,1600-05,1600-05-20,0,0,0,3,7\n"
        "4000000000,2147483620,1,-5.0,a,x,,,,,100,100,100,4,8\n"
    )
    assert (written / "sample.csv").read_text(encoding="utf-8") == expected
    assert gzip.decompress((written / "sample.csv.gz").read_bytes()).decode() == expected
    assert (written / "empty.csv").read_text() == ",".join(NAMES) + "\n"


def test_floats_are_those_of_python(written):
    with open(written / "floats.csv", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 190_000
    for row in rows:
        (value,) = struct.unpack("<d", struct.pack("<q", int(row["bits"])))
        assert row["value"] == repr(value)


def test_feather_in_pandas(written):
    frame = pandas.read_feather(written / "sample.feather")
    assert list(frame.columns) == NAMES
    assert frame.index.equals(pandas.RangeIndex(4))
    dtypes = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert dtypes == {
        name: "bool" if name == "yes" else "float64" if name == "float"
        else "category" if name in ("text", "long_text", "no_text", "imd", "rural", "dummy")
        else "datetime64[ns]" if name in ("year", "month", "day") else "int64"
        for name in NAMES
    }

    def values(name):
        return [None if pandas.isna(value) else value for value in frame[name]]

    assert values("patient_id") == [1, 20, 300, 4000000000]
    assert values("small") == [-7, 0, 0, 2147483620]
    assert values("yes") == [True, False, False, True]
    assert values("float") == [0.1, 1e-05, 0.0, -5.0]
    assert values("text") == ['b,"é"', None, None, "a"]
    assert values("long_text") == [LONG, None, "x", "x"]
    assert values("no_text") == [None] * 4
    assert values("imd") == [300, -1, None, 100]
    assert values("rural") == [300, None, None, 100]
    assert values("dummy") == [300, None, 0, 100]
    for name, day in ("year", "2020-01-01"), ("month", "2020-02-01"), ("day", "2020-02-29"):
        first, last, early, none = frame[name]
        assert first == pandas.Timestamp(day)
        assert (last, early) == (pandas.Timestamp.max, pandas.Timestamp("1677-09-21T00:12:43.145224193"))
        assert pandas.isna(none)
    assert list(frame["text"].cat.categories) == ["a", 'b,"é"']
    assert list(frame["imd"].cat.categories) == [-1, 100, 300]
    table = pyarrow.feather.read_table(written / "sample.feather")
    assert table.schema.field("text").type == pyarrow.dictionary(pyarrow.int8(), pyarrow.utf8())
    assert table.schema.field("imd").type == pyarrow.dictionary(pyarrow.int8(), pyarrow.int64())


def test_stata_in_pandas(written):
    frame = pandas.read_stata(written / "sample.dta")
    assert list(frame.columns) == STATA_NAMES
    assert list(frame["patient_id"]) == [1, 20, 300, 4000000000]
    assert frame["small"].dtype == numpy.int32 and list(frame["small"]) == [-7, 0, 0, 2147483620]
    assert frame["yes"].dtype == numpy.int8 and list(frame["yes"]) == [1, 0, 0, 1]
    assert list(frame["_float"]) == [0.1, 1e-05, 0.0, -5.0]
    assert list(frame["text"]) == ['b,"é"', "", "", "a"]
    assert list(frame["long_text"]) == [LONG, "", "x", "x"]
    assert list(frame["no_text"]) == [""] * 4
    assert list(frame["imd"]) == [300, -1, 0, 100]
    assert list(frame["dummy"].fillna(-9)) == [300, -9, 0, 100]
    days = [None if pandas.isna(day) else day.strftime("%Y-%m-%d") for day in frame["month"]]
    assert days == ["2020-02-01", "9999-12-01", "1600-05-01", None]
    assert gzip.decompress((written / "sample.dta.gz").read_bytes()) == (written / "sample.dta").read_bytes()


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "feather", "dta", "dta.gz"])
def test_files_without_rows(written, ending):
    reader = {"c": pandas.read_csv, "f": pandas.read_feather, "d": pandas.read_stata}[ending[0]]
    frame = reader(written / ("empty." + ending))
    assert len(frame) == 0 and list(frame.columns) == (STATA_NAMES if ending[0] == "d" else NAMES)
    columns, rows = read(written / ("empty." + ending))
    assert list(columns) == list(frame.columns) and rows == []


@pytest.mark.parametrize("ending", ["feather", "dta", "dta.gz"])
def test_reading_back(written, ending):
    _, rows = read(written / ("sample." + ending))
    # Null where each format has no value, and NaN nowhere.
    empty = None if ending == "feather" else ""
    assert [row[3] for row in rows] == [0.1, 1e-05, 0.0, -5.0]
    assert [row[4] for row in rows] == ['b,"é"', empty, empty, "a"]
    assert [row[5] for row in rows] == [LONG, empty, "x", "x"]
    assert [row[12] for row in rows] == [300, None, 0, 100]


def frame():
    return pandas.DataFrame({
        "id": numpy.array([1, 2, 3], dtype="int64"),
        "small": numpy.array([1, -2, 100], dtype="int8"),
        "float": [0.5, numpy.nan, -1e300],
        "yes": [True, False, True],
        "text": ["é", "", "x" * 300],
        "word": pandas.Categorical(["b", None, "a"], categories=["b", "a", "unused"]),
        "day": numpy.array(["2020-02-29T12:00:00", "NaT", "1960-01-01"], dtype="datetime64[ns]"),
    })


@pytest.mark.parametrize("packing", ["zstd", "lz4", "uncompressed", "of old"])
def test_feather_from_pandas(tmp_path, packing):
    table = pyarrow.Table.from_pandas(frame())
    path = tmp_path / "x.feather"
    if packing == "of old":
        # As pyarrow before 1.0 wrote files.
        options = pyarrow.ipc.IpcWriteOptions(metadata_version=pyarrow.ipc.MetadataVersion.V4, use_legacy_format=True)
        with pyarrow.ipc.new_file(str(path), table.schema, options=options) as file:
            file.write_table(table, max_chunksize=2)
    else:
        pyarrow.feather.write_feather(table, str(path), compression=packing, chunksize=2)
    columns, rows = read(path)
    assert [column["type"] for column in columns.values()][:4] == ["Int64", "Int8", "Float64", "Boolean"]
    assert [list(values) for values in zip(*rows)] == [
        [1, 2, 3], [1, -2, 100], [0.5, None, -1e300], [True, False, True], ["é", "", "x" * 300], ["b", None, "a"],
        [1582977600000000000, None, -315619200000000000],
    ]


@pytest.mark.parametrize("release", [114, 117, 118, 119])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", ["dta", "dta.gz"])
def test_stata_from_pandas(tmp_path, release, order, ending):
    # Texts of 114 are short; those of later releases may be kept beside the rows.
    long = None if release == 114 else ["text"]
    text = ["é", "", "x" * (200 if release == 114 else 3000)]
    made = frame().assign(text=text)
    path = tmp_path / "x.dta"
    made.to_stata(path, version=release, byteorder=order, convert_strl=long, write_index=False)
    if ending == "dta.gz":
        packed = tmp_path / "x.dta.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    columns, rows = read(path)
    assert list(columns) == [name if name != "float" else "_float" for name in made.columns]
    assert columns["word"]["labels"] == {"0": "b", "1": "a", "2": "unused"}
    values = [list(column) for column in zip(*rows)]
    assert values[:3] == [[1, 2, 3], [1, -2, 100], [0.5, None, -1e300]]
    assert values[3] == [1, 0, 1]
    # pandas writes long texts of 117 in UTF-8 and reads them, as everything before 118, in Latin-1.
    assert values[4] == (["Ã©"] + text[1:] if release == 117 else text)
    assert values[5] == [0, None, 1]
    # Milliseconds.
    assert values[6] == [1582977600000, None, -315619200000]


def test_csv_from_pandas(tmp_path):
    path = tmp_path / "x.csv.gz"
    frame().to_csv(path, index=False)
    columns, rows = read(path)
    assert list(columns) == list(frame().columns)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        assert [list(columns)] + rows == list(csv.reader(lines))
