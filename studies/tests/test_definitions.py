"""All study definitions: they are read and checked without a fault, and give the columns they should."""
import csv
import shutil

import pytest

from harness import MADE, STUDIES, cohort

# Columns without patient_id, counted in the study definition.
DEFINITIONS = {
    ("carehomes_mortality", "study_definition"): 22,
    ("carehomes_mortality", "study_definition_coverage"): 2,
    ("flucats", "study_definition"): 138,
    ("flucats", "study_definition_end"): 28,
    ("flucats", "study_definition_followup"): 4,
    ("pincer-measures", "study_definition"): 115,
    ("pincer-measures", "study_definition_ethnicity"): 2,
}


def test_all_definitions_are_listed():
    found = STUDIES.glob("*/analysis/study_definition*.py")
    assert {(path.parts[-3], path.stem) for path in found} == set(DEFINITIONS)


@pytest.mark.parametrize("study, module", DEFINITIONS)
def test_definition(study, module, tmp_path):
    folder = tmp_path / study
    shutil.copytree(str(STUDIES / study), str(folder), ignore=shutil.ignore_patterns(*MADE))
    cohort(module, "csv", 10)(folder)
    name = "input" + module[len("study_definition") :] + ".csv"
    with (folder / "output" / name).open(newline="", encoding="utf-8") as stream:
        header = next(csv.reader(stream))
    assert len(set(header)) == len(header)
    assert len(header) == DEFINITIONS[study, module] + 1
