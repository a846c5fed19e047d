"""The language of study definitions: what a study imports from `cohortextractor`.

Recorded by `cloister`, which reads what a study asks from the objects made here; imported by any other
program it is a plain library that records nothing. It computes nothing about patients.
"""

import sys

from . import codelistlib, exceptions, measure, patients, study_definition
from ._place import VERSION as __version__
from .codelistlib import (
    codelist,
    codelist_from_csv,
    combine_codelists,
    filter_codes_by_category,
)
from .exceptions import MissingParameterError
from .measure import Measure
from .study_definition import StudyDefinition

__all__ = [
    "StudyDefinition",
    "Measure",
    "codelist",
    "codelist_from_csv",
    "filter_codes_by_category",
    "combine_codelists",
    "params",
]

SUBMODULES = (
    "patients",
    "codelistlib",
    "study_definition",
    "measure",
    "exceptions",
    "pandas_utils",
    "tpp_backend",
)


class Params(dict):
    """The values given with `--param`, as text."""

    read = ()

    def __missing__(self, key):
        raise MissingParameterError(key)

    def __getitem__(self, key):
        self._note(key)
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        self._note(key)
        return dict.get(self, key, default)

    def __contains__(self, key):
        self._note(key)
        return dict.__contains__(self, key)

    def _note(self, key):
        if isinstance(key, str) and key not in self.read:
            self.read += (key,)


params = Params()


class _OtherSubmodules:
    """Says which submodules there are when another one is imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package, _, rest = name.partition(".")
        if package != __name__ or "." in rest or rest.startswith("_") or rest in SUBMODULES:
            return None
        raise ImportError(
            "cohortextractor has no %r; studies can import %s and the submodules %s"
            % (rest, ", ".join(__all__), ", ".join(SUBMODULES)),
            name=name,
        )


sys.meta_path.append(_OtherSubmodules)

# Its name before June 2020; studies of that time still run.
sys.modules.setdefault("datalab_cohorts", sys.modules[__name__])
