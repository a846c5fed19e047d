"""What scripts of studies import from `cohortextractor` besides the language of study definitions."""
import sys

import pandas as pd
import pytest

from harness import STUDIES

sys.path.insert(0, str(STUDIES.parent / "crates" / "study" / "recorder"))

from cohortextractor import pandas_utils  # noqa: E402


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "feather", "dta", "dta.gz"])
def test_a_table_is_written_by_its_ending(tmp_path, ending):
    table = pd.DataFrame(
        {
            "patient_id": [3, 1],
            "sex": pd.Categorical(["F", None]),
            "born": pd.to_datetime(["1980-02-29", "2001-12-01"]),
            "bmi": [21.5, 0.0],
        },
        index=[7, 9],
    )
    path = tmp_path / ("input." + ending)
    pandas_utils.dataframe_to_file(table, path)
    packed = path.read_bytes()[:2] == b"\x1f\x8b"
    assert packed == ending.endswith(".gz")
    if ending.startswith("csv"):
        found = pd.read_csv(path, parse_dates=["born"])
    elif ending == "feather":
        found = pd.read_feather(path)
    else:
        found = pd.read_stata(path, compression="gzip" if packed else None)
    assert list(found.columns) == list(table.columns)
    assert found["patient_id"].tolist() == [3, 1] and found["bmi"].tolist() == [21.5, 0.0]
    assert found["born"].tolist() == table["born"].tolist()
    assert found["sex"].iloc[0] == "F" and found["sex"].iloc[1] in ("", None) or pd.isna(found["sex"].iloc[1])


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="Unsupported file format"):
        pandas_utils.dataframe_to_file(pd.DataFrame(), tmp_path / "input.xlsx")
