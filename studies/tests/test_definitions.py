"""All study definitions: they use the language rightly, and what they name exists."""
import json

import pytest

from harness import STUDIES, fabricate

DEFINITIONS = {
    ("carehomes_mortality", "study_definition"): (22, 0),
    ("carehomes_mortality", "study_definition_coverage"): (2, 0),
    ("flucats", "study_definition"): (138, 0),
    ("flucats", "study_definition_end"): (7, 0),
    ("pincer-measures", "study_definition"): (115, 16),
    ("pincer-measures", "study_definition_ethnicity"): (2, 0),
}


def test_all_definitions_are_listed():
    found = STUDIES.glob("*/analysis/study_definition*.py")
    assert {(path.parts[-3], path.stem) for path in found} == set(DEFINITIONS)


@pytest.mark.parametrize("study, module", DEFINITIONS)
def test_definition(study, module):
    found = json.loads(fabricate("describe", STUDIES / study, module))
    columns, measures = DEFINITIONS[study, module]
    assert len(found["columns"]) == columns
    assert len(found["measures"]) == measures
    assert found["unknown"] == [], "columns used before they are defined"
    names = found["columns"] + found["hidden"]
    assert sorted(set(names)) == sorted(names), "one name twice"
    for measure in found["measures"]:
        assert set(measure["columns"]) <= set(found["columns"]), measure["id"]
